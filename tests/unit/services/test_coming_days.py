"""The coming weeks are read once a day, one call at a time; what fails is said and tried again."""

from datetime import date, datetime, time, timedelta

import pytest

from app.domain.calendar import IST, Closed, Session
from app.domain.calendar_days import Source
from app.domain.calendar_hours import Holiday
from app.ports.gateway import TimedOut, TradingHours
from app.services.coming_days import SPACED_S, ComingDays
from tests.unit.services.market_fakes import FakeClock, FakeGateways

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
CLOSED = [*(date(2026, month, 10) for month in (3, 4, 6, 7)), TUESDAY, date(2026, 12, 25)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateways() -> FakeGateways:
    made = FakeGateways(1)
    made.of(1).listed_holidays = {2026: [Holiday(day, "a holiday", frozenset({"NFO", "BFO"})) for day in CLOSED]}
    opens = datetime.combine(MONDAY, time(9, 15), IST)
    made.of(1).hours = [TradingHours("NFO", opens, opens + timedelta(hours=6, minutes=25))]
    return made


@pytest.fixture
def days(gateways: FakeGateways, clock: FakeClock) -> ComingDays:
    return ComingDays(gateways, gateways.order, clock, clock)  # type: ignore[arg-type]


def test_lists_and_hours_are_read_one_by_one_and_then_no_more(
    days: ComingDays, gateways: FakeGateways, clock: FakeClock
) -> None:
    assert "has not been read" in days.trouble
    for _ in range(40):
        waits = days.step()
        clock.advance(waits)
    calls = gateways.of(1).calls
    assert calls[:3] == ["holidays 2026", "hours 2026-11-23", "hours 2026-11-24"]
    assert len(calls) == 21, "a list and twenty weekdays"
    assert days.trouble == ""
    assert waits > SPACED_S


def test_both_years_are_read_when_the_weeks_reach_into_the_next(
    days: ComingDays, gateways: FakeGateways, clock: FakeClock
) -> None:
    clock.advance(12 * 24 * 3600)
    for _ in range(2):
        days.step()
    assert gateways.of(1).calls == ["holidays 2026", "holidays 2027"]
    assert [each.is_known for each in days.lists()] == [True, False]


def test_a_new_day_is_read_anew(days: ComingDays, gateways: FakeGateways, clock: FakeClock) -> None:
    for _ in range(40):
        days.step()
    clock.advance(24 * 3600)
    days.step()
    assert gateways.of(1).calls[-1] == "holidays 2026"
    assert len(gateways.of(1).calls) == 22


def test_what_fails_is_said_and_tried_again_later(days: ComingDays, gateways: FakeGateways, clock: FakeClock) -> None:
    gateways.of(1).broken = TimedOut("Account 1 took too long.")
    for _ in range(5):
        days.step()
    assert "Account 1 took too long." in days.trouble
    assert len(gateways.of(1).calls) == 1
    gateways.of(1).broken = None
    clock.advance(31)
    days.step()
    assert days.holidays(2026) is not None


def test_hours_that_the_holiday_list_contradicts_are_unknown(days: ComingDays, gateways: FakeGateways) -> None:
    for _ in range(40):
        days.step()
    assert days.understood(TUESDAY, "NFO", None).hours is None
    assert days.understood(TUESDAY, "BFO", None).hours == Closed()
    assert isinstance(days.understood(MONDAY, "NFO", None).hours, Session)


def test_hours_of_the_wrong_zone_are_noticed(days: ComingDays, gateways: FakeGateways) -> None:
    late = timedelta(hours=5, minutes=30)
    gateways.of(1).hours = [TradingHours(each.exchange, each.opens + late, each.closes + late)
                            for each in gateways.of(1).hours]  # fmt: skip
    for _ in range(2):
        days.step()
    assert days.is_late()
    found = days.understood(MONDAY, "NFO", None)
    assert (found.source, f"{found.hours.opens:%H:%M}" if isinstance(found.hours, Session) else "") == (
        Source.GATEWAY, "09:15",
    )  # fmt: skip


def test_an_unknown_market_time_reads_nothing(days: ComingDays, gateways: FakeGateways, clock: FakeClock) -> None:
    clock.unknown = True
    days.step()
    assert (gateways.of(1).calls, "not known" in days.trouble) == ([], True)
