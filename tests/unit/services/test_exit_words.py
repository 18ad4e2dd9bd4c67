"""What a run says of its way out: only what is still held counts, and what the trader may do is said."""

from pathlib import Path

import pytest

from app.domain.contracts import Side
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    made = OrderWorld(tmp_path)
    made.broker.fills_at_once = True
    return made


def entered(world: OrderWorld) -> int:
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turns(6)
    assert world.run(run_id).state == "OPEN"
    return run_id


def test_legs_that_are_flat_already_are_not_counted_again(world: OrderWorld) -> None:
    run_id = entered(world)
    world.exit(run_id, leg=2)
    world.turns(4)
    assert world.net(run_id).get(CALL.key.symbol, 0) == 0
    world.exit(run_id)
    asked = [words for words in world.said("exit") if "To be flat" in words]
    assert asked[0].endswith("To be flat: 1 position.")
    assert asked[-1].endswith("To be flat: 1 position."), "the hedge alone"


def test_everything_held_is_counted(world: OrderWorld) -> None:
    world.exit(entered(world))
    assert world.said("exit")[-1].endswith("To be flat: 2 positions.")


def test_what_was_closed_at_the_broker_by_hand_says_what_to_do(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.foreign[CALL.key] = LOT  # bought back by hand
    world.read()
    world.exit(run_id)
    world.turns(6)
    (words,) = [words for words in world.said("attention") if "shows no" in words]
    assert CALL.key.symbol in words
    assert "If you closed it at the broker, nothing is left to do" in words
    assert "do not open it again in this account" in words
    assert world.run(run_id).reason == words


def test_a_leg_that_fails_is_named_by_its_contract(world: OrderWorld) -> None:
    world.broker.acts = ["ack", "reject"]
    world.start((CALL, Side.BUY, 1), (PUT, Side.BUY, 1))
    world.turns(6)
    (words,) = world.said("leg_failed")
    legs = enumerate((CALL, PUT), start=1)
    assert words.startswith(tuple(f"Leg {number}, {contract.key.symbol}, failed: " for number, contract in legs))
