"""How many calls an account makes in a second, in each segment of its exchange."""

from collections import defaultdict, deque

from app.domain.pacing import WINDOW_S
from app.ports.clock import Clock


class Governor:
    """At most so many calls in any sliding second, counted apart for each segment. Its lane locks it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[str, deque[float]] = defaultdict(deque)

    def take(self, segment: str, most: int) -> float:
        """0 and a place is taken, or the seconds until one is free and none is taken."""
        now, taken = self._clock.monotonic(), self._taken[segment]
        while taken and now - taken[0] >= WINDOW_S:
            taken.popleft()
        if len(taken) < most:
            taken.append(now)
            return 0.0
        return WINDOW_S - (now - taken[len(taken) - most])

    def give_back(self, segment: str) -> None:
        """The call for which the newest place was taken is not made."""
        if self._taken[segment]:
            self._taken[segment].pop()
