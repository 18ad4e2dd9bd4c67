"""A day as a curve of steps: between two points the first one holds, and before the first there is nothing yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter, itemgetter

from app.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Point:
    """Rupees of the day at that moment; None: nobody knew."""

    at: datetime
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class NetPoint:
    """At that moment, rupees of a run since it began or of accounts on that day. `total` is gross and None where nobody
    knew; `net` is less charges, None then too, and where they are not known.
    """

    at: datetime
    total: Decimal | None
    net: Decimal | None


@dataclass(frozen=True, slots=True)
class Worth:
    """What one part of the books (a run in an account) was worth in rupees, since it began, when a day ended."""

    day: date
    total: Decimal


def together(curves: Iterable[Sequence[Point]]) -> list[Point]:
    """The sum of curves, each in order of time, with a point wherever one of them has one; None while one is unknown.

    >>> from datetime import UTC
    >>> def at(minute, total): return Point(datetime(2026, 11, 23, 4, minute, tzinfo=UTC), total and Decimal(total))
    >>> [(p.at.minute, p.total) for p in together([[at(1, "5"), at(3, None)], [at(2, "7"), at(4, "1")]])]
    [(1, Decimal('5')), (2, Decimal('12')), (3, None), (4, None)]
    """
    curves = list(curves)
    steps = sorted(
        ((point, number) for number, curve in enumerate(curves) for point in curve), key=lambda step: step[0].at
    )
    now: dict[int, Decimal | None] = {}
    found: dict[datetime, Point] = {}
    for point, number in steps:
        now[number] = point.total
        known = [total for total in now.values() if total is not None]
        found[point.at] = Point(point.at, sum(known, ZERO) if len(known) == len(now) else None)
    return list(found.values())


def gaps(points: Sequence[Point | NetPoint]) -> list[tuple[datetime, datetime | None]]:
    """When a curve was not known: from when until when, in order; the end is None for one that still is not.

    >>> from datetime import UTC
    >>> def at(minute, total): return Point(datetime(2026, 11, 23, 4, minute, tzinfo=UTC), total)
    >>> found = gaps([at(1, None), at(2, Decimal(5)), at(4, None), at(5, None), at(9, Decimal(0)), at(10, None)])
    >>> [(since.minute, until and until.minute) for since, until in found]
    [(1, 2), (4, 9), (10, None)]
    """
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    for point in points:
        if point.total is None:
            since = since or point.at
        elif since is not None:
            found.append((since, point.at))
            since = None
    return found if since is None else [*found, (since, None)]


def coarser(points: Sequence[NetPoint], most: int) -> list[NetPoint]:
    """About as many as `most` of them, in order: of neighbours the lowest, the highest and the first unknown one stay.

    For a picture: a peak, a bottom and a gap are never lost. `most` is at least 3.

    >>> from datetime import UTC
    >>> def at(minute, total): return NetPoint(datetime(2026, 11, 23, 4, minute, tzinfo=UTC), total, total)
    >>> points = [at(minute, Decimal(minute % 7)) for minute in range(12)]
    >>> [int(point.total) for point in coarser(points, 6)]
    [0, 5, 6, 0]
    >>> coarser(points, 12) == points
    True
    """
    if len(points) <= most:
        return list(points)
    width = -(-3 * len(points) // most)
    parts = [points[start : start + width] for start in range(0, len(points), width)]
    return [point for part in parts for telling in (_telling(part),) for point in part if point in telling]


def _telling(part: Sequence[NetPoint]) -> list[NetPoint]:
    known = [(point.total, point) for point in part if point.total is not None]
    ends = [pick(known, key=itemgetter(0))[1] for pick in (min, max)] if known else []
    return [*ends, *[point for point in part if point.total is None][:1]]


def by_day(parts: Mapping[object, Sequence[Worth]]) -> dict[date, Decimal]:
    """What each day brought: of every part what it was worth then, less what it was worth on its day before.

    >>> monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    >>> by_day({"a": [Worth(monday, Decimal(100)), Worth(tuesday, Decimal(70))], "b": [Worth(tuesday, Decimal(5))]})
    {datetime.date(2026, 11, 23): Decimal('100'), datetime.date(2026, 11, 24): Decimal('-25')}
    """
    found: dict[date, Decimal] = {}
    for worths in parts.values():
        before = ZERO
        for worth in sorted(worths, key=attrgetter("day")):
            found[worth.day] = found.get(worth.day, ZERO) + worth.total - before
            before = worth.total
    return dict(sorted(found.items()))
