"""The line candle by candle: a table worked out by hand, a slow reference, and which turns take a run out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.candles import Candle, Ohlc, Standing
from app.domain.errors import InvalidInput
from app.domain.supertrend import (
    DOWN,
    UNKNOWN,
    UP,
    Supertrend,
    SupertrendExit,
    TrendOf,
    TrendTurn,
    check_supertrend,
    seen_in,
)

Bar = tuple[float, float, float]
OPENS = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)


def reference(bars: Sequence[Bar], period: int, multiplier: float) -> list[tuple[float, int]]:
    """Every average and band of every bar written out, slowly; Wilder's average in its usual form."""
    ranges = [
        high - low if i == 0 else max(high - low, abs(high - bars[i - 1][2]), abs(low - bars[i - 1][2]))
        for i, (high, low, _) in enumerate(bars)
    ]
    found: list[tuple[float, int]] = []
    average = upper = lower = 0.0
    for i, (high, low, close) in enumerate(bars):
        if i < period - 1:
            found.append((math.nan, UNKNOWN))
            continue
        first = i == period - 1
        average = sum(ranges[:period]) / period if first else (average * (period - 1) + ranges[i]) / period
        high_band, low_band = (high + low) / 2 + multiplier * average, (high + low) / 2 - multiplier * average
        if first:
            upper, lower = high_band, low_band
            found.append((upper, DOWN))
            continue
        before, was_upper = bars[i - 1][2], found[-1][0] == upper
        upper = high_band if high_band < upper or before > upper else upper
        lower = low_band if low_band > lower or before < lower else lower
        direction = (UP if close > upper else DOWN) if was_upper else (DOWN if close < lower else UP)
        found.append((lower if direction == UP else upper, direction))
    return found


def walked(bars: Sequence[Bar], period: int, multiplier: float) -> list[tuple[float, int]]:
    trend = Supertrend(period, multiplier)
    return [(trend.add(*bar), trend.line)[::-1] for bar in bars]


# Period 2, multiplier 1: high, low, close, then the line and the direction after it. By hand.
BY_HAND: list[tuple[Bar, float | None, int]] = [
    ((10, 8, 9), None, UNKNOWN),
    ((11, 9, 10), 12, DOWN),  # ranges 2 and 2: 10 + 2
    ((12, 10, 11), 12, DOWN),  # 11 + 2 is no lower
    ((15, 13, 15), 11.0, UP),  # range 4, average 3: above 12, the lower band is 14 - 3
    ((16, 14, 14.5), 12.5, UP),  # range 2, average 2.5: 15 - 2.5
    ((14, 10, 10.5), 15.5, DOWN),  # range 4.5, average 3.5: below 12.5, the upper band is 12 + 3.5
    ((11, 11, 11), 13.0, DOWN),  # range 0.5, average 2: 11 + 2
]


def test_the_line_worked_out_by_hand() -> None:
    trend = Supertrend(2, 1.0)
    for bar, line, direction in BY_HAND:
        assert trend.add(*bar) == direction
        assert math.isnan(trend.line) if line is None else trend.line == line


PRICES = st.floats(0.0625, 3000, width=32)
SIGNED = st.floats(-300, 300, width=32)


def bars_of(prices: st.SearchStrategy[float]) -> st.SearchStrategy[list[Bar]]:
    one = st.tuples(prices, prices, st.floats(0, 1)).map(
        lambda each: (max(each[:2]), min(each[:2]), min(each[:2]) + (max(each[:2]) - min(each[:2])) * each[2])
    )
    return st.lists(one, max_size=80)


@given(bars_of(PRICES) | bars_of(SIGNED), st.integers(1, 12), st.floats(0.5, 5, width=16))
def test_it_is_what_the_slow_reference_says(bars: list[Bar], period: int, multiplier: float) -> None:
    ours, slow = walked(bars, period, multiplier), reference(bars, period, multiplier)
    for number, ((line, direction), (expected, way)) in enumerate(zip(ours, slow, strict=True)):
        if direction != way:
            close, gap = bars[number][2], abs(bars[number][2] - expected)
            assert gap <= 1e-6 * max(1.0, abs(close)), "a close on the line itself may be rounded to either side"
            return
        assert line == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("price", [100.0, -12.5, 0.0])
