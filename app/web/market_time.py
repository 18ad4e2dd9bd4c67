"""Moments of our own clock on pages that show the market's: the same, but for a simulator's date of its own."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar, overload

from flask import g, has_request_context

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


def market_now(desk: Desk) -> datetime | None:
    """The market's time; None while nobody can say it: a page, and the exits on it, are shown all the same.

    Only a simulator's time can be unknown. It is asked for once in a request then, since asking takes its time.
    """
    if has_request_context() and g.get("market_time_unknown"):
        return None
    try:
        return desk.market_clock.now()
    except Unavailable:
        if has_request_context():
            g.market_time_unknown = True
        return None


@overload
def on_page(desk: Desk, moment: datetime | str) -> datetime | str: ...
@overload
def on_page(desk: Desk, moment: datetime | str | None) -> datetime | str | None: ...
def on_page(desk: Desk, moment: datetime | str | None) -> datetime | str | None:
    """A time of day where the market keeps our time, else how long ago it was: `34 s ago`. Text stays."""
    if not isinstance(moment, datetime):
        return moment
    now, at_market = desk.clock.now(), market_now(desk)
    apart = timedelta.max if at_market is None else abs(at_market - now)
    return moment if apart < _SAME else f"{wording.age((now - moment).total_seconds())} ago"


def newest_first(desk: Desk, rows: Iterable[R]) -> tuple[R, ...]:
    """Rows of one day by the market's time of day; those whose time cannot be read come last, as they came."""
    return tuple(sorted(rows, key=lambda row: _time_of_day(desk, row.at), reverse=True))


def _time_of_day(desk: Desk, moment: datetime | str | None) -> str:
    """`09:15:11`, empty where nobody can say. Good enough to order by: a simulator in a hurry makes it a guess."""
    if isinstance(moment, str):
        found = _CLOCK.search(wording.ist(moment))
        return found[0] if found else ""
    at_market = market_now(desk)
    if moment is None or at_market is None:
        return ""
    return wording.ist(at_market - (desk.clock.now() - moment))
