"""How far the times in ticks are behind the exchange's: one late contract is its own affair, all of them the feed's."""

SPAN_S = 5.0


class TickLag:
    """The smallest lag of the last five to ten seconds. For whoever holds the price board's lock, or for one thread."""

    def __init__(self, late_after_s: float) -> None:
        """A lag above `late_after_s` is late."""
        self._late_after_s = late_after_s
        self._since = float("-inf")
        self._least: float | None = None
        self._before: float | None = None
        self.on_time_at: float | None = None
        """The monotonic time of the newest tick that was not late; None before the first."""

    def saw(self, lag_s: float, now: float) -> None:
        """A tick was so many seconds behind (negative: ahead) at that monotonic time."""
        self._turn(now)
        if self._least is None or lag_s < self._least:
            self._least = lag_s
        if lag_s <= self._late_after_s:
            self.on_time_at = now

    def least(self, now: float) -> float | None:
        """None when no tick with a time of its own has come of late."""
        self._turn(now)
        known = [each for each in (self._least, self._before) if each is not None]
        return min(known) if known else None

    def _turn(self, now: float) -> None:
        gone = now - self._since
        if gone >= SPAN_S:
            self._before = self._least if gone < 2 * SPAN_S else None
            self._least, self._since = None, now
