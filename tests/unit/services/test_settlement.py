"""What the books prove and what they do not: late orders, lost books, another day, an answer that came after all."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.persistence.tables import FillRow, Order, Position
from app.ports.gateway import GatewayRefused
from app.services.account_health import HealthState
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT, Killed


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def sent(world: OrderWorld, *acts: str, lots: int = 1) -> int:
    """A run whose orders were sent and met these fates."""
    world.broker.acts = list(acts)
    run_id = world.start((CALL, Side.BUY, lots))
    world.executor.step()
    world.work()
    return run_id


@pytest.mark.parametrize(("act", "quiet_s"), [("gone", 150), ("reset", 150)])
def test_row_05_an_order_nobody_heard_of_is_unknown_until_its_window_ends(
    world: OrderWorld, act: str, quiet_s: int
) -> None:
    sent(world, act)
    world.turns(quiet_s // 10 - 1, 10)
    assert world.intents()[0].state == IntentState.UNKNOWN
    world.turns(4, 10)
    assert world.intents()[0].state == IntentState.NOT_SENT
    assert world.broker.placed == 1


def test_row_39_a_clock_that_jumps_ahead_ends_no_window(world: OrderWorld) -> None:
    sent(world, "late")
    world.turn()
    world.clock.at += timedelta(minutes=20)
    world.turns(5)
    assert world.intents()[0].state == IntentState.UNKNOWN
    world.broker.arrive()
    world.turns(2)
    assert world.intents()[0].state == IntentState.WORKING


def test_row_05_an_order_that_turns_up_after_it_was_given_up_is_ours_and_is_closed(world: OrderWorld) -> None:
    run_id = sent(world, "late")
    world.turns(20, 10)
    assert world.intents()[0].state == IntentState.NOT_SENT
    assert world.run(run_id).state == "CLOSED"
    world.broker.arrive()
    world.broker.fill_all()
    world.read()
    world.read()
    assert world.run(run_id).state == "EXITING", "before anybody decides: a crash here loses nothing"
    world.restart()
    world.broker.fills_at_once = True
    world.turns(6)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"
    assert any("late" in words for words in world.said("found"))


def test_equal_slices_with_lost_answers_are_all_found(world: OrderWorld) -> None:
    run_id = sent(world, "lost", "lost", lots=4)
    world.broker.fill_all()
    world.turns(4)
    assert world.net(run_id) == {CALL.key.symbol: 4 * LOT}
    assert len({intent.order_id for intent in world.intents()}) == 2


def test_an_answer_that_names_an_order_counted_for_its_twin_is_sorted_out(world: OrderWorld) -> None:
    run_id = sent(world, "lost", "gone", lots=4)
    world.turns(1, 4)
    first, second = world.intents()
    claimed, other = (first, second) if first.order_id else (second, first)
    assert claimed.order_id is not None
    with world.database.transaction() as session:
        session.merge(other).state = IntentState.SENDING.value
    world.desk.record({other.id: Outcome(Verdict.ACK, claimed.order_id, "", 200)})
    assert {row.id: row.state for row in world.intents()}[other.id] == IntentState.UNKNOWN
    world.broker.accept(world.broker.standing[0].request)
    world.broker.fill_all()
    world.turns(3)
    assert world.net(run_id) == {CALL.key.symbol: 4 * LOT}


def test_the_brokers_answer_corrects_an_order_that_was_taken_for_ours(world: OrderWorld) -> None:
    run_id = sent(world, "lost")
    stranger = world.broker.accept(world.broker.standing[0].request)
    ours = world.broker.standing.pop(0)
    world.turns(1, 4)
    assert world.intents()[0].order_id == stranger
    world.broker.fill_all()
    world.read()
    world.broker.standing.insert(0, ours)
    world.desk.record({1: Outcome(Verdict.ACK, ours.order_id, "", 200)})
    world.broker.fill(ours)
    world.turns(3)
    (intent,) = world.intents()
    assert (intent.order_id, intent.state) == (ours.order_id, IntentState.FILLED)
    assert world.net(run_id) == {CALL.key.symbol: LOT}
    assert {row.order_id: row.intent_id for row in world.rows(Order)} == {stranger: None, ours.order_id: 1}


def test_row_11_two_strangers_alike_are_nobodys_and_somebody_is_told(world: OrderWorld) -> None:
    sent(world, "lost")
    world.broker.accept(world.broker.standing[0].request)
    world.turns(10)
    assert world.intents()[0].state == IntentState.UNKNOWN
    assert len(world.said("attention")) == 1


def test_a_gateway_without_funds_still_settles_orders(world: OrderWorld) -> None:
    world.broker.broken_funds = GatewayRefused("no funds today")
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.clock.advance(20)
    world.turns(2)
    assert world.net(run_id) == {CALL.key.symbol: LOT}


def test_row_09_an_empty_book_with_success_takes_no_position_away(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.turns(2)
    kept, world.broker.standing = world.broker.standing, []
    world.broker.trades = []
    world.read()
    assert [row.net for row in world.rows(Position)] == [LOT]
    world.broker.standing = kept
    world.turns(2)
    assert world.net(run_id) == {CALL.key.symbol: LOT}


@pytest.mark.parametrize("act", ["ack", "lost", "gone", "park"])
def test_orders_of_a_day_that_ended_are_over_and_are_not_sent_again(world: OrderWorld, act: str) -> None:
    run_id = sent(world, act)
    world.clock.advance(1)
    world.read()
    world.broker.standing.clear()
    world.restart()
    world.clock.advance(24 * 3600)
    world.turns(5)
    (intent,) = world.intents()
    assert intent.state == IntentState.CANCELLED
    assert "day" in (intent.reason or "")
    assert world.broker.placed == 1
    assert world.run(run_id).state == "CLOSED"
    assert any("Compare" in words for words in world.said("attention"))


def test_what_is_held_over_night_can_be_closed_although_an_order_was_left_open(world: OrderWorld) -> None:
    run_id = sent(world, lots=4)
    world.broker.fill(world.broker.standing[0])
    world.turn(0.5)
    held = world.broker.net(CALL.key)
    world.broker.standing.clear()
    world.broker.trades.clear()
    world.broker.foreign[CALL.key] = held
    world.restart()
    world.clock.advance(24 * 3600)
    world.broker.fills_at_once = True
    world.turns(6)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_row_03_a_death_between_reading_and_deciding_loses_nothing(world: OrderWorld) -> None:
    run_id = sent(world)
    world.broker.fill_all()
    world.exit(run_id)
    world.clock.advance(2)
    world.read()
    world.restart()
    world.broker.fills_at_once = True
    world.turns(4)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == 0


def test_row_02_a_death_in_the_exit_is_found_and_not_repeated(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.turns(2)
    world.broker.acts = ["die_after"]
    world.exit(run_id)
    world.executor.step()
    with pytest.raises(Killed):
        world.work()
    world.restart()
    world.turns(4)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.placed == 2
    assert world.broker.net(CALL.key) == 0


def test_the_same_books_twice_change_nothing(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    sent(world, lots=4)
    world.turns(3)
    before = [(row.id, row.units) for row in world.rows(FillRow)]
    for _ in range(5):
        world.read()
    assert [(row.id, row.units) for row in world.rows(FillRow)] == before


def test_row_48_a_mode_not_heard_of_for_a_minute_is_not_known(world: OrderWorld) -> None:
    world.read()
    assert world.reconciler.mode_age_s(1) == 0
    world.broker.broken_funds = None
    world.clock.advance(61)
    world.start((CALL, Side.BUY, 1))
    assert world.reconciler.mode_age_s(1) == 0, "each read of the books asks again when it is due"


def test_health_says_what_cannot_be_read(world: OrderWorld) -> None:
    world.broker.broken_funds = GatewayRefused("no funds today")
    world.read()
    assert world.reconciler._health.of(1).state is not HealthState.OK


def test_row_10_a_trade_book_that_lagged_at_the_send_does_not_keep_an_order_unknown_for_ever(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.turns(2)
    world.broker.trades_hidden = 1
    world.clock.advance(2)
    world.read()
    world.broker.acts = ["gone"]
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.broker.trades_hidden = 0
    world.turns(30, 10)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(CALL.key) == 0
    assert world.broker.placed == 3


def test_row_48_the_books_of_the_sandbox_prove_nothing_about_a_live_order(world: OrderWorld) -> None:
    run_id = sent(world, "ack", "gone", lots=4)
    world.broker.fill(world.broker.standing[0])
    world.clock.advance(1)
    world.read()
    world.broker.in_mode = Mode.PAPER
    world.turns(40, 10)
    assert {intent.state for intent in world.intents()} == {IntentState.FILLED, IntentState.UNKNOWN}
    assert [row.net for row in world.rows(Position)] == [130]
    assert world.reconciler._health.of(1).mode is Mode.PAPER
    world.exit(run_id)
    world.turns(3, 70)
    assert world.broker.placed == 2, "nothing goes to a gateway in the other mode, however long that lasts"
    world.broker.in_mode = Mode.LIVE
    world.broker.fills_at_once = True
    world.clock.advance(20)
    world.turns(12, 5)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_equal_orders_of_two_runs_with_lost_answers_are_both_found(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    runs = [world.start((CALL, Side.BUY, 2)) for _ in range(2)]
    world.turns(4)
    world.broker.acts = ["lost", "lost"]
    for run_id in runs:
        world.exit(run_id)
    world.turns(12)
    assert [world.run(run_id).state for run_id in runs] == ["CLOSED", "CLOSED"]
    assert world.broker.placed == 4


def test_of_two_equal_orders_with_lost_answers_the_one_that_never_arrived_is_sent_anew(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    runs = [world.start((CALL, Side.BUY, 2)) for _ in range(2)]
    world.turns(4)
    world.broker.acts = ["gone", "lost"]
    for run_id in runs:
        world.exit(run_id)
    world.turns(30, 10)
    assert [world.run(run_id).state for run_id in runs] == ["CLOSED", "CLOSED"]
    assert world.broker.net(CALL.key) == 0
    assert world.broker.placed == 5


def test_a_read_that_teaches_nothing_waits_for_no_writer(world: OrderWorld) -> None:
    sent(world)
    world.broker.fill(world.broker.standing[0])
    world.turns(5)
    writers: list[str] = []

    def write(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(("BEGIN IMMEDIATE", "INSERT", "UPDATE")):
            writers.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", write)
    world.read()
    assert writers == []
    world.broker.foreign[CALL.key] = LOT
    world.read()
    assert world.rows(Position)[0].net == 2 * LOT
    assert writers != []


def test_what_only_time_can_prove_is_looked_at_although_the_books_stay_the_same(world: OrderWorld) -> None:
    sent(world, "gone")
    for _ in range(20):  # the same empty books again and again
        world.clock.advance(10)
        world.read()
    assert world.intents()[0].state == IntentState.NOT_SENT


def test_an_exit_that_the_sandbox_took_is_sent_anew_when_the_gateway_is_back(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.turns(2)
    world.broker.in_mode = Mode.PAPER
    world.exit(run_id)
    world.executor.step()
    world.work()
    (exit_,) = world.intents("EXIT")
    assert (exit_.state, exit_.order_id) == (IntentState.UNKNOWN, None)
    assert world.account().state == "HALTED"
    world.broker.in_mode = Mode.LIVE
    world.turns(25, 10)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_an_exit_sent_in_the_morning_before_any_book_could_be_read_is_settled_the_same_day(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = sent(world)
    world.turns(2)
    world.broker.standing, world.broker.trades = [], []
    world.broker.foreign[CALL.key] = LOT
    world.clock.advance(24 * 3600)
    world.broker.broken = GatewayRefused("log in first")
    world.broker.acts = ["gone"]
    world.exit(run_id)
    world.turns(2)
    assert world.broker.placed == 2
    world.broker.broken = None
    world.turns(30, 10)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_books_read_under_an_old_epoch_are_not_written_over_newer_ones(world: OrderWorld) -> None:
    sent(world, "ack")
    world.broker.fill_all()
    world.turns(2)
    sleeper = world.reconciler  # has led, and was stopped before it read
    world.restart()
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.read()
    newest = world.rows(Position)
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    sleeper.step(1)
    assert [row.net for row in world.rows(Position)] == [row.net for row in newest]
    world.read()
    assert world.rows(Position)[0].net == newest[0].net + LOT
