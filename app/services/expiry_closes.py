"""The instant at which an expiry's options end: the close of its day, by an admin's word or a gateway's."""

from collections.abc import Mapping
from datetime import date, datetime

from app.domain.calendar import Session, trading_date
from app.domain.calendar_days import Override, understood
from app.domain.calendar_hours import NO_CALENDAR, ReadHours, read_hours
from app.domain.errors import Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayRefused
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways
from app.services.session_hours import Holidays, Overrides

TRY_AGAIN_S = 15.0
OVERRIDES_EVERY_S = 5.0


class ExpiryCloses:
    """`of` is thread-safe and never blocks; `step` is for one thread, which asks a gateway for one date at a time.

    What a gateway said counts for one trading date: a special session may be announced overnight.
    """

    def __init__(
        self,
        gateways: Gateways,
        order: AccountOrder,
        market_clock: MarketClock,
        clock: Clock,
        *,
        overrides: Overrides = lambda _day: {},
        holidays: Holidays = lambda _year: None,
    ) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self._overrides = overrides
        self._holidays = holidays
        self._read_on: date | None = None
        self._read: dict[date, ReadHours] = {}
        self._said: dict[date, Mapping[str, Override]] = {}
        self._wanted: dict[date, None] = {}
        self._next_try = 0.0
        self._next_look = 0.0

    def of(self, exchange: str, day: date) -> datetime | None:
        """Aware. None while nobody said (it is asked for then), where that is contradicted, and without a session."""
        self._wanted[day] = None
        override, read = self._said.get(day, {}).get(exchange), self._read.get(day)
        if override is None and read is None:
            return None
        hours = understood(day, exchange, override, read, self._holidays(day.year)).hours
        return hours.closes if isinstance(hours, Session) else None

    def step(self) -> None:
        """Look at what admins said, and ask for one date that somebody wants. Blocks for a gateway's time-out."""
        today, now = self._today(), self._clock.monotonic()
        if today is None:
            return
        if today != self._read_on:
            self._read_on, self._read = today, {}
        for day in [day for day in list(self._wanted) if day < today]:
            del self._wanted[day]  # over: nobody needs its close any more
        wanted = list(self._wanted)
        if now >= self._next_look:
            self._next_look = now + OVERRIDES_EVERY_S
            self._said = {day: self._overrides(day) for day in wanted}
        missing = next((day for day in wanted if day not in self._read), None)
        if missing is not None and now >= self._next_try:
            self._ask(missing)

    def _ask(self, day: date) -> None:
        def ask(gateway: Gateway) -> ReadHours:
            hours = gateway.trading_hours(day)
            if not hours:  # no expiry is on a holiday: another account may know, and this one later
                raise GatewayRefused(NO_CALENDAR)
            return read_hours(day, [(each.exchange, each.opens, each.closes) for each in hours])

        try:
            self._read[day] = first_answer(self._gateways, self._order(), ask, f"the hours of {day:%d %b %Y}")
        except Unavailable:
            self._next_try = self._clock.monotonic() + TRY_AGAIN_S
            self._wanted.pop(day, None)  # the others first, then this one again
            self._wanted[day] = None

    def _today(self) -> date | None:
        try:
            return trading_date(self._market_clock.now())
        except Unavailable:
            return None
