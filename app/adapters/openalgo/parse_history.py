"""From a gateway's answer to what a contract did minute by minute; rows that make no sense are counted, not used."""

from collections.abc import Mapping
from datetime import UTC, datetime

from app.adapters.openalgo import numbers
from app.adapters.openalgo.rows import Row, rows, shown, unreadable
from app.domain.candles import MinuteBar, Ohlc
from app.ports.gateway import MinuteHistory

_LATEST = 5 * 10**9
"""Seconds since 1970, in the year 2128: more are milliseconds."""


def minutes(body: Mapping[str, object]) -> MinuteHistory:
    """Raises NotOpenAlgo when it is no list, or a time in it cannot be read: then no other can be trusted either."""
    found: dict[datetime, MinuteBar | None] = {}
    dropped = 0
    for row in rows(body.get("data"), "history"):
        opens = _instant(row.raw("timestamp"))
        bar = _bar(row, opens)
        if bar is None:
            dropped += 1
        elif opens in found and found[opens] != bar:
            dropped += 1 if found[opens] is None else 2  # nobody can say which of the two is right
            found[opens] = None
        else:
            found[opens] = bar
    return MinuteHistory(tuple(bar for _, bar in sorted(found.items()) if bar is not None), dropped)


def _instant(raw: object) -> datetime:
    """Aware UTC of epoch seconds."""
    seconds = numbers.whole(raw)
    if seconds is None or not 0 < seconds < _LATEST:
        raise unreadable("history", f"{shown(raw)} is no time in seconds")
    return datetime.fromtimestamp(seconds, UTC)


def _bar(row: Row, opens: datetime) -> MinuteBar | None:
    prices = [numbers.positive(row.raw(name)) for name in ("open", "high", "low", "close")]
    first, high, low, last = prices
    if first is None or high is None or low is None or last is None:
        return None
    if not low <= min(first, last) or not max(first, last) <= high:
        return None
    volume = numbers.whole(row.raw("volume"))
    known = volume if volume is not None and volume >= 0 else None
    return MinuteBar(opens, Ohlc(float(first), float(high), float(low), float(last)), known)
