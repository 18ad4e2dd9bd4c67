"""When each exchange is open today, by a gateway's calendar. What was not read is unknown, and unknown is not open."""

import threading
from collections.abc import Callable, Mapping
from datetime import date

from app.domain.calendar import Closed, Phase, Session, phase, trading_date
from app.domain.calendar_days import GOVERNED, Override, doubted, is_listed_closed
from app.domain.calendar_hours import NO_CALENDAR, TRADED, HolidayList, ReadHours, read_hours
from app.domain.errors import Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayRefused, TradingHours
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

LOOK_EVERY_S = 1.0
TRY_AGAIN_S = 15.0

Overrides = Callable[[date], Mapping[str, Override]]
"""What admins said of a date, by exchange."""
Holidays = Callable[[int], HolidayList | None]
"""The holiday list of a year; None while it has not been read."""


def _nothing_said(_day: date) -> Mapping[str, Override]:
    return {}


def _no_list(_year: int) -> HolidayList | None:
    return None


class SessionHours:
    """Thread-safe. `step` is for one thread.

    What an admin says of today goes before what a gateway says; hours that the holiday list contradicts are unknown.
    """

    def __init__(
        self,
        gateways: Gateways,
        order: AccountOrder,
        market_clock: MarketClock,
        clock: Clock,
        *,
        overrides: Overrides = _nothing_said,
        holidays: Holidays = _no_list,
    ) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self._overrides = overrides
        self._holidays = holidays
        self._read: ReadHours | None = None
        self._said: tuple[date, Mapping[str, Override]] | None = None
        self._reason = "The trading calendar has not been read yet."
        self._next_try = 0.0
        self._reading = threading.Lock()

    def session(self, exchange: str) -> Session | Closed | None:
        """Today's session. Closed when the calendar was read and does not list the exchange; None when unknown."""
        day = self._date()
        override = self._override(day, exchange)
        if override is not None:
            return override.session
        read = self._today(day)
        if read is None or self._doubt(read, exchange):
            return None
        return read.sessions.get(exchange, Closed())

    def phase(self, exchange: str) -> Phase:
        """The part of the day it is now on the market's clock."""
        session = self.session(exchange)
        return Phase.UNKNOWN if session is None else phase(session, self._market_clock.now())

    def note(self, exchange: str) -> str:
        """What a trader should know about these hours: why they are unknown, or what is unusual. Empty when nothing."""
        day = self._date()
        override = self._override(day, exchange)
        if override is not None:
            return override.note
        read = self._today(day)
        if read is None:
            return self._reason
        return self._doubt(read, exchange) or read.notes.get(exchange, "")

    def step(self) -> float:
        """Read what admins said of today, and its hours when they are missing. Returns the seconds until the next."""
        with self._reading:
            day = self._date()
            if day is not None:
                self._said = (day, self._overrides(day))
            if day is not None and self._today(day) is None and self._clock.monotonic() >= self._next_try:
                self._ask(day)
        return LOOK_EVERY_S

    def _date(self) -> date | None:
        """None while the market's clock is not known: then its hours are not known either."""
        try:
            return trading_date(self._market_clock.now())
        except Unavailable:
            return None

    def _today(self, day: date | None) -> ReadHours | None:
        read = self._read
        return read if read is not None and read.of == day else None

    def _override(self, day: date | None, exchange: str) -> Override | None:
        said = self._said
        if said is None or said[0] != day:
            return None
        return said[1].get(GOVERNED.get(exchange, exchange))

    def _doubt(self, read: ReadHours, exchange: str) -> str:
        return doubted(read, exchange, self._holidays(read.of.year))

    def _ask(self, day: date) -> None:
        def ask(gateway: Gateway) -> list[TradingHours]:
            hours = gateway.trading_hours(day)
            if not hours and not any(is_listed_closed(each, day, self._holidays(day.year)) for each in TRADED):
                raise GatewayRefused(NO_CALENDAR)
            return hours

        try:
            hours = first_answer(self._gateways, self._order(), ask, f"the trading hours of {day:%d %b %Y}")
        except Unavailable as error:
            self._reason = str(error)
            if self._order():  # without any account nobody failed: the first one that is added is asked at once
                self._next_try = self._clock.monotonic() + TRY_AGAIN_S
            return
        self._read = read_hours(day, [(each.exchange, each.opens, each.closes) for each in hours])
