"""A day as a curve of steps: between two points the first one holds, and before the first there is nothing yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from app.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Point:
    """Rupees of the day at that moment; None: nobody knew."""

    at: datetime
    total: Decimal | None


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
