"""What the order desk may know of the world without asking the network, and when it has to ask."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.calendar import Phase
from app.domain.contracts import ContractKey
from app.domain.gate import Stop
from app.domain.plan import Mode
from app.ports.clock import Clock
from app.services.account_health import HealthBoard
from app.services.contract_list import ContractList
from app.services.doubt import Unowned, nothing_unowned
from app.services.gateways import Gateways
from app.services.reconciler import Reconciler
from app.services.session_hours import SessionHours

BOOK_FRESH_S = 1.5
"""An order book this old still serves as the baseline of a send."""

MODE_FRESH_S = 60.0

FUNDS_FRESH_S = 60.0
"""Funds are read every quarter of a minute; older ones say nothing about what is free now."""


@dataclass(frozen=True, slots=True)
class Money:
    """Rupees: what an account can use, and its profit or loss of the day. None: nobody can say."""

    free: Decimal | None
    day_pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class _Ids:
    """Order ids of a book that was read for a send, and when that began (monotonic)."""

    ids: frozenset[str]
    began: float


class World:
    """Thread-safe. `read_ids` alone asks a gateway."""

    def __init__(
        self,
        clock: Clock,
        gateways: Gateways,
        health: HealthBoard,
        *,
        contracts: ContractList,
        hours: SessionHours,
        books: Reconciler,
        read_soon: Callable[[int], None],
        well: Callable[[], bool] = lambda: True,
        locked: Callable[[int], Stop | None] = lambda _account_id: None,
        unowned: Unowned = nothing_unowned,
    ) -> None:
        """`well` is False while threads of the engine keep crashing; `locked` says what else holds entries; `unowned`
        are orders that may be ours, of which a database that was set back tells nothing.
        """
        self._clock = clock
        self._gateways = gateways
        self._health = health
        self._contracts = contracts
        self._hours = hours
        self._books = books
        self.read_soon = read_soon
        self.well = well
        self.locked = locked
        self.unowned = unowned
        self._read: dict[int, _Ids] = {}

    def mode(self, account_id: int) -> Mode | None:
        """The mode the gateway was last seen in; None when that was too long ago."""
        age_s = self._books.mode_age_s(account_id)
        return None if age_s is None or age_s > MODE_FRESH_S else self._health.of(account_id).mode

    def phase(self, exchange: str) -> Phase:
        return self._hours.phase(exchange)

    def lot_size(self, key: ContractKey) -> int | None:
        """None when today's list does not have the contract, or there is no list yet."""
        return self._contracts.lot_size(key)

    def order_ids(self, account_id: int) -> frozenset[str] | None:
        """Ids of the account's order book, no older than BOOK_FRESH_S; None when there are none so young at hand."""
        now = self._clock.monotonic()
        known, read = self._books.known(account_id), self._read.get(account_id)
        if known is not None and now - known.began <= BOOK_FRESH_S and (read is None or known.began >= read.began):
            return known.ids
        return read.ids if read is not None and now - read.began <= BOOK_FRESH_S else None

    def ids_age_s(self, account_id: int) -> float | None:
        """Seconds since the newest read of the account's order book began; None before the first."""
        known, read = self._books.known(account_id), self._read.get(account_id)
        began = [each.began for each in (known, read) if each is not None]
        return self._clock.monotonic() - max(began) if began else None

    def read_ids(self, account_id: int, mode: Mode, older_than_s: float = BOOK_FRESH_S) -> None:
        """Read that mode's order book when the newest is older than that. Raises GatewayError.

        While the account's books cannot be read at all nobody waits for a time-out here: entries are held, and an exit
        goes with the ids that were read last.
        """
        age_s = self.ids_age_s(account_id)
        if age_s is not None and age_s <= older_than_s:
            return
        self._books.breaker.ask(account_id)
        began = self._clock.monotonic()
        orders = self._gateways.of(account_id).order_book(mode)
        self._read[account_id] = _Ids(frozenset(order.order_id for order in orders), began)

    def money(self, account_id: int) -> Money:
        """What the account can use and what its day brought, as last read; None where that is unknown or too old."""
        health = self._health.of(account_id)
        funds, at = health.funds, health.funds_at
        if funds is None or at is None or abs((self._clock.now() - at).total_seconds()) > FUNDS_FRESH_S:
            return Money(None, None)
        if funds.realised is None or funds.unrealised is None:
            return Money(funds.available, None)
        return Money(funds.available, funds.realised + funds.unrealised)

    def has_books(self, account_id: int) -> bool:
        """Whether our rows of its orders and positions are from a read of this engine."""
        return self._books.kept(account_id) is not None

    def outdated(self, accounts: Iterable[int]) -> frozenset[int]:
        """Of these accounts, those whose positions in our rows an engine before this one wrote, who knows when."""
        return frozenset(account_id for account_id in accounts if not self.has_books(account_id))

    def last_order_ids(self, account_id: int, today: date) -> frozenset[str]:
        """Ids that books of this trading date have shown: a new day's book lists none of yesterday's."""
        known = self._books.known(account_id)
        return known.ids if known is not None and known.day == today else frozenset()

    def carry(self, account_id: int, key: ContractKey, product: str) -> int | None:
        """Signed net that the day's trades did not explain at the last read; None before the first."""
        known = self._books.known(account_id)
        return None if known is None else known.carries.get((key, product), 0)
