"""A gateway's hours and holidays are judged before anything is concluded from them."""

from datetime import date, datetime, timedelta

import pytest

from app.domain.calendar import IST, Session
from app.domain.calendar_hours import Holiday, judged_holidays, read_hours

DAY = date(2026, 11, 23)
OPENS, CLOSES = datetime(2026, 11, 23, 9, 15, tzinfo=IST), datetime(2026, 11, 23, 15, 40, tzinfo=IST)
LATE = timedelta(hours=5, minutes=30)
FIXED = [date(2026, 1, 26), date(2026, 5, 1), date(2026, 10, 2), date(2026, 12, 25)]  # 15 August is a Saturday
OTHERS = [date(2026, 3, 3), date(2026, 11, 24)]


def holidays(*days: date, closed: str = "NFO") -> list[Holiday]:
    return [Holiday(day, "a holiday", frozenset({closed})) for day in days]


def test_all_four_exchanges_of_a_gateway_in_the_wrong_zone_are_corrected_and_named() -> None:
    given = [(name, OPENS + LATE, CLOSES + LATE) for name in ("NSE", "BSE", "NFO", "BFO")]
    read = read_hours(DAY, given)
    assert set(read.sessions.values()) == {Session(OPENS, CLOSES)}
    assert read.has_zone_fault
    assert not read_hours(DAY, [("NFO", OPENS, CLOSES)]).has_zone_fault


def test_an_empty_year_is_unknown_and_not_a_year_without_holidays() -> None:
    found = judged_holidays(2027, [])
    assert not found.is_known
    assert "does not mean that there are none" in found.trouble


def test_days_of_another_year_are_not_days_of_this_one() -> None:
    assert not judged_holidays(2027, holidays(*FIXED, *OTHERS)).is_known


@pytest.mark.parametrize("days", [FIXED, [DAY + timedelta(days=n) for n in range(36)]], ids=["few", "many"])
def test_an_absurd_number_of_holidays_is_not_used(days: list[date]) -> None:
    found = judged_holidays(2026, holidays(*days))
    assert not found.is_known
    assert "cannot be right" in found.trouble


def test_a_list_that_lacks_a_fixed_holiday_is_used_and_says_so() -> None:
    found = judged_holidays(2026, holidays(*FIXED[1:], *OTHERS))
    assert found.is_known
    assert found.trouble == "The holiday list of 2026 lacks 26 Jan."
    assert judged_holidays(2026, holidays(*FIXED, *OTHERS)).trouble == ""


def test_holidays_of_other_exchanges_do_not_count() -> None:
    assert not judged_holidays(2026, holidays(*FIXED, *OTHERS, closed="MCX")).is_known
