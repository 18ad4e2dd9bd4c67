"""A market without chains and without a feed, for tests of pages."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from app.services.feed_state import FeedPhase, FeedState

SINCE = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class NoCandles:
    """Candles of a process that makes none."""

    def view(self, subject: Subject, size: int, *, of_closes: bool = False) -> CandleView:
        del of_closes
        return CandleView(subject, size, None, (), (), "No candles are made here.", "")


@dataclass(frozen=True)
class NoChains:
    """No expiry is listed; remembers what was looked at."""

    looked: list[tuple[str, object]] = field(default_factory=list)
    listed: dict[str, list[object]] = field(default_factory=dict)

    def expiries(self, underlying: str) -> list[object]:
        return self.listed.get(underlying, [])

    def looked_at(self, underlying: str, expiry: object) -> None:
        self.looked.append((underlying, expiry))


class NoFeed:
    """No account feeds prices."""

    def state(self) -> FeedState:
        return FeedState(None, None, FeedPhase.OFF, SINCE, None, 0, 0, (), 0, "")

    def order(self) -> tuple[int, ...]:
        return ()

    def connections(self) -> tuple[object, ...]:
        return ()

    def not_ready(self) -> dict[int, str]:
        return {}
