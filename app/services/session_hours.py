"""When each exchange is open today, by a gateway's calendar. What was not read is unknown, and unknown is not open."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import (
    IST,
    TIME_ZONE_FAULT_OFFSET,
    Closed,
    HoursCheck,
    Phase,
    Session,
    phase,
    sane_hours,
    trading_date,
)
from app.domain.contracts import UNDERLYINGS
from app.domain.errors import Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayRefused, TradingHours
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

LOOK_EVERY_S = 1.0
TRY_AGAIN_S = 15.0

_FOLLOWED = frozenset(underlying.exchange for underlying in UNDERLYINGS)


@dataclass(frozen=True, slots=True)
class _Read:
    """`notes` says for an exchange what is unusual about its hours."""

    of: date
    sessions: Mapping[str, Session]
    notes: Mapping[str, str]


class SessionHours:
    """Thread-safe. `step` is for one thread."""

    def __init__(self, gateways: Gateways, order: AccountOrder, market_clock: MarketClock, clock: Clock) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self._read: _Read | None = None
        self._reason = "The trading calendar has not been read yet."
        self._next_try = 0.0
        self._reading = threading.Lock()

    def session(self, exchange: str) -> Session | Closed | None:
        """Today's session. Closed when the calendar was read and does not list the exchange; None when unknown."""
        read = self._today()
        if read is None:
            return None
        return read.sessions.get(exchange, Closed())

    def phase(self, exchange: str) -> Phase:
        """The part of the day it is now on the market's clock."""
        session = self.session(exchange)
        return Phase.UNKNOWN if session is None else phase(session, self._market_clock.now())

    def note(self, exchange: str) -> str:
        """What a trader should know about these hours: why they are unknown, or what is unusual. Empty when nothing."""
        read = self._today()
        return self._reason if read is None else read.notes.get(exchange, "")

    def step(self) -> float:
        """Read today's hours when they are missing. Returns the seconds until the next look."""
        with self._reading:
            day = self._date()
            if day is not None and self._today() is None and self._clock.monotonic() >= self._next_try:
                self._ask(day)
        return LOOK_EVERY_S

    def _date(self) -> date | None:
        """None while the market's clock is not known: then its hours are not known either."""
        try:
            return trading_date(self._market_clock.now())
        except Unavailable:
            return None

    def _today(self) -> _Read | None:
        read = self._read
        return read if read is not None and read.of == self._date() else None

    def _ask(self, day: date) -> None:
        def ask(gateway: Gateway) -> list[TradingHours]:
            hours = gateway.trading_hours(day)
            if not hours:
                raise GatewayRefused("A gateway gives an empty trading calendar, which does not mean a holiday.")
            return hours

        try:
            hours = first_answer(self._gateways, self._order(), ask, f"the trading hours of {day:%d %b %Y}")
        except Unavailable as error:
            self._reason = str(error)
            if self._order():  # without any account nobody failed: the first one that is added is asked at once
                self._next_try = self._clock.monotonic() + TRY_AGAIN_S
            return
        self._read = _judged(day, hours)


def _judged(day: date, hours: list[TradingHours]) -> _Read:
    """Take the hours of a gateway whose machine reckons in UTC back by what it is late, and say so."""
    sessions: dict[str, Session] = {}
    notes: dict[str, str] = {}
    for each in hours:
        opens, closes = each.opens, each.closes
        check = sane_hours(opens.astimezone(IST).time()) if each.exchange in _FOLLOWED else HoursCheck.SANE
        if check is HoursCheck.TIME_ZONE_FAULT:
            opens, closes = opens - TIME_ZONE_FAULT_OFFSET, closes - TIME_ZONE_FAULT_OFFSET
            notes[each.exchange] = "The gateway gives its hours 5 h 30 min late: its machine is set to UTC. Corrected."
        elif check is HoursCheck.UNUSUAL:
            notes[each.exchange] = f"An unusual session: it opens at {opens.astimezone(IST):%H:%M} IST."
        sessions[each.exchange] = Session(opens, closes)
    return _Read(day, sessions, notes)
