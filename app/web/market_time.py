"""Moments of our own clock on pages that show the market's: the same, but for a simulator's date of its own."""

from datetime import datetime, timedelta
from typing import TypeVar

from app.domain import wording
from app.domain.errors import Unavailable
from app.web.desk import Desk

T = TypeVar("T", str, None)

_SAME = timedelta(minutes=1)
"""Clocks that differ by less tell the same time."""


def on_page(desk: Desk, moment: datetime | T) -> datetime | str | T:
    """A time of day where the market keeps our time, else how long ago it was: `34 s ago`. Text stays as it is."""
    if not isinstance(moment, datetime):
        return moment
    now = desk.clock.now()
    try:
        apart = abs(desk.market_clock.now() - now)
    except Unavailable:  # only a simulator's time can be unknown
        apart = timedelta.max
    return moment if apart < _SAME else f"{wording.age((now - moment).total_seconds())} ago"
