"""Candles: aligned, exact, final when they are over, and honest about what nobody saw."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import IST, Session
from app.domain.candles import (
    MINUTE,
    Candle,
    MinuteBar,
    Ohlc,
    Origin,
    Standing,
    columns,
    combined,
    combined_bars,
    joined,
    of_closes,
)
from app.domain.day_candles import DayCandles, fresh, gaps, of_history, priced, repaired, unwatched, watched

OPENS = datetime(2026, 11, 23, 9, 15, tzinfo=IST).astimezone(UTC)
DAY = Session(OPENS, OPENS + timedelta(minutes=47))
"""Short, so that thousands of them are made in a second; its last candle is shorter than the others."""
SPECIAL = Session(OPENS + timedelta(hours=8, minutes=45, seconds=7), OPENS + timedelta(hours=10))


def at(seconds: float, session: Session = DAY) -> datetime:
    return session.opens + timedelta(seconds=seconds)


def made(*prices: tuple[float, float], until: float, session: Session = DAY) -> DayCandles:
    """A session seen from its opening until so many seconds later, with prices at those seconds."""
    day = fresh(session)
    for second, price in prices:
        day = priced(day, at(second, session), price)
    return watched(day, at(until, session))


moves = st.lists(
    st.tuples(st.floats(0, 2819, allow_nan=False), st.integers(1, 4000).map(lambda n: n / 20)), max_size=30
).map(sorted)
"""Seconds after the opening, ascending, and prices."""


@given(moves, st.sampled_from([3, 5, 10, 15]))
def test_longer_candles_are_what_the_same_prices_make_directly(ticks: list[tuple[float, float]], size: int) -> None:
    candles = made(*ticks, until=2820).candles(size)
    assert len(candles) == math.ceil(47 / size)
    for candle in candles:
        inside = [price for second, price in ticks if candle.opens <= at(second) < candle.closes]
        if not inside:
            assert candle.prices is None
            continue
        assert candle.prices == Ohlc(inside[0], max(inside), min(inside), inside[-1])
        assert candle.standing is Standing.FINAL


@given(moves)
def test_candles_stand_side_by_side_from_the_opening_on_without_a_hole(ticks: list[tuple[float, float]]) -> None:
    for size in (1, 3, 5, 10, 15):
        candles = made(*(tick for tick in ticks if tick[0] < 900), until=900).candles(size)
        assert candles[0].opens == DAY.opens
        assert all(one.closes == two.opens for one, two in pairwise(candles))
        assert [each.is_complete for each in candles] == [each.closes <= at(900) for each in candles]


@given(moves, moves)
def test_what_is_over_is_never_changed_by_what_comes_late(
    ticks: list[tuple[float, float]], late: list[tuple[float, float]]
) -> None:
    day = made(*(tick for tick in ticks if tick[0] < 1430), until=1430)
    after = day
    for second, price in late:
        after = priced(after, at(min(second, 1429)), price)
    assert after == day, "neither in its own minute nor in the one that grows now"


@given(moves, st.lists(st.tuples(st.floats(0, 2820), st.booleans()), max_size=20))
def test_history_changes_gapped_minutes_alone(
    ticks: list[tuple[float, float]], spans: list[tuple[float, bool]]
) -> None:
    day = fresh(DAY)
    for second, seen in sorted(spans):
        day = watched(day, at(second)) if seen else unwatched(day, at(second))
        for when, price in ticks:
            day = priced(day, at(when), price) if when >= second else day
    bars = {at(60 * n): MinuteBar(at(60 * n), Ohlc.of(7.0), 1) for n in range(47)}
    for before, after in zip(day.ended, repaired(day, bars).ended, strict=True):
        if before.standing is Standing.FINAL:
            assert after == before
        else:
            assert (after.standing, after.origin, after.unseen) == (Standing.FINAL, Origin.HISTORY, timedelta())


def test_a_session_of_its_own_time_and_a_last_candle_that_is_shorter() -> None:
    opens = [each.opens for each in made(until=4493, session=SPECIAL).candles(10)]
    assert opens == [SPECIAL.opens + 10 * MINUTE * n for n in range(8)]
    assert made(until=4493, session=SPECIAL).candles(10)[-1].closes == SPECIAL.closes
    assert made(until=2820).candles(10)[-1].closes - made(until=2820).candles(10)[-1].opens == 7 * MINUTE


def test_a_minute_without_a_price_has_none_and_carries_nothing_over() -> None:
    minutes = made((5, 100.0), (125, 101.0), until=180).ended
    assert [each.prices for each in minutes] == [Ohlc.of(100.0), None, Ohlc.of(101.0)]
    assert {each.standing for each in minutes} == {Standing.FINAL}


def test_what_was_not_seen_is_said_to_the_second() -> None:
    day = made((50, 100.0), until=50)
    day = priced(unwatched(day, at(130)), at(130), 90.0)
    day = watched(day, at(240))
    assert [each.unseen.total_seconds() for each in day.ended] == [10, 60, 10, 0]
    assert [each.standing.value for each in day.ended] == ["gapped", "gapped", "gapped", "final"]
    assert gaps(day) == ((at(0), at(180)),)
    assert day.candles(3)[0].unseen == timedelta(seconds=80)
    assert day.candles(3)[0].standing is Standing.GAPPED


def test_a_series_that_begins_late_has_not_seen_what_was_before() -> None:
    day = watched(unwatched(fresh(DAY), at(90)), at(200))
    assert [each.unseen.total_seconds() for each in day.minutes] == [60, 30, 0, 0]


def test_a_longer_candle_grows_until_its_last_minute_is_over() -> None:
    candle = made((5, 100.0), until=299).candles(5)[-1]
    assert candle.standing is Standing.GROWING
    assert made((5, 100.0), until=300).candles(5)[0].standing is Standing.FINAL


def test_volume_is_what_the_day_volume_grew_by() -> None:
    day = fresh(DAY)
    for second, traded in ((10, 100), (50, 150), (70, 175), (130, 175)):
        day = priced(day, at(second), 100.0, traded)
    assert [each.volume for each in day.minutes] == [150, 25, 0]
    assert watched(day, at(300)).candles(5)[0].volume == 175


def test_volume_across_a_gap_is_not_put_into_the_minute_after_it() -> None:
    day = priced(fresh(DAY), at(10), 100.0, 100)
    day = priced(unwatched(day, at(90)), at(90), 100.0, 900)
    day = priced(day, at(130), 100.0, 950)
    assert [each.volume for each in day.minutes] == [None, None, 50]
    assert watched(day, at(300)).candles(5)[0].volume is None


def test_a_session_is_over_when_it_is_over() -> None:
    day = made((5, 100.0), until=99999)
    assert (day.growing, day.until, len(day.ended)) == (None, DAY.closes, 47)
    assert priced(day, DAY.closes, 1.0) == day


def test_a_combined_premium_is_the_sum_of_one_moment() -> None:
    assert combined((101.5, 98.35), (1, 1)) == 199.85
    assert combined((40.0, 100.0), (1, -2)) == -160.0


def test_of_history_only_the_shared_closes_are_combined() -> None:
    call = {at(60 * n): MinuteBar(at(60 * n), Ohlc(100, 120, 90, 110.0 + n), 5) for n in (0, 1, 2)}
    put = {at(60 * n): MinuteBar(at(60 * n), Ohlc(50, 70, 40, 60.0), 5) for n in (1, 2, 3)}
    bars = combined_bars([call, put], [1, 1])
    assert {bar.opens: bar.prices.close for bar in bars.values()} == {at(60): 171.0, at(120): 172.0}
    day = of_history(DAY, bars)
    assert day.ended[1].closes_only
    assert day.ended[1].prices == Ohlc.of(171.0)
    assert day.ended[0].standing is Standing.GAPPED
    assert day.candles(3)[0].prices == Ohlc(171.0, 172.0, 171.0, 172.0)
    assert combined_bars([call], [1]) == call


def test_candles_of_closes_are_the_same_from_ticks_and_from_history() -> None:
    ticks = made((5, 100.0), (30, 140.0), (50, 120.0), (70, 110.0), until=120)
    bars = {at(0): MinuteBar(at(0), Ohlc.of(120.0), None), at(60): MinuteBar(at(60), Ohlc.of(110.0), None)}
    both = [joined(of_closes(day.minutes), DAY, 3)[0].prices for day in (ticks, of_history(DAY, bars))]
    assert both == [Ohlc(120.0, 120.0, 110.0, 110.0)] * 2


def test_columns_say_not_a_number_where_nothing_is_known() -> None:
    found = columns(made((5, 100.0), until=130).minutes)
    assert list(found.opens) == [at(60 * n).timestamp() for n in range(3)]
    assert found.close[0] == 100.0
    assert math.isnan(found.close[1])
    assert math.isnan(found.volume[0])
    assert list(found.final) == [1.0, 1.0, 0.0]


def test_a_candle_of_no_minutes_is_refused() -> None:
    with pytest.raises(ValueError, match="0 minutes"):
        joined([Candle(DAY.opens, DAY.opens + MINUTE)], DAY, 0)
