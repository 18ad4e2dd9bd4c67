"""Whose word counts for a day: an admin's, then a gateway's; what contradicts itself is unknown and not open."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.domain.calendar import IST, Closed, Session
from app.domain.calendar_days import DayHours, Override, Source, Typed, override_of, understood
from app.domain.calendar_hours import Holiday, HolidayList, ReadHours
from app.domain.errors import InvalidInput

MONDAY, TUESDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 8)
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def hours(day: date, opens: time = time(9, 15), closes: time = time(15, 40)) -> Session:
    return Session(datetime.combine(day, opens, IST), datetime.combine(day, closes, IST))


def read(day: date, *exchanges: str) -> ReadHours:
    return ReadHours(day, {name: hours(day) for name in exchanges}, {})


EVENING = hours(SUNDAY, time(18), time(19, 15))
HOLIDAYS = HolidayList(
    2026,
    {
        TUESDAY: Holiday(TUESDAY, "Gurpurb", frozenset({"NFO", "BFO"})),
        SUNDAY: Holiday(SUNDAY, "Muhurat", frozenset(), {"NFO": EVENING, "BFO": EVENING}),
    },
    "",
)
SAID = Override(MONDAY, "NFO", None, "storm", "asha", NOW)


def test_an_admins_word_goes_before_a_gateways() -> None:
    found = understood(MONDAY, "NFO", SAID, read(MONDAY, "NFO"), HOLIDAYS)
    assert found == DayHours(MONDAY, "NFO", Closed(), Source.OVERRIDE, "asha set this: storm")
    opened = replace(SAID, hours=(time(18), time(19, 15)))
    assert understood(MONDAY, "NFO", opened, None, None).hours == hours(MONDAY, time(18), time(19, 15))


def test_a_gateways_hours_count_and_what_it_does_not_list_is_closed() -> None:
    assert understood(MONDAY, "NFO", None, read(MONDAY, "NFO"), HOLIDAYS).hours == hours(MONDAY)
    found = understood(TUESDAY, "NFO", None, read(TUESDAY, "MCX"), HOLIDAYS)
    assert found == DayHours(TUESDAY, "NFO", Closed(), Source.GATEWAY, "Gurpurb")


def test_row_46_an_empty_calendar_is_a_holiday_only_where_the_list_says_so() -> None:
    nothing = {day: ReadHours(day, {}, {}) for day in (MONDAY, TUESDAY)}
    for holidays in (None, HOLIDAYS):
        unknown = understood(MONDAY, "NFO", None, nothing[MONDAY], holidays)
        assert (unknown.hours, unknown.source) == (None, Source.GATEWAY)
        assert "does not mean a holiday" in unknown.note
    found = understood(TUESDAY, "NFO", None, nothing[TUESDAY], HOLIDAYS)
    assert found == DayHours(TUESDAY, "NFO", Closed(), Source.GATEWAY, "Gurpurb")
    assert understood(TUESDAY, "NFO", None, nothing[TUESDAY], None).hours is None


def test_row_46_hours_that_the_holiday_list_contradicts_are_unknown() -> None:
    found = understood(TUESDAY, "NFO", None, read(TUESDAY, "NFO"), HOLIDAYS)
    assert found.hours is None
    assert "calls the day closed (Gurpurb)" in found.note


def test_what_was_not_read_yet_is_in_the_holiday_list_or_only_usual() -> None:
    assert understood(TUESDAY, "BFO", None, None, HOLIDAYS).source is Source.HOLIDAY_LIST
    assert understood(SUNDAY, "BFO", None, None, HOLIDAYS).hours == EVENING
    assert understood(SUNDAY, "BFO", None, None, None) == DayHours(SUNDAY, "BFO", Closed(), Source.WEEKDAYS)
    usual = understood(MONDAY, "NFO", None, None, HOLIDAYS)
    assert (usual.hours, usual.source, usual.note) == (hours(MONDAY), Source.WEEKDAYS, "")


def test_a_weekday_of_a_year_without_a_list_is_doubted() -> None:
    day = date(2027, 1, 26)
    assert understood(day, "NFO", None, None, HolidayList(2027, {}, "none")).note == "No holiday list of 2027 is known."


TYPED = Typed("2026-11-24", "hours", "18:00", "19:15", "  a \n circular ")


def made(typed: Typed, exchange: str = "NFO") -> Override:
    return override_of(typed, exchange, today=MONDAY, by="asha", at=NOW)


def test_what_was_typed_becomes_an_override() -> None:
    assert made(TYPED) == Override(TUESDAY, "NFO", (time(18), time(19, 15)), "a circular", "asha", NOW)
    assert made(replace(TYPED, kind="closed", opens="", closes="")).words == "closed"
    assert made(replace(TYPED, day="2026-11-23")).words == "18:00 to 19:15"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"day": "24/11/2026"}, "day"), ({"day": "2026-02-30"}, "day"), ({"day": "2026-11-22"}, "day"),
        ({"day": "2028-01-03"}, "day"), ({"kind": "open"}, "kind"), ({"kind": "closed"}, "opens"),
        ({"opens": "25:00"}, "opens"), ({"opens": ""}, "opens"), ({"opens": "9:15"}, "opens"),
        ({"closes": "18:14"}, "closes"), ({"closes": "17:00"}, "closes"), ({"closes": "24:00"}, "closes"),
        ({"reason": " x "}, "reason"), ({"reason": "x" * 201}, "reason"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_field(change: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        made(replace(TYPED, **change))
    assert refused.value.field == field


def test_an_exchange_that_is_not_traded_is_refused() -> None:
    with pytest.raises(InvalidInput, match="NFO, BFO"):
        made(TYPED, "MCX")


def test_the_furthest_day_is_more_than_a_year_away() -> None:
    assert made(replace(TYPED, day=(MONDAY + timedelta(days=400)).isoformat())).day.year == 2027
