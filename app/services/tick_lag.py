"""How far the times in ticks are behind the exchange's: one late contract is its own affair, all of them the feed's."""

SPAN_S = 5.0


class TickLag:
    """The smallest lag of the last five to ten seconds. For whoever holds the price board's lock."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._least: float | None = None
        self._before: float | None = None

    def saw(self, lag_s: float, now: float) -> None:
        """A tick was so many seconds behind (negative: ahead) at that monotonic time."""
        self._turn(now)
        if self._least is None or lag_s < self._least:
            self._least = lag_s

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
