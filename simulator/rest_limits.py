"""Request limits as OpenAlgo keeps them: a moving window of real time for each client address and endpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limit:
    """At most `count` answered requests in any `window_s` seconds."""

    count: int
    window_s: float

    @property
    def text(self) -> str:
        """The whole message of the 429 answer."""
        unit = {1.0: "second", 60.0: "minute", 3600.0: "hour"}[self.window_s]
        return f"{self.count} per 1 {unit}"


READS = Limit(50, 1.0)
ORDERS = Limit(10, 1.0)
GREEKS = Limit(30, 60.0)


@dataclass
class MovingWindow:
    """Counts requests of one gateway; refused requests do not count.

    `monotonic` gives real seconds: limits protect the server and stay on real time whatever the market's clock does.
    """

    monotonic: Callable[[], float]
    enabled: bool = True
    _hits: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def admits(self, client: str, endpoint: str, limit: Limit) -> bool:
        """True if the request may pass, and then counts it."""
        if not self.enabled:
            return True
        now = self.monotonic()
        hits = self._hits.setdefault((client, endpoint), deque())
        while hits and hits[0] <= now - limit.window_s:
            hits.popleft()
        if len(hits) >= limit.count:
            return False
        hits.append(now)
        return True

    def forget(self) -> None:
        self._hits.clear()
