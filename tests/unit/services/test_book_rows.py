"""Rows of the broker's orders over midnight: a book that still lists yesterday adds nothing and breaks nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.books import BrokerPosition, OrderStatus
from app.domain.contracts import ContractKey, Side
from app.domain.orders import IntentState
from app.domain.plan import Mode
from app.persistence.tables import Intent, Order, Position
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, Standing


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def standing(world: OrderWorld) -> Order:
    """One order of ours at the broker, working, and its row."""
    world.start((CALL, Side.BUY, 1))
    world.turns(2)
    row: Order
    (row,) = world.rows(Order)
    assert row.intent_id == 1
    return row


def over_midnight(world: OrderWorld) -> None:
    world.clock.at += timedelta(days=1)
    world.read()


def test_an_order_still_listed_after_midnight_stays_the_row_of_its_day(world: OrderWorld) -> None:
    before = standing(world)
    over_midnight(world)
    (after,) = world.rows(Order)
    assert (after.id, after.trading_date, after.intent_id) == (before.id, before.trading_date, 1)


def test_what_becomes_of_it_after_midnight_is_still_learnt(world: OrderWorld) -> None:
    standing(world)
    over_midnight(world)
    world.broker.standing[0].status = OrderStatus.CANCELLED
    world.clock.advance(3)
    world.read()
    world.clock.advance(3)
    world.read()
    (row,) = world.rows(Order)
    assert row.status == "cancelled"
    assert world.intents()[0].state == IntentState.CANCELLED


def test_a_settled_order_of_ours_does_not_become_a_foreign_one_of_today(world: OrderWorld) -> None:
    standing(world)
    world.broker.fill_all()
    world.turns(2)
    over_midnight(world)
    (row,) = world.rows(Order)
    assert row.intent_id == 1


def test_a_foreign_order_still_listed_is_not_counted_again(world: OrderWorld) -> None:
    standing(world)
    ours = world.broker.standing[0]
    world.broker.standing.append(Standing("777", ours.request))
    world.turn()
    over_midnight(world)
    assert [(row.order_id, row.intent_id) for row in world.rows(Order)] == [("000001", 1), ("777", None)]


def test_an_id_given_out_again_on_another_day_is_another_order(world: OrderWorld) -> None:
    first = standing(world)
    over_midnight(world)
    request = world.broker.standing[0].request
    world.broker.standing = [Standing("000001", replace(request, side=Side.SELL))]
    world.read()
    rows = world.rows(Order)
    assert [row.trading_date - first.trading_date for row in rows] == [timedelta(0), timedelta(days=1)]
    assert [row.intent_id for row in rows] == [1, None]


def test_an_intent_that_moves_to_another_order_is_named_by_that_one_alone(world: OrderWorld) -> None:
    standing(world)
    world.broker.standing.append(Standing("000002", world.broker.standing[0].request))
    with world.database.transaction() as session:
        session.get_one(Intent, 1).order_id = "000002"
    world.read()
    assert [row.intent_id for row in world.rows(Order)] == [None, 1]


def unnamed(world: OrderWorld, of: ContractKey) -> None:
    """From now on the gateway has no name for that contract in its positions."""
    named = world.broker.position_book

    def book(expected: Mode | None = None) -> list[BrokerPosition]:
        return [replace(row, contract=None) if row.contract == of else row for row in named(expected)]

    world.broker.position_book = book  # type: ignore[method-assign]


def net_of(world: OrderWorld, key: ContractKey) -> int:
    (row,) = (row for row in world.rows(Position) if row.symbol == key.symbol)
    return int(row.net)


@pytest.mark.parametrize("turns_before", [0, 3])
def test_a_position_that_the_gateway_cannot_name_makes_nothing_flat(world: OrderWorld, turns_before: int) -> None:
    """What is not listed by name may be the row without one: an exit that took it for flat would abandon it."""
    world.broker.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 2))
    world.turns(turns_before)
    unnamed(world, CALL.key)
    world.turns(3)
    assert net_of(world, CALL.key) == 2 * LOT
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_of_what_is_not_named_no_more_counts_than_the_rows_without_a_name_hold(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 2))
    world.turns(3)
    unnamed(world, CALL.key)
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.turns(2)
    assert net_of(world, CALL.key) == LOT
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0, "nothing was closed beyond zero"
    world.broker.by_hand(HEDGE.key, Side.BUY, LOT)
    world.turns(2)
    assert net_of(world, CALL.key) == 0


def test_a_hedge_waits_for_a_short_that_the_gateway_cannot_name(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turns(5)
    assert world.broker.net(CALL.key) == -LOT
    unnamed(world, CALL.key)
    world.turns(2)
    world.broker.fills_at_once = False
    world.exit(run_id)
    world.turns(3)
    assert {intent.symbol for intent in world.intents("EXIT")} == {CALL.key.symbol}
