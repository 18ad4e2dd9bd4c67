"""A desk on a database in memory, as good as new for each schedule."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from sqlalchemy import JSON, Select, create_engine, event, select
from sqlalchemy.pool import StaticPool

from app.domain.calendar import IST, Session
from app.domain.errors import Unavailable
from app.domain.market_rules import DEFAULT_RULES, RuleBook
from app.domain.orders import OrderRequest
from app.domain.outcomes import Outcome
from app.domain.trailing import NO_FLOORS, Floors, Trail, TrailKind
from app.engine.intake import LOOK_S, Intake
from app.engine.lane import Ask, Job
from app.persistence.database import Database, Table
from app.persistence.tables import Run
from app.ports.feed import FeedMode
from app.ports.gateway import GatewayError
from app.services.activity import Activity
from app.services.asking import Asking
from app.services.book_memory import Memory
from app.services.claims import Claims
from app.services.commands import Commands
from app.services.floor_text import written
from app.services.ignored_positions import IgnoredPositions
from app.services.journal import Journal
from app.services.kill_switch import KillSwitch
from app.services.order_desk import OrderDesk
from app.services.peaks import Peaks
from app.services.price_board import PriceBoard
from app.services.proven_prices import ProvenPrices
from app.services.reconciler import Reconciler
from app.services.risk_monitor import RiskMonitor
from app.services.run_board import RunBoard
from app.services.settling import Books
from app.services.square_off import SquareOff, SquareOffTimes
from tests.chaos.lanes import ChaosLanes
from tests.chaos.quick_database import QuickDatabase
from tests.chaos.quick_statements import Driver
from tests.chaos.watched_broker import WatchedBroker
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.order_world import OrderWorld, no_feed

ACCOUNTS = 2
_NOTHING: Mapping[str, Any] = {}
RULES = RuleBook(DEFAULT_RULES)
OPENS, CLOSES = time(9, 15), time(15, 40)
USUAL_RATE = 8
"""Calls that an account makes in a second."""

SECRET = "canary-5d41402abc4b2a76"
"""The locked key of every account, and every password that is typed: it may stand in no other column."""

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


class Witness(Protocol):
    """Hears what goes on: of each order and call before it is answered, and of each round of reading books."""

    def asked(self, account_id: int, request: OrderRequest) -> None: ...

    def called(self, account_id: int) -> None: ...

    def cancelling(self) -> None: ...

    def books_read(self) -> None: ...


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
        self.reading_books: Reconciler | None = None
        self.half_read: dict[int, Books] = {}
        self.together = False
        self.overtake: Callable[[], None] = lambda: None
        """What happens between the calls and the record of their answers."""
        self.rate, self.ahead = USUAL_RATE, timedelta(0)
        self.asha = _Asha()
        self.sending: int | None = None
        self.prepare(QuickDatabase(self.driver) if quick else Database(engine), ACCOUNTS)
        self.connection.execute("UPDATE trading_accounts SET locked_key = ?", (SECRET,))
        tables = [table.name for table in Table.metadata.sorted_tables]
        self._tables = list(reversed(tables))
        self._first = [(name, row) for name in tables for row in self.connection.execute(f"SELECT * FROM {name}")]

    def begin(self, witness: "Witness", accounts: int = ACCOUNTS) -> None:
        """A new day at new brokers, of which `witness` hears."""
        self._renew()
        self.witness = witness
        self.clock = FakeClock()
        self.rate, self.ahead, self.is_haunted = USUAL_RATE, timedelta(0), False
        self.hours.now = type(self.hours)().now
        self.hours.session = self._today  # type: ignore[method-assign, assignment]
        watched = {number: WatchedBroker() for number in range(1, accounts + 1)}
        for number, broker in watched.items():
            broker.asked = lambda request, number=number: witness.asked(number, request)  # type: ignore[misc]
            broker.called = lambda number=number: witness.called(number)  # type: ignore[misc]
            broker.cancelling = witness.cancelling
            broker.now = self.clock.monotonic
        self.brokers = dict(watched)
        self.watched = watched
        self.reading_books = None
        self.epoch, self.sending, self.former_books, self.half_read = 1, None, None, {}
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
        """Another engine starts on the same rows, which takes longer than the second that a pace is kept in."""
        self.former, self.former_books = getattr(self, "desk", None), self.reading_books
        self.sending = None
        self.half_read = self._read_by_former()
        self.clock.advance(1.1)
        super().restart()
        self.reading_books = self.reconciler
        self._open_desk()

    def _open_desk(self) -> None:
        """What judges prices and takes what people ask; all that it remembers dies with the process."""
        nothing: Any = _NoNetwork()
        hours: Any = self.hours
        journal, activity = Journal(self.clock), Activity(self.database, self.clock)
        self.board = PriceBoard(self.clock)
        self.run_board = RunBoard(self.database, self.board, self.clock)
        self.peaks = Peaks(self.database, journal, self.run_board.changed)
        self.risk = RiskMonitor(
            self.board, self.run_board, nothing, ProvenPrices(self.board, self.clock, nothing.gap_from),
            websocket_manager=nothing, journal=journal, clock=self.clock,
            peaks=self.peaks, ask_exits=self.executor.ask_exits,
        )  # fmt: skip
        self.square_off = SquareOff(
            self.database, self.run_board, SquareOffTimes(hours, lambda: RULES), self.clock, journal,
            clock_in_doubt=self.clock_in_doubt, ask_exit=self._leave,
        )  # fmt: skip
        self.lanes = self.executor.lanes = ChaosLanes(self.clock, lambda: self.rate)
        self.ignoring = IgnoredPositions(self.database, self.clock, activity)
        self.asking = Asking(self.database, self.clock, activity, lambda: None)
        self.commands = Commands(self.database, self.clock, activity, lambda: None)
        self.kill_switch = KillSwitch(self.database, self.clock, activity, nothing, lambda: None)
        self.intake = Intake(self.database, self.clock, self.executor, self.adopter, no_feed)

    def _touch(self, run_id: int, account_id: int) -> None:
        super()._touch(run_id, account_id)
        self.run_board.changed(run_id)

    def _leave(self, run_id: int, account_id: int, leg: int | None, why: str, also: Callable[[Any], None]) -> None:
        self.executor.ask_exit(run_id, account_id=account_id, leg=leg, why=why, with_shorts=leg is not None, also=also)

    def clock_in_doubt(self) -> bool:
        """A gateway has told that the clock is not what it should be."""
        return bool(self.ahead)

    def _today(self, exchange: str) -> Session:  # noqa: ARG002 - the signature is the real one's
        day = self.clock.now().astimezone(IST).date()
        return Session(datetime.combine(day, OPENS, IST), datetime.combine(day, CLOSES, IST))

    def read(self) -> None:
        super().read()
        self.witness.books_read()

    def work(self) -> list[int]:  # type: ignore[override] # it tells more
        """Do what the lanes let go: one by one, or, while `together`, claimed and recorded as the engine does. Gives
        the intents that were sent.

        All that may go is claimed in one transaction, what is lacking is fetched and claimed in the next, each is
        called, and all answers are recorded at once. Who dies between two calls leaves claims that were never called.
        """
        due = self.lanes.due()
        for job in due:
            if job.ask is not Ask.SEND:
                self.changes.modify(job.intent_id) if job.ask is Ask.MODIFY else self.desk.cancel(job.intent_id)
                self.lanes.over(job, called=True)
        sends = [job for job in due if job.ask is Ask.SEND]
        return self._send_together(sends) if self.together else self._send_each(sends)

    def _send_each(self, jobs: list[Job]) -> list[int]:
        """In the opposite order: workers go side by side, and the last may be the first."""
        sent = []
        for job in reversed(jobs):
            placed = self.brokers[job.account_id].placed
            self.send(job.intent_id)
            is_sent = self.brokers[job.account_id].placed != placed
            self.lanes.over(job, called=is_sent)
            sent += [job.intent_id] * is_sent
        return sent

    def _send_together(self, jobs: list[Job]) -> list[int]:
        answers: dict[int, Outcome] = {}
        for _ in range(2):
            waiting = {job.intent_id: job for job in jobs}
            try:
                claims = self.desk.claim(list(waiting)) if waiting else Claims()
            except Unavailable:
                claims = Claims()  # another engine leads: nothing was claimed
            for intent_id, claimed in claims.ready.items():
                self.sending = intent_id
                answers[intent_id] = self.desk.call(claimed)
                self.sending = None
                self.lanes.over(waiting.pop(intent_id), called=True)
            jobs = [waiting.pop(intent_id) for intent_id in claims.lacking if self.desk.fetch(intent_id)]
            for job in waiting.values():
                self.lanes.over(job, called=False)
        for job in jobs:
            self.lanes.over(job, called=False)
        self.overtake()
        if answers:
            self.desk.record(answers)
        return list(answers)

    def take_commands(self) -> None:
        """The engine does what was asked, until nothing is left."""
        while self.intake.step() != LOOK_S:
            pass

    def rule(
        self,
        run_id: int,
        *,
        max_loss: Decimal | None,
        max_profit: Decimal | None,
        trail: Decimal | None,
        until: time | None = None,
    ) -> None:
        """The limits of a run that has just begun; it is left `trail` rupees below its peak, and at `until`."""
        floors = NO_FLOORS if trail is None else Floors(Trail(TrailKind.AMOUNT, trail))
        with self.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.max_loss, run.max_profit, run.floors = max_loss, max_profit, written(floors)
            run.square_off = until

    def send(self, intent_id: int) -> None:
        self.send_from(self.desk, intent_id)

    def send_from(self, desk: OrderDesk, intent_id: int) -> None:
        """A desk of an engine that is gone may be asked too."""
        self.sending = intent_id
        desk.send(intent_id)
        self.sending = None

    def _read_by_former(self) -> dict[int, Books]:
        """What an engine had read of the books when it fell asleep, and has not written down."""
        if self.former_books is None:
            return {}
        found = {}
        for account_id in self.watched:
            with suppress(GatewayError):
                found[account_id] = self.former_books._read(account_id)
        return found

    def write_from_former(self) -> None:
        """It wakes up and goes on where it was."""
        if self.former_books is not None:
            for account_id, books in self.half_read.items():
                self.former_books._settlement.apply(account_id, books, Memory())

    def cancel_from_former(self, intent_id: int) -> None:
        """A desk of an engine that is gone wants to cancel."""
        assert self.former is not None
        self.is_haunted = True
        self.former.cancel(intent_id)
        self.is_haunted = False

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
