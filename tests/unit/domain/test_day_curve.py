"""Curves of a day, and days of books: sums that lose and invent nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.day_curve import Point, Worth, by_day, together

OPEN = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)
MONDAY = date(2026, 11, 23)

rupees = st.integers(-(10**6), 10**6).map(Decimal)
curve = st.dictionaries(st.integers(0, 60), st.none() | rupees, max_size=12).map(
    lambda found: [Point(OPEN + timedelta(minutes=minute), total) for minute, total in sorted(found.items())]
)


def at(points: list[Point], moment: datetime) -> Point | None:
    """The point that holds at that moment."""
    before = [point for point in points if point.at <= moment]
    return before[-1] if before else None


@given(st.lists(curve, max_size=5), st.integers(0, 60))
def test_at_any_moment_the_sum_is_that_of_what_holds_then(curves: list[list[Point]], minute: int) -> None:
    moment = OPEN + timedelta(minutes=minute)
    held = [point for one in curves if (point := at(one, moment)) is not None]
    total = at(together(curves), moment)
    if not held:
        assert total is None
        return
    assert total is not None
    known = [point.total for point in held if point.total is not None]
    assert total.total == (sum(known, Decimal(0)) if len(known) == len(held) else None)


@given(st.lists(curve, max_size=5))
def test_a_sum_has_one_point_for_each_moment_in_order_of_time(curves: list[list[Point]]) -> None:
    moments = [point.at for point in together(curves)]
    assert moments == sorted({point.at for one in curves for point in one})


worths = st.dictionaries(st.integers(0, 30), rupees, min_size=1, max_size=8).map(
    lambda found: [Worth(MONDAY + timedelta(days=day), total) for day, total in found.items()]
)


@given(st.lists(worths, max_size=5))
def test_all_days_together_are_what_everything_was_worth_in_the_end(parts: list[list[Worth]]) -> None:
    last = [max(one, key=lambda worth: worth.day).total for one in parts]
    assert sum(by_day(dict(enumerate(parts))).values(), Decimal(0)) == sum(last, Decimal(0))
