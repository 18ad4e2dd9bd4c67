"""How many calls an account makes in a second, in each segment of its exchange."""

from collections import defaultdict, deque

from app.domain.pacing import WINDOW_S
from app.ports.clock import Clock


class Governor:
    """At most so many calls in any sliding second, counted apart for each segment. Its lane locks it.

    A place is taken before a call is prepared and counts from when the call is made, so that calls which a slow
    database held up do not meet those of the next second.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._called: dict[str, deque[float]] = defaultdict(deque)
        self._taken: dict[str, int] = defaultdict(int)

    def take(self, segment: str, most: int) -> float:
        """0 and a place is taken, or the seconds until one can be free and none is taken."""
        now, called = self._clock.monotonic(), self._called[segment]
        while called and now - called[0] >= WINDOW_S:
            called.popleft()
        over = len(called) + self._taken[segment] - most
        if over < 0:
            self._taken[segment] += 1
            return 0.0
        return WINDOW_S - (now - called[over]) if over < len(called) else WINDOW_S

    def call(self, segment: str) -> None:
        """A call for which a place was taken is made now."""
        self._taken[segment] -= 1
        self._called[segment].append(self._clock.monotonic())

    def give_back(self, segment: str) -> None:
        """A call for which a place was taken is not made."""
        self._taken[segment] -= 1
