"""A desk on a database in memory, as good as new for each schedule, and brokers that report every call they get."""

import random
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import JSON, Select, create_engine, event, select
from sqlalchemy.pool import StaticPool

from app.domain.books import BrokerOrder, BrokerTrade, OrderStatus, OrderUpdate
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.errors import Unavailable
from app.domain.money import Units
from app.domain.orders import OrderRequest
from app.domain.outcomes import Outcome
from app.domain.plan import Mode
from app.domain.trailing import NO_FLOORS, Floors, Trail, TrailKind
from app.engine.intake import LOOK_S, Intake
from app.persistence.database import Database, Table
from app.persistence.tables import Run
from app.ports.feed import FeedMode
from app.services.activity import Activity
from app.services.claims import Claims
from app.services.commands import Commands
from app.services.floor_text import written
from app.services.journal import Journal
from app.services.kill_switch import KillSwitch
from app.services.order_desk import OrderDesk
from app.services.peaks import Peaks
from app.services.price_board import PriceBoard
from app.services.proven_prices import ProvenPrices
from app.services.reconciler import Reconciler
from app.services.risk_monitor import RiskMonitor
from app.services.run_board import RunBoard
from tests.chaos.quick_database import QuickDatabase
from tests.chaos.quick_statements import Driver
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.order_world import OrderWorld, no_feed
from tests.unit.services.pretend_broker import BY_HAND, PRICE, PretendBroker, Standing

ACCOUNTS = 2
_NOTHING: Mapping[str, Any] = {}
CONNECT = {"check_same_thread": False, "cached_statements": 2000}
"""SQLite keeps what it made of so many statements; with its usual 128 a schedule would make most of them anew."""


@dataclass(frozen=True)
class _Asha:
    """The one user, an admin."""

    id: int = 1
    username: str = "asha"
    is_admin: bool = True


class _NoNetwork:
    """Feeds, quotes and password checks that let everything pass and bring nothing."""

    def want(self, consumer: str, keys: object, mode: FeedMode) -> None:
        """Nothing is subscribed."""

    def gap_from(self) -> float | None:
        """No feed was ever lost."""
        return None

    def confirm(self, user_id: int, password: str, address: str) -> None:
        """Any password will do."""

    def refresh(self, keys: object, older_than_s: float) -> None:
        """No quote comes."""


@dataclass
class WatchedBroker(PretendBroker):
    """`asked` hears of each call before it is answered. `shuffle` is the dice that reorder its books, None for none.

    `omits` order rows are left out of the next read. Until `bleeds_until` (monotonic, as `now` tells) its gateway shows
    orders that live with the word of the row above them. `stream` is what it has pushed and nobody has heard yet.
    `touched` are symbols in which people traded past us, `alike` ids of their orders of today that look like one of
    ours, `mimicked` the units of those of all days.
    """

    asked: Callable[[OrderRequest], None] = lambda _request: None
    shuffle: random.Random | None = None
    omits: int = 0
    bleeds_until: float = 0.0
    now: Callable[[], float] = lambda: 0.0
    touched: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    stream: list[OrderUpdate] = field(default_factory=list)
    mimicked: dict[tuple[ContractKey, Side], int] = field(default_factory=dict)

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        self.asked(request)
        return super().place(request, expected=expected)

    def accept(self, request: OrderRequest) -> str:
        order_id = super().accept(request)
        self.stream.append(self.news(self.standing[-1]))
        return order_id

    def fill(self, order: Standing, units: int | None = None, price: Decimal = PRICE) -> None:
        before = order.filled
        super().fill(order, units, price)
        if order.filled != before and price == PRICE:
            self.stream.append(self.news(order))

    def cancel(self, order_id: str, tag: str) -> Outcome:
        outcome = super().cancel(order_id, tag)
        self.stream += [self.news(each) for each in self.standing if each.order_id == order_id]
        return outcome

    def end(self, order: Standing, status: OrderStatus, reason: str | None = None) -> None:
        """The broker itself ends an order; why is pushed and in no book."""
        order.status = status
        self.stream.append(self.news(order, reason))

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        rows = super().order_book(expected)
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        if self.now() < self.bleeds_until:
            rows = _bled(rows)
        if self.omits:
            rows, self.omits = rows[: -self.omits], 0
        return rows

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        rows = list(super().trade_book(expected))
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        return rows

    def by_hand(self, key: ContractKey, side: Side, units: int) -> None:
        self.touched.add(key.symbol)
        super().by_hand(key, side, units)

    def mimic(self, key: ContractKey, side: Side, units: int, price: Decimal) -> None:
        """A stranger's order that nobody can tell from one of ours that is looked for."""
        self.alike.add(self.stranger(key, side, units, price))
        self.mimicked[key, side] = self.mimicked.get((key, side), 0) + units

    def stranger(self, key: ContractKey, side: Side, units: int, price: Decimal) -> str:
        """The id of an order that looks like ours and is not."""
        request = OrderRequest(key, side, Units(units), Product.MIS, PriceType.LIMIT, price, Decimal(0), BY_HAND)
        self.touched.add(key.symbol)
        order_id = self.accept(request)
        self.fill(self.standing[-1], price=price)
        return order_id

    def next_day(self) -> None:
        super().next_day()
        self.alike.clear()
        self.stream.clear()


