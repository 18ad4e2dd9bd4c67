"""Hours of today: read, sanity-checked, and unknown when they were not read."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.domain.calendar import Closed, Phase, Session
from app.domain.calendar_days import Override
from app.domain.calendar_hours import Holiday, HolidayList
from app.ports.gateway import TimedOut, TradingHours
from app.services.session_hours import SessionHours
from tests.unit.services.market_fakes import MONDAY_1030, FakeClock, FakeGateways

OPENS = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)  # 09:15 in India
CLOSES = datetime(2026, 11, 23, 10, 10, tzinfo=UTC)  # 15:40
LATE = timedelta(hours=5, minutes=30)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateways() -> FakeGateways:
    gateways = FakeGateways(1, 2)
    for gateway in gateways.gateways.values():
        gateway.hours = [TradingHours("NFO", OPENS, CLOSES), TradingHours("CRYPTO", OPENS - LATE, CLOSES + LATE)]
    return gateways


@pytest.fixture
def hours(gateways: FakeGateways, clock: FakeClock) -> SessionHours:
    return SessionHours(gateways, gateways.order, clock, clock)  # type: ignore[arg-type]


def test_what_was_not_read_is_unknown_and_not_open(hours: SessionHours) -> None:
    assert hours.session("NFO") is None
    assert hours.phase("NFO") is Phase.UNKNOWN
    assert "not been read" in hours.note("NFO")


def test_todays_hours_are_read_once(hours: SessionHours, gateways: FakeGateways) -> None:
    for _ in range(3):
        hours.step()
    assert hours.session("NFO") == Session(OPENS, CLOSES)
    assert hours.phase("NFO") is Phase.LIVE
    assert hours.note("NFO") == ""
    assert gateways.of(1).calls == ["hours 2026-11-23"]


def test_an_exchange_that_is_not_listed_is_closed(hours: SessionHours) -> None:
    hours.step()
    assert hours.session("BFO") == Closed()
    assert hours.phase("BFO") is Phase.CLOSED


def test_yesterdays_hours_say_nothing_about_today(hours: SessionHours, clock: FakeClock) -> None:
    hours.step()
    clock.advance(24 * 3600)
    assert hours.session("NFO") is None
    hours.step()
    assert hours.session("NFO") is not None


def test_row_46_hours_given_five_and_a_half_hours_late_are_corrected_and_flagged(
    hours: SessionHours, gateways: FakeGateways
) -> None:
    gateways.of(1).hours = [TradingHours("NFO", OPENS + LATE, CLOSES + LATE)]
    hours.step()
    assert hours.session("NFO") == Session(OPENS, CLOSES)
    assert "5 h 30 min late" in hours.note("NFO")


def test_row_46_a_special_session_is_taken_as_it_is_and_flagged(hours: SessionHours, gateways: FakeGateways) -> None:
    opens = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # 18:00 in India
    gateways.of(1).hours = [TradingHours("NFO", opens, opens + timedelta(hours=1))]
    hours.step()
    assert hours.session("NFO") == Session(opens, opens + timedelta(hours=1))
    assert "18:00" in hours.note("NFO")


def test_row_46_an_empty_calendar_is_not_a_holiday(hours: SessionHours, gateways: FakeGateways) -> None:
    for gateway in gateways.gateways.values():
        gateway.hours = []
    hours.step()
    assert hours.phase("NFO") is Phase.UNKNOWN
    assert "does not mean a holiday" in hours.note("NFO")


def test_an_empty_calendar_on_a_listed_holiday_is_closed(gateways: FakeGateways, clock: FakeClock) -> None:
    """A gateway lists nothing on a day on which every exchange is closed, such as the 26th of January."""
    day = date(2026, 11, 23)
    closed = HolidayList(2026, {day: Holiday(day, "Gurpurb", frozenset({"NFO"}))}, "")
    hours = SessionHours(gateways, gateways.order, clock, clock, holidays=lambda _: closed)  # type: ignore[arg-type]
    for gateway in gateways.gateways.values():
        gateway.hours = []
    hours.step()
    assert hours.session("NFO") == Closed()
    assert hours.session("BFO") is None
    assert "does not mean a holiday" in hours.note("BFO")


def test_a_failure_is_tried_again_after_a_while(hours: SessionHours, gateways: FakeGateways, clock: FakeClock) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = TimedOut("The gateway did not answer in time.")
    hours.step()
    hours.step()
    assert gateways.of(1).calls == ["hours 2026-11-23"]
    for gateway in gateways.gateways.values():
        gateway.broken = None
    clock.advance(16)
    hours.step()
    assert hours.phase("NFO") is Phase.LIVE
    assert clock.now() > MONDAY_1030


def test_while_the_market_time_is_unknown_so_is_the_session(gateways: FakeGateways, clock: FakeClock) -> None:
    market = FakeClock()
    hours = SessionHours(gateways, gateways.order, market, clock)  # type: ignore[arg-type]
    market.unknown = True
    assert hours.step() > 0
    assert (hours.session("NFO"), hours.phase("NFO")) == (None, Phase.UNKNOWN)
    assert gateways.of(1).calls == []


def test_the_first_account_that_is_added_is_asked_at_once(clock: FakeClock, gateways: FakeGateways) -> None:
    order: list[int] = []
    hours = SessionHours(gateways, lambda: order, clock, clock)  # type: ignore[arg-type]
    hours.step()
    order.append(1)
    hours.step()
    assert hours.phase("NFO") is Phase.LIVE


def said(hours: tuple[time, time] | None) -> Override:
    return Override(date(2026, 11, 23), "NFO", hours, "a circular", "asha", MONDAY_1030)


def test_what_an_admin_says_goes_before_a_gateway_and_before_silence(gateways: FakeGateways, clock: FakeClock) -> None:
    words: dict[str, Override] = {"NFO": said(None)}
    hours = SessionHours(gateways, gateways.order, clock, clock, overrides=lambda _: words)  # type: ignore[arg-type]
    gateways.of(1).broken = gateways.of(2).broken = TimedOut("no answer")
    hours.step()
    assert (hours.session("NFO"), hours.session("BFO")) == (Closed(), None)
    assert hours.note("NFO") == "asha set this: a circular"
    words["NFO"] = said((time(9, 0), time(12, 0)))
    hours.step()
    assert hours.phase("NFO") is Phase.LIVE
    assert hours.session("NSE") == hours.session("NFO"), "the index follows its derivatives"
    words.clear()
    hours.step()
    assert hours.phase("NFO") is Phase.UNKNOWN


def test_row_46_hours_on_a_day_that_the_holiday_list_calls_closed_are_not_believed(
    gateways: FakeGateways, clock: FakeClock
) -> None:
    day = date(2026, 11, 23)
    closed = HolidayList(2026, {day: Holiday(day, "Gurpurb", frozenset({"NFO"}))}, "")
    hours = SessionHours(gateways, gateways.order, clock, clock, holidays=lambda _: closed)  # type: ignore[arg-type]
    hours.step()
    assert hours.phase("NFO") is Phase.UNKNOWN
    assert "calls the day closed (Gurpurb)" in hours.note("NFO")
