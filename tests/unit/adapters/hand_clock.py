"""A clock that a test moves by hand."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class HandClock:
    """The Clock port: stands still until `advance`."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def advance(self, seconds: float) -> None:
        self._passed_s += seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self._passed_s
