"""A leg that cannot be had: what its account does about it and what the others do, on real rows and pretend brokers."""

from datetime import date
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.orders import IntentState
from app.persistence.tables import LearntSize, StrategyExecution
from app.services import learnt_sizes
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, FREEZE, HEDGE, LOT, PUT

TWICE = FailurePolicy(LegPolicy.RETRY, 2)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


@pytest.fixture
def two(tmp_path: Path) -> OrderWorld:
    """Two accounts: the first fills at once, and so does the second unless the test says otherwise."""
    world = OrderWorld(tmp_path, accounts=2)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    return world


def test_row_42_a_rejected_short_closes_its_hedge_by_default(world: OrderWorld) -> None:
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turn()
    world.broker.acts = ["reject"]
    world.turns(6)
    assert world.run(run_id).state == "CLOSED"
    assert world.net() == {}
    assert len(world.intents("ENTRY")) == 2, "nothing is sent again"


def test_row_42_a_rejected_leg_is_sent_again_as_often_as_its_trader_said(world: OrderWorld) -> None:
    world.policy = TWICE
    run_id = world.start((CALL, Side.SELL, 1))
    world.broker.acts = ["reject", "reject"]
    world.turns(5)
    assert world.run(run_id).state == "OPEN"
    assert [i.generation for i in world.intents("ENTRY")] == [1, 2, 3]
    assert world.net() == {CALL.key.symbol: -LOT}
    assert len(world.said("retry")) == 2


def test_row_42_a_leg_rejected_too_often_unwinds(world: OrderWorld) -> None:
    world.policy = TWICE
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turn()
    world.broker.acts = ["reject"] * 3
    world.turns(9)
    assert [i.state for i in world.intents("ENTRY") if i.symbol == CALL.key.symbol] == ["REJECTED"] * 3
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.net(HEDGE.key) == 0


@pytest.mark.parametrize("act", ["gone", "not_sent"])
def test_row_42_what_was_not_certainly_rejected_is_never_sent_again(world: OrderWorld, act: str) -> None:
    world.policy = TWICE
    run_id = world.start((CALL, Side.SELL, 1))
    world.broker.acts = [act]
    world.turns(20, 10.0)
    assert len(world.intents("ENTRY")) == 1
    assert world.run(run_id).state == "CLOSED"


def test_row_42_only_what_did_not_fill_is_sent_again(world: OrderWorld) -> None:
    world.policy = TWICE
    run_id = world.start((CALL, Side.SELL, 3))  # slices of 130 and 65
    world.broker.acts = ["ack", "reject"]
    world.turns(5)
    again = [i.units for i in world.intents("ENTRY") if i.generation == 2]
    lost = next(i.units for i in world.intents("ENTRY") if i.state == IntentState.REJECTED)
    assert again == [lost]
    assert world.net() == {CALL.key.symbol: -3 * LOT}
    assert world.run(run_id).state == "OPEN"


def test_row_42_a_leg_waits_with_its_retry_until_its_other_slices_are_settled(world: OrderWorld) -> None:
    world.policy = TWICE
    world.start((CALL, Side.SELL, 3))
    world.broker.acts = ["lost", "reject"]
    world.broker.fills_at_once = False
    world.executor.step()
    world.work()
    world.executor.step()
    assert {i.generation for i in world.intents("ENTRY")} == {1}, "one of them is unknown still"
    world.broker.fills_at_once = True
    world.broker.fill_all()
    world.turns(8, 3.0)
    assert {i.generation for i in world.intents("ENTRY")} == {1, 2}
    assert world.net() == {CALL.key.symbol: -3 * LOT}


