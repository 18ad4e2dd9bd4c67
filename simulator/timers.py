"""Things that happen after some real seconds, whatever the virtual speed: late accepts, late rejects, lagging books."""

import heapq
import itertools
from collections.abc import Callable


class Timers:
    """A queue of actions on a counter of real seconds that only `pass_real` moves."""

    def __init__(self) -> None:
        """Nothing due, counter at 0."""
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    @property
    def busy(self) -> bool:
        """True while something is due."""
        return bool(self._due)

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Run `action` once, when `seconds` real seconds have passed."""
        heapq.heappush(self._due, (self.now_s + seconds, next(self._order), action))

    def pass_real(self, seconds: float) -> None:
        """Let time pass and run what has come due, in order of due time."""
        self.now_s += seconds
        while self._due and self._due[0][0] <= self.now_s:
            _, _, action = heapq.heappop(self._due)
            action()
