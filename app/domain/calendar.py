"""The market's day: its date, its session and which part of it a moment falls in."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Indian Standard Time. Fixed: India has no daylight saving."""

PRE_OPEN_LEAD = timedelta(minutes=15)
"""Order entry starts this long before continuous trading: 09:00 for a session that opens at 09:15."""

CLOSING_SPAN = timedelta(minutes=10)
"""The last part of a session, in which nothing new is begun."""

_MINUTES_OF_TIME_ZONE_FAULT = 5 * 60 + 30
_FIRST_USUAL_OPENING = 9 * 60
_LAST_USUAL_OPENING = 9 * 60 + 20


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone. Every moment here is aware.")
    return moment


def trading_date(now: datetime) -> date:
    """The date in India at that moment. `now` is aware; raises ValueError when it is not.

    >>> from datetime import UTC
    >>> trading_date(datetime(2026, 11, 22, 18, 29, tzinfo=UTC))
    datetime.date(2026, 11, 22)
    >>> trading_date(datetime(2026, 11, 22, 18, 30, tzinfo=UTC))
    datetime.date(2026, 11, 23)
    """
    return _aware(now).astimezone(IST).date()


@dataclass(frozen=True, slots=True)
class Session:
    """Continuous trading of one exchange on one date, from `opens` until just before `closes`. Both aware."""

    opens: datetime
    closes: datetime

    def __post_init__(self) -> None:
        if _aware(self.closes) <= _aware(self.opens):
            raise ValueError(f"A session cannot close at {self.closes} when it opens at {self.opens}.")


@dataclass(frozen=True, slots=True)
class Closed:
    """The calendar was read and the exchange does not trade that day. Not the same as not having read it."""


class Phase(StrEnum):
    """Which part of the day it is. UNKNOWN: no calendar, or one of another day; decide nothing by the clock."""

    PRE_OPEN = "pre_open"
    LIVE = "live"
    CLOSING = "closing"
    CLOSED = "closed"
    UNKNOWN = "unknown"


def phase(session: Session | Closed | None, now: datetime) -> Phase:
    """The part of the day `now` falls in. None means the calendar was not read: UNKNOWN, as is another day's session.

    On a session from 09:15 to 15:40: 09:00 PRE_OPEN, 09:15 LIVE, 15:30 CLOSING, 15:40 CLOSED.
    """
    if session is None:
        return Phase.UNKNOWN
    if isinstance(session, Closed):
        return Phase.CLOSED
    if trading_date(now) != trading_date(session.opens):
        return Phase.UNKNOWN
    if now < session.opens - PRE_OPEN_LEAD or now >= session.closes:
        return Phase.CLOSED
    if now < session.opens:
        return Phase.PRE_OPEN
    return Phase.CLOSING if now >= session.closes - CLOSING_SPAN else Phase.LIVE


class HoursCheck(StrEnum):
    """Whether an opening time can be believed.

    SANE: between 09:00 and 09:20. TIME_ZONE_FAULT: exactly such a time plus 5 h 30 min, which is what a gateway on a
    machine set to UTC says; subtract `TIME_ZONE_FAULT_OFFSET`. UNUSUAL: anything else, perhaps a special session; ask
    a human before trading on it.
    """

    SANE = "sane"
    TIME_ZONE_FAULT = "time_zone_fault"
    UNUSUAL = "unusual"


TIME_ZONE_FAULT_OFFSET = timedelta(minutes=_MINUTES_OF_TIME_ZONE_FAULT)
"""How much too late a gateway on a UTC machine puts every opening and closing."""


def sane_hours(opens_ist: time) -> HoursCheck:
    """Judge the opening time of an index-options exchange, given in India's time.

    >>> sane_hours(time(9, 15)), sane_hours(time(14, 45)), sane_hours(time(18, 0))
    (<HoursCheck.SANE: 'sane'>, <HoursCheck.TIME_ZONE_FAULT: 'time_zone_fault'>, <HoursCheck.UNUSUAL: 'unusual'>)
    """
    minutes = opens_ist.hour * 60 + opens_ist.minute
    if _FIRST_USUAL_OPENING <= minutes <= _LAST_USUAL_OPENING:
        return HoursCheck.SANE
    if _FIRST_USUAL_OPENING <= minutes - _MINUTES_OF_TIME_ZONE_FAULT <= _LAST_USUAL_OPENING:
        return HoursCheck.TIME_ZONE_FAULT
    return HoursCheck.UNUSUAL
