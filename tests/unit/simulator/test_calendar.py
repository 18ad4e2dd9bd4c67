"""The virtual calendar: holidays, special sessions, moved expiries, and the clock that lives in it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from simulator.calendar import IST, UTC_HOST_SHIFT, TradingCalendar, ist
from simulator.clock import VirtualClock
from simulator.expiries import last_weekday, monthly_expiries, quarterly_expiries, weekly_expiries

TUESDAY, THURSDAY = 1, 3
CALENDAR = TradingCalendar()


@pytest.mark.parametrize(
    ("day", "trades"),
    [
        (date(2026, 11, 23), True),
        (date(2026, 11, 24), False),  # Guru Nanak Jayanti
        (date(2026, 11, 22), False),  # Sunday
        (date(2026, 11, 8), False),  # Muhurat evening on a Sunday: not a normal day
        (date(2026, 12, 25), False),
        (date(2027, 1, 26), False),  # known though the endpoint lists nothing for 2027
        (date(2027, 1, 25), True),
    ],
)
def test_trading_days(day: date, trades: bool) -> None:
    assert CALENDAR.is_trading_day(day) is trades


def test_the_year_has_seventeen_rows_and_other_years_none() -> None:
    assert len(CALENDAR.holidays(2026)) == 17
    assert CALENDAR.holidays(2027) == []


def test_timings_of_a_weekday_match_the_recorded_epochs() -> None:
    rows = {row.exchange: row.epoch_ms() for row in CALENDAR.timings(date(2026, 11, 23))}
    assert list(rows) == ["NSE", "BSE", "NFO", "BFO", "MCX", "BCD", "CDS", "NCO", "CRYPTO"]
    assert rows["NSE"] == (1795405500000, 1795428000000)
    assert rows["NFO"] == (1795405500000, 1795428600000)
    assert rows["CRYPTO"] == (1795372200000, 1795458599000)


def test_a_holiday_has_only_what_is_listed_open_and_a_sunday_only_crypto() -> None:
    assert [row.exchange for row in CALENDAR.timings(date(2026, 11, 24))] == ["MCX"]
    assert [row.exchange for row in CALENDAR.timings(date(2026, 11, 22))] == ["CRYPTO"]


def test_the_muhurat_evening_of_8_november_has_seven_sessions() -> None:
    rows = CALENDAR.timings(date(2026, 11, 8))
    assert [row.exchange for row in rows] == ["NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX"]
    assert rows[0].epoch_ms() == (1794141000000, 1794145500000)
    assert rows[-1].epoch_ms() == (1794141000000, 1794163500000)  # past midnight


def test_the_time_zone_fault_moves_both_ends_by_five_and_a_half_hours() -> None:
    hours = CALENDAR.session("NSE", date(2026, 11, 23))
    assert hours is not None
    assert hours.epoch_ms(UTC_HOST_SHIFT)[0] - hours.epoch_ms()[0] == 19_800_000


def test_expiries_move_off_the_holiday() -> None:
    monday = date(2026, 11, 23)
    assert weekly_expiries(CALENDAR, monday, TUESDAY)[:3] == [monday, date(2026, 12, 1), date(2026, 12, 8)]
    assert monthly_expiries(CALENDAR, monday, TUESDAY) == [monday, date(2026, 12, 29), date(2027, 1, 25)]
    assert quarterly_expiries(CALENDAR, monday, TUESDAY) == [date(2027, 3, 30), date(2027, 6, 29)]
    assert weekly_expiries(CALENDAR, monday, THURSDAY)[:2] == [date(2026, 11, 26), date(2026, 12, 3)]


def test_after_the_moved_expiry_the_next_week_comes_first() -> None:
    wednesday = date(2026, 11, 25)
    assert weekly_expiries(CALENDAR, wednesday, TUESDAY)[0] == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("year", "month", "weekday", "expected"),
    [
        (2026, 11, TUESDAY, date(2026, 11, 24)),
        (2026, 12, THURSDAY, date(2026, 12, 31)),
        (2027, 2, TUESDAY, date(2027, 2, 23)),
    ],
)
def test_last_weekday_of_a_month(year: int, month: int, weekday: int, expected: date) -> None:
    assert last_weekday(year, month, weekday) == expected


def test_the_clock_starts_at_the_opening_and_rolls_over_the_holiday_to_just_before_the_next() -> None:
    clock = VirtualClock(CALENDAR)
    assert clock.ist_now() == datetime(2026, 11, 23, 9, 15, tzinfo=IST)
    assert clock.now.tzinfo is UTC
    assert clock.phase == "open"
    assert clock.advance((clock.closes - clock.now).total_seconds()) is True
    assert clock.ist_now() == datetime(2026, 11, 25, 9, 14, 30, tzinfo=IST)
    assert clock.phase == "pre-open"


def test_a_clock_set_to_a_day_without_trading_waits_before_the_next_one() -> None:
    clock = VirtualClock(CALENDAR, date(2026, 11, 24), time(11, 0))
    assert clock.ist_now() == datetime(2026, 11, 25, 9, 14, 30, tzinfo=IST)


def test_time_does_not_go_back_and_speed_has_limits() -> None:
    clock = VirtualClock(CALENDAR)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="speed"):
        clock.set_speed(-1)
    clock.set_speed(0)
    assert clock.paused


@pytest.mark.parametrize(("exchange", "at", "is_open"), [
    ("NFO", time(15, 39), True),
    ("NSE", time(15, 39), False),
    ("NSE_INDEX", time(15, 29), True),
    ("NFO", time(9, 14), False),
])  # fmt: skip
def test_each_exchange_has_its_own_close(exchange: str, at: time, is_open: bool) -> None:
    assert CALENDAR.is_open(exchange, ist(date(2026, 11, 23), at) + timedelta(seconds=1)) is is_open
