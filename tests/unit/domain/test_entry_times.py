"""When a strategy may be entered and when it starts by itself: tables of a Monday in November 2026."""

from datetime import date, datetime, time

import pytest

from app.domain.calendar import IST
from app.domain.entry_times import EntryTimes, ExpiryDay, check_times, due_today, next_start, refusal
from app.domain.errors import InvalidInput

TODAY = date(2026, 11, 23)
LATER = date(2026, 12, 1)


def ist(text: str, day: date = TODAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST)


def times(opens: str = "", closes: str = "", start: str = "", days: tuple[int, ...] = ()) -> EntryTimes:
    opened, closed, starts = (time.fromisoformat(text) if text else None for text in (opens, closes, start))
    return EntryTimes(opened, closed, start=starts, days=days)


@pytest.mark.parametrize(
    ("opens", "closes", "now", "may"),
    [
        ("", "", "03:00", True),
        ("09:20", "", "09:19:59", False),
        ("09:20", "", "09:20", True),
        ("", "14:00", "13:59:59", True),
        ("", "14:00", "14:00", False),
        ("09:20", "14:00", "15:00", False),
    ],
)
def test_the_window(opens: str, closes: str, now: str, may: bool) -> None:
    assert (refusal(times(opens, closes), [LATER], ist(now)) is None) is may


@pytest.mark.parametrize(
    ("flag", "expiries", "may"),
    [
        (ExpiryDay.ANY, [TODAY], True),
        (ExpiryDay.ONLY, [LATER, TODAY], True),
        (ExpiryDay.ONLY, [LATER], False),
        (ExpiryDay.NEVER, [LATER, TODAY], False),
        (ExpiryDay.NEVER, [LATER], True),
    ],
)
def test_the_expiry_day(flag: ExpiryDay, expiries: list[date], may: bool) -> None:
    assert (refusal(EntryTimes(expiry_day=flag), expiries, ist("10:00")) is None) is may


def test_a_start_is_due_on_its_days_from_its_time_on() -> None:
    on_mondays = times(start="09:30", days=(0,))
    assert due_today(on_mondays, ist("09:29:59")) is None
    assert due_today(on_mondays, ist("09:30")) == due_today(on_mondays, ist("23:00")) == ist("09:30")
    assert due_today(times(start="09:30", days=(1,)), ist("10:00")) is None
    assert due_today(times(), ist("10:00")) is None


@pytest.mark.parametrize(
    ("now", "over", "coming"),
    [
        (ist("09:00"), False, ist("09:30")),
        (ist("09:35"), False, ist("09:30")),
        (ist("09:35"), True, ist("09:30", date(2026, 11, 25))),
        (ist("09:40"), False, ist("09:30", date(2026, 11, 25))),
        (ist("10:00", date(2026, 11, 26)), False, ist("09:30", date(2026, 11, 30))),
    ],
)
def test_when_it_starts_next(now: datetime, over: bool, coming: datetime) -> None:
    assert next_start(times(start="09:30", days=(0, 2)), now, is_today_over=over) == coming


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (times("14:00", "09:20"), "entry_to"),
        (times("14:00", "14:00"), "entry_to"),
        (times(days=(0,)), "start_days"),
        (times(start="09:30"), "start_days"),
        (times("10:00", start="09:30", days=(0,)), "start_at"),
        (times("", "09:30", start="09:30", days=(0,)), "start_at"),
    ],
)
def test_what_cannot_be_is_named(wrong: EntryTimes, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_times(wrong)
    assert refused.value.field == field
