"""Learns from an account's books what became of its orders: the only source of fills, positions and settled states.

A failed read changes nothing. What a clean read says is applied in one transaction, so a position row is never older
than the fills beside it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey
from app.domain.errors import DeskError, Misconfigured, NotFound
from app.domain.orders import IntentState, move
from app.domain.plan import Mode
from app.persistence.database import Database
from app.persistence.tables import Intent, TradingAccount
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import GatewayError, OtherMode
from app.services.account_health import HealthBoard, HealthState
from app.services.book_memory import Memory
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.settlement import Settlement
from app.services.settling import Books, storable

FUNDS_EVERY_S = 15.0
LONGEST_BACK_OFF_S = 15.0


@dataclass(slots=True)
class _Account:
    """What the loop of one account remembers between its cycles."""

    memory: Memory = field(default_factory=Memory)
    failures: int = 0
    funds_at: float | None = None
    funds_failed: bool = False
    mode_at: float | None = None


@dataclass(frozen=True, slots=True)
class KnownBook:
    """Order ids of the last read, its trading date, when it began (monotonic), and what each holding carries.

    That is what it has beside the day's trades.
    """

    ids: frozenset[str]
    day: date
    began: float
    carries: dict[tuple[ContractKey, str], int]


class Reconciler:
    """`step` belongs to one thread for each account; the rest is thread-safe."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        gateways: Gateways,
        health: HealthBoard,
        *,
        journal: Journal,
        on_change: Callable[[int, int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._gateways = gateways
        self._health = health
        self._journal = journal
        self._on_change = on_change
        self._settlement = Settlement(database, clock, market_clock, journal)
        self._accounts: dict[int, _Account] = {}
        self._known: dict[int, KnownBook] = {}
        self._lock = threading.Lock()

    def known(self, account_id: int) -> KnownBook | None:
        """What the last successful cycle read; None before the first."""
        with self._lock:
            return self._known.get(account_id)

    def mode_age_s(self, account_id: int) -> float | None:
        """Seconds since the account's gateway last said in which mode it is; None when it never did."""
        with self._lock:
            account = self._accounts.get(account_id)
        if account is None or account.mode_at is None:
            return None
        return self._clock.monotonic() - account.mode_at

    def recover(self, epoch: int) -> int:
        """At start, before anything is sent: calls under way when the engine died are unknown. Gives their number."""
        now = self._clock.now()
        with self._database.transaction() as session:
            lost = session.scalars(
                select(Intent).where(Intent.state == IntentState.SENDING, Intent.epoch != epoch)
            ).all()
            for intent in lost:
                intent.state = move(IntentState.SENDING, IntentState.UNKNOWN).value
                intent.reason = "The engine stopped while this order was being sent."
                intent.verdict, intent.answered_at = "UNKNOWN_OPEN", now
                words = f"Unknown whether {intent.side.lower()} {intent.units} {intent.symbol} stands at the broker."
                self._journal.note(session, intent.run_id, "unknown", words, intent.account_id)
            return len(lost)

    def step(self, account_id: int) -> float:
        """One cycle of an account: read its books, apply them. Returns the seconds until the next."""
        with self._lock:
            account = self._accounts.setdefault(account_id, _Account())
        try:
            books = self._read(account_id)
        except (GatewayError, NotFound, Misconfigured) as trouble:
            if isinstance(trouble, OtherMode):
                self._health.report(account_id, mode=trouble.mode)
                account.mode_at = self._clock.monotonic()
            self._say(account_id, trouble)
            account.failures += 1
            account.memory.read_failed()
            return min(2.0 ** (account.failures - 1), LONGEST_BACK_OFF_S)
        account.failures = 0
        self._remember(account_id, books)
        applied = self._settlement.apply(account_id, books, account.memory)
        for run_id in applied.runs:
            self._on_change(run_id, account_id)
        # Last, and apart: a gateway that cannot tell its funds must not keep its orders from being settled.
        self._read_funds(account_id, account)
        if not account.funds_failed:
            self._health.report(account_id, state=HealthState.OK)
        return applied.next_s

    def _read(self, account_id: int) -> Books:
        gateway, mode = self._gateways.of(account_id), self._expected_mode(account_id)
        began = self._clock.monotonic()
        orders = gateway.order_book(mode)
        self._health.report(account_id, latency_ms=round((self._clock.monotonic() - began) * 1000))
        # Positions last: then their row can never be older than the fills it is written beside.
        trades = gateway.trade_book(mode)
        return storable(Books(orders, trades, gateway.position_book(mode), began))

    def _expected_mode(self, account_id: int) -> Mode:
        with self._database.reading() as session:
            return Mode(session.get_one(TradingAccount, account_id).expected_mode)

    def _read_funds(self, account_id: int, account: _Account) -> None:
        now = self._clock.monotonic()
        if account.funds_at is not None and now - account.funds_at < FUNDS_EVERY_S:
            return
        account.funds_at = now
        account.funds_failed = False
        try:
            gateway = self._gateways.of(account_id)
            self._health.report(account_id, mode=gateway.mode())
            account.mode_at = self._clock.monotonic()
            self._health.report(account_id, funds=gateway.funds())
        except (GatewayError, NotFound, Misconfigured) as trouble:
            account.funds_failed = True
            self._say(account_id, trouble)

    def _say(self, account_id: int, trouble: DeskError) -> None:
        if isinstance(trouble, GatewayError):
            self._health.failed(account_id, trouble)
        else:
            self._health.report(account_id, state=HealthState.UNKNOWN, reason=str(trouble))

    def _remember(self, account_id: int, books: Books) -> None:
        ids, day = frozenset(order.order_id for order in books.orders), trading_date(self._market_clock.now())
        with self._lock:
            self._known[account_id] = KnownBook(ids, day, books.began, books.carries())
