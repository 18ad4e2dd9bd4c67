"""The way out: tried until flat, never beyond flat, and trouble in one place stops no other."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.domain.books import OrderStatus
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.errors import Misconfigured, NoFreshPrice
from app.domain.market_rules import MissingRule, RuleKind
from app.domain.orders import IntentState, OrderRequest
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.persistence.tables import FillRow, Intent, Position, TradingAccount
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    made = OrderWorld(tmp_path)
    made.broker.fills_at_once = True
    return made


def entered(world: OrderWorld, *legs: tuple[object, Side, int]) -> int:
    run_id = world.start(*(legs or ((CALL, Side.BUY, 2),)))  # type: ignore[arg-type]
    world.turns(4)
    assert world.run(run_id).state == "OPEN"
    return run_id


def exit_orders(world: OrderWorld, side: Side = Side.SELL) -> list[int]:
    return [order.request.units for order in world.broker.standing if order.request.side is side]


def test_what_was_bought_is_sold_and_the_run_closes(world: OrderWorld) -> None:
    run_id = entered(world)
    world.exit(run_id)
    world.turns(3)
    assert exit_orders(world) == [130]
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == 0


@pytest.mark.parametrize(
    "trouble",
    [NoFreshPrice("no price"), MissingRule(RuleKind.BAND_OPTION, None, CALL.expiry), Misconfigured("the key")],
)
def test_an_exit_that_cannot_be_priced_waits_says_so_once_and_goes_when_it_can(
    world: OrderWorld, trouble: Exception
) -> None:
    run_id = entered(world)
    world.pricing.trouble = trouble  # type: ignore[assignment]
    world.exit(run_id)
    world.turns(40)
    (intent,) = world.intents("EXIT")
    assert intent.state == IntentState.READY
    assert len([words for words in world.said("attention") if "Waits" in words]) == 1
    world.pricing.trouble = None
    world.turns(3)
    assert world.run(run_id).state == "CLOSED"
    assert world.pricing.asked[-1] == 0, "waiting gave nothing of the price away"


def test_a_closed_market_makes_exits_wait_without_a_new_try_each_time(world: OrderWorld) -> None:
    run_id = entered(world)
    world.hours.now = Phase.CLOSED
    world.exit(run_id)
    world.turns(30)
    assert len(world.intents("EXIT")) == 1
    world.hours.now = Phase.LIVE
    world.turns(3)
    assert world.run(run_id).state == "CLOSED"


@pytest.mark.parametrize("state", ["PAUSED", "HALTED"])
def test_a_stopped_account_is_let_out(world: OrderWorld, state: str) -> None:
    run_id = entered(world)
    with world.database.transaction() as session:
        session.get_one(TradingAccount, 1).state = state
    world.exit(run_id)
    world.turns(3)
    assert world.run(run_id).state == "CLOSED"


def test_refused_exits_give_nothing_away_and_those_that_rested_do(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.acts = ["reject", "not_sent"]
    world.broker.fills_at_once = False
    world.exit(run_id)
    world.turns(40)
    assert world.pricing.asked[1:6] == [0, 0, 0, 1, 2]
    assert any("edge of its band" in words for words in world.said("attention"))


def test_row_43_each_refusal_of_its_price_gives_a_step_more_within_three_seconds(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.acts = ["price"] * 4
    world.exit(run_id)
    world.turns(14)
    assert world.pricing.asked[1:] == [0, 1, 2, 3, 4]
    sent = [intent.sent_at for intent in world.intents("EXIT") if intent.sent_at is not None]
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(sent)]
    assert max(gaps) <= 3 + 1.1, "three seconds and the turn in which it is due"
    assert world.run(run_id).state == "CLOSED"


def test_a_hedge_that_takes_its_short_along_leaves_after_it(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
    world.turns(4)
    world.executor.ask_exit(run_id, account_id=None, leg=1, why="Exit asked", with_shorts=True)
    world.turns(5)
    assert world.net() == {PUT.key.symbol: -LOT}, "a put is not hedged by a call"
    assert [intent.symbol for intent in world.intents("EXIT")] == [CALL.key.symbol, HEDGE.key.symbol]


def test_exits_cancelled_by_the_broker_are_not_repeated_every_second(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.fills_at_once = False
    world.exit(run_id)
    for _ in range(30):
        world.turn()
        for order in world.broker.standing:
            if order.status is OrderStatus.OPEN:
                order.status = OrderStatus.CANCELLED
    assert 2 <= len(world.intents("EXIT")) <= 8


def test_a_broker_that_holds_less_than_a_lot_stops_neither_itself_nor_the_other_account(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    run_id = entered(world)
    world.broker.foreign[CALL.key] = -100  # sold by hand: 30 are left
    world.read()
    world.exit(run_id)
    world.turns(4)
    assert world.brokers[2].net(CALL.key) == 0
    assert exit_orders(world) == []
    assert any("less than a lot" in words for words in world.said("attention"))
    count = len(world.said("attention"))
    world.turns(5)
    assert len(world.said("attention")) == count, "said once, not every second"


def test_trouble_in_one_account_does_not_keep_the_others_in(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    run_id = entered(world)
    with world.database.transaction() as session:
        for row in world.run(run_id).executions:
            if row.account_id == 1:
                session.merge(row).freeze = 1  # nobody knows how much goes into one order
    world.exit(run_id)
    world.turns(4)
    assert world.brokers[2].net(CALL.key) == 0
    assert any("freeze" in words for words in world.said("attention"))


def test_shorts_go_before_longs_and_a_short_closed_by_hand_does_not_hold_the_hedge(world: OrderWorld) -> None:
    run_id = entered(world, (CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1))
    world.broker.foreign[CALL.key] = LOT  # bought back by hand
    world.read()
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(HEDGE.key) == 0
    assert world.broker.net(CALL.key) == 0
    assert any("shows no" in words for words in world.said("attention"))


def test_a_leg_closed_beyond_zero_is_never_sent_again_and_stops_the_account(world: OrderWorld) -> None:
    run_id = entered(world)
    world.exit(run_id)
    world.executor.step()
    world.work()
    # The broker filled the exit twice over, as a late order would.
    order = world.broker.standing[-1]
    world.broker.trades.append(world.broker.trades[-1])
    order.filled += 130
    world.clock.advance(1.1)
    world.read()
    placed = world.broker.placed
    world.turns(30)
    assert world.net(run_id) == {CALL.key.symbol: -130}
    assert world.broker.placed == placed, "selling more would make it worse"
    assert world.account().state == "HALTED"
    assert any("beyond zero" in words for words in world.said("attention"))


def test_two_runs_that_hold_the_same_never_close_more_than_the_broker_has(world: OrderWorld) -> None:
    first, second = entered(world), world.start((CALL, Side.BUY, 2))
    world.turns(3)
    assert world.broker.net(CALL.key) == 260
    world.broker.foreign[CALL.key] = -130  # half was sold by hand
    world.read()
    world.broker.fills_at_once = False
    world.exit(first)
    world.exit(second)
    world.executor.step()
    world.work()
    assert sum(exit_orders(world)) == 130
    world.broker.fill_all()
    world.broker.fills_at_once = True
    world.turns(10)
    assert world.broker.net(CALL.key) == 0


def test_row_39_a_clock_that_was_set_back_does_not_hold_up_the_way_out(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.acts = ["reject"]
    world.exit(run_id)
    world.turn()
    world.clock.at -= timedelta(hours=1)
    world.turns(4)
    assert world.run(run_id).state == "CLOSED"


def test_a_clock_set_back_while_an_entry_hangs_does_not_keep_what_has_filled(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 4))
    world.turns(4)
    with world.database.transaction() as session:
        hanging = session.get_one(Intent, 2)
        hanging.state, hanging.order_id = IntentState.SENDING.value, None  # the call has not come back
        session.execute(delete(FillRow).where(FillRow.intent_id == 2))
    world.broker.standing, world.broker.trades = world.broker.standing[:1], world.broker.trades[:1]
    world.clock.at -= timedelta(hours=1)
    world.exit(run_id)
    world.turns(3)
    assert exit_orders(world) == [130]


def test_units_that_no_book_has_shown_are_not_closed(world: OrderWorld) -> None:
    run_id = entered(world)
    with world.database.transaction() as session:
        session.query(Position).delete()
    world.exit(run_id)
    world.executor.step()
    world.work()
    assert exit_orders(world) == []


def test_odd_prices_of_a_broker_do_not_stop_its_books(world: OrderWorld) -> None:
    world.broker.fills_at_once = False
    run_id = world.start((CALL, Side.BUY, 1))
    world.turn(0.5)
    world.broker.fill(world.broker.standing[0], price=Decimal("100.123456789"))
    world.turn()
    assert world.run(run_id).state in {"ENTERING", "OPEN"}
    assert world.net(run_id) == {CALL.key.symbol: LOT}


def test_row_51_units_sold_by_hand_while_the_order_book_was_read_are_not_sold_again(world: OrderWorld) -> None:
    run_id = entered(world)
    world.exit(run_id)
    world.executor.step()
    real = world.desk.fetch

    def meanwhile(intent_id: int) -> bool:
        world.broker.foreign[CALL.key] = -130
        world.read()
        return real(intent_id)

    world.desk.fetch = meanwhile  # type: ignore[method-assign]
    world.work()
    assert exit_orders(world) == []
    assert world.broker.net(CALL.key) == 0


def test_a_refusal_after_many_prices_is_tried_again_as_soon_as_the_first(world: OrderWorld) -> None:
    run_id = entered(world)
    world.broker.fills_at_once = False
    world.exit(run_id)
    while len(world.intents("EXIT")) < 6:
        world.turn()
    world.broker.acts = ["not_sent"]
    while world.intents("EXIT")[-1].state != IntentState.NOT_SENT:
        world.turn()
    placed = world.broker.placed
    world.turns(3)
    assert world.broker.placed > placed


@pytest.mark.parametrize("act", ["park", "gone"])
def test_row_41_what_has_filled_leaves_though_another_slice_is_not_settled(world: OrderWorld, act: str) -> None:
    world.broker.acts = ["ack", act]
    run_id = world.start((CALL, Side.BUY, 4))
    world.turn()
    assert world.broker.net(CALL.key) == 130
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "EXITING", "the other slice may fill yet"


def test_a_slice_that_lands_after_the_rest_has_left_leaves_too(world: OrderWorld) -> None:
    world.broker.acts = ["ack", "late"]
    run_id = world.start((CALL, Side.BUY, 4))
    world.turn()
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0
    world.broker.arrive()
    world.turns(5)
    assert exit_orders(world) == [130, 130]
    assert world.run(run_id).state == "CLOSED"


def test_a_hedge_stays_while_its_short_may_stand(world: OrderWorld) -> None:
    world.broker.acts = ["ack", "late"]
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1))
    world.turns(2)
    world.exit(run_id)
    world.turns(10)
    assert world.broker.net(HEDGE.key) == LOT
    world.broker.arrive()
    world.turns(6)
    assert world.run(run_id).state == "CLOSED"


def test_row_44_a_freeze_limit_that_was_lowered_over_night_is_found_out(world: OrderWorld) -> None:
    run_id = entered(world, (CALL, Side.BUY, 4))
    real = world.broker.place

    def place(request: OrderRequest, *, expected: Mode) -> Outcome:
        if request.units > LOT:
            return Outcome(Verdict.REJECTED, None, "RMS: quantity freeze limit 100 exceeded", 400)
        return real(request, expected=expected)

    world.broker.place = place  # type: ignore[method-assign]
    world.exit(run_id)
    world.turns(6)
    assert exit_orders(world) == [LOT] * 4
    assert world.run(run_id).state == "CLOSED"
