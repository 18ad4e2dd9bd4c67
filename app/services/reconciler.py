"""Learns from an account's books what became of its orders: the only source of fills, positions and settled states.

A failed read changes nothing. What a clean read says is applied in one transaction, so a position row is never older
than the fills beside it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import bindparam, select

from app.domain.books import BrokerOrder
from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey
from app.domain.errors import DeskError, Misconfigured, NotFound
from app.domain.orders import IntentState, move
from app.domain.plan import Mode
from app.domain.reconcile import QUIET, QuietWindows
from app.persistence.database import Database
from app.persistence.tables import Intent, TradingAccount
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import GatewayError, GatewayRefused, LoggedOut, OtherMode
from app.services.account_health import HealthBoard, HealthState
from app.services.book_memory import Memory
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.read_breaker import ReadBreaker
from app.services.settlement import Settlement
from app.services.settling import Books, storable

FUNDS_EVERY_S = 15.0

_EXPECTED_MODE = select(TradingAccount.expected_mode).where(TradingAccount.id == bindparam("id"))


@dataclass(slots=True)
class _Account:
    """What the loop of one account remembers between its cycles."""

    memory: Memory = field(default_factory=Memory)
    funds_at: float | None = None
    funds_failed: bool = False
    mode_at: float | None = None


@dataclass(frozen=True, slots=True)
class KnownBook:
    """Order ids that reads of a trading date have shown, and of the last one: when it began (monotonic), what each
    holding carries, which is what it has beside the day's trades, and how many open positions have no name.
    """

    ids: frozenset[str]
    day: date
    began: float
    carries: dict[tuple[ContractKey, str], int]
    unnamed: int


class Reconciler:
    """`step` belongs to one thread for each account; the rest is thread-safe.

    `breaker` keeps everybody else from a gateway that fails.
    """

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
        windows: QuietWindows = QUIET,
        bears_out: Callable[[int, BrokerOrder], bool] = lambda _account_id, _row: False,
    ) -> None:
        """`bears_out` says whether an account was pushed the word that this row of its book has."""
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._gateways = gateways
        self._health = health
        self._journal = journal
        self._on_change = on_change
        self.breaker = ReadBreaker(clock)
        self._settlement = Settlement(database, clock, market_clock, journal, windows, bears_out=bears_out)
        self._accounts: dict[int, _Account] = {}
        self._known: dict[int, KnownBook] = {}
        self._kept: dict[int, float] = {}
        self._lock = threading.Lock()

    def known(self, account_id: int) -> KnownBook | None:
        """What the last successful cycle read; None before the first."""
        with self._lock:
            return self._known.get(account_id)

    def kept(self, account_id: int) -> float | None:
        """When (monotonic) the newest read began whose orders and positions our rows show; None before the first."""
        with self._lock:
            return self._kept.get(account_id)

    def mode_age_s(self, account_id: int) -> float | None:
        """Seconds since the account's gateway last said in which mode it is; None when it never did."""
        with self._lock:
            account = self._accounts.get(account_id)
        if account is None or account.mode_at is None:
            return None
        return self._clock.monotonic() - account.mode_at

    def recover(self, epoch: int) -> int:
        """At start, before anything is sent: calls under way when the engine died are unknown. Gives their number."""
        self._settlement.epoch = epoch
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
            self._say(account_id, self._really(account_id, trouble))
            account.memory.read_failed()
            return self.breaker.failed(account_id, trouble)
        self.breaker.worked(account_id)
        self._remember(account_id, books)
        applied = self._settlement.apply(account_id, books, account.memory)
        if applied.is_kept:
            with self._lock:
                self._kept[account_id] = books.began
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
            return Mode(session.scalars(_EXPECTED_MODE, {"id": account_id}).one())

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

    def _really(self, account_id: int, trouble: DeskError) -> DeskError:
        """Books of a dead broker session are refused in words that tell nothing; its funds, asked too, are empty."""
        if isinstance(trouble, GatewayRefused):
            try:
                self._gateways.of(account_id).funds()
            except LoggedOut as ended:
                return ended
            except (GatewayError, NotFound, Misconfigured):
                return trouble
        return trouble

    def _say(self, account_id: int, trouble: DeskError) -> None:
        if isinstance(trouble, GatewayError):
            self._health.failed(account_id, trouble)
        else:
            self._health.report(account_id, state=HealthState.UNKNOWN, reason=str(trouble))

    def _remember(self, account_id: int, books: Books) -> None:
        ids, day = frozenset(order.order_id for order in books.orders), trading_date(self._market_clock.now())
        with self._lock:
            before = self._known.get(account_id)
            if before is not None and before.day == day:
                ids |= before.ids  # a read that leaves rows out takes nothing away: an order stays an order all day
            self._known[account_id] = KnownBook(ids, day, books.began, books.carries(), books.unnamed)
