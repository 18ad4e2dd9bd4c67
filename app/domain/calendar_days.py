"""One exchange's hours on one date as the desk understands them: an admin's word, else a gateway's, else the usual."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.domain.calendar import IST, Closed, Session
from app.domain.calendar_hours import NO_CALENDAR, SATURDAY, TRADED, USUAL_HOURS, HolidayList, ReadHours
from app.domain.errors import InvalidInput

GOVERNED = {"NSE": "NFO", "BSE": "BFO"}
"""The cash market of an exchange follows what an admin says of its derivatives."""

FURTHEST_DAYS = 400
SHORTEST = timedelta(minutes=15)
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Override:
    """What an admin said of an exchange on a date, whatever a gateway says. `hours` None: it is closed."""

    day: date
    exchange: str
    hours: tuple[time, time] | None
    reason: str
    by: str
    at: datetime

    @property
    def session(self) -> Session | Closed:
        if self.hours is None:
            return Closed()
        opens, closes = (datetime.combine(self.day, each, IST) for each in self.hours)
        return Session(opens, closes)

    @property
    def words(self) -> str:
        """`closed`, or `18:00 to 19:15`."""
        return "closed" if self.hours is None else f"{self.hours[0]:%H:%M} to {self.hours[1]:%H:%M}"

    @property
    def note(self) -> str:
        return f"{self.by} set this: {self.reason}"


class Source(StrEnum):
    """Who says so. WEEKDAYS: nobody; these are the usual hours of such a day, and no order is judged by them."""

    OVERRIDE = "override"
    GATEWAY = "gateway"
    HOLIDAY_LIST = "holiday list"
    WEEKDAYS = "default weekdays"


@dataclass(frozen=True, slots=True)
class DayHours:
    """`hours` None: unknown, since a gateway contradicts itself; unknown is not open. `note`: what to know of it."""

    day: date
    exchange: str
    hours: Session | Closed | None
    source: Source
    note: str = ""


def understood(
    day: date, exchange: str, override: Override | None, read: ReadHours | None, holidays: HolidayList | None
) -> DayHours:
    """What is known of that day; `read` are the gateway's hours of it, None while they have not been read."""
    if override is not None:
        return DayHours(day, exchange, override.session, Source.OVERRIDE, override.note)
    holiday = None if holidays is None else holidays.days.get(day)
    name = "" if holiday is None else holiday.name
    if read is not None:
        session, note = read.sessions.get(exchange), read.notes.get(exchange, "")
        why = doubted(read, exchange, holidays)
        if why:
            return DayHours(day, exchange, None, Source.GATEWAY, why)
        return DayHours(day, exchange, session or Closed(), Source.GATEWAY, " ".join(filter(None, (name, note))))
    if holiday is not None and exchange in holiday.special:
        return DayHours(day, exchange, holiday.special[exchange], Source.HOLIDAY_LIST, name)
    if holiday is not None and exchange in holiday.closed:
        return DayHours(day, exchange, Closed(), Source.HOLIDAY_LIST, name)
    if day.weekday() >= SATURDAY:
        return DayHours(day, exchange, Closed(), Source.WEEKDAYS)
    doubt = "" if holidays is not None and holidays.is_known else f"No holiday list of {day.year} is known."
    opens, closes = (datetime.combine(day, each, IST) for each in USUAL_HOURS)
    return DayHours(day, exchange, Session(opens, closes), Source.WEEKDAYS, doubt)


def is_listed_closed(exchange: str, day: date, holidays: HolidayList | None) -> bool:
    """Whether the holiday list says that the exchange does not trade that day at all."""
    holiday = None if holidays is None else holidays.days.get(day)
    return holiday is not None and exchange in holiday.closed and exchange not in holiday.special


def doubted(read: ReadHours, exchange: str, holidays: HolidayList | None) -> str:
    """Why a gateway's calendar of that day cannot be believed for the exchange; empty when it can.

    It lists no exchange at all, and no holiday list calls the day closed; or it gives hours, and the list does.
    """
    is_closed = is_listed_closed(exchange, read.of, holidays)
    if read.says_nothing:
        return "" if is_closed else NO_CALENDAR
    if holidays is None or not is_closed or exchange not in read.sessions:
        return ""
    return (
        f"The gateway gives hours for {exchange}, and its holiday list calls the day closed "
        f"({holidays.days[read.of].name}). An admin can say which is right on the page Calendar."
    )


def override_of(typed: "Typed", exchange: str, *, today: date, by: str, at: datetime) -> Override:
    """What an admin typed, for one exchange. Raises InvalidInput with the field and the fix."""
    day = _day(typed.day, today)
    if exchange not in TRADED:
        raise InvalidInput("exchange", f"Choose one of {', '.join(TRADED)}, or both.")
    reason = " ".join(typed.reason.split())
    if not 3 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput("reason", f"Say why in 3 to {LONGEST_REASON} characters, such as the number of a circular.")
    if typed.kind not in {"closed", "hours"}:
        raise InvalidInput("kind", "Choose whether it is closed or has hours of its own.")
    if typed.kind == "closed" and (typed.opens or typed.closes):
        raise InvalidInput("opens", "A day that is closed has no hours: leave both times empty.")
    hours = None if typed.kind == "closed" else _hours(typed)
    return Override(day, exchange, hours, reason, by, at)


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form, as text: a date as 2026-11-08, times as 18:00 in India, kind `closed` or `hours`."""

    day: str
    kind: str
    opens: str
    closes: str
    reason: str


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("day", "Type a date as 2026-11-08.") from None
    if day < today:
        raise InvalidInput("day", f"{day:%d %b %Y} is over. Choose today or a later day.")
    if (day - today).days > FURTHEST_DAYS:
        raise InvalidInput("day", f"{day:%d %b %Y} is more than {FURTHEST_DAYS} days away. Choose a nearer day.")
    return day


def _hours(typed: Typed) -> tuple[time, time]:
    opens, closes = _time("opens", typed.opens), _time("closes", typed.closes)
    length = datetime.combine(date.min, closes) - datetime.combine(date.min, opens)
    if length < SHORTEST:
        raise InvalidInput("closes", f"It has to close at least {SHORTEST.seconds // 60} minutes after it opens.")
    return opens, closes


def _time(field: str, text: str) -> time:
    parts = text.split(":")
    if len(parts) == 2 and all(len(part) == 2 and part.isascii() and part.isdigit() for part in parts):
        hour, minute = map(int, parts)
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise InvalidInput(field, "Type a time of the day in India, from 00:00 to 23:59, as 18:00.")
