"""Claims and their withdrawal on both databases: whoever comes first, the other one changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from app.domain.contracts import Side
from app.domain.errors import Denied
from app.domain.orders import IntentState
from app.domain.trading_states import Scope, TradingState
from app.services.claim_facts import TWIN_S
from app.services.trading_states import EVERYTHING, refuse_entry, write_state
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

ROUNDS = 15
FEW = 4
"""Rounds of whole runs, each of which is a good part of a second."""


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[OrderWorld]:
    made = OrderWorld(tmp_path, url=database_url)
    yield made
    made.database.engine.dispose()


def test_row_12_eight_workers_on_one_intent_send_it_once(world: OrderWorld) -> None:
    for round_ in range(1, ROUNDS + 1):
        world.start((CALL, Side.BUY, 1))
        intent = world.intents()[-1].id
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(lambda _, sent=intent: world.desk.send(sent), range(8)))
        assert world.broker.placed == round_
        world.clock.advance(TWIN_S)  # else the next round's order is taken for a double of this one


def test_row_12_the_same_exit_from_eight_hands_is_one_intent_and_one_order(world: OrderWorld) -> None:
    """A stop, the poller, a click and the clock ask in the same moment; eight lane workers take what comes of it."""
    world.broker.fills_at_once = True
    for round_ in range(1, FEW + 1):
        run_id = world.start((CALL, Side.BUY, 1))
        world.turns(2)
        sent = world.broker.placed
        with ThreadPoolExecutor(8) as hands:
            list(hands.map(lambda _, out=run_id: world.exit(out), range(8)))
            world.executor.advance(run_id)
            exits = [each.id for each in world.intents("EXIT", run_id)]
            list(hands.map(world.desk.send, exits * 8))
        assert len(exits) == 1, f"round {round_}"
        assert world.broker.placed == sent + 1
        world.turns(2)
    assert world.broker.net(CALL.key) == 0


def test_row_13_two_engines_bring_one_exit(world: OrderWorld) -> None:
    """The one that was replaced goes on as if nothing had happened: both decide, both send."""
    world.broker.fills_at_once = True
    for _ in range(FEW):
        run_id = world.start((CALL, Side.BUY, 1))
        world.turns(2)
        world.exit(run_id)
        sent = world.broker.placed
        engines = [(world.executor, world.desk)]
        world.restart()
        world.read()
        engines.append((world.executor, world.desk))
        with ThreadPoolExecutor(4) as hands:
            for decided in [hands.submit(executor.advance, run_id) for executor, _ in engines]:
                with suppress(IntegrityError):  # the second finds the first one's intent: there is no other like it
                    decided.result()
            exits = [each.id for each in world.intents("EXIT", run_id)]
            assert len(exits) == 1
            sending = [hands.submit(desk.send, exits[0]) for _, desk in engines * 2]
            for each in sending:
                each.result()
        assert world.broker.placed == sent + 1
        world.turns(2)
    assert world.broker.net(CALL.key) == 0


def test_row_50_an_exit_that_meets_a_claim_never_writes_over_it(world: OrderWorld) -> None:
    """Withdrawn or sent, never both: an order at the broker always has its intent."""
    world.read()
    for _ in range(ROUNDS):
        run_id = world.start((CALL, Side.BUY, 2))
        intent = world.intents()[-1].id
        with ThreadPoolExecutor(2) as hands:
            sending = hands.submit(world.desk.send, intent)
            hands.submit(_leave, world, run_id).result()
            sending.result()
    sent = [each for each in world.intents() if each.state == IntentState.WORKING]
    withdrawn = [each for each in world.intents() if each.state in {IntentState.CANCELLED, IntentState.DENIED}]
    assert len(sent) + len(withdrawn) == ROUNDS
    assert {each.order_id for each in sent} == {order.order_id for order in world.broker.standing}
    assert all(each.order_id is None for each in withdrawn)


def test_row_51_exits_of_two_runs_claimed_at_once_stay_within_what_the_broker_has(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    runs = [world.start((CALL, Side.BUY, 2)) for _ in range(2)]
    world.turns(4)
    world.broker.foreign[CALL.key] = -130
    world.read()
    world.broker.fills_at_once = False
    for run_id in runs:
        world.exit(run_id)
        world.executor.advance(run_id)
    exits = [each.id for each in world.intents("EXIT")]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(world.desk.send, exits * 2))
    sold = [order for order in world.broker.standing if order.request.side is Side.SELL]
    assert sum(order.request.units for order in sold) <= 130


def test_row_55_no_send_begins_after_the_switch_commits(world: OrderWorld) -> None:
    """What is claimed when the switch has committed is all that is ever claimed, however many workers are at it."""
    for halted_after in range(0, ROUNDS, 3):
        _switch(world, TradingState.ACTIVE)
        intents = []
        for _ in range(8):
            world.start((CALL, Side.BUY, 1))
            intents.append(world.intents()[-1].id)
        with ThreadPoolExecutor(5) as hands:
            sending = [hands.submit(world.desk.send, intent) for intent in intents]
            if halted_after and halted_after < len(sending):
                sending[halted_after % 4].result()
            hands.submit(_switch, world, TradingState.HALTED).result()
            claimed = _claimed(world)
            for each in sending:
                each.result()
        assert _claimed(world) == claimed
        for intent in intents:
            world.desk.send(intent)
        assert _claimed(world) == claimed
        assert world.broker.placed == len(claimed)


def test_row_55_the_switch_waits_for_an_open_claim_and_is_seen_by_the_next(world: OrderWorld) -> None:
    with ThreadPoolExecutor(1) as hands:
        with world.database.transaction() as session:
            refuse_entry(session, user_id=1, account_id=1, strategy_id=1)
            switching = hands.submit(_switch, world, TradingState.HALTED)
            assert not wait([switching], timeout=0.3).done
        switching.result()
    with world.database.transaction() as session, pytest.raises(Denied, match="halted"):
        refuse_entry(session, user_id=1, account_id=1, strategy_id=1)


def _switch(world: OrderWorld, state: TradingState) -> None:
    with world.database.transaction() as session:
        write_state(session, Scope.ALL, EVERYTHING, state, user_id=1, actor="asha", at=world.clock.now(), why="Test")


def _claimed(world: OrderWorld) -> set[int]:
    return {each.id for each in world.intents() if each.sent_at is not None}


def _leave(world: OrderWorld, run_id: int) -> None:
    world.exit(run_id)
    world.executor.advance(run_id)
