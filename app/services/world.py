"""What the order desk may know of the world without asking the network, and when it has to ask."""

from collections.abc import Callable
from datetime import date

from app.domain.calendar import Phase
from app.domain.contracts import ContractKey
from app.domain.errors import NotFound, Unavailable
from app.domain.plan import Mode
from app.ports.clock import Clock
from app.services.account_health import HealthBoard
from app.services.contract_list import ContractList
from app.services.gateways import Gateways
from app.services.reconciler import Reconciler
from app.services.session_hours import SessionHours

BOOK_FRESH_S = 1.5
"""An order book this old still serves as the baseline of a send."""

MODE_FRESH_S = 60.0


class World:
    """Thread-safe. Reads the gateway only for an order book that is too old."""

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
    ) -> None:
        """`well` is False while threads of the engine keep crashing."""
        self._clock = clock
        self._gateways = gateways
        self._health = health
        self._contracts = contracts
        self._hours = hours
        self._books = books
        self.read_soon = read_soon
        self.well = well

    def mode(self, account_id: int) -> Mode | None:
        """The mode the gateway was last seen in; None when that was too long ago."""
        age_s = self._books.mode_age_s(account_id)
        return None if age_s is None or age_s > MODE_FRESH_S else self._health.of(account_id).mode

    def phase(self, exchange: str) -> Phase:
        return self._hours.phase(exchange)

    def lot_size(self, key: ContractKey) -> int | None:
        """None when today's list does not have the contract, or there is no list yet."""
        try:
            return self._contracts.master().contract(key).lot_size
        except (NotFound, Unavailable):
            return None

    def order_ids(self, account_id: int, mode: Mode) -> frozenset[str]:
        """Ids of that mode's order book, no older than BOOK_FRESH_S; read now if need be. Raises GatewayError."""
        known = self._books.known(account_id)
        if known is not None and self._clock.monotonic() - known.began <= BOOK_FRESH_S:
            return known.ids
        return frozenset(order.order_id for order in self._gateways.of(account_id).order_book(mode))

    def last_order_ids(self, account_id: int, today: date) -> frozenset[str]:
        """Ids of the last book of this trading date that could be read: a new day's book lists none of yesterday's."""
        known = self._books.known(account_id)
        return known.ids if known is not None and known.day == today else frozenset()

    def carry(self, account_id: int, key: ContractKey, product: str) -> int | None:
        """Signed net that the day's trades did not explain at the last read; None before the first."""
        known = self._books.known(account_id)
        return None if known is None else known.carries.get((key, product), 0)
