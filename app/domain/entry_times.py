"""When a strategy may be entered, and when it starts by itself. Times are India's, days those of the exchange."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.domain.account_groups import WHOLE, Part
from app.domain.calendar import IST, trading_date
from app.domain.errors import InvalidInput

LATE = timedelta(minutes=10)
"""A start that could not be made within this time of its own is left out for the day: the market has moved on."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Saturday and Sunday for special sessions; on others nothing is open and the start is left out."""


class ExpiryDay(StrEnum):
    """Whether the day matters on which a leg expires."""

    ANY = "any"
    ONLY = "only"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class EntryTimes:
    """Entered from `opens` until just before `closes`, None for no such bound, and as `expiry_day` says.

    `start` is the time of day at which it starts by itself on `days` (0 is Monday); None: only people start it.
    `part` are the accounts that take part then.
    """

    opens: time | None = None
    closes: time | None = None
    expiry_day: ExpiryDay = ExpiryDay.ANY
    start: time | None = None
    days: tuple[int, ...] = ()
    part: Part = WHOLE

    def words(self) -> tuple[str, ...]:
        """A sentence for each of them.

        >>> EntryTimes(time(9, 20), time(14), start=time(9, 30), days=(0, 2)).words()
        ('Entered from 09:20 until 14:00 only.', 'Starts by itself at 09:30 on Mon, Wed.')
        """
        said = []
        if self.opens is not None or self.closes is not None:
            bounds = [f"from {self.opens:%H:%M}"] if self.opens else []
            bounds += [f"until {self.closes:%H:%M}"] if self.closes else []
            said.append(f"Entered {' '.join(bounds)} only.")
        if self.expiry_day is not ExpiryDay.ANY:
            said.append(f"Entered {'only' if self.expiry_day is ExpiryDay.ONLY else 'never'} on a day a leg expires.")
        if self.start is not None:
            some = "" if self.part.is_whole else ", in some of its accounts"
            days = ", ".join(DAYS[day] for day in self.days)
            said.append(f"Starts by itself at {self.start:%H:%M} on {days}{some}.")
        return tuple(said)


ANY_TIME = EntryTimes()


def check_times(times: EntryTimes) -> None:
    """Raises InvalidInput naming the builder's field."""
    if times.opens is not None and times.closes is not None and times.closes <= times.opens:
        raise InvalidInput("entry_to", f"Entries end after {times.opens:%H:%M}, at which they begin.")
    if times.start is None:
        if times.days:
            raise InvalidInput("start_days", "Days are of use with a time to start at. Type one, or untick the days.")
        if not times.part.is_whole:
            raise InvalidInput("start_with", "Accounts to start with are of use with a time. Type one, or untick them.")
        return
    if not times.days or not set(times.days) <= set(range(7)):
        raise InvalidInput("start_days", "On which days does it start by itself? Tick at least one.")
    if not _is_within(times, times.start):
        raise InvalidInput("start_at", f"At {times.start:%H:%M} it may not be entered. Change one of the times.")


def refusal(times: EntryTimes, expiries: Iterable[date], now: datetime) -> str | None:
    """Why nothing is entered at this moment, as a sentence; None when it may be. `now` is aware."""
    at = now.astimezone(IST).time()
    if not _is_within(times, at):
        return f"It is {at:%H:%M}. {times.words()[0]}"
    expires = trading_date(now) in set(expiries)
    if times.expiry_day is ExpiryDay.ONLY and not expires:
        return "None of its legs expires today, and it is entered only on such a day."
    if times.expiry_day is ExpiryDay.NEVER and expires:
        return "A leg of it expires today, and it is never entered on such a day."
    return None


def _is_within(times: EntryTimes, at: time) -> bool:
    return (times.opens is None or times.opens <= at) and (times.closes is None or at < times.closes)


def due_today(times: EntryTimes, now: datetime) -> datetime | None:
    """The moment of today's start when its time has come, however long ago; None on other days and before."""
    day = trading_date(now)
    if times.start is None or day.weekday() not in times.days:
        return None
    at = datetime.combine(day, times.start, IST)
    return at if now >= at else None


def next_start(times: EntryTimes, now: datetime, *, is_today_over: bool) -> datetime | None:
    """When it starts next by itself, whatever the calendar will say; None when it does not."""
    if times.start is None:
        return None
    for ahead in range(8):
        day = trading_date(now) + timedelta(days=ahead)
        at = datetime.combine(day, times.start, IST)
        if day.weekday() in times.days and now < at + LATE and not (ahead == 0 and is_today_over):
            return at
    return None
