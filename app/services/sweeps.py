"""Which living runs are due to be looked at as a whole although nobody said that anything changed: time passes too."""

from collections.abc import Callable
from typing import Final

from app.ports.clock import Clock

SWEEP_S: Final = 1.0
"""How long a run goes without a look at the whole of it."""

CALM_SWEEP_S: Final = 3.0
"""The same for runs in which nothing moves: what may be alarming there is counted in seconds."""

LEAST_WAIT_S: Final = 0.05


class Sweeps:
    """For one thread. Each run has its own second, counted from its last look: its start is not looked at twice."""

    def __init__(self, clock: Clock, living: Callable[[], set[int]]) -> None:
        """`living` reads the runs in which something may still happen; asked once in SWEEP_S."""
        self._clock = clock
        self._read_living = living
        self._living: set[int] = set()
        self._read_at: float | None = None
        self._calm: set[int] = set()
        self._seen: dict[int, float] = {}

    def due(self) -> set[int]:
        """The runs to look at now."""
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= SWEEP_S:
            self._living, self._read_at = self._read_living(), now
            self._calm &= self._living
            self._seen = {run_id: at for run_id, at in self._seen.items() if run_id in self._living}
        return {run_id for run_id in self._living if self._due_at(run_id) <= now}

    def seen(self, run_id: int) -> None:
        """All of it is being looked at."""
        self._seen[run_id] = self._clock.monotonic()

    def rests(self, run_id: int, *, calm: bool) -> None:
        """Whether nothing moves in it and nothing is asked for."""
        (self._calm.add if calm else self._calm.discard)(run_id)

    def wait_s(self) -> float:
        """Seconds until a run is due, or until what lives is read again."""
        now = self._clock.monotonic()
        soonest = min((self._due_at(run_id) for run_id in self._living), default=now + SWEEP_S)
        return max(LEAST_WAIT_S, min(soonest - now, SWEEP_S))

    def _due_at(self, run_id: int) -> float:
        seen = self._seen.get(run_id)
        if seen is None:
            return float("-inf")
        return seen + (CALM_SWEEP_S if run_id in self._calm else SWEEP_S)
