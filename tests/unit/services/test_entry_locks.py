"""What holds every entry back, what lifts it again, and that exits never ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.exc import OperationalError

from app.domain.contracts import Side
from app.domain.gate import Code
from app.domain.orders import IntentState
from app.persistence.tables import ActivityLog, EngineStart
from app.ports.gateway import LoggedOut
from app.services.activity import Activity
from app.services.clock_trust import ANSWER_WITHIN_S, ClockTrust
from app.services.clock_watch import ClockWatch
from app.services.disk_watch import LEAST_FREE, DiskWatch
from app.services.engine_starts import EngineStarts
from app.services.entry_locks import EntryLocks
from app.services.exchange_time import ExchangeTime
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL


class LockedWorld(OrderWorld):
    """An order world whose entries ask the locks."""

    locks: EntryLocks

    def restart(self) -> None:
        super().restart()
        self.locks = EntryLocks(self.health)
        self.world.locked = self.locks.of

    @property
    def activity(self) -> Activity:
        return Activity(self.database, self.clock)

    def log(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(ActivityLog.sentence).order_by(ActivityLog.id)))

    def holds_entries_and_no_exits(self, code: Code) -> None:
        """A run that is open gets out; a new one is not sent."""
        assert self.broker.net(CALL.key) == 65, "the run to get out of is there"
        entry = self.start((CALL, Side.BUY, 1))
        self.turns(2)
        (kept,) = self.intents("ENTRY", entry)
        assert (kept.reason or "").startswith(f"{code}:")
        assert kept.state in {IntentState.READY, IntentState.DENIED}
        self.exit(1)
        self.turns(4)
        assert self.broker.net(CALL.key) == 0


@pytest.fixture
def world(tmp_path: Path) -> LockedWorld:
    made = LockedWorld(tmp_path)
    made.broker.fills_at_once = True
    made.start((CALL, Side.BUY, 1))
    made.turns(2)
    return made


def test_row_28_an_account_that_is_not_logged_in_takes_no_entries(world: LockedWorld) -> None:
    dead = LoggedOut("The broker session has ended.")
    world.broker.broken_funds = dead
    world.health.failed(1, dead)
    world.clock.advance(20)
    world.holds_entries_and_no_exits(Code.ACCOUNT_NOT_READY)
    world.broker.broken_funds = None
    world.clock.advance(20)
    world.read()
    assert world.locks.of(1) is None


def starts(world: LockedWorld, deaths: int = 3) -> EngineStarts:
    return EngineStarts(world.database, world.clock, world.activity, world.locks, deaths=deaths)


def test_row_16_three_deaths_in_ten_minutes_hold_entries_and_no_exits(world: LockedWorld) -> None:
    for epoch in range(3):
        starts(world).began(epoch)  # and it dies
        world.clock.advance(60)
        assert world.locks.of(1) is None
    fourth = starts(world)
    fourth.began(4)
    world.holds_entries_and_no_exits(Code.ENGINE_DIES)
    (sentence,) = world.log()
    assert "died 3 times within 10 minutes" in sentence

    world.clock.advance(timedelta(minutes=9).total_seconds())
    fourth.step()
    assert world.locks.of(1) is None
    assert "entries are sent again" in world.log()[-1]


def test_row_16_a_stop_in_good_order_is_no_death(world: LockedWorld) -> None:
    for epoch in range(5):
        each = starts(world)
        each.began(epoch)
        each.ended()
    assert world.locks.of(1) is None
    with world.database.reading() as session:
        assert len(session.scalars(select(EngineStart)).all()) == 5


class _Disk(DiskWatch):
    free = 10 * LEAST_FREE

    def free_bytes(self) -> int:
        return self.free


def test_row_37_a_full_disk_gives_its_reserve_back_holds_entries_and_lets_exits_go(
    world: LockedWorld, tmp_path: Path
) -> None:
    disk = _Disk(tmp_path, world.database, world.activity, world.locks, reserve_bytes=4096)
    disk.step()
    reserve = tmp_path / "reserve.bin"
    assert reserve.stat().st_size == 4096
    disk.free = LEAST_FREE - 1
    disk.step()
    disk.step()
    assert not reserve.exists()
    world.holds_entries_and_no_exits(Code.DISK_FULL)
    disk.free = 2 * LEAST_FREE
    disk.step()
    assert world.locks.of(1) is not None, "not at the first free byte"
    disk.free = 10 * LEAST_FREE
    disk.step()
    assert world.locks.of(1) is None
    assert reserve.exists()
    assert [sentence.split(":")[0] for sentence in world.log()] == [
        "The disk is full",
        "There is room on the disk again",
    ]


def test_row_37_what_finds_no_room_is_not_sent_and_goes_when_the_reserve_is_given_back(world: LockedWorld) -> None:
    """SQLite itself says that there is no room: its file may not grow by a page until the reserve is gone."""
    most = {"pages": 0}

    def limit(connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most['pages'] or 4294967294}")  # type: ignore[attr-defined]

    event.listen(world.database.engine, "checkout", limit)
    world.exit(1)
    world.executor.advance(1)
    (intent,) = world.intents("EXIT", 1)
    told: list[str] = []

    def give_back() -> None:
        told.append("full")
        most["pages"] = 0

    world.database.on_full = give_back
    with world.database.reading() as session:
        most["pages"] = session.scalars(text("PRAGMA page_count")).one()
    sent = world.broker.placed
    with pytest.raises(OperationalError, match="full"):
        _write_much(world)
    assert told == ["full"]
    assert world.broker.placed == sent
    with world.database.reading() as session:
        assert session.scalars(select(EngineStart)).all() == [], "no part of it was written"
    world.desk.send(intent.id)
    assert world.broker.placed == sent + 1


def _write_much(world: LockedWorld) -> None:
    with world.database.transaction() as session:
        for number in range(500):
            session.add(EngineStart(epoch=number, started_at=world.clock.now()))
            session.flush()


@contextmanager
def held_by_another(world: LockedWorld) -> Iterator[None]:
    """Another program keeps the database's only write lock."""
    other = create_engine(world.database.engine.url, isolation_level="AUTOCOMMIT")
    event.listen(world.database.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=50"))
    with other.connect() as connection:
        connection.execute(text("BEGIN IMMEDIATE"))
        yield
        connection.execute(text("ROLLBACK"))
    other.dispose()


def test_row_34_nothing_is_sent_while_its_claim_cannot_be_written(world: LockedWorld) -> None:
    entry = world.start((CALL, Side.BUY, 1))
    world.exit(1)
    world.executor.advance(1)
    wanted = [world.intents("ENTRY", entry)[0].id, world.intents("EXIT", 1)[0].id]
    sent = world.broker.placed
    for _ in range(20):
        with held_by_another(world):
            for intent in wanted:
                with pytest.raises(OperationalError, match="locked"):
                    world.desk.send(intent)
        assert world.broker.placed == sent
        assert {each.state for each in world.intents() if each.id in wanted} == {IntentState.READY}
    for intent in reversed(wanted):
        world.desk.send(intent)
    assert world.broker.placed > sent, "it goes when it can be written"


def test_row_39_answers_that_bear_the_clock_out_are_counted_in_a_row(world: LockedWorld) -> None:
    ahead, exchange = {"s": 0.5}, ExchangeTime(world.clock)
    watch = clocks(world, ahead, exchange)
    counted = []
    for ahead_s in (0.5, 29.0, 31.0, 3600.0, 1.0):
        ahead["s"] = ahead_s
        watch.step()
        counted.append(exchange.agreeing)
        watch.step()  # the same answer says nothing new
        world.clock.advance(5)
    assert counted == [1, 2, 0, 0, 1]


def test_row_39_a_clock_that_nobody_has_borne_out_is_in_doubt_for_a_minute_at_most(world: LockedWorld) -> None:
    exchange = ExchangeTime(world.clock)
    trust = ClockTrust(world.clock, world.locks, exchange)
    assert trust.in_doubt(), "it was set wrong while the machine was off, for all that is known"
    world.clock.advance(ANSWER_WITHIN_S - 1)
    assert trust.in_doubt()
    world.clock.advance(1)
    assert not trust.in_doubt(), "a gateway that never tells the time does not keep a trader in"


def test_row_39_what_is_due_by_the_clock_waits_while_a_gateway_contradicts_it(world: LockedWorld) -> None:
    ahead, exchange = {"s": 3600.0}, ExchangeTime(world.clock)
    watch, trust = clocks(world, ahead, exchange), ClockTrust(world.clock, world.locks, exchange)
    world.clock.advance(ANSWER_WITHIN_S)
    watch.step()
    assert trust.in_doubt(), "one answer is enough to wait, where two are needed to hold entries"
    ahead["s"] = 1.0
    world.clock.advance(5)
    watch.step()
    assert not trust.in_doubt()
    for ahead["s"] in (3600.0, 3600.0):
        world.clock.advance(5)
        watch.step()
    assert trust.in_doubt()


def clocks(world: LockedWorld, ahead: dict[str, float], exchange: ExchangeTime | None = None) -> ClockWatch:
    def gateway_time() -> datetime:
        return world.clock.now().astimezone(UTC) + timedelta(seconds=ahead["s"])

    place = (world.database, world.clock, world.activity, world.locks)
    return ClockWatch(*place, gateway_time=gateway_time, exchange=exchange or ExchangeTime(world.clock))


@pytest.mark.parametrize("ahead_s", [31.0, -31.0, 3600.0])
def test_row_39_a_clock_that_is_wrong_by_half_a_minute_holds_entries(world: LockedWorld, ahead_s: float) -> None:
    ahead = {"s": ahead_s}
    watch = clocks(world, ahead)
    watch.step()
    watch.step()
    assert world.locks.of(1) is None, "one answer may have been under way while a clock was set"
    world.clock.advance(5)
    watch.step()
    world.holds_entries_and_no_exits(Code.CLOCK_SKEWED)
    assert "clock is" in world.log()[0]
    ahead["s"] = 0.5
    world.clock.advance(5)
    watch.step()
    assert world.locks.of(1) is None


def test_row_39_a_clock_that_is_wrong_by_seconds_is_said_once(world: LockedWorld) -> None:
    ahead = {"s": 3.0}
    watch = clocks(world, ahead)
    for _ in range(5):
        watch.step()
        world.clock.advance(5)
    assert world.log() == ["This machine's clock and the gateway's differ by 3.0 s."]
    assert world.locks.of(1) is None
    ahead["s"] = 1.0
    watch.step()
    world.clock.advance(5)
    ahead["s"] = 3.0
    for _ in range(2):
        watch.step()
        world.clock.advance(5)
    assert len(world.log()) == 2, "when it is wrong anew"
