"""Moments of our own clock on pages that show the market's: the same, but for a simulator's date of its own."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar, overload

from app.domain import wording
from app.domain.errors import Unavailable
from app.web.desk import Desk


class Timed(Protocol):
    """A row of a day's book: a moment of ours, or a broker's own text."""

    @property
    def at(self) -> datetime | str | None: ...


R = TypeVar("R", bound=Timed)

_CLOCK = re.compile(r"\d{2}:\d{2}:\d{2}")

_SAME = timedelta(minutes=1)
"""Clocks that differ by less tell the same time."""


@overload
def on_page(desk: Desk, moment: datetime | str) -> datetime | str: ...
@overload
def on_page(desk: Desk, moment: datetime | str | None) -> datetime | str | None: ...
def on_page(desk: Desk, moment: datetime | str | None) -> datetime | str | None:
    """A time of day where the market keeps our time, else how long ago it was: `34 s ago`. Text stays."""
    if not isinstance(moment, datetime):
        return moment
    now = desk.clock.now()
    try:
        apart = abs(desk.market_clock.now() - now)
    except Unavailable:  # only a simulator's time can be unknown
        apart = timedelta.max
    return moment if apart < _SAME else f"{wording.age((now - moment).total_seconds())} ago"


def newest_first(desk: Desk, rows: Iterable[R]) -> tuple[R, ...]:
    """Rows of one day by the market's time of day; those whose time cannot be read come last, as they came."""
    return tuple(sorted(rows, key=lambda row: _time_of_day(desk, row.at), reverse=True))


def _time_of_day(desk: Desk, moment: datetime | str | None) -> str:
    """`09:15:11`, empty where nobody can say. Good enough to order by: a simulator in a hurry makes it a guess."""
    if isinstance(moment, str):
        found = _CLOCK.search(wording.ist(moment))
        return found[0] if found else ""
    if moment is None:
        return ""
    try:
        return wording.ist(desk.market_clock.now() - (desk.clock.now() - moment))
    except Unavailable:
        return ""