def test_a_price_that_stands_still_stays_on_the_side_of_its_seed(price: float) -> None:
    """Its range is 0, so that both bands are one: which one the line was is told by its place, not by a flag."""
    assert walked([(price, price, price)] * 30, 10, 3.0)[9:] == [(price, DOWN)] * 21


@pytest.mark.parametrize("bar", [(math.nan, 1, 1), (1, math.nan, 1), (1, 1, math.nan), (math.inf, 1, 1)])
def test_what_is_no_number_is_refused_and_changes_nothing(bar: Bar) -> None:
    trend, untouched = Supertrend(2, 1.0), Supertrend(2, 1.0)
    for each in (trend, untouched):
        each.add(10, 8, 9)
    with pytest.raises(ValueError, match="is none"):
        trend.add(*bar)
    for after, _, _ in BY_HAND[1:]:
        assert trend.add(*after) == untouched.add(*after)
        assert trend.line == untouched.line


def candles(*closes: float | None, standing: Standing = Standing.FINAL) -> list[Candle]:
    """Five minutes each, with a range of one around the close; None for one without a price."""
    step = timedelta(minutes=5)
    return [
        Candle(
            OPENS + number * step, OPENS + (number + 1) * step,
            None if close is None else Ohlc(close, close + 0.5, close - 0.5, close), standing=standing,
        )
        for number, close in enumerate(closes)
    ]  # fmt: skip


RULE = SupertrendExit(TrendTurn.BREAKOUT, period=3, multiplier=1.0)
FALLS = [float(130 - n) for n in range(12)]
RISES = [float(120 + 3 * n) for n in range(6)]
TURN = 13
"""Which candle turns up."""


def turned(found: Sequence[Candle], rule: SupertrendExit = RULE, entered: datetime = OPENS) -> int | None:
    """The number of the candle that takes the run out."""
    at = seen_in(found, rule, entered).turned_at
    return None if at is None else round((at.opens - OPENS) / timedelta(minutes=5))


def test_the_turn_takes_the_run_out_and_says_on_which_candle() -> None:
    found = candles(*FALLS, *RISES)
    assert turned(found) == TURN
    assert turned(found, replace(RULE, turn=TrendTurn.BREAKDOWN)) is None
    seen = seen_in(found, RULE, OPENS)
    assert (seen.direction, seen.candle, seen.wanting) == (UP, found[-1], 0)
    assert seen.line is not None
    assert seen.line < RISES[-1]


def test_a_turn_of_before_the_entry_or_on_the_candle_of_the_entry_is_none() -> None:
    found = candles(*FALLS, *RISES)
    opens = found[TURN].opens
    assert turned(found, entered=opens) == TURN
    assert turned(found, entered=opens + timedelta(seconds=1)) is None


def test_the_first_direction_is_a_seed_and_the_warm_up_decides_nothing() -> None:
    assert turned(candles(*RISES)) is None, "up from the start, and no turn"
    assert turned(candles(*FALLS[:4], *RISES)) is None, "four candles and two are fewer than three periods"
    assert seen_in(candles(*FALLS[:4]), RULE, OPENS).wanting == 5


def test_a_candle_that_grows_decides_nothing() -> None:
    growing = [replace(each, standing=Standing.GROWING) for each in candles(*FALLS, *RISES)[TURN : TURN + 1]]
    assert turned([*candles(*FALLS, RISES[0]), *growing]) is None


def test_a_turn_on_a_candle_that_may_be_repaired_waits_for_the_next_that_may_not() -> None:
    found = candles(*FALLS, *RISES)
    found[TURN] = replace(found[TURN], standing=Standing.GAPPED)
    assert turned(found[: TURN + 1]) is None
    assert turned(found) == TURN + 1


def test_candles_without_a_price_are_passed_over() -> None:
    assert turned(candles(*FALLS, None, None, *RISES)) == TURN + 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"minutes": 7}, "trend_minutes"),
        ({"period": 1}, "trend_period"),
        ({"multiplier": 0.1}, "trend_multiplier"),
        ({"of": TrendOf.LEG}, "trend_leg"),
        ({"of": TrendOf.LEG, "leg": 3}, "trend_leg"),
        ({"leg": 1}, "trend_leg"),
    ],
)
def test_what_cannot_be_a_rule_is_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_supertrend(replace(RULE, **changes), [1, 2])  # type: ignore[arg-type]
    assert refused.value.field == field
    check_supertrend(replace(RULE, of=TrendOf.LEG, leg=2), [1, 2])
