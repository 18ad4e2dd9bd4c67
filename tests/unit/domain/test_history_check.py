"""What a gateway calls history: kept where it can be believed, corrected where its fault is known, named otherwise."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.calendar import IST
from app.domain.candles import MINUTE, MinuteBar, Ohlc
from app.domain.history_check import believed, by_day, usual_session

DAY = date(2026, 11, 23)
SESSION = usual_session("NFO", DAY)
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=IST)
LATE = timedelta(hours=5, minutes=30)


def bars(*minutes: int, shift: timedelta = timedelta()) -> list[MinuteBar]:
    return [MinuteBar(SESSION.opens + minute * MINUTE + shift, Ohlc.of(100.0), 1) for minute in minutes]


def test_what_lies_in_the_session_and_is_over_is_believed() -> None:
    found = believed(bars(0, 1, 44), SESSION, TEN + timedelta(seconds=5))
    assert [each.minute for each in sorted(found.bars)] == [15, 16, 59]
    assert found.note == ""


def test_the_minute_that_may_still_grow_there_is_not_believed_and_is_no_fault() -> None:
    found = believed(bars(44, 45), SESSION, TEN + timedelta(seconds=4))
    assert (len(found.bars), found.note) == (0, "")


@pytest.mark.parametrize("shift", [LATE, -LATE])
def test_a_wrong_time_zone_is_taken_back_and_said(shift: timedelta) -> None:
    found = believed(bars(0, 1, 2, shift=shift), SESSION, TEN)
    assert sorted(found.bars) == [SESSION.opens + n * MINUTE for n in range(3)]
    assert "5 h 30 min" in found.note


def test_bars_of_the_future_inside_the_session_show_the_wrong_zone() -> None:
    shifted = bars(0, shift=LATE)  # 14:45, which lies in the session and is not over
    assert sorted(believed(shifted, SESSION, TEN).bars) == [SESSION.opens]


def test_bars_outside_the_session_are_left_out_and_counted() -> None:
    found = believed([*bars(0, 5), *bars(-3)], SESSION, TEN)
    assert len(found.bars) == 2
    assert "not used: 1." in found.note


def test_bars_that_begin_between_minutes_are_left_out() -> None:
    assert not believed(bars(3, shift=timedelta(seconds=20)), SESSION, TEN).bars


def test_an_index_ends_with_the_cash_market() -> None:
    assert usual_session("NSE_INDEX", DAY).closes.time() == datetime(2026, 1, 1, 15, 30, tzinfo=UTC).time()
    assert usual_session("BFO", DAY).closes.time() == datetime(2026, 1, 1, 15, 40, tzinfo=UTC).time()


def test_bars_belong_to_their_date_in_india() -> None:
    days = by_day([*bars(0), *bars(0, shift=timedelta(days=-1))])
    assert list(days) == [DAY, date(2026, 11, 22)]
