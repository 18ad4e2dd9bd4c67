"""An exit of unknown outcome, sent again by a person: once, no more than is held, and no other exit pays for it."""

from pathlib import Path

import pytest

from app.domain.alarms import AlarmKind
from app.domain.contracts import Side
from app.domain.errors import Conflict, NotFound
from app.domain.orders import IntentState
from app.services.overrides import Override
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT
from tests.unit.services.test_integrity_watch import kinds, spread

SHORT = Override(1, 2)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


def hung(world: OrderWorld, act: str, seconds: float = 11) -> int:
    """A spread whose short is being closed by an order that nobody can say anything of."""
    run_id = spread(world)
    world.broker.acts = [act]
    world.exit(run_id)
    world.turns(int(seconds / 1.1))
    return run_id


def exits(world: OrderWorld, run_id: int = 1) -> list[tuple[int, int, str]]:
    return [
        (i.generation, i.units, i.state) for i in world.intents("EXIT", run_id) if i.symbol == CALL.key.symbol
    ]  # fmt: skip


def test_an_unknown_exit_that_never_arrived_is_closed_by_the_second(world: OrderWorld) -> None:
    run_id = hung(world, "gone", 14)
    assert kinds(world) == [AlarmKind.EXIT_UNKNOWN]
    said = world.executor.ask_override(run_id, SHORT, "asha")
    assert "asha sends the exit of 65" in said
    world.turns(3)
    assert exits(world) == [(1, LOT, "UNKNOWN"), (2, LOT, "FILLED")]
    assert world.broker.net(CALL.key) == 0
    assert kinds(world) == []
    assert world.said("override") == [said]
    assert world.broker.net(HEDGE.key) == 0, "the hedge waits for the short, not for what was set aside"
    assert world.run(run_id).state == "EXITING", "until the books tell what became of it"
    world.turns(40, 5.0)
    assert exits(world)[0][2] == "NOT_SENT"
    assert world.run(run_id).state == "CLOSED"


def test_what_the_broker_does_not_hold_any_more_is_not_sent_again(world: OrderWorld) -> None:
    """Whoever overrides may be wrong; the broker's net is asked first."""
    run_id = spread(world)
    world.broker.fills_at_once = False
    world.broker.acts = ["late"]
    world.exit(run_id)
    world.turns(11)
    world.broker.fills_at_once = True
    world.broker.arrive()
    world.reconciler.step(1)  # the order is filled at the broker, and found
    with pytest.raises(Conflict, match="known meanwhile"):
        world.executor.ask_override(run_id, SHORT, "asha")
    world.turns(5)
    assert world.broker.net(CALL.key) == 0


def test_two_clicks_send_it_once(world: OrderWorld) -> None:
    run_id = hung(world, "gone", 14)
    world.executor.ask_override(run_id, SHORT, "asha")
    with pytest.raises(Conflict, match="sent again already"):
        world.executor.ask_override(run_id, SHORT, "asha")
    world.turns(4)
    assert [generation for generation, _, _ in exits(world)] == [1, 2]


def test_an_override_that_is_unknown_as_well_may_be_overridden_once_more(world: OrderWorld) -> None:
    run_id = hung(world, "gone", 14)
    world.broker.acts = ["gone"]
    world.executor.ask_override(run_id, SHORT, "asha")
    world.turns(14)
    assert kinds(world) == [AlarmKind.EXIT_UNKNOWN]
    world.executor.ask_override(run_id, SHORT, "asha")
    world.turns(3)
    assert [generation for generation, _, _ in exits(world)] == [1, 2, 3]
    assert world.broker.net(CALL.key) == 0


def test_before_ten_seconds_nothing_may_be_sent_again(world: OrderWorld) -> None:
    run_id = hung(world, "gone", 5)
    with pytest.raises(Conflict, match="unknown for 10 s"):
        world.executor.ask_override(run_id, SHORT, "asha")
    with pytest.raises(NotFound):
        world.executor.ask_override(run_id, Override(1, 7), "asha")


def test_when_both_have_filled_the_account_is_stopped_and_it_is_said(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["late"]
    world.exit(run_id)
    world.turns(13)
    world.executor.ask_override(run_id, SHORT, "asha")
    world.executor.step()
    world.work()
    world.broker.arrive()  # both stand at the broker now
    world.turns(6)
    assert world.broker.net(CALL.key) == LOT
    assert world.account().state == "HALTED"
    assert any("closed beyond zero" in words for words in world.said("attention"))


def test_another_runs_exit_waits_for_no_more_than_the_unknown_units(world: OrderWorld) -> None:
    first, second = spread(world), None
    second = world.start((CALL, Side.SELL, 3))
    world.turns(4)
    assert world.broker.net(CALL.key) == -4 * LOT
    world.broker.acts = ["gone"]
    world.exit(first)
    world.turns(13)
    world.executor.ask_override(first, SHORT, "asha")
    world.turns(3)
    assert world.broker.net(CALL.key) == -3 * LOT
    world.exit(second)
    world.turns(4)
    assert world.broker.net(CALL.key) == -LOT, "the units in doubt stay until the books tell"
    world.turns(40, 5.0)
    assert world.broker.net(CALL.key) == 0
    assert [world.run(each).state for each in (first, second)] == ["CLOSED", "CLOSED"]


def test_an_override_gets_out_before_the_exit_of_another_run_is_blocked_by_it(world: OrderWorld) -> None:
    """What was set aside is counted for the others, and not for the exit that goes in its place."""
    first = spread(world)
    second = world.start((CALL, Side.SELL, 1))
    world.turns(4)
    world.broker.acts = ["gone"]
    world.exit(first)
    world.turns(13)
    world.executor.ask_override(first, SHORT, "asha")
    world.turns(3)
    assert exits(world, first)[1][2] == IntentState.FILLED
    assert world.net(second) == {CALL.key.symbol: -LOT}
