"""The mark beside a database: kept with each claim, believed only where it was written, and what follows from it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.adapters.clock import SystemClock
from app.domain.contracts import Side
from app.domain.errors import Conflict
from app.domain.failure_policy import LegPolicy
from app.domain.gate import Code
from app.domain.money import Units
from app.domain.orders import IntentState, OrderRequest
from app.domain.setback import Mark
from app.persistence.mark import MarkFile, UnfitMark
from app.persistence.tables import ActivityLog, Intent, LeaseRow, Setback
from app.services.activity import Activity
from app.services.claims import ClaimDesk
from app.services.doubt import Doubt
from app.services.entry_locks import EntryLocks
from app.services.journal import Journal
from app.services.setback_watch import SetbackWatch
from app.services.setbacks import Setbacks
from tests.live_desk import Trader
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT

ADMIN = Trader()


class MarkedWorld(OrderWorld):
    """An order world with a mark beside its database; each `restart` takes it over."""

    file: Path

    def __init__(self, folder: Path) -> None:
        self.file = folder / "desk.sqlite3.mark"
        super().__init__(folder)

    def restart(self) -> None:
        super().restart()
        self.locks, self.doubt = EntryLocks(self.health), Doubt(self.clock)
        self.watch = SetbackWatch(
            self.database, self.clock, self.clock, MarkFile(self.file, SystemClock()),
            activity=Activity(self.database, self.clock), journal=Journal(self.clock), locks=self.locks,
            doubt=self.doubt, on_other=lambda: None,
        )  # fmt: skip
        self.setbacks = Setbacks(self.database, self.clock, Activity(self.database, self.clock))
        self.world.locked, self.world.unowned = self.locks.of, self.doubt.leaving
        self.executor.unowned = self.doubt.leaving
        claims: ClaimDesk = self.desk._claims
        claims._claimed_last = self.watch.claimed
        self.watch.began(self.epoch)

    @property
    def mark(self) -> Mark:
        found = MarkFile(self.file, SystemClock()).read()
        assert found is not None
        return found

    @property
    def is_held(self) -> bool:
        stop = self.locks.of(1)
        return stop is not None and stop.code == Code.DATABASE_BEHIND

    def acknowledge(self) -> None:
        found = self.setbacks.standing()
        assert found is not None
        self.setbacks.acknowledge(found.id, actor=ADMIN)
        self.watch.step()


@pytest.fixture
def world(tmp_path: Path) -> MarkedWorld:
    made = MarkedWorld(tmp_path)
    made.broker.fills_at_once = True
    return made


def set_back(world: MarkedWorld) -> None:
    """As if the database did not know of the last claim, but of another under its number."""
    marked = world.mark
    assert marked.sent_at is not None
    before = marked.sent_at - timedelta(microseconds=1)
    with world.database.transaction() as session:
        session.execute(update(Intent).where(Intent.id == marked.intent_id).values(sent_at=before))
    world.restart()


def test_each_batch_of_claims_moves_the_mark_before_anything_is_sent(world: MarkedWorld) -> None:
    assert world.mark.intent_id is None
    seen: list[int | None] = []
    accept = world.broker.accept

    def accepting(request: OrderRequest) -> str:
        seen.append(world.mark.intent_id)
        return accept(request)

    world.broker.accept = accepting  # type: ignore[method-assign]
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    (intent,) = world.intents()
    assert seen == [intent.id]
    assert world.mark.sent_at == intent.sent_at


def test_a_restart_in_good_order_or_after_a_crash_finds_nothing(world: MarkedWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    before = world.mark
    for _ in range(2):
        world.restart()
        assert not world.is_held
    assert world.mark.intent_id == before.intent_id
    assert (world.mark.lineage, world.mark.epoch) == (before.lineage, 3)
    assert world.rows(Setback) == []


def test_what_people_did_is_marked_within_a_second(world: MarkedWorld) -> None:
    with world.database.transaction() as session:
        Activity(world.database, world.clock).record(
            session, user_id=1, actor="asha", action="kill.ask", subject="desk", sentence="Halted."
        )
    newest = world.rows(ActivityLog)[-1].id
    assert world.mark.activity_id < newest
    world.watch.step()
    assert world.mark.activity_id == newest
    with world.database.transaction() as session:
        session.delete(session.get_one(ActivityLog, newest))
    world.restart()
    assert world.is_held


def test_a_setback_holds_entries_until_an_admin_acknowledges_it_once(world: MarkedWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    lineage = world.mark.lineage
    set_back(world)
    assert world.is_held
    assert world.mark.lineage != lineage, "whatever was copied before is told from it"
    world.restart()
    assert world.is_held
    (row,) = world.rows(Setback)
    with pytest.raises(Conflict, match="Only an admin"):
        world.setbacks.acknowledge(row.id, actor=Trader(is_admin=False))
    with pytest.raises(Conflict, match="does not stand"):
        world.setbacks.acknowledge(row.id + 1, actor=ADMIN)
    world.watch.step()
    assert world.is_held
    world.acknowledge()
    assert world.locks.of(1) is None
    assert world.setbacks.standing() is None
    world.restart()
    assert world.locks.of(1) is None
    assert [each.action for each in world.rows(ActivityLog)] == ["setback.found", "setback.acknowledge"]


def test_what_is_set_back_again_has_to_be_acknowledged_again(world: MarkedWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    set_back(world)
    (row,) = world.rows(Setback)
    world.setbacks.acknowledge(row.id, actor=ADMIN)  # and no engine has noticed
    world.file.unlink()
    world.restart()
    world.watch.step()
    assert world.is_held
    (row,) = world.rows(Setback)
    assert row.acknowledged_at is None


def test_a_run_that_was_being_entered_is_left_as_it_is(world: MarkedWorld) -> None:
    world.broker.fills_at_once = False
    world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turn()
    for order in world.broker.standing:
        world.broker.fill(order)
    world.turn()
    assert [i.state for i in world.intents()].count(IntentState.READY) == 1, "the short waits for its hedge"
    world.file.unlink()
    world.restart()
    world.turns(3)
    (short,) = [i for i in world.intents() if i.side == "SELL"]
    assert short.state == IntentState.DENIED
    assert (short.reason or "").startswith(Code.DATABASE_BEHIND)
    assert world.run().leg_failure == LegPolicy.KEEP.value
    assert world.broker.net(HEDGE.key) == LOT, "its hedge is not closed for that"
    world.acknowledge()
    world.turns(3)
    assert world.broker.net(CALL.key) == 0, "nor is it sent afterwards"
    world.broker.fills_at_once = True
    world.exit(1)
    world.turns(4)
    assert world.broker.net(HEDGE.key) == 0, "its trader gets out of it"


def test_an_exit_waits_until_the_books_of_its_account_were_read_and_kept(world: MarkedWorld) -> None:
    world.start((CALL, Side.BUY, 2))
    world.turns(2)
    set_back(world)
    world.exit(1)
    world.work()
    assert (world.intents("EXIT")[0].reason or "").startswith("NET_UNREAD"), "our row may be hours old"
    assert world.broker.net(CALL.key) == 2 * LOT
    world.turns(2)
    assert world.broker.net(CALL.key) == 0


def test_room_is_left_for_what_an_order_that_nobody_owns_may_take(world: MarkedWorld) -> None:
    world.start((CALL, Side.BUY, 2))
    world.turns(2)
    world.broker.fills_at_once = False
    lost = world.broker.accept(replace(world.broker.standing[0].request, side=Side.SELL, units=Units(LOT)))
    set_back(world)
    world.read()
    world.exit(1)
    assert [i.units for i in world.intents("EXIT")] == [LOT], "the other half is safe to send"
    world.work()
    assert [o.request.units for o in world.broker.standing if o.request.side is Side.SELL] == [LOT, LOT]
    for order in world.broker.standing:
        world.broker.fill(order)
    world.turns(2)
    assert world.broker.net(CALL.key) == 0
    assert lost not in {i.order_id for i in world.intents()}


def test_an_exit_from_before_is_not_sent_beside_an_order_that_nobody_owns(world: MarkedWorld) -> None:
    """The gate itself counts it: this exit was sized when nothing was known of it."""
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    world.broker.fills_at_once = False
    world.exit(1)  # and it is not sent
    world.broker.accept(replace(world.broker.standing[0].request, side=Side.SELL))
    set_back(world)
    world.turns(2)
    (waiting,) = world.intents("EXIT")
    assert (waiting.reason or "").startswith("EXITS_UNDER_WAY")
    world.acknowledge()
    world.turns(2)
    assert world.doubt.stands, "to acknowledge it ends no order"
    assert len(world.broker.standing) == 2
    world.clock.advance(timedelta(days=1).total_seconds())
    assert not world.doubt.stands, "orders end with their day"


def _older(file: Path, _to: Path) -> None:
    """Rewritten by something that keeps its words."""
    words = file.read_bytes()
    file.write_bytes(words)


def _damaged(file: Path, _to: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"a 1", b"a 2"))


def _copied(file: Path, to: Path) -> None:
    shutil.copy2(file, to)
    to.replace(file)


class MinuteAgo(SystemClock):
    """What was written by it was written a minute ago."""

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=1)


@pytest.mark.parametrize("touched", [_older, _copied, _damaged])
def test_a_mark_that_was_put_there_says_nothing(tmp_path: Path, touched: Callable[[Path, Path], None]) -> None:
    path = tmp_path / "mark"
    file = MarkFile(path, MinuteAgo())
    file.begin(Mark("a", 1))
    touched(path, tmp_path / "copy")
    with pytest.raises(UnfitMark):
        MarkFile(path, SystemClock()).read()


def test_a_mark_is_written_whole_and_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    file = MarkFile(path, SystemClock())
    assert file.read() is None
    file.begin(Mark("a", 1))
    size, place = path.stat().st_size, path.stat().st_ino
    file.write(Mark("a", 1, 12, SystemClock().now(), 10**9))
    assert (path.stat().st_size, path.stat().st_ino) == (size, place)
    found = file.read()
    assert found is not None
    assert found.intent_id == 12
    file.close()
    path.unlink()
    assert file.read() is None


def test_a_mark_that_cannot_be_written_stops_nothing(world: MarkedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.watch._file, "write", _no_room)
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    assert world.broker.net(CALL.key) == LOT
    with world.database.reading() as session:
        assert session.get_one(LeaseRow, 1).lineage == world.mark.lineage


def _no_room(_mark: Mark) -> None:
    raise OSError(28, "No space left on device")
