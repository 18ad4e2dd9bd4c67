"""Floors that only rise: tables that a trader can read and extend, and what holds for any day."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput, Refused
from app.domain.trailing import (
    LEAST_PREMIUM,
    START,
    ProfitLock,
    Trail,
    TrailKind,
    check_lock,
    check_trail,
    distance_of,
    is_below,
    lock_floor,
    peak_of,
    trail_floor,
)

Steps = list[tuple[int | None, int | None, bool]]


def trail(kind: str, size: int, activation: int | None = None) -> Trail:
    return Trail(TrailKind(kind), Decimal(size), None if activation is None else Decimal(activation))


def lock(reach: int, keep: int, step: int | None = None, more: int | None = None) -> ProfitLock:
    rupees = [None if each is None else Decimal(each) for each in (reach, keep, step, more)]
    return ProfitLock(*rupees)  # type: ignore[arg-type]


# Each step: the P&L (None: incomplete), the floor after it (None: none), and whether the run is left there.
TRAILS: dict[str, tuple[Trail, int | None, Steps]] = {
    "amount": (
        trail("amount", 5_000),
        None,
        [
            (0, -5_000, False),
            (3_000, -2_000, False),
            (9_000, 4_000, False),
            (6_500, 4_000, False),
            (4_000, 4_000, True),
        ],
    ),
    "amount, never in profit": (
        trail("amount", 5_000),
        None,
        [(-1_000, -5_000, False), (-4_999, -5_000, False), (-5_000, -5_000, True)],
    ),
    "amount, asleep below its activation": (
        trail("amount", 5_000, activation=6_000),
        None,
        [(-9_000, None, False), (5_999, None, False), (6_000, 1_000, False), (2_000, 1_000, False), (900, 1_000, True)],
    ),
    "amount, a price is missing": (
        trail("amount", 5_000),
        None,
        [(9_000, 4_000, False), (None, 4_000, False), (4_001, 4_000, False), (3_000, 4_000, True)],
    ),
    "premium, a fifth of 45,000 sold": (
        trail("premium_pct", 20),
        45_000,
        [(0, -9_000, False), (10_000, 1_000, False), (1_000, 1_000, True)],
    ),
    "premium, bought": (trail("premium_pct", 50), -20_000, [(0, -10_000, False), (-10_000, -10_000, True)]),
    "premium, entry not settled yet": (trail("premium_pct", 50), None, [(-90_000, None, False), (9_000, None, False)]),
    "peak, a quarter back from 8,000 on": (
        trail("peak_pct", 25, activation=8_000),
        None,
        [
            (-30_000, None, False),
            (7_999, None, False),
            (8_000, 6_000, False),
            (12_000, 9_000, False),
            (9_001, 9_000, False),
            (9_000, 9_000, True),
        ],
    ),
}

LOCKS: dict[str, tuple[ProfitLock, Steps]] = {
    "one step": (
        lock(10_000, 4_000),
        [(9_999, None, False), (10_000, 4_000, False), (50_000, 4_000, False), (4_000, 4_000, True)],
    ),
    "in steps": (
        lock(10_000, 4_000, 2_000, 1_500),
        [
            (9_000, None, False),
            (10_000, 4_000, False),
            (11_999, 4_000, False),
            (12_000, 5_500, False),
            (13_900, 5_500, False),
            (14_000, 7_000, False),
            (8_000, 7_000, False),
            (6_900, 7_000, True),
        ],
    ),
    "nothing kept but no loss": (lock(5_000, 0), [(5_000, 0, False), (1, 0, False), (0, 0, True)]),
}


@pytest.mark.parametrize(("rule", "premium", "steps"), TRAILS.values(), ids=TRAILS.keys())
def test_a_trailing_stop(rule: Trail, premium: int | None, steps: Steps) -> None:
    check_trail(rule)
    distance = distance_of(rule, None if premium is None else Decimal(premium))
    peak = START
    for total, floor, left in steps:
        now = None if total is None else Decimal(total)
        peak = peak_of(peak, now)
        assert trail_floor(rule, peak, distance) == floor
        assert is_below(now, trail_floor(rule, peak, distance)) is left


@pytest.mark.parametrize(("rule", "steps"), LOCKS.values(), ids=LOCKS.keys())
def test_locked_profit(rule: ProfitLock, steps: Steps) -> None:
    check_lock(rule)
    peak = START
    for total, floor, left in steps:
        now = None if total is None else Decimal(total)
        peak = peak_of(peak, now)
        assert lock_floor(rule, peak) == floor
        assert is_below(now, lock_floor(rule, peak)) is left


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (trail("amount", 0), "trail_size"),
        (Trail(TrailKind.AMOUNT, Decimal("NaN")), "trail_size"),
        (trail("premium_pct", 100), "trail_size"),
        (trail("peak_pct", 100, activation=1), "trail_size"),
        (trail("peak_pct", 25), "trail_activation"),
        (trail("amount", 5_000, activation=0), "trail_activation"),
    ],
)
def test_a_trailing_stop_that_means_nothing_names_its_field(rule: Trail, field: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        check_trail(rule)
    assert wrong.value.field == field


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (lock(0, 0), "lock_reach"),
        (lock(10_000, 10_000), "lock_keep"),
        (lock(10_000, -1), "lock_keep"),
        (lock(10_000, 4_000, 2_000), "lock_more"),
        (lock(10_000, 4_000, None, 1_500), "lock_step"),
        (lock(10_000, 4_000, 0, 1_500), "lock_step"),
        (lock(10_000, 4_000, 2_000, 2_001), "lock_more"),
    ],
)
def test_a_lock_that_means_nothing_names_its_field(rule: ProfitLock, field: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        check_lock(rule)
    assert wrong.value.field == field


def test_a_spread_that_cost_next_to_nothing_is_not_trailed_by_its_premium() -> None:
    with pytest.raises(Refused, match="Trail by an amount"):
        distance_of(trail("premium_pct", 20), LEAST_PREMIUM - 1)


_TOTALS = st.lists(st.none() | st.integers(-100_000, 100_000).map(Decimal), max_size=40)
_SIZES = st.integers(1, 99)
_ACTIVATIONS = st.none() | st.integers(1, 50_000)


def floors(totals: Sequence[Decimal | None], of: Callable[[Decimal], Decimal | None]) -> list[Decimal | None]:
    peak, found = START, list[Decimal | None]()
    for total in totals:
        peak = peak_of(peak, total)
        found.append(of(peak))
    return found


def only_rise(found: Sequence[Decimal | None]) -> bool:
    """And never vanish again."""
    known = [floor for floor in found if floor is not None]
    awake = found.index(known[0]) if known else len(found)
    return known == sorted(known) and None not in found[awake:]


@given(_TOTALS, st.sampled_from(TrailKind), _SIZES, _ACTIVATIONS, st.integers(-100_000, 100_000))
def test_the_floor_of_a_trailing_stop_never_falls(
    totals: list[Decimal | None], kind: TrailKind, size: int, activation: int | None, premium: int
) -> None:
    rule = trail(kind, size, activation or (1 if kind is TrailKind.PEAK_PCT else None))
    distance = distance_of(rule, Decimal(premium + (LEAST_PREMIUM if premium >= 0 else -LEAST_PREMIUM)))
    assert only_rise(floors(totals, lambda peak: trail_floor(rule, peak, distance)))
    for peak in (peak_of(START, total) for total in totals):
        floor = trail_floor(rule, peak, distance)
        assert floor is None or floor < peak


@given(_TOTALS, st.integers(1, 50_000), st.data())
def test_the_floor_of_a_lock_never_falls_and_stays_below_the_peak(
    totals: list[Decimal | None], reach: int, data: st.DataObject
) -> None:
    step = data.draw(st.integers(1, 10_000))
    rule = lock(reach, data.draw(st.integers(0, reach - 1)), step, data.draw(st.integers(1, step)))
    check_lock(rule)
    assert only_rise(floors(totals, lambda peak: lock_floor(rule, peak)))
    for peak in (peak_of(START, total) for total in totals):
        floor = lock_floor(rule, peak)
        assert floor is None or floor < peak
