"""Moments on pages: a time of day where the market keeps our time, else an age; the newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.errors import Unavailable
from app.web.market_time import newest_first, on_page

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 10:30 in India


@dataclass(frozen=True)
class Row:
    at: datetime | str | None


def desk(market: datetime | None) -> Any:
    def read() -> datetime:
        if market is None:
            raise Unavailable("The simulator's time is not known yet.")
        return market

    return SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW), market_clock=SimpleNamespace(now=read))


@pytest.mark.parametrize(
    ("market", "moment", "shown"),
    [
        (NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        (NOW + timedelta(seconds=30), NOW, NOW),
        (NOW - timedelta(days=3), NOW - timedelta(seconds=34), "34 s ago"),
        (None, NOW - timedelta(minutes=5), "5 min ago"),
        (None, "2026-11-23 09:15:11", "2026-11-23 09:15:11"),
        (NOW, None, None),
    ],
)
def test_a_moment_of_ours(market: datetime | None, moment: datetime | str | None, shown: object) -> None:
    assert on_page(desk(market), moment) == shown


def test_brokers_times_and_ours_are_ordered_by_the_markets_time_of_day() -> None:
    """The market is at 09:20 while our clock says 10:30: a minute ago by ours was 09:19."""
    ours, early, late = Row(NOW - timedelta(minutes=1)), Row("23-Nov-2026 09:18:30"), Row("2026-11-23 09:19:30")
    unread, missing = Row("a while ago"), Row(None)
    rows = newest_first(desk(NOW - timedelta(minutes=70)), [unread, early, ours, missing, late])
    assert rows == (late, ours, early, unread, missing)
