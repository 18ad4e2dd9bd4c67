"""The coming weeks by a gateway's calendar: its holiday lists and the hours of each weekday, read once a day."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

from app.domain.calendar import trading_date
from app.domain.calendar_days import DayHours, Override, understood
from app.domain.calendar_hours import SATURDAY, HolidayList, ReadHours, judged_holidays, read_hours
from app.domain.errors import Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

T = TypeVar("T")

DAYS = 28
"""How many days from today on are looked at."""
SPACED_S = 1.0
LOOK_EVERY_S = 5.0
TRY_AGAIN_S = 30.0


class ComingDays:
    """`step` is for one thread, which may block on the network; everything else is thread-safe.

    Nothing here decides whether an exchange is open now, but for one thing: hours of today that the holiday list
    contradicts are not believed (`SessionHours`).
    """

    def __init__(self, gateways: Gateways, order: AccountOrder, market_clock: MarketClock, clock: Clock) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self._lists: dict[int, HolidayList] = {}
        self._hours: dict[date, ReadHours] = {}
        self._of: date | None = None
        self._next_try = 0.0
        self.trouble = "The calendar of the coming weeks has not been read by this process yet."
        """Why something has not been read; empty when all of it was."""

    def holidays(self, year: int) -> HolidayList | None:
        """None while that year's list has not been read."""
        return self._lists.get(year)

    def lists(self) -> tuple[HolidayList, ...]:
        """Those that were read, by year."""
        return tuple(found for _, found in sorted(self._lists.copy().items()))

    def is_late(self) -> bool:
        """Whether a gateway gave hours of these weeks 5 h 30 min late, as one whose machine is set to UTC does."""
        return any(read.has_zone_fault for read in self._hours.copy().values())

    def understood(self, day: date, exchange: str, override: Override | None) -> DayHours:
        """What is known of that day, after what an admin says of it."""
        return understood(day, exchange, override, self._hours.get(day), self._lists.get(day.year))

    def step(self) -> float:
        """Read one thing that is missing. Returns the seconds until the next."""
        today = self._date()
        if today is None or self._clock.monotonic() < self._next_try:
            return LOOK_EVERY_S
        if today != self._of:
            self._of, self._lists, self._hours = today, {}, {}
        reading = self._missing(today)
        if reading is None:
            self.trouble = ""
            return LOOK_EVERY_S
        try:
            reading()
        except Unavailable as error:
            self.trouble = str(error)
            self._next_try = self._clock.monotonic() + (TRY_AGAIN_S if self._order() else 0.0)
            return LOOK_EVERY_S
        return SPACED_S

    def _missing(self, today: date) -> Callable[[], None] | None:
        """What is to be read next; None when everything was."""
        days = [today + timedelta(days=n) for n in range(DAYS)]
        for year in sorted({day.year for day in days}):
            if year not in self._lists:
                return lambda: self._read_list(year)
        for day in days:
            if day.weekday() < SATURDAY and day not in self._hours:
                return lambda: self._read_hours(day)
        return None

    def _read_list(self, year: int) -> None:
        rows = self._ask(lambda gateway: gateway.holidays(year), f"the holidays of {year}")
        self._lists[year] = judged_holidays(year, rows)

    def _read_hours(self, day: date) -> None:
        hours = self._ask(lambda gateway: gateway.trading_hours(day), f"the trading hours of {day:%d %b %Y}")
        self._hours[day] = read_hours(day, [(each.exchange, each.opens, each.closes) for each in hours])

    def _ask(self, ask: Callable[[Gateway], T], what: str) -> T:
        return first_answer(self._gateways, self._order(), ask, what)

    def _date(self) -> date | None:
        try:
            return trading_date(self._market_clock.now())
        except Unavailable as error:
            self.trouble = str(error)
            return None
