"""Alarms: what no machine can put right alone is raised in time, once, and over when it is over."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.domain.alarms import AlarmKind
from app.domain.contracts import Side
from app.domain.failure_policy import FailurePolicy, LegPolicy
from app.domain.trading_states import Scope, TradingState
from app.persistence.tables import ActivityLog, Alarm, TradingStateRow
from app.services.integrity_watch import IntegrityWatch
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT


@dataclass(frozen=True)
class Viewer:
    id: int
    username: str = "somebody"
    is_admin: bool = False


OWNER, STRANGER, ADMIN = Viewer(1), Viewer(2), Viewer(3, is_admin=True)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


def spread(world: OrderWorld) -> int:
    """A call sold against its hedge, both filled."""
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turns(4)
    assert world.run(run_id).state == "OPEN"
    return run_id


def kinds(world: OrderWorld) -> list[AlarmKind]:
    return [alarm.kind for alarm in world.alarms.standing(OWNER)]


def stopped(world: OrderWorld) -> list[tuple[str, int, str]]:
    return [(row.scope, row.scope_id, row.state) for row in world.rows(TradingStateRow)]


def test_a_run_that_is_as_planned_raises_nothing(world: OrderWorld) -> None:
    run_id = spread(world)
    world.turns(15)
    world.exit(run_id)
    world.turns(6)
    assert world.run(run_id).state == "CLOSED"
    assert world.rows(Alarm) == []


def test_a_short_whose_hedge_is_closed_alone_is_an_alarm_after_ten_seconds(world: OrderWorld) -> None:
    run_id = spread(world)
    world.exit(run_id, leg=1)
    world.turns(5)
    assert world.net() == {CALL.key.symbol: -LOT}
    assert kinds(world) == []
    world.turns(10)
    assert kinds(world) == [AlarmKind.NAKED]
    (alarm,) = world.alarms.standing(OWNER)
    assert "Account 1: 65 units are sold without their hedge" in alarm.sentence
    assert world.alarms.standing(STRANGER) == []
    assert world.alarms.standing(ADMIN) == [alarm]
    world.exit(run_id)
    world.turns(4)
    assert kinds(world) == []
    (row,) = world.rows(Alarm)
    assert row.cleared_at is not None
    assert [entry.action for entry in world.rows(ActivityLog)] == ["alarm.raised", "alarm.over"]


def test_an_alarm_that_lasts_is_raised_once(world: OrderWorld) -> None:
    run_id = spread(world)
    world.exit(run_id, leg=1)
    world.turns(40)
    world.restart()
    world.turns(20)
    assert len(world.rows(Alarm)) == 1
    assert kinds(world) == [AlarmKind.NAKED]


def test_an_exit_unknown_for_ten_seconds_is_an_alarm_until_the_books_tell(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["gone"]
    world.exit(run_id)
    world.turns(8)
    assert kinds(world) == []
    world.turns(4)
    assert kinds(world) == [AlarmKind.EXIT_UNKNOWN]
    world.turns(40, 5.0)
    assert kinds(world) == []
    assert world.run(run_id).state == "CLOSED"


def test_row_43_an_exit_refused_twice_alarms_within_five_seconds_and_stops_its_strategy(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["reject"] * 3
    world.exit(run_id)
    while len([i for i in world.intents("EXIT") if i.state == "REJECTED"]) < 2:
        world.turn(0.5)
        assert kinds(world) == [] or len([i for i in world.intents("EXIT") if i.state == "REJECTED"]) == 2
    refused = world.clock.now()
    world.turns(2)
    assert kinds(world) == [AlarmKind.EXIT_REFUSED]
    (alarm,) = world.alarms.standing(OWNER)
    assert (alarm.raised_at - refused).total_seconds() <= 5
    assert stopped(world) == [(Scope.STRATEGY, 1, TradingState.REDUCE_ONLY)]
    world.turns(12)
    assert world.run(run_id).state == "CLOSED", "it was tried on"
    assert kinds(world) == []
    assert stopped(world) == [(Scope.STRATEGY, 1, TradingState.REDUCE_ONLY)], "a person takes that back"
    again = world.start((CALL, Side.SELL, 1))
    assert world.run(again).state == "REFUSED"


def test_a_halt_is_never_weakened_to_reduce_only(world: OrderWorld) -> None:
    run_id = spread(world)
    with world.database.transaction() as session:
        session.add(
            TradingStateRow(
                scope="STRATEGY", scope_id=1, state="HALTED", user_id=1, actor="asha", at=world.clock.now(), why="Kill"
            )
        )
    world.broker.acts = ["reject"] * 3
    world.exit(run_id)
    world.turns(5)
    assert kinds(world) == [AlarmKind.EXIT_REFUSED]
    assert stopped(world) == [(Scope.STRATEGY, 1, TradingState.HALTED)]


def test_an_account_that_keeps_a_failed_leg_alerts_until_it_is_left(world: OrderWorld) -> None:
    world.policy = FailurePolicy(LegPolicy.KEEP)
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turn()
    world.broker.acts = ["reject"]
    world.turns(3)
    assert kinds(world) == [AlarmKind.LEG_KEPT]
    world.exit(run_id)
    world.turns(4)
    assert kinds(world) == []


def test_row_57_a_refused_address_stops_the_accounts_entries_and_alarms_within_ten_seconds(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    world.brokers[1].acts = ["ip"]
    asked = world.clock.now()
    world.start((CALL, Side.SELL, 1))
    world.turns(3)
    (alarm,) = [each for each in world.alarms.standing(OWNER) if each.kind is AlarmKind.IP_REFUSED]
    assert (alarm.raised_at - asked).total_seconds() <= 10
    assert "203.0.113.9" in alarm.sentence
    assert stopped(world) == [(Scope.ACCOUNT, 1, TradingState.REDUCE_ONLY)]
    assert world.brokers[2].net(CALL.key) == -LOT, "the other account goes on"


def test_row_57_exits_stay_possible_from_a_refused_address(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["ip"]
    world.exit(run_id)
    world.turns(6)
    assert world.run(run_id).state == "CLOSED", "the address was registered meanwhile"
    assert stopped(world) == [(Scope.ACCOUNT, 1, TradingState.REDUCE_ONLY)]


def test_row_57_a_release_holds_until_the_address_is_refused_again(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["ip"]
    world.exit(run_id, leg=2)
    world.turns(6)
    with world.database.transaction() as session:
        session.get_one(TradingStateRow, 1).state = "ACTIVE"
    world.turns(5)
    assert stopped(world) == [(Scope.ACCOUNT, 1, TradingState.ACTIVE)]
    world.broker.acts = ["ip"]
    world.exit(run_id)
    world.turns(3)
    assert stopped(world) == [(Scope.ACCOUNT, 1, TradingState.REDUCE_ONLY)]


def test_row_45_an_odd_lot_that_is_held_is_an_alarm(world: OrderWorld) -> None:
    spread(world)
    world.listed.known[CALL.key] = replace(CALL, lot_size=75)
    world.turns(3)  # a run in which nothing moves is looked at every few seconds
    assert kinds(world) == [AlarmKind.ODD_LOT]
    (alarm,) = world.alarms.standing(OWNER)
    assert "lot is 75 today" in alarm.sentence


def test_row_45_an_entry_that_is_no_multiple_of_todays_lot_is_not_sent(world: OrderWorld) -> None:
    world.listed.known[CALL.key] = replace(CALL, lot_size=75)
    world.start((CALL, Side.SELL, 1))
    world.turns(3)
    assert world.broker.placed == 0
    (intent,) = world.intents()
    assert (intent.reason or "").startswith("ODD_LOT")


def test_a_bug_in_an_alarm_keeps_nothing_from_getting_out(world: OrderWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = spread(world)

    def crash(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(IntegrityWatch, "_look", crash)
    for _ in range(2):
        with contextlib.suppress(ZeroDivisionError):
            world.exit(run_id)
    for _ in range(20):
        with contextlib.suppress(ZeroDivisionError):
            world.turn()
        world.work()
        world.read()
    assert world.net() == {}
