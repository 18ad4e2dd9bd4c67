"""What a run was worth, minute by minute, as its page draws it and scripts read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.calendar import IST
from app.domain.day_curve import NetPoint, coarser, gaps
from app.web.desk import Desk

MOST_POINTS = 1200
"""In one picture: three sessions whole, more of them as the lows and highs of a few minutes each."""
GAPS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Curve:
    """Points are (seconds since 1970, gross rupees, rupees net of charges), None where nobody knew. `note` says when
    that was, None for never.
    """

    points: list[tuple[int, float | None, float | None]]
    note: str | None


def curve_of(desk: Desk, run_id: int) -> Curve | None:
    """None until there are two points: they make no line."""
    points = desk.days.history.run(run_id)
    if len(points) < 2:
        return None
    return Curve(drawn(coarser(points, MOST_POINTS)), gap_note(points))


def drawn(points: Sequence[NetPoint]) -> list[tuple[int, float | None, float | None]]:
    """As the picture takes them: seconds since 1970, gross rupees, rupees net of charges."""
    return [(int(each.at.timestamp()), _rupees(each.total), _rupees(each.net)) for each in points]


def gap_note(points: Sequence[NetPoint]) -> str | None:
    """A sentence about the newest gaps.

    >>> from datetime import UTC
    >>> at = lambda minute, total: NetPoint(datetime(2026, 11, 23, 4, minute, tzinfo=UTC), total, total)
    >>> gap_note([at(1, Decimal(5)), at(2, None), at(9, Decimal(5)), at(12, None)])
    'Not known 09:32 to 09:39, since 09:42: a held contract had no fresh price, or nobody looked.'
    """
    days = {_when(each.at, "%d %b") for each in points}
    told = "%H:%M" if len(days) == 1 else "%d %b %H:%M"
    found = [
        f"{_when(since, told)} to {_when(until, told)}" if until else f"since {_when(since, told)}"
        for since, until in gaps(points)
    ]
    if not found:
        return None
    more = f"{len(found) - GAPS_NAMED} times before, " if len(found) > GAPS_NAMED else ""
    named = ", ".join(found[-GAPS_NAMED:])
    return f"Not known {more}{named}: a held contract had no fresh price, or nobody looked."


def curve_json(points: Sequence[NetPoint]) -> list[dict[str, object]]:
    """For scripts, each of them: rupees as text, `known` false where nobody knew, and then `gross` and `net` are null.

    `net` is null too while a rate of the charges is missing.
    """
    return [
        {"at": each.at.isoformat(), "known": each.total is not None, "gross": _text(each.total), "net": _text(each.net)}
        for each in points
    ]


def _when(at: datetime, told: str) -> str:
    return at.astimezone(IST).strftime(told)


def _rupees(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
