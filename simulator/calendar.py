"""The exchanges' days and hours of 2026 as the gateway's calendar endpoints tell them, plus trading-day arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from simulator.calendar_table import HOLIDAYS, QUIET_CLOSURES

IST = ZoneInfo("Asia/Kolkata")
UTC_HOST_SHIFT = timedelta(hours=5, minutes=30)

CASH_OPEN = time(9, 15)
CASH_CLOSE = time(15, 30)
DERIVATIVES_CLOSE = time(15, 40)

# Order of the rows is the gateway's. Times are IST on the wall.
NORMAL_HOURS: dict[str, tuple[time, time]] = {
    "NSE": (CASH_OPEN, CASH_CLOSE),
    "BSE": (CASH_OPEN, CASH_CLOSE),
    "NFO": (CASH_OPEN, DERIVATIVES_CLOSE),
    "BFO": (CASH_OPEN, DERIVATIVES_CLOSE),
    "MCX": (time(9, 0), time(23, 55)),
    "BCD": (time(9, 0), time(17, 0)),
    "CDS": (time(9, 0), time(17, 0)),
    "NCO": (time(9, 0), time(23, 55)),
    "CRYPTO": (time(0, 0), time(23, 59, 59)),
}


@dataclass(frozen=True)
class SessionHours:
    """One exchange's session on one date; both ends are aware UTC."""

    exchange: str
    opens: datetime
    closes: datetime

    def epoch_ms(self, shift: timedelta = timedelta()) -> tuple[int, int]:
        """Start and end as epoch milliseconds; `shift` is for the fault that repeats the gateway's time-zone error."""
        return (
            int((self.opens + shift).timestamp() * 1000),
            int((self.closes + shift).timestamp() * 1000),
        )


@dataclass(frozen=True)
class Holiday:
    """One row of the holiday list. `holiday_type` is TRADING_HOLIDAY or SPECIAL_SESSION."""

    day: date
    description: str
    holiday_type: str
    closed_exchanges: tuple[str, ...]
    open_exchanges: tuple[SessionHours, ...]


def ist(day: date, at: time) -> datetime:
    """The aware UTC moment of an IST wall-clock time."""
    return datetime.combine(day, at, IST).astimezone(UTC)


class TradingCalendar:
    """Answers which exchanges trade when. Immutable; years other than 2026 have no holiday rows, as in the gateway."""

    def __init__(self) -> None:
        """Build the holiday rows once."""
        self._holidays = {row.day: row for row in _holiday_rows()}

    def holidays(self, year: int) -> list[Holiday]:
        """Rows of a year in the gateway's order; an unknown year is an empty list, which does not mean no holidays."""
        return [row for row in self._holidays.values() if row.day.year == year]

    def timings(self, day: date) -> list[SessionHours]:
        """Sessions of a date in the gateway's order; a weekend has CRYPTO only, a holiday only what is listed open."""
        special = self._holidays.get(day)
        if special is not None:
            return list(special.open_exchanges)
        names = ["CRYPTO"] if day.weekday() >= 5 else list(NORMAL_HOURS)
        return [_hours(name, day, *NORMAL_HOURS[name]) for name in names]

    def session(self, exchange: str, day: date) -> SessionHours | None:
        """The session of one exchange on a date; None means it does not trade that day."""
        wanted = {"NSE_INDEX": "NSE", "BSE_INDEX": "BSE"}.get(exchange, exchange)
        return next((row for row in self.timings(day) if row.exchange == wanted), None)

    def is_trading_day(self, day: date) -> bool:
        """True when index derivatives trade the normal day; a Muhurat evening does not count."""
        return day.weekday() < 5 and day not in self._holidays and day not in QUIET_CLOSURES

    def next_trading_day(self, day: date) -> date:
        """The first normal trading day after `day`."""
        return next(self._walk(day, 1))

    def previous_trading_day(self, day: date) -> date:
        """The last normal trading day before `day`."""
        return next(self._walk(day, -1))

    def on_or_before(self, day: date) -> date:
        """`day` itself when it trades, else the trading day before it: the rule by which expiries move."""
        return day if self.is_trading_day(day) else self.previous_trading_day(day)

    def is_open(self, exchange: str, moment: datetime) -> bool:
        """True from the opening to just before the close of the exchange's session."""
        hours = self.session(exchange, moment.astimezone(IST).date())
        return hours is not None and hours.opens <= moment < hours.closes

    def _walk(self, day: date, step: int) -> Iterator[date]:
        while True:
            day += timedelta(days=step)
            if self.is_trading_day(day):
                yield day


def _hours(exchange: str, day: date, opens: time, closes: time) -> SessionHours:
    closing_day = day if closes > opens else day + timedelta(days=1)
    return SessionHours(exchange, ist(day, opens), ist(closing_day, closes))


def _holiday_rows() -> Iterator[Holiday]:
    for row in HOLIDAYS:
        opened = tuple(_hours(name, row.day, start, end) for name, start, end in row.open_exchanges)
        yield Holiday(row.day, row.description, row.holiday_type, row.closed_exchanges, opened)
