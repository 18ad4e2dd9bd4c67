"""Claims and their withdrawal on both databases: whoever comes first, the other one changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

ROUNDS = 15


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[OrderWorld]:
    made = OrderWorld(tmp_path, url=database_url)
    yield made
    made.database.engine.dispose()


def test_eight_workers_on_one_intent_send_it_once(world: OrderWorld) -> None:
    for round_ in range(1, ROUNDS + 1):
        world.start((CALL, Side.BUY, 1))
        intent = world.intents()[-1].id
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(lambda _, sent=intent: world.desk.send(sent), range(8)))
        assert world.broker.placed == round_


def test_an_exit_that_meets_a_claim_never_writes_over_it(world: OrderWorld) -> None:
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


def test_exits_of_two_runs_claimed_at_once_stay_within_what_the_broker_has(world: OrderWorld) -> None:
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


def _leave(world: OrderWorld, run_id: int) -> None:
    world.exit(run_id)
    world.executor.advance(run_id)
