"""After a start: the books of an account, then its exits, then its entries once nothing from before is unknown."""

from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.ports.gateway import TimedOut
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path, accounts=2)


def states(world: OrderWorld, account_id: int) -> list[str]:
    return [intent.state for intent in world.intents() if intent.account_id == account_id]


def test_an_account_that_cannot_be_read_blocks_only_itself(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.restart()
    world.brokers[1].broken = TimedOut("no book")
    world.turns(2)
    assert [broker.placed for broker in world.brokers.values()] == [0, 1]
    (waiting,) = [intent for intent in world.intents() if intent.account_id == 1]
    assert (waiting.reason or "").startswith("NOT_TAKEN_OVER: The engine has started")
    world.turns(10, 3)
    assert states(world, 1) == [IntentState.READY], "its patience is that of a takeover"
    world.brokers[1].broken, world.brokers[1].fills_at_once = None, True
    world.turns(8, 5)
    assert world.brokers[1].net(CALL.key) == LOT


def test_entries_wait_for_what_the_engine_before_left_unknown_and_exits_do_not(world: OrderWorld) -> None:
    first = world.start((HEDGE, Side.BUY, 1))
    world.brokers[1].fills_at_once = world.brokers[2].fills_at_once = True
    world.turns(2)
    second = world.request((CALL, Side.BUY, 3))
    world.brokers[1].acts = ["gone"]
    world.executor.start(second)
    world.executor.step()
    for intent in world.intents(run_id=second):
        if intent.slice == 1:
            world.send(intent.id)
    world.restart()
    assert states(world, 1).count(IntentState.UNKNOWN) == 1
    world.exit(first)
    world.turns(4)
    placed = world.brokers[1].placed
    assert world.brokers[1].net(HEDGE.key) == 0, "what is held gets out whatever is unknown elsewhere"
    assert world.brokers[2].net(CALL.key) == 3 * LOT, "the other account goes on"
    (kept,) = [i for i in world.intents(run_id=second) if i.account_id == 1 and i.slice == 2]
    assert (kept.state, (kept.reason or "")[:14]) == (IntentState.READY, "NOT_TAKEN_OVER")
    assert placed == world.brokers[1].placed


def test_what_waited_goes_on_when_the_books_have_found_it(world: OrderWorld) -> None:
    world.brokers[1].fills_at_once = world.brokers[2].fills_at_once = True
    world.brokers[1].acts = ["lost"]
    run_id = world.start((CALL, Side.BUY, 3))
    world.executor.step()
    for intent in world.intents():
        if intent.slice == 1:
            world.send(intent.id)
    world.restart()
    world.turns(6, 2)
    assert [broker.net(CALL.key) for broker in world.brokers.values()] == [3 * LOT, 3 * LOT]
    assert world.net(run_id) == {CALL.key.symbol: 6 * LOT}


def test_row_51_an_exit_after_a_start_waits_for_the_position_that_the_broker_has_by_now(world: OrderWorld) -> None:
    """Closed by hand while no engine ran: our row still shows the position, and the exit would open the opposite."""
    broker = world.brokers[1]
    broker.fills_at_once = True
    run = world.start((CALL, Side.BUY, 1))
    world.turns(3)
    broker.acts = ["reject"]
    world.exit(run)
    world.executor.step()
    world.work()
    broker.by_hand(CALL.key, Side.SELL, LOT)
    world.clock.advance(600)
    world.restart()
    world.executor.step()
    world.work()
    waiting = world.intents("EXIT")[-1]
    assert (broker.net(CALL.key), waiting.state) == (0, IntentState.READY)
    assert (waiting.reason or "").startswith("NET_UNREAD")
    world.turns(5)
    assert broker.net(CALL.key) == 0, "nothing is left to close there"
