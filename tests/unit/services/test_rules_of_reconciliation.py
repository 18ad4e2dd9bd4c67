# ruff: noqa: N802 - the rules are called R0 to R8
"""R0 to R8: how a sent order is found again without an id of ours. One test for each rule, named after it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.domain.outcomes import Outcome, Verdict
from app.persistence.tables import Intent, Order
from app.ports.gateway import TimedOut
from app.services.claims import Claimed
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def sent(world: OrderWorld, *acts: str, lots: int = 1) -> int:
    world.broker.acts = list(acts)
    run_id = world.start((CALL, Side.BUY, lots))
    world.executor.step()
    world.work()
    return run_id


def baseline(world: OrderWorld, intent_id: int) -> list[str]:
    with world.database.reading() as session:
        return session.get_one(Intent, intent_id).baseline or []


def test_R0_one_order_of_a_key_is_unresolved_at_a_time(world: OrderWorld) -> None:
    sent(world, "lost")
    world.broker.broken = TimedOut("no book")
    second = world.request((CALL, Side.BUY, 1))
    world.executor.start(second)
    world.executor.step()
    world.work()
    (waiting,) = world.intents(run_id=second)
    assert (waiting.state, (waiting.reason or "")[:8]) == (IntentState.READY, "KEY_BUSY")
    assert world.broker.placed == 1


def test_R0_slices_of_one_execution_go_together(world: OrderWorld) -> None:
    sent(world, "lost", "lost", lots=4)
    assert world.broker.placed == 2


def test_R1_the_ids_at_the_broker_are_stored_with_the_claim(world: OrderWorld) -> None:
    world.broker.by_hand(CALL.key, Side.BUY, 2 * LOT)
    sent(world, "lost")
    assert baseline(world, 1) == ["000001", "000002"]
    assert world.intents()[0].baseline_carry == 0


def test_R1_what_an_earlier_book_listed_is_known_though_the_book_before_the_send_leaves_it_out(
    world: OrderWorld,
) -> None:
    """Else a stranger's equal order, left out once, is new in the next read and is taken for ours."""
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.read()
    orders = world.broker.order_book
    there = [row.order_id for row in orders()]
    world.broker.order_book = lambda expected=None: orders(expected)[1:]  # type: ignore[method-assign]
    world.clock.advance(2)
    sent(world, "gone")
    assert baseline(world, 1) == there
    world.broker.order_book = orders  # type: ignore[method-assign]
    world.turns(4)
    assert world.intents()[0].order_id is None


def test_R1_without_a_book_an_exit_goes_with_the_last_ids_and_an_entry_does_not_go(world: OrderWorld) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.read()
    world.clock.advance(5)
    world.broker.broken = TimedOut("no book")
    world.exit(run_id)
    world.executor.start(world.request((CALL, Side.BUY, 1)))
    world.executor.step()
    world.work()
    (leaving,) = world.intents("EXIT")
    entering = world.intents("ENTRY")[-1]
    assert (leaving.state, leaving.weak_baseline) == (IntentState.WORKING, True)
    assert entering.state == IntentState.READY


def test_R2_an_intent_that_is_not_ready_is_not_sent(world: OrderWorld) -> None:
    sent(world, "lost")
    world.send(1)
    assert world.broker.placed == 1


@pytest.mark.parametrize("slept", ["monotonic", "wall"])
def test_R2_a_claim_older_than_a_second_is_not_sent(
    world: OrderWorld, monkeypatch: pytest.MonkeyPatch, slept: str
) -> None:
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    claim = world.desk._claims.claim

    def and_sleep(intent_ids: list[int]) -> object:
        claims = claim(intent_ids)
        if slept == "monotonic":
            world.clock.ticked += 1.1
        else:
            world.clock.at += timedelta(seconds=1.1)
        return claims

    monkeypatch.setattr(world.desk._claims, "claim", and_sleep)
    world.work()
    assert world.broker.placed == 0
    assert world.intents()[0].state == IntentState.NOT_SENT


