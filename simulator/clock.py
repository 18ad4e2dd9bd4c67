"""The virtual clock: a date and time of the simulator's own, always inside or just before a trading session."""

from datetime import UTC, date, datetime, time, timedelta

from simulator.calendar import CASH_OPEN, DERIVATIVES_CLOSE, IST, TradingCalendar, ist

STEP_S = 0.25
"""Virtual seconds of one market step; prices exist on this grid and nowhere between."""

PRE_OPEN = time(9, 14, 30)
DEFAULT_DATE = date(2026, 11, 23)


class VirtualClock:
    """Holds the virtual moment. It never looks at the machine's clock; `advance` is its only motion."""

    def __init__(self, calendar: TradingCalendar, day: date = DEFAULT_DATE, at: time = CASH_OPEN) -> None:
        """Start at `at` IST on `day`, or on the next trading day at its opening when `day` does not trade."""
        self._calendar = calendar
        self.speed = 1.0
        self._begin(day if calendar.is_trading_day(day) else calendar.next_trading_day(day))
        self._now = ist(self._day, at if self._day == day else PRE_OPEN)

    def _begin(self, day: date) -> None:
        self._day = day
        self._opens, self._closes = ist(day, CASH_OPEN), ist(day, DERIVATIVES_CLOSE)

    @property
    def now(self) -> datetime:
        """The virtual moment, aware UTC."""
        return self._now

    @property
    def now_ms(self) -> int:
        """The virtual moment as epoch milliseconds."""
        return round(self._now.timestamp() * 1000)

    @property
    def trading_date(self) -> date:
        """The IST date of the session the clock is in."""
        return self._day

    @property
    def opens(self) -> datetime:
        """Opening of today's session, aware UTC."""
        return self._opens

    @property
    def closes(self) -> datetime:
        """Close of today's derivatives session, aware UTC."""
        return self._closes

    @property
    def phase(self) -> str:
        """`pre-open`, `open` or `closed`."""
        if self._now < self.opens:
            return "pre-open"
        return "open" if self._now < self.closes else "closed"

    @property
    def paused(self) -> bool:
        """True while speed is 0: the driver makes no steps."""
        return self.speed == 0

    def set_speed(self, speed: float) -> None:
        """Virtual seconds per real second, 0 pauses. Raises ValueError below 0 or above 600."""
        if not 0 <= speed <= 600:
            raise ValueError(f"speed is {speed}; give 0 (pause) to 600")
        self.speed = speed

    def advance(self, seconds: float) -> bool:
        """Move forward; True when this rolled into the next trading day's pre-open.

        Raises ValueError for a negative amount. One call crosses at most one close.
        """
        if seconds < 0:
            raise ValueError("time only goes forward")
        self._now += timedelta(seconds=seconds)
        if self._now < self.closes:
            return False
        self._begin(self._calendar.next_trading_day(self._day))
        self._now = ist(self._day, PRE_OPEN)
        return True

    def ist_now(self) -> datetime:
        """The virtual moment on the Indian wall clock."""
        return self._now.astimezone(IST)

    @staticmethod
    def epoch(moment: datetime) -> int:
        """Whole epoch seconds of an aware moment."""
        return int(moment.astimezone(UTC).timestamp())
