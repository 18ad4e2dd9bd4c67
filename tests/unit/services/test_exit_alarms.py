"""Every exit that does not get its account flat is an alarm in time, says what can be done, and is over when flat."""

from pathlib import Path

import pytest

from app.domain.alarms import AlarmKind
from app.domain.contracts import Side
from app.domain.errors import Conflict, NoFreshPrice
from app.domain.outcomes import Outcome, Verdict
from app.ports.gateway import Unreachable
from app.services.order_request import order_request
from app.services.overrides import Override
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT
from tests.unit.services.test_integrity_watch import OWNER, kinds, spread

SHORT = Override(1, 1)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


def short(world: OrderWorld) -> int:
    run_id = world.start((PUT, Side.SELL, 1))
    world.turns(3)
    assert world.broker.net(PUT.key) == -LOT
    return run_id


def parked(world: OrderWorld) -> int:
    run_id = short(world)
    world.broker.acts = ["park"]
    world.exit(run_id)
    world.turns(2)
    return run_id


def ghost(world: OrderWorld) -> int:
    """An exit that the broker acknowledged and that no book ever lists."""
    run_id = short(world)
    place = world.broker.place

    def acknowledge(_request: object, **_: object) -> Outcome:
        world.broker.place = place  # type: ignore[method-assign]
        return Outcome(Verdict.ACK, "GHOST1", "", 200)

    world.broker.place = acknowledge  # type: ignore[method-assign, assignment]
    world.exit(run_id)
    return run_id


def sentence(world: OrderWorld) -> str:
    (alarm,) = world.alarms.standing(OWNER)
    return alarm.sentence


def raised_after_s(world: OrderWorld, run_id: int, kind: AlarmKind, at_most: float = 60) -> float:
    """Seconds from now until that alarm stands."""
    began = world.clock.now()
    while kind not in kinds(world):
        assert (world.clock.now() - began).total_seconds() <= at_most, world.run(run_id).state
        world.turn(0.5)
    return (world.clock.now() - began).total_seconds()


def test_row_48_a_parked_exit_is_an_alarm_at_once_and_halts_its_account(world: OrderWorld) -> None:
    parked(world)
    assert kinds(world) == [AlarmKind.EXIT_PARKED]
    assert "approve it there" in sentence(world)
    assert world.account().state == "HALTED"
    placed = world.broker.placed
    again = world.start((CALL, Side.BUY, 1))
    world.turns(3)
    assert [intent.state for intent in world.intents(run_id=again)] == ["DENIED"]
    assert world.broker.placed == placed, "nothing more is entered there"


def test_row_48_a_parked_entry_halts_its_account(world: OrderWorld) -> None:
    world.broker.acts = ["park"]
    world.start((PUT, Side.SELL, 1))
    world.turns(2)
    assert world.account().state == "HALTED"


def test_a_parked_exit_is_sent_again_when_its_trader_says_so_and_once(world: OrderWorld) -> None:
    run_id = parked(world)
    world.turns(60, 3)
    assert len(world.intents("EXIT")) == 1, "no machine sends it again"
    said = world.executor.ask_override(run_id, SHORT, "asha")
    assert "holds it for approval" in said
    world.turns(3)
    assert [(i.generation, i.state) for i in world.intents("EXIT")] == [(1, "PARKED"), (2, "FILLED")]
    assert world.broker.net(PUT.key) == 0
    assert kinds(world) == []
    with pytest.raises(Conflict, match="sent again already"):
        world.executor.ask_override(run_id, SHORT, "asha")


def test_a_parked_exit_that_is_approved_is_over(world: OrderWorld) -> None:
    parked(world)
    exit_ = world.intents("EXIT")[0]
    assert exit_.limit_price is not None
    world.broker.accept(order_request(exit_, exit_.limit_price))
    world.turns(4)
    assert kinds(world) == []
    assert world.run().state == "CLOSED"


def test_an_exit_that_was_acknowledged_and_is_in_no_book_is_an_alarm_at_ten_seconds(world: OrderWorld) -> None:
    run_id = ghost(world)
    assert 10 <= raised_after_s(world, run_id, AlarmKind.EXIT_UNSEEN) <= 12
    assert "does not show it" in sentence(world)


