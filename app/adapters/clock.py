"""The clocks: the machine's, and the simulator's, which lives on a date of its own."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from app.adapters.simulator_control import SimulatorControl
from app.domain.errors import Unavailable
from app.ports.clock import Clock

_RESET_S = 5.0
"""A step back by more than this many real seconds' worth of virtual time is a restart of the market."""


_REST_S = 5.0
"""For so long after a failed reading `now` asks nobody: who waits for a simulator that hangs waits once."""


class SystemClock:
    """Real time: the Clock port, and the MarketClock port wherever the market is a real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one home of the machine's time

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The market's time at one monotonic second, and how many of its seconds pass in one of ours (0: paused)."""

    market_ms: float
    monotonic: float
    speed: float

    def at(self, monotonic: float) -> float:
        return self.market_ms + (monotonic - self.monotonic) * 1000 * self.speed


class SimulatorClock:
    """The MarketClock port on a simulator. Thread-safe.

    Reckons on from the last reading; call `sync` about once a second. Goes back only when the simulator was reset.
    """

    def __init__(self, control_url: str, clock: Clock) -> None:
        """`clock` is the machine's. Asks the simulator nothing yet."""
        self._control = SimulatorControl(control_url)
        self._clock = clock
        self._lock = threading.Lock()
        self._anchor: _Anchor | None = None
        self._shown_ms = 0.0
        self._rests_until = float("-inf")
        self.failures = 0
        """Readings that failed since the last that did not."""

    def now(self) -> datetime:
        """Raises Unavailable while the simulator has never been read: another day's time would be a wrong one."""
        if self._anchor is None and self._clock.monotonic() >= self._rests_until:
            self.sync()
        with self._lock:
            if self._anchor is None:
                raise Unavailable("The simulator's time is not known yet. Check that the simulator is running.")
            self._shown_ms = max(self._shown_ms, self._anchor.at(self._clock.monotonic()))
            return datetime.fromtimestamp(self._shown_ms / 1000, UTC)

    def speed(self) -> float:
        """How many of the market's seconds pass in one of ours, as last read; 1 before."""
        anchor = self._anchor
        return 1.0 if anchor is None else anchor.speed

    def sync(self) -> None:
        """Read the simulator's clock. When that fails the last reading stays in force and `failures` grows."""
        asked = self._clock.monotonic()
        try:
            read = self._control.time()
        except Unavailable:
            with self._lock:
                self.failures += 1
                self._rests_until = self._clock.monotonic() + _REST_S
            return
        answered = self._clock.monotonic()
        with self._lock:
            self.failures = 0
            self._take(_Anchor(float(read.now_ms), (asked + answered) / 2, read.speed))

    def _take(self, new: _Anchor) -> None:
        """Small steps back come of the reading's own way, or of a pause, and are waited out; a big one is a reset."""
        allowed_ms = _RESET_S * 1000 * max(1.0, new.speed, self._anchor.speed if self._anchor else 0.0)
        if self._shown_ms - new.at(self._clock.monotonic()) > allowed_ms:
            self._shown_ms = 0.0
        self._anchor = new
