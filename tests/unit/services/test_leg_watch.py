"""A leg leaves in the account whose own average says so, once, on a price that is one; everything else goes on."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.leg_rules import LegRule, Level, Measure
from app.persistence.tables import Run, StrategyExecution
from app.services.run_board import RunBoard
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT
from tests.unit.services.watched_runs import Parts

QUARTER, HALF = (Level(Measure.PERCENT, Decimal(size)) for size in (25, 50))
STRADDLE = ((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
BOTH_STOP = (LegRule(1, stop=QUARTER), LegRule(2, stop=QUARTER))


@pytest.fixture
def legs(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def test_each_account_stops_at_its_own_average_and_the_rest_goes_on(legs: Parts) -> None:
    run_id = legs.enter(*STRADDLE, rules=BOTH_STOP, a2l1="110")
    legs.at(call=100, put=100)
    legs.goes_to(call=124.95)
    assert legs.leaving() == set()
    legs.at(call=125)
    assert legs.leaving() == {(1, 1)}
    legs.goes_to(call=137.5)
    assert legs.leaving() == {(1, 1), (2, 1)}
    legs.world.turns(4)
    assert legs.fired() == [
        ("leg_stop", "account 1 leg 1", Decimal(125), Decimal(125)),
        ("leg_stop", "account 2 leg 1", Decimal("137.5"), Decimal("137.5")),
    ]
    assert [broker.net(CALL.key) for broker in legs.world.brokers.values()] == [0, 0]
    assert [broker.net(PUT.key) for broker in legs.world.brokers.values()] == [-65, -65]
    assert legs.world.run(run_id).state == "OPEN"


def test_a_leg_fires_once_however_often_it_is_judged(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=100)
    legs.goes_to(call=126)
    for _ in range(5):
        legs.at(call=126)
        legs.world.turn()
    assert [row[:2] for row in legs.fired()] == [("leg_stop", "account 1 leg 1"), ("leg_stop", "account 2 leg 1")]
    exits = legs.world.intents("EXIT")
    assert len({(intent.execution_id, intent.generation, intent.slice) for intent in exits}) == len(exits) == 2


def test_ticks_in_the_same_moment_ask_once(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=100)
    legs.goes_to(call=124)
    for ltp in (125, 126, 127):
        legs.price(ltp, CALL)
        legs.monitor.step()
    assert len(legs.world.said("exit")) == 2, "one for each account"


def test_a_target_takes_the_profit_of_its_leg(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=(LegRule(2, target=HALF),), a1l2="120")
    legs.at(call=100, put=100)
    legs.goes_to(put=60)
    assert legs.fired() == [("leg_target", "account 1 leg 2", Decimal(60), Decimal(60))]


def test_after_a_stop_the_other_legs_of_that_account_stop_at_their_own_cost(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP, to_cost=True, a1l2="96", a2l1="110")
    legs.at(call=100, put=90)
    legs.goes_to(call=125)
    legs.at(put=95.95)
    assert legs.leaving() == {(1, 1)}
    legs.at(put=96)
    assert legs.leaving() == {(1, 1), (1, 2)}, "account 2 did not stop out: its put still has a quarter to go"
    assert legs.fired()[1:] == [("leg_stop", "account 1 leg 2", Decimal(96), Decimal(96))]


def test_without_the_wish_stops_stay_where_they_are(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=90)
    legs.goes_to(call=125, put=110)
    assert legs.leaving() == {(1, 1), (2, 1)}


def test_a_restart_knows_whose_stops_have_moved(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP, to_cost=True)
    legs.at(call=100, put=90)
    legs.goes_to(call=125)
    legs.runs = RunBoard(legs.world.database, legs.board, legs.world.clock)
    legs.watch()
    legs.at(put=100)
    assert legs.leaving() == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_dying_between_stop_and_exit_leaves_neither_nor_a_moved_stop(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP, to_cost=True)
    legs.at(call=100, put=90)
    legs.dies_in_exit = True
    with pytest.raises(RuntimeError):
        legs.goes_to(call=125)
    assert (legs.fired(), legs.leaving()) == ([], set())
    assert not any(row.at_cost for row in legs.world.rows(StrategyExecution))
    legs.dies_in_exit = False
    legs.at(call=125)
    assert legs.leaving() == {(1, 1), (2, 1)}


def test_a_hedge_that_leaves_takes_its_short_along_and_in_its_account_alone(legs: Parts) -> None:
    rules = (LegRule(1, target=HALF),)
    legs.enter((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1), (PUT, Side.SELL, 1), rules=rules, a2l1="120")
    legs.at(call=100, put=100, hedge=100)
    legs.goes_to(hedge=150)
    assert legs.leaving() == {(1, 1), (1, 2)}
    legs.world.turns(6)
    assert [legs.world.brokers[1].net(each.key) for each in (HEDGE, CALL, PUT)] == [0, 0, -65]
    assert [legs.world.brokers[2].net(each.key) for each in (HEDGE, CALL, PUT)] == [65, -65, -65]


@pytest.mark.parametrize("age_s", [10.1, 3600])
def test_a_price_that_has_grown_old_decides_nothing(legs: Parts, age_s: float) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=100)
    legs.price(126)
    legs.price(126, CALL)
    legs.world.clock.advance(age_s)
    legs.monitor.step()
    assert legs.leaving() == set()
    legs.at(call=126)
    assert legs.leaving() == {(1, 1), (2, 1)}


def test_without_a_price_nothing_is_decided(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=(LegRule(1, stop=QUARTER, target=HALF),))
    for _ in range(20):
        legs.monitor.step()
        legs.world.clock.advance(1)
    assert legs.leaving() == set()


def test_row_21_one_bad_print_takes_no_leg_out_and_a_second_price_does(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=100)
    legs.at(call=150)
    legs.at(call=101)
    assert legs.leaving() == set()
    legs.at(call=150)
    legs.world.clock.advance(0.1)
    legs.at(call=150)
    assert legs.leaving() == {(1, 1), (2, 1)}


def test_row_17_a_price_of_before_a_gap_takes_no_leg_out(legs: Parts) -> None:
    legs.enter(*STRADDLE, rules=BOTH_STOP)
    legs.at(call=100, put=100)
    legs.price(126, CALL)
    legs.feed.gap = legs.world.clock.monotonic()
    legs.monitor.step()
    assert legs.leaving() == set()
    legs.world.clock.advance(0.1)
    legs.at(call=126)
    assert legs.leaving() == set(), "one tick of the new feed"
    legs.at(call=126)
    assert legs.leaving() == {(1, 1), (2, 1)}, "the put's old price is of no interest to the call's stop"


def test_the_limit_of_the_whole_run_goes_before_the_stops_of_its_legs(legs: Parts) -> None:
    run_id = legs.enter(*STRADDLE, rules=BOTH_STOP)
    with legs.world.database.transaction() as session:
        session.get_one(Run, run_id).max_loss = Decimal(3250)
    legs.runs.changed(run_id)
    legs.at(call=100, put=100)
    legs.goes_to(call=125)
    assert [row[0] for row in legs.fired()] == ["max_loss"]
    assert len(legs.leaving()) == 4
