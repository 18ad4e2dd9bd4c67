"""Rows of the broker's orders over midnight: a book that still lists yesterday adds nothing and breaks nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.books import OrderStatus
from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.persistence.tables import Intent, Order
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, Standing


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