def test_R3_a_lost_answer_is_looked_for_in_pushes_and_in_books(world: OrderWorld) -> None:
    sent(world, "lost")
    world.push(world.broker.news(world.broker.standing[0]))
    assert world.intents()[0].state == IntentState.WORKING


def test_R4_a_new_order_of_the_same_terms_is_ours_and_others_are_not(world: OrderWorld) -> None:
    sent(world, "lost")
    world.broker.by_hand(CALL.key, Side.BUY, 2 * LOT)
    world.turns(1, 4)
    assert world.intents()[0].order_id == world.broker.standing[0].order_id
    owned = {row.order_id: row.intent_id for row in world.rows(Order)}
    assert list(owned.values()) == [1, None, None]


def test_R5_two_that_fit_are_counted_for_nobody_and_a_person_is_told(world: OrderWorld) -> None:
    sent(world, "lost")
    world.broker.accept(world.broker.standing[0].request)
    world.turns(3, 4)
    (intent,) = world.intents()
    assert (intent.state, intent.order_id) == (IntentState.UNKNOWN, None)
    (said,) = world.said("attention")
    assert "000001, 000002" in said


def test_R5_absence_takes_the_quiet_window_and_two_clean_reads(world: OrderWorld) -> None:
    sent(world, "gone")
    world.turns(14, 10)
    assert world.intents()[0].state == IntentState.UNKNOWN
    world.clock.advance(20)
    world.read()
    assert world.intents()[0].state == IntentState.UNKNOWN
    world.read()
    assert world.intents()[0].state == IntentState.NOT_SENT


def test_R6_an_entry_that_never_arrived_is_not_sent_again(world: OrderWorld) -> None:
    sent(world, "gone")
    world.turns(40, 10)
    assert world.broker.placed == 1
    assert world.run().state == "CLOSED"


def test_R6_an_exit_that_never_arrived_is_tried_anew_within_the_brokers_net(world: OrderWorld) -> None:
    run_id = sent(world, lots=2)
    world.broker.fill_all()
    world.read()
    world.broker.acts = ["gone"]
    world.broker.fills_at_once = True
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.turns(40, 10)
    assert world.broker.net(CALL.key) == 0
    assert [(i.generation, i.units) for i in world.intents("EXIT")] == [(1, 2 * LOT), (2, LOT)]


def test_R7_an_order_that_turns_up_after_it_was_given_up_is_claimed_and_closed(world: OrderWorld) -> None:
    run_id = sent(world, "late")
    world.turns(40, 10)
    assert world.intents()[0].state == IntentState.NOT_SENT
    world.broker.fills_at_once = True
    world.broker.arrive()
    world.turns(6)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"
    assert any("late" in words for words in world.said("found"))


def test_R8_a_book_on_the_other_side_of_zero_stops_the_account_and_is_said(world: OrderWorld) -> None:
    sent(world)
    world.broker.fill_all()
    world.read()
    world.broker.by_hand(CALL.key, Side.SELL, 3 * LOT)
    world.turns(3)
    assert world.account().state == "HALTED"
    assert any("beyond zero" in words for words in world.said("attention"))


def test_R8_closed_by_hand_in_the_moment_of_our_exit_is_seen_although_our_fills_say_flat(world: OrderWorld) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.turns(4)
    assert world.broker.net(CALL.key) == -LOT
    assert world.account().state == "HALTED"
    (said,) = [words for words in world.said("attention") if "beyond zero" in words]
    assert f"our fills leave nothing and the broker's position is -{LOT}" in said
    assert world.run(run_id).state == "CLOSED", "nothing is left for the machine to do"


def test_R8_what_a_trader_opens_well_after_our_exit_is_a_trade_of_its_own(world: OrderWorld) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.exit(run_id)
    world.turns(4)
    world.clock.advance(61)
    world.read()
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.turns(4)
    assert (world.account().state, world.said("attention")) == ("ACTIVE", [])


