"""Two clocks: the machine's, for time-outs and leases, and the market's, for sessions, expiries and what pages show."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Real time. Thread-safe."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for durations."""
        ...


class MarketClock(Protocol):
    """The market's time: real time, except on the simulator, which lives on a date of its own. Thread-safe."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...