def test_keep_and_alert_holds_what_is_there_and_begins_nothing_more(world: OrderWorld) -> None:
    world.policy = FailurePolicy(LegPolicy.KEEP)
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1), (PUT, Side.BUY, 1))
    world.broker.acts = ["ack", "reject"]
    world.turns(5)
    kept = world.net()
    assert len(kept) == 1, "one hedge filled, the other was rejected, and nothing was sold"
    assert world.broker.placed == 2
    assert world.run(run_id).state == "OPEN"
    assert any("keeps what it has" in said for said in world.said("leg_failed"))
    world.exit(run_id)
    world.turns(4)
    assert world.run(run_id).state == "CLOSED"


def test_a_failure_leaves_the_other_accounts_alone_by_default(two: OrderWorld) -> None:
    run_id = two.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    two.brokers[1].acts = ["reject"]
    two.turns(6)
    assert two.run(run_id).state == "OPEN"
    assert two.brokers[2].net(CALL.key) == -LOT
    assert two.brokers[1].net(HEDGE.key) == 0


def test_stop_further_waves_keeps_what_the_others_have_begun(two: OrderWorld) -> None:
    two.policy = FailurePolicy(group=GroupPolicy.STOP)
    two.brokers[2].fills_at_once = False
    two.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    two.brokers[1].acts = ["reject"]
    two.turns(2, 0.5)
    two.brokers[2].fill_all()
    two.turns(6)
    assert two.brokers[2].net(HEDGE.key) == LOT, "the hedge had been sent and is kept"
    assert two.brokers[2].net(CALL.key) == 0
    executions = [row for row in two.rows(StrategyExecution) if row.account_id == 2]
    assert [row.exit_wanted for row in executions] == [None, None]
    assert "begins no further leg" in " ".join(two.said("leg_failed"))


def test_unwind_too_closes_every_account(two: OrderWorld) -> None:
    two.policy = FailurePolicy(group=GroupPolicy.UNWIND)
    run_id = two.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    two.turn()
    two.brokers[1].acts = ["reject"]
    two.turns(9)
    assert two.run(run_id).state == "CLOSED"
    assert [two.brokers[2].net(each.key) for each in (HEDGE, CALL)] == [0, 0]


def test_row_44_an_entry_too_large_is_halved_and_the_size_is_learnt_for_the_day(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 4))  # slices of 130 and 130
    world.broker.most_units = LOT
    world.turns(6)
    assert world.run(run_id).state == "OPEN"
    assert world.net() == {CALL.key.symbol: 4 * LOT}
    assert [i.units for i in world.intents("ENTRY") if i.generation == 2] == [LOT] * 4
    (learnt,) = world.rows(LearntSize)
    assert (learnt.underlying, learnt.units) == ("NIFTY", LOT)
    world.exit(run_id)
    world.turns(4)
    assert {i.units for i in world.intents("EXIT")} == {LOT}, "the exit need not learn it again"
    with world.database.reading() as session:
        assert learnt_sizes.most(session, date(2030, 1, 1), "NFO", "NIFTY") is None, "tomorrow it is forgotten"


def test_row_44_an_exit_too_large_is_halved_as_well(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 4))
    world.turns(3)
    world.broker.most_units = LOT
    world.exit(run_id)
    world.turns(8)
    assert world.run(run_id).state == "CLOSED"
    assert FREEZE > LOT
    assert {i.units for i in world.intents("EXIT") if i.state == IntentState.FILLED} == {LOT}


def test_row_44_a_single_lot_that_is_too_large_is_a_failure(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1))
    world.broker.most_units = LOT - 1
    world.turns(4)
    assert len(world.intents("ENTRY")) == 1
    assert world.run(run_id).state == "CLOSED"


def test_row_58_margin_that_vanished_is_a_rejection_and_the_policy_applies(two: OrderWorld) -> None:
    run_id = two.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    two.turn()
    two.brokers[1].acts = ["margin"]
    two.turns(6)
    assert [i.state for i in two.intents("ENTRY") if i.account_id == 1] == ["FILLED", "REJECTED"]
    assert two.brokers[1].net(HEDGE.key) == 0, "unwound"
    assert two.brokers[2].net(CALL.key) == -LOT
    assert two.run(run_id).state == "OPEN"
