"""The day in India and its parts."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import (
    IST,
    TIME_ZONE_FAULT_OFFSET,
    Closed,
    HoursCheck,
    Phase,
    Session,
    phase,
    sane_hours,
    trading_date,
)

SESSION = Session(datetime(2026, 11, 23, 9, 15, tzinfo=IST), datetime(2026, 11, 23, 15, 40, tzinfo=IST))


def at(hour: int, minute: int, second: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=IST).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(8, 59, 59), Phase.CLOSED),
        (at(9, 0), Phase.PRE_OPEN),
        (at(9, 14, 59), Phase.PRE_OPEN),
        (at(9, 15), Phase.LIVE),
        (at(15, 29, 59), Phase.LIVE),
        (at(15, 30), Phase.CLOSING),
        (at(15, 39, 59), Phase.CLOSING),
        (at(15, 40), Phase.CLOSED),
        (at(23, 59), Phase.CLOSED),
    ],
)
def test_the_parts_of_a_usual_day(now: datetime, expected: Phase) -> None:
    assert phase(SESSION, now) is expected


def test_unread_and_closed_are_different() -> None:
    assert phase(None, at(10, 0)) is Phase.UNKNOWN
    assert phase(Closed(), at(10, 0)) is Phase.CLOSED


@pytest.mark.parametrize("day", [22, 24])
def test_another_days_session_says_nothing_about_today(day: int) -> None:
    assert phase(SESSION, at(10, 0, day=day)) is Phase.UNKNOWN


def test_an_evening_session_has_its_own_pre_open() -> None:
    evening = Session(at(18, 0), at(19, 15))
    assert phase(evening, at(17, 44)) is Phase.CLOSED
    assert phase(evening, at(17, 45)) is Phase.PRE_OPEN
    assert phase(evening, at(18, 30)) is Phase.LIVE


def test_a_session_needs_aware_times_in_order() -> None:
    with pytest.raises(ValueError, match="cannot close"):
        Session(SESSION.closes, SESSION.opens)
    with pytest.raises(ValueError, match="time zone"):
        Session(datetime(2026, 11, 23, 9, 15), SESSION.closes)  # noqa: DTZ001  # the fault under test
    with pytest.raises(ValueError, match="time zone"):
        trading_date(datetime(2026, 11, 23, 9, 15))  # noqa: DTZ001  # the fault under test


@pytest.mark.parametrize(
    ("epoch_ms", "expected"),
    [
        (1795405500000, HoursCheck.SANE),  # a recorded weekday
        (1795425300000, HoursCheck.TIME_ZONE_FAULT),  # the same day from a server set to UTC
        (1794141000000, HoursCheck.UNUSUAL),  # the recorded muhurat evening
    ],
)
def test_row_46_recorded_opening_times(epoch_ms: int, expected: HoursCheck) -> None:
    opens = datetime.fromtimestamp(epoch_ms / 1000, IST)
    assert sane_hours(opens.time()) is expected


@given(st.integers(0, 20))
def test_row_46_a_time_zone_fault_is_undone_by_its_offset(minute: int) -> None:
    right = datetime(2026, 11, 23, 9, minute, tzinfo=IST)
    wrong = right + TIME_ZONE_FAULT_OFFSET
    assert sane_hours(wrong.time()) is HoursCheck.TIME_ZONE_FAULT
    assert sane_hours((wrong - TIME_ZONE_FAULT_OFFSET).time()) is HoursCheck.SANE


@pytest.mark.parametrize("opens", [time(8, 59), time(9, 21), time(14, 29), time(14, 51), time(0, 0)])
def test_any_other_opening_is_unusual(opens: time) -> None:
    assert sane_hours(opens) is HoursCheck.UNUSUAL


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_trading_date_is_five_and_a_half_hours_ahead(now: datetime) -> None:
    if now < datetime.max.replace(tzinfo=UTC) - timedelta(days=1):
        assert trading_date(now) == date.fromordinal((now + timedelta(hours=5, minutes=30)).toordinal())
