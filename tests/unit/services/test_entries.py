"""The way in: exactly the plan and never more; what fails unwinds its own account, what may pass is waited for."""

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.domain.books import OrderStatus
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.errors import Denied, NoFreshPrice
from app.domain.gate import PATIENCE_S
from app.domain.orders import IntentState
from app.domain.outcomes import Outcome
from app.persistence.tables import Preview
from app.ports.gateway import TimedOut
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT, Killed


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def test_shorts_wait_until_their_hedge_has_filled(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1))
    world.turn(0.5)
    assert [order.request.side for order in world.broker.standing] == [Side.BUY]
    world.broker.fill_all()
    world.turns(2, 0.5)
    assert [order.request.side for order in world.broker.standing] == [Side.BUY, Side.SELL]
    world.broker.fill_all()
    world.turns(2)
    assert world.run(run_id).state == "OPEN"


def test_a_price_missing_for_a_moment_is_waited_for(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    world.pricing.trouble = NoFreshPrice("no price yet")
    run_id = world.start((CALL, Side.BUY, 1))
    world.turns(4)
    assert world.intents()[0].state == IntentState.READY
    world.pricing.trouble = None
    world.turns(3)
    assert world.run(run_id).state == "OPEN"


def test_a_book_that_cannot_be_read_is_waited_for_and_only_then_denied(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1))
    world.clock.advance(2)
    world.broker.broken = TimedOut("no book")
    world.turns(int(PATIENCE_S) - 3)
    assert world.intents()[0].state == IntentState.READY
    world.turns(6)
    (intent,) = world.intents()
    assert intent.state == IntentState.DENIED
    assert "no book" in (intent.reason or "")
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.placed == 0


def test_hours_that_are_not_read_yet_are_waited_for_a_closed_market_is_not(world: OrderWorld) -> None:
    world.hours.now = Phase.UNKNOWN
    world.start((CALL, Side.BUY, 1))
    world.turns(3)
    assert world.intents()[0].state == IntentState.READY
    world.hours.now = Phase.CLOSED
    world.turns(2)
    assert world.intents()[0].state == IntentState.DENIED


def test_a_resting_entry_is_cancelled_and_only_the_rest_is_priced_again(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 2))
    world.turn()
    world.broker.fill(world.broker.standing[0], LOT)
    world.turns(6)
    world.broker.fills_at_once = True
    world.turns(6)
    assert [order.request.units for order in world.broker.standing if order.filled] == [130, 65]
    assert world.net(run_id) == {CALL.key.symbol: 130}
    assert world.run(run_id).state == "OPEN"


def test_a_cancel_whose_last_fill_shows_late_is_not_priced_again(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 2))
    world.turn()
    order = world.broker.standing[0]
    world.broker.fill(order, LOT)
    world.broker.trades_hidden = 1  # the trade book lags behind order book and positions
    world.turns(8)
    assert order.status is OrderStatus.CANCELLED
    assert len(world.broker.standing) == 1, "nothing is sent while books disagree"
    world.broker.trades_hidden = 0
    world.turns(3)
    assert [each.request.units for each in world.broker.standing] == [130, 65]


def test_books_that_never_agree_fail_the_leg_instead_of_sending_again(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 2))
    world.turn()
    world.broker.fill(world.broker.standing[0], LOT)
    world.broker.trades_hidden = 1
    world.turns(30)
    assert len(world.broker.standing) == 1
    assert world.run(run_id).state in {"EXITING", "CLOSED"}
    assert world.said("leg_failed")