def _bled(rows: list[BrokerOrder]) -> list[BrokerOrder]:
    shown: list[BrokerOrder] = []
    for row in rows:
        shown.append(replace(row, status=shown[-1].status) if shown and not row.status.is_final else row)
    return shown


class ChaosWorld(OrderWorld):
    """Two accounts. `begin` makes it new, whatever happened in it before; `rows` are read again only after a write."""

    def __init__(self, *, quick: bool = True) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args=CONNECT)
        self.connection = _prepare(engine)
        self.driver = Driver(engine, self.connection)
        self._is_quick = quick
        Table.metadata.create_all(engine)
        self.former: OrderDesk | None = None
        self.former_books: Reconciler | None = None
        self.together = False
        self.overtake: Callable[[], None] = lambda: None
        """What happens between the calls and the record of their answers."""
        self.asha = _Asha()
        self.sending: int | None = None
        self.prepare(QuickDatabase(self.driver) if quick else Database(engine), ACCOUNTS)
        tables = [table.name for table in Table.metadata.sorted_tables]
        self._tables = list(reversed(tables))
        self._first = [(name, row) for name in tables for row in self.connection.execute(f"SELECT * FROM {name}")]

    def begin(self, asked: Callable[[int, OrderRequest], None], accounts: int = ACCOUNTS) -> None:
        """A new day at new brokers; `asked` hears of each call with the number of its account."""
        self._renew()
        self.clock = FakeClock()
        self.hours.now = type(self.hours)().now
        watched = {number: WatchedBroker() for number in range(1, accounts + 1)}
        for number, broker in watched.items():
            broker.asked = lambda request, number=number: asked(number, request)  # type: ignore[misc]
            broker.now = self.clock.monotonic
        self.brokers = dict(watched)
        self.watched = watched
        self.epoch, self.sending = 1, None
        self.together = False
        self.overtake = lambda: None
        self.restart()
        self.former = None

    def _renew(self) -> None:
        """The first rows alone. Their tables stay, and with them all that SQLite has made of the statements."""
        touched = [name for name in self._tables if name in self.driver.written or not self._is_quick]
        self.connection.execute("BEGIN")
        for name in touched:
            self.connection.execute(f"DELETE FROM {name}")
        for name, row in self._first:
            if name in touched:
                self.connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
        self.connection.execute("COMMIT")
        self.driver.written.clear()
        self.driver.forget()

    def restart(self) -> None:
        self.former, self.former_books = getattr(self, "desk", None), getattr(self, "reconciler", None)
        self.sending = None
        super().restart()
        self._open_desk()

    def _open_desk(self) -> None:
        """What judges prices and takes what people ask; all that it remembers dies with the process."""
        nothing: Any = _NoNetwork()
        journal, activity = Journal(self.clock), Activity(self.database, self.clock)
        self.board = PriceBoard(self.clock)
        self.run_board = RunBoard(self.database, self.board, self.clock)
        self.peaks = Peaks(self.database, journal, self.run_board.changed)
        self.risk = RiskMonitor(
            self.board, self.run_board, nothing, ProvenPrices(self.board, self.clock, nothing.gap_from),
            websocket_manager=nothing, journal=journal, clock=self.clock,
            peaks=self.peaks, ask_exits=self.executor.ask_exits,
        )  # fmt: skip
        self.commands = Commands(self.database, self.clock, activity, lambda: None)
        self.kill_switch = KillSwitch(self.database, self.clock, activity, nothing, lambda: None)
        self.intake = Intake(self.database, self.clock, self.executor, self.adopter, no_feed)

    def _touch(self, run_id: int, account_id: int) -> None:
        super()._touch(run_id, account_id)
        self.run_board.changed(run_id)

    def work(self) -> None:
        """Do what was handed to the lanes: one by one, or, while `together`, claimed and recorded as the engine does.

        All that may go is claimed in one transaction, what is lacking is fetched and claimed in the next, each is
        called, and all answers are recorded at once. Who dies between two calls leaves claims that were never called.
        """
        if not self.together:
            super().work()
            return
        while self.queue.changes:
            self.changes.modify(self.queue.changes.popitem()[0])
        jobs = list(self.queue.jobs)
        self.queue.jobs.clear()
        for intent_id in [intent_id for intent_id, cancel in jobs if cancel]:
            self.desk.cancel(intent_id)
        self._send_together([intent_id for intent_id, cancel in jobs if not cancel])

    def _send_together(self, intent_ids: list[int]) -> None:
        answers: dict[int, Outcome] = {}
        for _ in range(2):
            try:
                claims = self.desk.claim(intent_ids) if intent_ids else Claims()
            except Unavailable:
                break  # another engine leads: nothing was claimed
            for intent_id, claimed in claims.ready.items():
                self.sending = intent_id
                answers[intent_id] = self.desk.call(claimed)
                self.sending = None
            intent_ids = [intent_id for intent_id in claims.lacking if self.desk.fetch(intent_id)]
        self.overtake()
        if answers:
            self.desk.record(answers)

    def take_commands(self) -> None:
        """The engine does what was asked, until nothing is left."""
        while self.intake.step() != LOOK_S:
            pass

    def rule(self, run_id: int, *, max_loss: Decimal | None, max_profit: Decimal | None, trail: Decimal | None) -> None:
        """The limits of a run that has just begun; `trail` rupees below its peak it is left."""
        floors = NO_FLOORS if trail is None else Floors(Trail(TrailKind.AMOUNT, trail))
        with self.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.max_loss, run.max_profit, run.floors = max_loss, max_profit, written(floors)

    def send(self, intent_id: int) -> None:
        self.send_from(self.desk, intent_id)

    def send_from(self, desk: OrderDesk, intent_id: int) -> None:
        """A desk of an engine that is gone may be asked too."""
        self.sending = intent_id
        desk.send(intent_id)
        self.sending = None

    def rows(self, table: Any) -> list[Any]:
        """Plain rows with the columns of the table, without those of JSON."""
        return self.found(_all_of(table))

    def found(self, query: Select[Any]) -> list[Any]:
        return list(self.driver.query(query, _NOTHING)[1])


@cache
def _all_of(table: Any) -> Select[Any]:
    return select(*(each for each in table.__table__.columns if not isinstance(each.type, JSON))).order_by(table.id)


def _prepare(engine: Any) -> sqlite3.Connection:
    """As `prepare_sqlite`, for a database that never reaches a disk. Gives its one connection."""
    made: list[sqlite3.Connection] = []

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        made.append(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(_connection: Any) -> None:
        made[0].execute("BEGIN")

    engine.connect().close()
    return made[0]