def test_R5_a_refusal_of_what_the_book_already_gave_an_order_is_said(world: OrderWorld) -> None:
    """The call hangs, a stranger's equal order is taken for ours, and then the gateway refuses ours."""
    world.broker.fills_at_once = True
    world.start((CALL, Side.BUY, 1))
    world.read()
    world.executor.step()
    claimed = claim(world)
    world.clock.advance(1)
    world.read()
    world.broker.accept(replace(claimed.request, tag="by hand"))
    world.clock.advance(4)
    world.read()
    assert world.intents()[0].order_id is not None
    world.desk.record({claimed.intent_id: Outcome(Verdict.REJECTED, None, "RMS:Margin Exceeds", 400)})
    (said,) = world.said("attention")
    assert "refused buy 65" in said
    assert "RMS:Margin Exceeds" in said
    assert "counted as ours" in said


def test_R5_an_entry_that_the_position_shows_and_no_book_lists_never_counts_as_absent(world: OrderWorld) -> None:
    """A gateway that hides one order: that it never arrived would be a guess, and its units would be nobody's."""
    world.broker.fills_at_once = True
    orders, trades = world.broker.order_book, world.broker.trade_book
    world.broker.order_book = lambda expected=None: [row for row in orders(expected) if row.order_id != "000001"]  # type: ignore[method-assign]
    world.broker.trade_book = lambda expected=None: [row for row in trades(expected) if row.order_id != "000001"]  # type: ignore[method-assign]
    run_id = sent(world, "lost")
    world.turns(80, 3)
    assert world.broker.net(CALL.key) == LOT
    assert world.intents()[0].state == IntentState.UNKNOWN
    assert world.run(run_id).state != "CLOSED"
    (said,) = world.said("attention")
    assert "The position moved without an order to explain it." in said


def test_R8_what_another_run_opens_the_other_way_right_after_our_exit_is_no_over_close(world: OrderWorld) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.exit(run_id)
    world.turns(3)
    world.start((CALL, Side.SELL, 1))
    world.turns(5)
    assert world.broker.net(CALL.key) == -LOT
    assert (world.account().state, world.said("attention")) == ("ACTIVE", [])


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_R8_a_clock_that_is_set_hides_no_over_close(world: OrderWorld, hours: int) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.push(world.broker.news(world.broker.standing[-1]))
    assert world.intents("EXIT")[0].state == IntentState.FILLED
    world.clock.at += timedelta(hours=hours)
    world.turns(4)
    assert world.account().state == "HALTED"


@pytest.mark.parametrize("days", [-30, 5])
def test_R8_the_date_that_a_simulator_plays_hides_no_over_close(world: OrderWorld, days: int) -> None:
    """Intents bear the real time of their end."""
    world.market_ahead = timedelta(days=days)
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.turns(4)
    assert world.broker.net(CALL.key) == -LOT
    assert world.account().state == "HALTED"


def test_R8_two_reads_that_catch_a_book_half_way_are_no_over_close_with_a_good_one_between(world: OrderWorld) -> None:
    """An exit's trade can be in the positions before that of the order that it closed."""
    run_id = sent(world)
    world.broker.fill_all()
    world.turns(3)
    world.broker.fills_at_once = True
    world.exit(run_id)
    world.turns(2)
    for _ in range(3):
        world.broker.foreign[CALL.key] = -LOT
        world.read()
        world.broker.foreign[CALL.key] = 0
        world.read()
        world.clock.advance(1)
    assert (world.account().state, world.said("attention")) == ("ACTIVE", [])


def claim(world: OrderWorld) -> Claimed:
    """The first entry, claimed and not yet sent."""
    intent_id = world.intents()[0].id
    claims = world.desk.claim([intent_id])
    if claims.lacking:
        world.desk.fetch(intent_id)
        claims = world.desk.claim([intent_id])
    return claims.ready[intent_id]
