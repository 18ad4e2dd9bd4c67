"""New prices for a resting order: sent once, taken over when the book shows them, told when it does not."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import PriceType, Side
from app.domain.errors import Refused
from app.domain.price_types import PriceTerms
from app.persistence.tables import Intent
from app.services.pending_orders import Change
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PRICE, Killed
from tests.unit.services.test_pending_orders import LIMIT, STOP, resting


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def intent_of(world: OrderWorld) -> Intent:
    (intent,) = world.intents()
    return intent


@pytest.mark.parametrize("comes", ["done", "lost"])
def test_a_change_is_taken_over_when_the_book_shows_it(world: OrderWorld, comes: str) -> None:
    run_id = resting(world)
    world.broker.changes = [comes]
    world.ask(run_id, Change.MODIFY, "96.05")
    world.turns(3)
    assert world.broker.standing[0].request.price == Decimal("96.05")
    intent = intent_of(world)
    assert (intent.limit_price, intent.worst_price) == (Decimal("96.05"), Decimal("96.05"))
    assert (intent.asked_limit, intent.modify_sent_at) == (None, None)
    assert (world.broker.modified, world.broker.placed) == (1, 1)
    assert world.said("pending")[-1] == f"{CALL.key.symbol} now rests at LIMIT 96.05."


@pytest.mark.parametrize("comes", ["refused", "gone"])
def test_one_that_the_book_never_shows_is_told_and_not_sent_again(world: OrderWorld, comes: str) -> None:
    run_id = resting(world)
    world.broker.changes = [comes]
    world.ask(run_id, Change.MODIFY, "96.05")
    world.turns(20)
    assert intent_of(world).limit_price == Decimal("95.05")
    assert world.broker.modified == 1
    (said,) = [one for one in world.said("attention") if "does not show" in one]
    assert "LIMIT 96.05" in said
    world.ask(run_id, Change.MODIFY, "96.05")  # a person may ask again
    world.turns(3)
    assert intent_of(world).limit_price == Decimal("96.05")


def test_a_change_that_comes_after_it_was_given_up_is_taken_over_all_the_same(world: OrderWorld) -> None:
    run_id = resting(world)
    world.broker.changes = ["gone"]
    world.ask(run_id, Change.MODIFY, "96.05")
    world.turns(20)
    order = world.broker.standing[0]
    order.request = replace(order.request, price=Decimal("96.05"))
    world.turns(2)
    assert intent_of(world).limit_price == Decimal("96.05")
    assert world.said("pending")[-1] == (
        f"{CALL.key.symbol} rests at LIMIT 96.05 by the broker's book, not at LIMIT 95.05."
    )


def test_both_prices_of_a_stop_are_changed_together(world: OrderWorld) -> None:
    run_id = resting(world, typed=STOP)
    world.ask(run_id, Change.MODIFY, trigger="109.00")
    world.turns(3)
    sent = world.broker.standing[0].request
    assert (sent.price_type, sent.price, sent.trigger_price) == (PriceType.SL, Decimal(111), Decimal(109))
    assert sent.units == 2 * LOT, "the total, filled part included"
    assert intent_of(world).trigger_price == Decimal(109)


def test_a_process_that_dies_at_the_change_sends_it_no_second_time(world: OrderWorld) -> None:
    run_id = resting(world)
    world.broker.changes = ["die_before"]
    world.ask(run_id, Change.MODIFY, "96.05")
    with pytest.raises(Killed):
        world.turn()
    world.restart()
    world.read()
    world.turns(20)
    assert world.broker.modified == 1
    assert intent_of(world).limit_price == Decimal("95.05")


def test_one_that_waits_to_be_sent_simply_has_the_new_price(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1), typed={1: PriceTerms(PriceType.LIMIT, PRICE)})
    world.turn()
    world.ask(run_id, Change.MODIFY, "101.00")
    world.broker.fill_all()
    world.turns(3)
    assert world.broker.standing[1].request.price == Decimal(101)
    assert world.broker.modified == 0


def test_a_price_typed_anew_between_judging_and_claiming_is_not_overwritten(world: OrderWorld) -> None:
    run_id = world.request((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.read()
    world.executor.start(run_id)
    (intent,) = world.intents()
    world.pricing.meanwhile = lambda: world.ask(run_id, Change.MODIFY, "96.05")
    world.desk.send(intent.id)
    assert world.broker.placed == 0
    world.turns(2)
    assert [order.request.price for order in world.broker.standing] == [Decimal("96.05")]


@pytest.mark.parametrize(
    ("typed", "limit", "trigger", "says"),
    [
        (LIMIT, "96.02", None, "not on the tick"),
        (LIMIT, "141", None, "outside the exchange's band"),
        (LIMIT, "95.05", None, "has these prices already"),
        (LIMIT, "96", "95", "takes no trigger price"),
        (STOP, "108", None, "at or above its trigger"),
        (STOP, None, "99", "has been reached already"),
    ],
)
def test_a_price_that_cannot_be_is_refused_and_said(
    world: OrderWorld, typed: PriceTerms, limit: str | None, trigger: str | None, says: str
) -> None:
    run_id = resting(world, typed=typed)
    with pytest.raises(Refused, match=says):
        world.ask(run_id, Change.MODIFY, limit, trigger)
    world.turns(2)
    assert world.broker.modified == 0
    assert len(world.said("denied")) == 1
