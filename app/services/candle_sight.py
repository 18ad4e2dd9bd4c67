"""Whether the market can be seen: until when prices came, and since when none could have."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.services.feed_state import FeedState

QUIET_S = 3.0
"""A feed that brings nothing for so long is not seen through any more; indices tick every second."""

_SAME_S = 0.001
"""Ages are reckoned a moment apart: two that differ by less are of the same tick."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`now` and `seen_until` are of the market's clock; `seen_until` is when the newest tick of any contract came.

    `why` is in words why nothing is seen, empty while it is. Prices that came until `gap_from` (monotonic) are of
    before the newest gap.
    """

    now: datetime
    seen_until: datetime
    why: str
    gap_from: float


class FeedSight:
    """For one thread."""

    def __init__(self, state: Callable[[], FeedState], gap_from: Callable[[], float | None]) -> None:
        """As of the WebSocket manager."""
        self._state = state
        self._gap_from = gap_from
        self._newest = -math.inf
        self._seen_until: datetime | None = None
        self._gap = -math.inf

    def look(self, now: float, market_now: datetime) -> Sight:
        """`now` monotonic. To be called about ten times a second."""
        state = self._state()
        gap = self._gap_from()
        newest = -math.inf if state.last_tick_age_s is None else now - state.last_tick_age_s
        if newest > self._newest + _SAME_S:
            self._newest, self._seen_until = newest, market_now
        self._gap = -math.inf if gap is None else gap
        why = self._why(now, state)
        return Sight(market_now, self._seen_until or market_now, why, self._gap)

    def _why(self, now: float, state: FeedState) -> str:
        if self._seen_until is None:
            return "No price has come since this program began."
        if self._newest <= self._gap + _SAME_S:
            return f"The price feed was lost. {state.last_cause}".strip()
        if state.late_by_s is not None and state.late_by_s > 0:
            return f"The prices of the feed are {state.late_by_s:.0f} s late by their own time."
        quiet_s = now - self._newest
        return f"The price feed has brought nothing for {quiet_s:.0f} s." if quiet_s > QUIET_S else ""
