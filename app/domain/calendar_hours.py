"""Hours and holidays as a gateway gives them, judged: what can be believed of them, and what is wrong with the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from app.domain.calendar import IST, TIME_ZONE_FAULT_OFFSET, HoursCheck, Session, sane_hours

TRADED = ("NFO", "BFO")
"""The exchanges whose contracts are traded here."""
_JUDGED = frozenset({*TRADED, "NSE", "BSE"})

USUAL_HOURS = (time(9, 15), time(15, 40))
"""Of index options on an ordinary day, in India's time."""
SATURDAY = 5

_FEWEST, _MOST = 5, 25
"""Closures on weekdays in a year: the exchanges have had 11 to 17 in each of the last ten."""
_ALWAYS_CLOSED = ((1, 26), (5, 1), (8, 15), (10, 2), (12, 25))
"""(month, day): a holiday of both exchanges each year, unless on a weekend."""

NO_CALENDAR = "The gateway gives an empty trading calendar, which does not mean a holiday."
ZONE_FAULT = "The gateway gives its hours 5 h 30 min late: its machine is set to UTC. Corrected."

GivenHours = Iterable[tuple[str, datetime, datetime]]
"""Exchange, opening, closing; both aware."""


@dataclass(frozen=True, slots=True)
class ReadHours:
    """One date's sessions; an exchange without one is closed. `notes` say for an exchange what is unusual."""

    of: date
    sessions: Mapping[str, Session]
    notes: Mapping[str, str]

    @property
    def says_nothing(self) -> bool:
        """Not one exchange is listed, as on a holiday of all of them, or where a gateway has no calendar."""
        return not self.sessions

    @property
    def has_zone_fault(self) -> bool:
        """The gateway gave them 5 h 30 min late, and they were taken back."""
        return ZONE_FAULT in self.notes.values()


def read_hours(day: date, given: GivenHours) -> ReadHours:
    """Take the hours of a gateway whose machine reckons in UTC back by what it is late, and say so."""
    sessions: dict[str, Session] = {}
    notes: dict[str, str] = {}
    for exchange, given_opens, given_closes in given:
        opens, closes = given_opens, given_closes
        check = sane_hours(opens.astimezone(IST).time()) if exchange in _JUDGED else HoursCheck.SANE
        if check is HoursCheck.TIME_ZONE_FAULT:
            opens, closes = opens - TIME_ZONE_FAULT_OFFSET, closes - TIME_ZONE_FAULT_OFFSET
            notes[exchange] = ZONE_FAULT
        elif check is HoursCheck.UNUSUAL:
            notes[exchange] = f"An unusual session: it opens at {opens.astimezone(IST):%H:%M} IST."
        sessions[exchange] = Session(opens, closes)
    return ReadHours(day, sessions, notes)


@dataclass(frozen=True, slots=True)
class Holiday:
    """One row of a holiday list: which exchanges are closed that day, and which have hours of their own."""

    day: date
    name: str
    closed: frozenset[str]
    special: Mapping[str, Session] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HolidayList:
    """A year's holidays. `days` is empty when the list cannot be used; `trouble` says why, or what it lacks."""

    year: int
    days: Mapping[date, Holiday]
    trouble: str

    @property
    def is_known(self) -> bool:
        """False: a weekday of that year may be a holiday, and nobody can say."""
        return bool(self.days)


def judged_holidays(year: int, rows: Iterable[Holiday]) -> HolidayList:
    """An empty list does not mean a year without holidays, and an absurd one is not used."""
    listed = {row.day: row for row in rows if row.day.year == year}
    if not listed:
        return HolidayList(
            year, {}, f"The gateway lists no holidays of {year}, which does not mean that there are none."
        )
    closures = sum(row.day.weekday() < SATURDAY and "NFO" in row.closed for row in listed.values())
    if not _FEWEST <= closures <= _MOST:
        return HolidayList(
            year, {}, f"The gateway lists {closures} holidays of {year}, which cannot be right: not used."
        )
    missing = [day for day in _fixed(year) if day not in listed]
    names = ", ".join(f"{day:%d %b}" for day in missing)
    return HolidayList(year, listed, f"The holiday list of {year} lacks {names}." if missing else "")


def _fixed(year: int) -> list[date]:
    days = (date(year, month, day) for month, day in _ALWAYS_CLOSED)
    return [day for day in days if day.weekday() < SATURDAY]
