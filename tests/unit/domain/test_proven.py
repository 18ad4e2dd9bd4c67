"""Which price counts, as a table: the price before, the doubted one, what came, and whether that counts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.proven import NOTHING, Belief, Print, is_jump, weighed


def a_print(serial: int, value: str, bid: str | None = None, ask: str | None = None, *, quoted: bool = False) -> Print:
    best_bid, best_ask = (None if each is None else Decimal(each) for each in (bid, ask))
    touched = best_bid is not None and best_ask is not None
    return Print(serial, Decimal(value), float(serial), best_bid, best_ask, touched=touched, quoted=quoted)


CALM = Belief(a_print(1, "100"))


@pytest.mark.parametrize(
    ("before", "seen", "counts"),
    [
        (CALM, a_print(2, "140"), True),
        (CALM, a_print(2, "140.05"), False),
        (CALM, a_print(2, "60"), True),
        (CALM, a_print(2, "59.95"), False),
        (Belief(a_print(1, "10")), a_print(2, "30"), True),
        (Belief(a_print(1, "10")), a_print(2, "30.05"), False),
        (NOTHING, a_print(1, "100"), False),
        (NOTHING, a_print(1, "100", "99", "101"), True),
        (NOTHING, a_print(1, "100", "99"), False),
        (NOTHING, a_print(1, "100", quoted=True), True),
        (CALM, a_print(2, "900", "899", "901"), True),
        (CALM, a_print(2, "900", "99", "101"), False),
        (CALM, a_print(2, "900", "99", "101", quoted=True), False),
        (CALM, a_print(2, "900", "1", "2000", quoted=True), True),
        (CALM, a_print(2, "900", "1", "2000"), False),
        (Belief(CALM.proven, a_print(2, "900")), a_print(3, "880"), True),
        (Belief(CALM.proven, a_print(2, "900")), a_print(2, "900"), False),
        (Belief(CALM.proven, a_print(2, "900")), a_print(3, "300"), False),
        (Belief(CALM.proven, a_print(2, "900")), a_print(3, "101"), True),
        (Belief(CALM.proven, a_print(2, "900")), a_print(3, "880", "99", "101"), False),
    ],
)
def test_row_21_what_counts(before: Belief, seen: Print, counts: bool) -> None:
    after = weighed(before, seen)
    assert (after.proven is seen) == counts
    assert after == (Belief(seen) if counts else Belief(before.proven, seen))


def test_a_future_jumps_by_a_fiftieth() -> None:
    assert not is_jump(Decimal(25_000), Decimal(25_500), is_future=True)
    assert is_jump(Decimal(25_000), Decimal(25_501), is_future=True)


def test_what_was_just_paid_stands_for_the_price_before_the_first() -> None:
    assert weighed(NOTHING, a_print(1, "120"), entered_at=Decimal(100)).doubted is None
    assert weighed(NOTHING, a_print(1, "190"), entered_at=Decimal(100)).proven is None


@pytest.mark.parametrize(
    ("seen", "counts"),
    [(a_print(3, "100"), False), (a_print(3, "100", "99", "101"), False), (a_print(3, "100", quoted=True), True)],
)
def test_row_17_after_a_gap_nothing_is_the_price_before(seen: Print, counts: bool) -> None:
    before = Belief(CALM.proven, a_print(2, "100"))
    after = weighed(before, seen, gap_from=2.0)
    assert (after.proven is seen) == counts
    assert weighed(after, a_print(4, "101"), gap_from=2.0).doubted is None


@given(st.lists(st.sampled_from([1, 30, 99, 100, 101, 300, 900]), max_size=30))
def test_row_21_no_price_counts_that_is_far_from_both_before_it(values: list[int]) -> None:
    belief, last = CALM, Decimal(100)
    for serial, value in enumerate(values, 2):
        counted = belief.proven
        assert counted is not None
        seen = a_print(serial, str(value))
        belief = weighed(belief, seen)
        if is_jump(counted.value, seen.value) and is_jump(last, seen.value):
            assert belief.proven is counted
        last = seen.value
