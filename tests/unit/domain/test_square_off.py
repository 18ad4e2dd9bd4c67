"""When the clock says to leave: a table that a trader can read, and what holds for any hours."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import IST, Session
from app.domain.square_off import LEAD, cut_off, square_off_at

DAY = date(2026, 11, 24)


def clock(text: str) -> time:
    return time.fromisoformat(text)


def moment(text: str) -> datetime:
    return datetime.combine(DAY, clock(text), IST)


def hours(text: str) -> Session:
    opens, closes = text.split("-")
    return Session(moment(opens), moment(closes))


@pytest.mark.parametrize(
    ("session", "account", "asked", "by_default", "expected"),
    [
        # An ordinary day. Intraday: five minutes before the account's own cut-off, or when asked if that is earlier.
        ("09:15-15:40", "15:15", None, True, "15:10"),
        ("09:15-15:40", "15:25", None, True, "15:20"),
        ("09:15-15:40", "15:15", "14:30", True, "14:30"),
        ("09:15-15:40", "15:15", "15:35", True, "15:10"),
        # Carried products: only when asked.
        ("09:15-15:40", "15:15", None, False, None),
        ("09:15-15:40", "15:15", "15:35", False, "15:35"),
        # An evening session and a half day do not have the usual times in them.
        ("18:00-19:15", "15:15", None, True, "18:55"),
        ("18:00-19:15", "15:15", "14:30", True, "18:55"),
        ("18:00-19:15", "15:15", "14:30", False, "19:00"),
        ("09:15-12:30", "15:15", None, True, "12:10"),
        ("09:15-15:40", "15:40", None, True, "15:20"),
        # A session shorter than that is not traded intraday at all.
        ("10:00-10:15", "15:15", None, True, "10:00"),
    ],
)
def test_when_to_leave(session: str, account: str, asked: str | None, by_default: bool, expected: str | None) -> None:
    before = clock(account) if by_default else None
    at = square_off_at(hours(session), of_account=before, asked=None if asked is None else clock(asked))
    assert at == (None if expected is None else moment(expected))


_TIMES = st.times(min_value=time(0, 0), max_value=time(23, 59))


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    opens = moment("00:00") + timedelta(minutes=draw(st.integers(0, 1300)))
    return Session(opens, opens + timedelta(minutes=draw(st.integers(1, 1439 - 1300))))


@given(session=sessions(), account=_TIMES, asked=st.none() | _TIMES)
def test_an_intraday_position_is_left_before_its_broker_leaves_it(
    session: Session, account: time, asked: time | None
) -> None:
    at = square_off_at(session, of_account=account, asked=asked)
    assert at is not None
    assert session.opens <= at < session.closes
    assert at == session.opens or at + LEAD <= cut_off(session, account)
