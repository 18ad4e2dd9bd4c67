"""The exchange's time as far as this desk knows it: what the times in ticks are held against."""

from collections.abc import Callable

from app.domain.errors import Unavailable
from app.ports.clock import MarketClock

LATE_AFTER_S = 10.0
"""A tick whose own time is further behind than that is late. It covers stamps of whole seconds and a slow network."""


class ExchangeTime:
    """Thread-safe. Where our clock and the gateway's differ, the one behind counts: no price is late for that."""

    def __init__(
        self,
        market_clock: MarketClock,
        *,
        late_after_s: float = LATE_AFTER_S,
        speed: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """`speed`: how many seconds of the market pass in one of ours."""
        self._market_clock = market_clock
        self._speed = speed
        self.late_after_s = late_after_s
        self.gateway_ahead_s = 0.0
        """How far the gateway's clock is ahead of ours, as its newest answer to a ping says."""
        self.heard = False
        """Whether any answer has said what time it is."""
        self.agreeing = 0
        """How many of its newest answers in a row bear our clock out; 0 before the first, and when one does not."""

    def now(self) -> float | None:
        """Seconds since 1970; None while the market's time is not known, and then nothing is late."""
        try:
            ours = self._market_clock.now().timestamp()
        except Unavailable:
            return None
        return ours + min(0.0, self.gateway_ahead_s)

    @property
    def speed(self) -> float:
        """At least 1: a market that stands still makes nothing late."""
        return max(1.0, self._speed())