def test_books_that_cannot_be_read_are_not_said_to_lack_an_exit(world: OrderWorld) -> None:
    run_id = ghost(world)
    world.broker.broken = Unreachable("The gateway does not answer.")
    assert 10 <= raised_after_s(world, run_id, AlarmKind.EXIT_UNSEEN) <= 12
    assert "its books could not be read since" in sentence(world)
    world.broker.broken = None
    world.turns(3)
    assert "does not show it" in sentence(world)


def test_an_exit_in_no_book_is_sent_again_when_its_trader_says_so(world: OrderWorld) -> None:
    run_id = ghost(world)
    world.turns(4)
    with pytest.raises(Conflict, match="10 s"):
        world.executor.ask_override(run_id, SHORT, "asha")
    raised_after_s(world, run_id, AlarmKind.EXIT_UNSEEN)
    said = world.executor.ask_override(run_id, SHORT, "asha")
    assert "no book that was read shows it" in said
    world.turns(3)
    assert world.broker.net(PUT.key) == 0
    assert kinds(world) == []
    assert world.run(run_id).state == "EXITING", "it may still turn up, until its day is over"


def test_an_exit_that_rests_with_its_cancels_ignored_is_an_alarm_at_fifteen_seconds(world: OrderWorld) -> None:
    run_id = short(world)
    world.broker.fills_at_once, world.broker.deaf_to_cancels = False, True
    world.exit(run_id)
    assert 15 <= raised_after_s(world, run_id, AlarmKind.EXIT_RESTS) <= 17
    assert "Cancel it at the broker" in sentence(world)
    with pytest.raises(Conflict, match="stands in the broker's book"):
        world.executor.ask_override(run_id, SHORT, "asha")
    assert len(world.intents("EXIT")) == 1
    world.broker.fills_at_once, world.broker.deaf_to_cancels = True, False
    world.turns(8)
    assert kinds(world) == []
    assert world.run(run_id).state == "CLOSED"


def test_an_exit_without_a_fresh_price_is_an_alarm_at_ten_seconds_that_says_why(world: OrderWorld) -> None:
    run_id = short(world)
    world.pricing.trouble = NoFreshPrice("Nobody quotes it.")
    world.exit(run_id)
    assert 10 <= raised_after_s(world, run_id, AlarmKind.EXIT_WAITS) <= 12
    assert "Nobody quotes it" in sentence(world)
    assert "Close it at the broker" in sentence(world)
    with pytest.raises(Conflict, match="not been sent"):
        world.executor.ask_override(run_id, SHORT, "asha")
    world.pricing.trouble = None
    world.turns(4)
    assert kinds(world) == []
    assert world.run(run_id).state == "CLOSED"


def test_an_account_that_is_not_flat_after_thirty_seconds_is_an_alarm_whatever_holds_it_up(world: OrderWorld) -> None:
    """Each order is cancelled in time and priced anew, and none of them fills: no order by itself is late."""
    run_id = short(world)
    world.broker.fills_at_once = False
    world.exit(run_id)
    assert 30 <= raised_after_s(world, run_id, AlarmKind.EXIT_LATE) <= 32
    assert f"{LOT} {PUT.key.symbol}" in sentence(world)
    world.restart()
    world.turns(2)
    assert kinds(world) == [AlarmKind.EXIT_LATE]
    world.broker.fills_at_once = True
    world.turns(8)
    assert kinds(world) == []


def test_a_hedge_that_waits_for_its_parked_short_raises_no_alarm_of_its_own(world: OrderWorld) -> None:
    run_id = spread(world)
    world.broker.acts = ["park"]
    world.exit(run_id)
    world.turns(40)
    assert kinds(world) == [AlarmKind.EXIT_PARKED]
    assert world.broker.net(HEDGE.key) == LOT


def test_what_was_closed_at_the_broker_by_hand_is_flat_and_no_alarm(world: OrderWorld) -> None:
    run_id = short(world)
    world.broker.by_hand(PUT.key, Side.BUY, LOT)
    world.turns(2)
    world.exit(run_id)
    world.turns(40)
    assert kinds(world) == []


def test_an_exit_that_goes_through_raises_nothing(world: OrderWorld) -> None:
    run_id = short(world)
    world.exit(run_id)
    world.turns(5)
    assert world.run(run_id).state == "CLOSED"
    assert kinds(world) == []
