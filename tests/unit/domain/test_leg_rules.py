"""Stops and targets of single legs: tables that a trader can read and extend, and what holds for any average."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind, Side
from app.domain.errors import InvalidInput
from app.domain.leg_rules import (
    LegRule,
    LegRules,
    Level,
    Measure,
    Reached,
    RuledLeg,
    check_reach,
    check_rule,
    levels,
    words,
)

BUY, SELL = Side.BUY, Side.SELL


def level(text: str | None) -> Level | None:
    """`25 %`, `30 points`, `at 90`."""
    if text is None:
        return None
    if text.startswith("at "):
        return Level(Measure.PREMIUM, Decimal(text.removeprefix("at ")))
    size, unit = text.split()
    return Level(Measure.PERCENT if unit == "%" else Measure.POINTS, Decimal(size))


def rule(stop: str | None = None, target: str | None = None) -> LegRule:
    return LegRule(1, level(stop), level(target))


# Side, average, stop, target, moved to cost: the prices at which the leg is left.
Row = tuple[Side, str, str | None, str | None, bool, str | None, str | None]
LEVELS: list[Row] = [
    (SELL, "100", "25 %", None, False, "125", None),
    (BUY, "100", "25 %", None, False, "75", None),
    (SELL, "100.40", "25 %", "60 %", False, "125.5", "40.16"),
    (BUY, "80", "50 %", "100 %", False, "40", "160"),
    (SELL, "100", "30 points", "45.5 points", False, "130", "54.5"),
    (BUY, "100", "30 points", "45.5 points", False, "70", "145.5"),
    (SELL, "100", "at 130", "at 40", False, "130", "40"),
    (BUY, "100", "at 60", "at 180", False, "60", "180"),
    (BUY, "20", "30 points", None, False, None, None),
    (SELL, "20", None, "30 points", False, None, None),
    (SELL, "100", "25 %", "50 %", True, "100", "50"),
    (BUY, "100", "25 %", None, True, "100", None),
    (SELL, "100", "at 90", None, True, "90", None),
    (BUY, "20", "30 points", None, True, "20", None),
    (SELL, "100", None, "50 %", True, None, "50"),
]


@pytest.mark.parametrize("row", LEVELS, ids=str)
def test_where_a_leg_is_left(row: Row) -> None:
    side, average, stop, target, at_cost, *left_at = row
    found = levels(rule(stop, target), side, Decimal(average), at_cost=at_cost)
    assert [found.stop, found.target] == [None if each is None else Decimal(each) for each in left_at]


# The same leg at 100 with a stop of 25 % and a target of 40 %, tick by tick.
TICKS = {
    SELL: [("124.95", None), ("125", Reached.STOP), ("900", Reached.STOP), ("60.05", None), ("60", Reached.TARGET)],
    BUY: [("75.05", None), ("75", Reached.STOP), ("0.05", Reached.STOP), ("139.95", None), ("140", Reached.TARGET)],
}


@pytest.mark.parametrize("side", TICKS)
def test_at_the_level_or_beyond_it_is_reached(side: Side) -> None:
    at = levels(rule("25 %", "40 %"), side, Decimal(100))
    assert [(price, at.reached(Decimal(price))) for price, _ in TICKS[side]] == TICKS[side]


AVERAGES = st.decimals("0.05", "5000", places=2)
SIZES = st.decimals("0.05", "99", places=2)
LEVEL = st.builds(Level, st.sampled_from([Measure.PERCENT, Measure.POINTS]), SIZES)


@given(st.sampled_from(Side), AVERAGES, LEVEL, LEVEL)
def test_the_average_itself_reaches_neither_and_the_stop_is_a_loss(
    side: Side, average: Decimal, stop: Level, target: Level
) -> None:
    found = levels(LegRule(1, stop, target), side, average)
    assert found.reached(average) is None
    for price, gains in ((found.stop, False), (found.target, True)):
        if price is not None:
            assert ((price - average) * side.sign > 0) is gains


@given(st.sampled_from(Side), AVERAGES, LEVEL, AVERAGES)
def test_moving_to_cost_only_brings_the_stop_nearer(side: Side, average: Decimal, stop: Level, price: Decimal) -> None:
    before, after = (levels(LegRule(1, stop), side, average, at_cost=moved) for moved in (False, True))
    assert after.stop == average
    if before.reached(price) is Reached.STOP:
        assert after.reached(price) is Reached.STOP


@given(AVERAGES, LEVEL, AVERAGES)
def test_each_account_is_judged_from_its_own_average(average: Decimal, stop: Level, other: Decimal) -> None:
    ours, theirs = (levels(LegRule(1, stop), SELL, each).stop for each in (average, other))
    assert ours is not None
    assert theirs is not None
    assert (ours < theirs) is (average < other)


@pytest.mark.parametrize(
    ("side", "stop", "target", "field", "says"),
    [
        (BUY, "100 %", None, "stop_size", "less than 100"),
        (SELL, None, "100 %", "target_size", "less than 100"),
        (SELL, "1001 %", None, "stop_size", "too far off"),
        (SELL, "0 points", None, "stop_size", "above 0"),
        (BUY, None, "at 0", "target_size", "above 0"),
        (SELL, "at 90", "at 90", "stop_size", "lie above its target"),
        (BUY, "at 91", "at 90", "stop_size", "lie below its target"),
    ],
)
def test_what_cannot_be_a_rule_is_named(
    side: Side, stop: str | None, target: str | None, field: str, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        check_rule(rule(stop, target), side)
    assert refused.value.field == field


@pytest.mark.parametrize("stop", ["NaN", "Infinity", "-1"])
def test_no_number_is_no_distance(stop: str) -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        check_rule(rule(f"{stop} points"), SELL)


@pytest.mark.parametrize(
    ("side", "stop", "target", "says"),
    [
        (SELL, "at 90", None, "its stop at 90.00 is reached already"),
        (BUY, None, "at 90", "its target at 90.00 is reached already"),
        (BUY, "120 points", None, "its stop would lie below 0"),
        (SELL, "25 %", "100 points", "its target would lie below 0"),
    ],
)
def test_what_would_be_left_at_once_or_never_is_told_before_it_is_entered(
    side: Side, stop: str | None, target: str | None, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_reach(rule(stop, target), side, Decimal(100))
    check_reach(rule("25 %", "40 %"), side, Decimal(100))


def test_the_words_say_what_leaves_together() -> None:
    legs = [
        RuledLeg(1, "NIFTY", Kind.CE, BUY),
        RuledLeg(2, "NIFTY", Kind.CE, SELL),
        RuledLeg(3, "NIFTY", Kind.PE, SELL),
    ]
    rules = LegRules((LegRule(1, target=level("40 %")), LegRule(3, level("25 %"), level("at 20"))), to_cost=True)
    assert words(rules, legs) == (
        "Leg 1: target 40 % from each account's average. It takes leg 2 along, which it hedges.",
        "Leg 3: stop 25 % from each account's average, target at a premium of 20.00.",
        "When a leg stops out, the stops of its account's other legs go to their average.",
    )