def test_row_42_a_rejected_leg_unwinds_its_account(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    world.broker.acts = ["ack", "reject"]
    run_id = world.start((CALL, Side.BUY, 1), (PUT, Side.BUY, 1))
    world.turns(6)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == world.broker.net(PUT.key) == 0


def test_an_open_run_says_how_much_of_its_entry_there_is(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    whole = world.start((CALL, Side.BUY, 1))
    world.turns(4)
    world.brokers[2].acts = ["reject"]
    part = world.start((PUT, Side.BUY, 1))
    world.turns(4)
    assert [world.run(run_id).state for run_id in (whole, part)] == ["OPEN", "OPEN"]
    assert world.said("open") == [
        "Every order of the entry is filled.",
        "The entry is over: 1 of 2 positions are filled as planned.",
    ]


def test_a_short_whose_hedge_is_given_up_is_not_left_waiting(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1))
    world.turn(0.5)
    world.exit(run_id, leg=2)
    world.turns(8)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == world.broker.net(HEDGE.key) == 0


def test_exit_asked_while_orders_are_unknown_waits_for_them(world: OrderWorld) -> None:
    world.broker.acts = ["lost"]
    run_id = world.start((CALL, Side.BUY, 1))
    world.executor.step()
    world.work()
    world.exit(run_id)
    world.broker.fill_all()
    world.broker.fills_at_once = True
    world.turns(6)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == 0
    assert world.broker.placed == 2


def test_an_entry_never_brings_more_than_was_planned_even_when_a_cancelled_order_fills_late(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    while len(world.intents()) < 2:
        world.turn(0.6)
    first = world.broker.standing[0]
    first.status = OrderStatus.OPEN
    world.broker.fill(first)  # the broker thought otherwise
    world.read()
    world.turns(6)
    assert abs(world.broker.net(CALL.key)) <= LOT


def test_what_was_asked_too_long_ago_is_not_started(world: OrderWorld) -> None:
    world.read()
    run_id = world.request((CALL, Side.BUY, 1))
    world.clock.advance(600)
    assert "too long ago" in world.executor.start(run_id)
    assert world.run(run_id).state == "REFUSED"
    assert world.intents() == []


def test_a_plan_that_was_tampered_with_refuses_its_run(world: OrderWorld) -> None:
    world.read()
    run_id = world.request((CALL, Side.BUY, 1))
    with world.database.transaction() as session:
        session.get_one(Preview, 1).plan += " "
    assert "hash" in world.executor.start(run_id)
    assert world.run(run_id).state == "REFUSED"


def test_prices_that_left_the_slip_refuse_the_whole_run(world: OrderWorld) -> None:
    world.read()

    def moved(_plan: object) -> None:
        raise Denied("PRICE_MOVED", "gone")

    world.slip = moved
    assert world.executor.start(world.request((CALL, Side.BUY, 1))) == "gone"
    assert world.executor.start(1) == "Run 1 was started before."
    assert world.intents() == []


def test_an_entry_of_yesterday_is_not_sent_today(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.clock.advance(24 * 3600)
    world.read()
    world.turns(3)
    (intent,) = world.intents()
    assert (intent.state, world.broker.placed) == (IntentState.DENIED, 0)
    assert "another day" in (intent.reason or "")


@pytest.mark.parametrize("act", ["die_before", "die_after"])
def test_row_01_a_death_around_the_call_sends_nothing_twice(world: OrderWorld, act: str) -> None:
    world.broker.acts = [act]
    run_id = world.start((CALL, Side.BUY, 1))
    world.executor.step()
    with pytest.raises(Killed):
        world.work()
    world.restart()
    assert world.unknown_at_start == 1
    world.turns(3)
    world.broker.fill_all()
    world.turns(200)
    accepted = 1 if act == "die_after" else 0
    assert world.broker.placed == 1
    assert world.net(run_id) == ({CALL.key.symbol: LOT} if accepted else {})
    assert world.run(run_id).state == ("OPEN" if accepted else "CLOSED")


def test_row_15_a_machine_that_slept_between_claim_and_call_does_not_send(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    wait = timedelta(seconds=2)
    real = world.desk.call

    def slept(claimed: object) -> object:
        world.clock.advance(wait.total_seconds())
        return real(claimed)  # type: ignore[arg-type]

    world.desk.call = slept  # type: ignore[assignment,method-assign]
    world.work()
    assert world.broker.placed == 0
    assert world.intents()[0].state == IntentState.NOT_SENT


def test_row_13_nothing_is_sent_under_an_old_epoch(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    old = world.desk
    world.restart()
    old.send(1)
    assert world.broker.placed == 0
    assert world.intents()[0].state == IntentState.READY


def test_row_15_a_machine_whose_monotonic_clock_slept_with_it_does_not_send(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    real = world.desk.call

    def slept(claimed: object) -> object:
        world.clock.at += timedelta(minutes=5)
        return real(claimed)  # type: ignore[arg-type]

    world.desk.call = slept  # type: ignore[assignment,method-assign]
    world.work()
    assert world.broker.placed == 0


def test_no_entry_goes_out_after_an_exit_was_asked_though_a_lane_has_it_in_hand(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 2))
    world.executor.step()
    world.exit(run_id)
    world.work()
    assert world.broker.placed == 0
    assert world.intents()[0].state == IntentState.CANCELLED, "taken back in the transaction of the exit"
    world.turns(3)
    assert world.run(run_id).state == "CLOSED"


def test_a_run_never_enters_against_what_another_run_holds(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    holding = world.start((CALL, Side.BUY, 2))
    world.turns(3)
    against = world.start((CALL, Side.SELL, 1))
    world.turns(4)
    assert (world.run(holding).state, world.run(against).state) == ("OPEN", "CLOSED")
    assert world.broker.net(CALL.key) == 2 * LOT
    assert any("OPPOSITE_EXPOSURE" in words for words in world.said("denied"))


def test_a_run_never_enters_against_what_another_run_has_under_way(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 2))
    world.executor.step()
    world.work()
    against = world.start((CALL, Side.SELL, 1))
    world.executor.step()
    world.work()
    assert [order.request.side for order in world.broker.standing] == [Side.BUY]
    world.turns(2)
    assert world.run(against).state == "CLOSED"


def test_an_entry_that_cannot_go_on_holds_up_no_exit_of_its_account(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1), (PUT, Side.BUY, 1))
    world.turn(0.5)
    for order in world.broker.standing:
        world.broker.fill(order, 50 if order.request.contract == CALL.key else None)  # less than a lot
    world.turns(4, 4)
    world.exit(run_id, leg=2)
    world.broker.fills_at_once = True
    world.turns(4)
    assert world.broker.net(PUT.key) == 0


def test_an_answer_outlives_a_database_that_was_locked_for_a_while(world: OrderWorld) -> None:
    world.broker.acts = ["reject"]
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    real, failures = world.answers._record, iter([True, True])

    def locked(answers: Mapping[int, Outcome]) -> None:
        if next(failures, False):
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
        real(answers)

    world.answers._record = locked  # type: ignore[method-assign]
    world.work()
    assert world.intents()[0].state == IntentState.REJECTED
    assert world.broker.placed == 1
