"""From a gateway's daily history to the open interest with which each day ended."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from app.adapters.openalgo import numbers
from app.adapters.openalgo.rows import Row, rows, shown, unreadable
from app.domain.calendar import trading_date

_LATEST = 5 * 10**9
"""Seconds since 1970, in the year 2128: more are milliseconds."""


def day_interest(body: Mapping[str, object]) -> dict[date, int]:
    """Units by date; a day that says nothing, or has two answers, is left out. 0 with a volume is nothing said.

    Days are stamped with midnight, of India or of UTC as the broker likes: the date in India is the same.
    """
    found: dict[date, int | None] = {}
    for row in rows(body.get("data"), "daily history"):
        day, units = _day(row.raw("timestamp")), _units(row)
        found[day] = units if found.get(day, units) == units else None
    return {day: units for day, units in found.items() if units is not None}


def _day(raw: object) -> date:
    seconds = numbers.whole(raw)
    if seconds is None or not 0 < seconds < _LATEST:
        raise unreadable("daily history", f"{shown(raw)} is no time in seconds")
    return trading_date(datetime.fromtimestamp(seconds, UTC))


def _units(row: Row) -> int | None:
    units, volume = numbers.whole(row.raw("oi")), numbers.whole(row.raw("volume"))
    if units is None or units < 0 or (units == 0 and volume != 0):
        return None
    return units
