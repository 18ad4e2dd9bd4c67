"""Entries at a typed price: sent as typed, left to rest, and over without a failure when they end."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.books import OrderStatus
from app.domain.contracts import PriceType, Side
from app.domain.errors import Denied
from app.domain.orders import IntentState
from app.domain.price_types import PriceTerms
from app.persistence.tables import Intent
from app.services.price_board import PriceBoard
from app.services.run_board import RunBoard
from app.services.settling import grouped
from app.services.typed_entries import priced_as
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT

LIMIT = PriceTerms(PriceType.LIMIT, Decimal("95.05"))
STOP = PriceTerms(PriceType.SL, Decimal("111.00"), Decimal("110.00"))
HOUR = 3600


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def cell_state(world: OrderWorld, run_id: int) -> str:
    board = RunBoard(world.database, PriceBoard(world.clock), world.clock)
    return board.view(run_id).cells[0].state


@pytest.mark.parametrize(("typed", "trigger"), [(LIMIT, Decimal(0)), (STOP, Decimal("110.00"))])
def test_it_goes_on_the_wire_as_typed(world: OrderWorld, typed: PriceTerms, trigger: Decimal) -> None:
    world.start((CALL, Side.BUY, 1), typed={1: typed})
    world.turn()
    (order,) = world.broker.standing
    sent = order.request
    assert (sent.price_type, sent.price, sent.trigger_price) == (typed.type, typed.limit, trigger)


def test_market_goes_as_a_limit_and_never_as_market(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.turn()
    assert world.broker.standing[0].request.price_type is PriceType.LIMIT


@pytest.mark.parametrize("typed", [LIMIT, STOP])
def test_it_rests_for_hours_and_nobody_chases_it(world: OrderWorld, typed: PriceTerms) -> None:
    run_id = world.start((CALL, Side.BUY, 1), typed={1: typed})
    world.turn()
    world.turns(5, HOUR)
    (order,) = world.broker.standing
    assert not order.status.is_final
    assert world.run(run_id).state == "ENTERING"
    assert cell_state(world, run_id) == "pending"
    assert world.said("leg_failed") == []
    world.broker.trigger(order)
    world.broker.fill_all()
    world.turns(2)
    assert (world.run(run_id).state, cell_state(world, run_id)) == ("OPEN", "filled")
    assert world.broker.placed == 1


def test_what_is_sold_waits_for_a_hedge_at_its_price(world: OrderWorld) -> None:
    world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1), typed={2: LIMIT})
    world.turn()
    world.turns(3, HOUR / 60)
    assert [order.request.contract for order in world.broker.standing] == [HEDGE.key]
    world.broker.fill_all()
    world.turns(2)
    assert [order.request.contract for order in world.broker.standing] == [HEDGE.key, CALL.key]


def test_the_end_of_its_day_ends_it_and_keeps_what_filled(world: OrderWorld) -> None:
    """The exchange cancels it at the close. That is no failed leg: nothing that filled is unwound."""
    run_id = world.start((CALL, Side.BUY, 2), typed={1: LIMIT})
    world.turn()
    (order,) = world.broker.standing
    world.broker.fill(order, LOT)
    world.turn()
    order.status = OrderStatus.CANCELLED
    world.turns(4)
    assert world.run(run_id).state == "OPEN"
    assert world.net() == {CALL.key.symbol: LOT}
    assert world.intents("EXIT") == []
    assert world.said("given_up") == [f"Leg 1, {CALL.key.symbol}, is over with 65 of 130 units filled."]
    assert world.broker.placed == 1


def test_a_day_that_ends_while_nobody_looks_ends_it_too(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.turn()
    world.clock.advance(24 * HOUR)
    world.broker.next_day()
    world.turns(4)
    assert world.intents()[0].state == IntentState.CANCELLED
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.placed == 1


def test_without_its_hedge_nothing_is_sold(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1), typed={2: LIMIT})
    world.turn()
    world.broker.standing[0].status = OrderStatus.CANCELLED
    world.turns(4)
    (sold,) = [intent for intent in world.intents() if intent.side == "SELL"]
    assert (sold.state, sold.reason) == ("CANCELLED", f"Not sent: its hedge {HEDGE.key.symbol} was given up.")
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.placed == 1


def test_a_typed_order_that_is_refused_fails_its_leg_as_any_other(world: OrderWorld) -> None:
    world.broker.acts = ["reject"]
    world.start((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.turns(2)
    assert len(world.said("leg_failed")) == 1
    assert world.broker.placed == 1


def test_a_trigger_that_is_reached_before_the_send_is_not_sent(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1), typed={1: STOP})
    world.pricing.trouble = Denied("TRIGGER_REACHED", "It has been reached.")
    world.turns(2)
    (intent,) = world.intents()
    assert intent.state == IntentState.DENIED
    assert (intent.reason or "").startswith("TRIGGER_REACHED: ")
    assert world.broker.placed == 0


@pytest.mark.parametrize("typed", [LIMIT, STOP])
def test_an_exit_takes_a_resting_order_away(world: OrderWorld, typed: PriceTerms) -> None:
    run_id = world.start((CALL, Side.BUY, 1), typed={1: typed})
    world.turns(2)
    world.exit(run_id)
    world.turns(4)
    assert world.broker.standing[0].status is OrderStatus.CANCELLED
    assert world.run(run_id).state == "CLOSED"


@pytest.mark.parametrize("typed", [LIMIT, STOP])
@pytest.mark.parametrize("act", ["lost", "error", "late"])
def test_one_whose_answer_is_lost_is_found_in_the_book(world: OrderWorld, typed: PriceTerms, act: str) -> None:
    world.broker.acts = [act]
    world.start((CALL, Side.BUY, 1), typed={1: typed})
    world.turn()
    world.broker.arrive()
    world.turns(6)
    (intent,) = world.intents()
    assert (intent.state, intent.order_id) == (IntentState.WORKING, world.broker.standing[0].order_id)
    assert world.broker.placed == 1


def test_a_leg_written_anew_keeps_its_price_unless_the_market_was_asked_for() -> None:
    """Whatever writes the rest of a leg, what its trader typed does not become "market" by that."""
    stop = ("SL", Decimal(110))
    for wish, becomes in ((None, stop), ("CANCEL", stop), ("MARKET", ("MARKET", None))):
        last = Intent(price_type="SL", limit_price=Decimal(111), trigger_price=Decimal(110), wish=wish)
        anew = Intent(price_type="MARKET")
        priced_as(anew, last)
        assert (anew.price_type, anew.trigger_price) == becomes


def test_lost_orders_are_matched_together_only_when_the_broker_could_not_tell_them_apart() -> None:
    def lost(price_type: str, trigger: str | None = None) -> Intent:
        return Intent(
            exchange="NFO", symbol="X", product="MIS", side="BUY", units=LOT, state="UNKNOWN", price_type=price_type,
            limit_price=Decimal(111), trigger_price=trigger and Decimal(trigger),
        )  # fmt: skip

    limit, market, stop, other = lost("LIMIT"), lost("MARKET"), lost("SL", "110"), lost("SL", "109")
    assert grouped([limit, market, stop, other]) == [[limit, market], [stop], [other]]
