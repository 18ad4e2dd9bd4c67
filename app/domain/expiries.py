"""Which listed expiry a trader's word means."""

from collections.abc import Sequence
from datetime import date

from app.domain.errors import NotFound, Refused
from app.domain.strategy import ExpiryWord

WEEKLY_GAP_DAYS = 10
"""Two neighbouring expiries at most this far apart mean that the underlying has weeklies."""


def has_weeklies(listed: Sequence[date]) -> bool:
    """True when the first two listed expiries lie at most 10 days apart. A list of one shows none.

    >>> has_weeklies([date(2026, 12, 1), date(2026, 12, 8)]), has_weeklies([date(2026, 11, 23), date(2026, 12, 29)])
    (True, False)
    """
    ordered = sorted(set(listed))
    return len(ordered) > 1 and (ordered[1] - ordered[0]).days <= WEEKLY_GAP_DAYS


def is_monthly(expiry: date, listed: Sequence[date]) -> bool:
    """True when `expiry` is the last of its month in the list, whatever weekday it is. Raises NotFound if not listed.

    >>> days = [date(2026, 12, 22), date(2026, 12, 29), date(2027, 1, 25)]
    >>> [is_monthly(day, days) for day in days]
    [False, True, True]
    """
    if expiry not in listed:
        raise NotFound(f"{expiry:%d %b %Y} is not a listed expiry.")
    return expiry == _last_of_month(listed, expiry.year, expiry.month)


def resolve_expiry(
    wanted: ExpiryWord | date, listed: Sequence[date], today: date, closed_today: bool, underlying: str
) -> date:
    """The listed expiry that `wanted` means on trading date `today`.

    `closed_today` is True once today's session has closed: an expiry of today is then past. `underlying` is only for
    the sentence. Raises Refused when the underlying has no such expiry, NotFound for a date that is not listed.
    """
    alive = sorted({e for e in listed if e > today or (e == today and not closed_today)})
    if not alive:
        raise Refused(
            f"The gateway lists no {underlying} expiry from {today:%d %b %Y} on. Download its master contracts."
        )
    if not isinstance(wanted, ExpiryWord):
        return _dated(wanted, listed, alive, underlying)
    if wanted in {ExpiryWord.CURRENT_WEEK, ExpiryWord.NEXT_WEEK}:
        return _weekly(wanted, listed, alive, underlying)
    return _monthly(wanted, alive, today, underlying)


def _dated(wanted: date, listed: Sequence[date], alive: list[date], underlying: str) -> date:
    if wanted in alive:
        return wanted
    if wanted in listed:
        raise Refused(f"{underlying} {wanted:%d %b %Y} has expired. Choose {alive[0]:%d %b %Y} or later.")
    raise NotFound(f"{underlying} has no expiry on {wanted:%d %b %Y}. The next listed one is {alive[0]:%d %b %Y}.")


def _weekly(wanted: ExpiryWord, listed: Sequence[date], alive: list[date], underlying: str) -> date:
    if not has_weeklies(listed):
        raise Refused(f"{underlying} has no weekly expiries. Choose current_month, next_month or a date.")
    place = 0 if wanted is ExpiryWord.CURRENT_WEEK else 1
    if place >= len(alive):
        raise Refused(f"The gateway lists only one coming {underlying} expiry, {alive[0]:%d %b %Y}: no {wanted} yet.")
    return alive[place]


def _monthly(wanted: ExpiryWord, alive: list[date], today: date, underlying: str) -> date:
    year, month = today.year, today.month
    if _last_of_month(alive, year, month) is None:  # this month's monthly is past: the next month is the current one
        year, month = _month_after(year, month)
    if wanted is ExpiryWord.NEXT_MONTH:
        year, month = _month_after(year, month)
    found = _last_of_month(alive, year, month)
    if found is None:
        raise Refused(f"The gateway lists no {underlying} expiry in {date(year, month, 1):%B %Y}. Choose a date.")
    return found


def _last_of_month(days: Sequence[date], year: int, month: int) -> date | None:
    return max((d for d in days if (d.year, d.month) == (year, month)), default=None)


def _month_after(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
