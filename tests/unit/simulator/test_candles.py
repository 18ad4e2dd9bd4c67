"""Candles say what the ticks said, join up from day to day, and end at now."""

from datetime import date, time
from itertools import pairwise

import pytest

from simulator.quotes import Bar
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, listed, open_venue

TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 20)


def bars(venue: Venue, symbol: str = CALL, exchange: str = "NFO", interval: str = "1m", start: date = TODAY,
         end: date = TODAY) -> list[Bar]:  # fmt: skip
    return venue.market.history(listed(venue, symbol, exchange), interval, start, end)


@pytest.mark.parametrize(("symbol", "exchange"), [(CALL, "NFO"), ("NIFTY", "NSE_INDEX"), ("SBIN", "NSE")])
def test_a_minute_bar_holds_every_tick_of_its_minute(symbol: str, exchange: str) -> None:
    venue = open_venue(at=time(10, 0))
    prices = []
    for _ in range(239):
        prices.append(venue.market.quote(listed(venue, symbol, exchange)).ltp)
        venue.step()
    bar = bars(venue, symbol, exchange)[-1]
    assert bar.timestamp == 1795408200
    assert bar.low <= min(prices)
    assert bar.high >= max(prices)
    assert bar.close == venue.market.quote(listed(venue, symbol, exchange)).ltp
    assert (max(prices) - bar.high, min(prices) - bar.low) == (0, 0)


def test_bars_are_the_same_whether_anybody_watched_or_not() -> None:
    watched, unwatched = open_venue(), open_venue()
    for _ in range(300):
        watched.step()
        watched.market.quote(listed(watched, CALL))
    unwatched.step(75)
    assert bars(watched) == bars(unwatched)


def test_the_days_figures_are_the_bars_figures() -> None:
    venue = open_venue(at=time(11, 7))
    quote, minutes = venue.market.quote(listed(venue, CALL)), bars(venue)
    assert quote.open == minutes[0].open
    assert quote.high == max(bar.high for bar in minutes)
    assert quote.low == min(bar.low for bar in minutes)
    assert quote.ltp == minutes[-1].close
    assert quote.volume == sum(bar.volume for bar in minutes)


def test_todays_previous_close_is_fridays_last_bar_live_or_made_up() -> None:
    venue = open_venue()
    for symbol, exchange in ((CALL, "NFO"), ("NIFTY", "NSE_INDEX"), ("NIFTY29DEC26FUT", "NFO")):
        friday = bars(venue, symbol, exchange, start=FRIDAY, end=FRIDAY)
        assert venue.market.quote(listed(venue, symbol, exchange)).prev_close == friday[-1].close


def test_a_lived_day_becomes_history_unchanged() -> None:
    venue = open_venue(at=time(15, 30))
    venue.step(8 * 60)
    before = bars(venue)
    venue.step(3 * 60)
    assert venue.clock.trading_date == date(2026, 11, 25)
    after = bars(venue)
    assert after[: len(before) - 1] == before[:-1]
    assert venue.market.quote(listed(venue, CALL)).prev_close == after[-1].close


@pytest.mark.parametrize(("interval", "minutes"), [("3m", 3), ("5m", 5), ("15m", 15), ("1h", 60)])
def test_longer_bars_join_minutes_from_the_opening(interval: str, minutes: int) -> None:
    venue = open_venue(at=time(11, 7))
    short, long = bars(venue), bars(venue, interval=interval)
    assert [bar.timestamp for bar in long[:2]] == [1795405500, 1795405500 + minutes * 60]
    for bar in long:
        parts = [b for b in short if bar.timestamp <= b.timestamp < bar.timestamp + minutes * 60]
        assert (bar.open, bar.close) == (parts[0].open, parts[-1].close)
        assert (bar.high, bar.low) == (max(b.high for b in parts), min(b.low for b in parts))
        assert bar.volume == sum(b.volume for b in parts)


def test_daily_bars_skip_holidays_are_stamped_at_midnight_utc_and_join_up() -> None:
    venue = open_venue()
    daily = bars(venue, "NIFTY", "NSE_INDEX", "D", date(2026, 11, 6), TODAY)
    days = [bar.timestamp // 86_400 - 20_000 for bar in daily]
    assert all(bar.timestamp % 86_400 == 0 for bar in daily)
    assert (date(2026, 11, 10) - date(1970, 1, 1)).days - 20_000 not in days  # Balipratipada
    assert len(daily) == 11
    assert all(abs(later.open / earlier.close - 1) < 0.02 for earlier, later in pairwise(daily))


def test_nothing_on_a_holiday_nothing_after_now_and_no_unknown_interval() -> None:
    venue = open_venue()
    assert bars(venue, start=date(2026, 11, 22), end=date(2026, 11, 22)) == []
    assert bars(venue, start=date(2026, 11, 25), end=date(2026, 11, 27)) == []
    assert bars(venue, start=TODAY, end=FRIDAY) == []
    assert bars(venue)[-1].timestamp <= venue.clock.now.timestamp()
    with pytest.raises(ValueError, match="Unsupported timeframe: 2m"):
        bars(venue, interval="2m")


@pytest.mark.parametrize("symbol", [CALL, "NIFTY29DEC2624000PE", "NIFTY29DEC26FUT"])
def test_open_interest_joins_from_day_to_day_and_moves_by_no_more_than_is_traded(symbol: str) -> None:
    opening, late = open_venue(at=time(9, 15)), open_venue(at=time(15, 35))
    [thursday, friday] = bars(late, symbol, interval="D", start=date(2026, 11, 19), end=FRIDAY)
    assert abs(friday.oi - thursday.oi) <= friday.volume
    assert opening.market.quote(listed(opening, symbol)).oi == friday.oi
    traded = 0
    for bar in bars(late, symbol):
        traded += bar.volume
        assert abs(bar.oi - friday.oi) <= traded
    assert late.market.quote(listed(late, symbol)).oi != friday.oi
