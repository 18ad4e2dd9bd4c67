"""Pushed order updates come twice, late and out of order: their sum is always the same, and never claims too much."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import OrderStatus, OrderUpdate
from app.domain.contracts import ContractKey, Side
from app.domain.money import Units
from app.domain.orders import FINAL, MOVES, IntentState
from app.domain.pushes import ahead, alone, as_order, join, proven_state, tells_all, total

KEY = ContractKey("NFO", "NIFTY01DEC2625000CE")
OPEN = OrderUpdate("1", KEY, Side.BUY, Units(130), OrderStatus.OPEN, Units(0), None, None, "live")


def said(status: OrderStatus, filled: int = 0, average: str | None = None, reason: str | None = None) -> OrderUpdate:
    price = None if average is None else Decimal(average)
    return replace(OPEN, status=status, filled=Units(filled), average=price, reject_reason=reason)


updates = st.builds(
    said,
    st.sampled_from(OrderStatus),
    st.sampled_from([0, 65, 130]),
    st.sampled_from([None, "100", "100.5"]),
    st.sampled_from([None, "RMS: margin"]),
)


@given(st.lists(updates, min_size=1, max_size=6).flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))))
def test_row_26_any_order_and_any_repetition_of_updates_amounts_to_the_same(
    told: tuple[list[OrderUpdate], list[OrderUpdate]],
) -> None:
    once, shuffled = told
    assert total(once) == total(shuffled) == total([*shuffled, *once])


@given(updates, updates, updates)
def test_updates_can_be_summed_in_any_grouping(a: OrderUpdate, b: OrderUpdate, c: OrderUpdate) -> None:
    one, two, three = alone(a), alone(b), alone(c)
    assert join(join(one, two), three) == join(one, join(two, three))


@given(st.lists(updates, min_size=2, max_size=6))
def test_what_is_filled_only_grows_and_what_is_final_stays_final(told: list[OrderUpdate]) -> None:
    before, after = total(told[:-1]), total(told)
    assert after.filled >= before.filled
    assert after.status.is_final or not before.status.is_final


@given(st.sampled_from(IntentState), st.lists(updates, min_size=1, max_size=4))
def test_row_27_nothing_is_filled_without_the_units_to_show_for_it(state: IntentState, told: list[OrderUpdate]) -> None:
    sums = total(told)
    proven = proven_state(state, Units(130), sums)
    assert proven is state or proven in MOVES[state]
    if proven is IntentState.FILLED and state is not IntentState.FILLED:
        assert sums.filled == 130


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([said(OrderStatus.COMPLETE)], IntentState.WORKING),
        ([said(OrderStatus.COMPLETE, 65, "100")], IntentState.WORKING),
        ([said(OrderStatus.OPEN, 130, "100")], IntentState.FILLED),
        ([said(OrderStatus.COMPLETE, 130)], IntentState.FILLED),
        ([said(OrderStatus.COMPLETE, 195, "100")], IntentState.WORKING),
        ([said(OrderStatus.REJECTED)], IntentState.WORKING),
        ([said(OrderStatus.REJECTED, reason="RMS: margin")], IntentState.REJECTED),
        ([said(OrderStatus.OPEN, 65, "100"), said(OrderStatus.REJECTED, reason="RMS")], IntentState.WORKING),
        ([said(OrderStatus.CANCELLED)], IntentState.WORKING),
        ([said(OrderStatus.CANCELLED, 65, "100")], IntentState.CANCELLED),
        ([said(OrderStatus.OPEN, 65, "100"), said(OrderStatus.CANCELLED)], IntentState.WORKING),
        ([said(OrderStatus.CANCELLED, 65, "100"), said(OrderStatus.COMPLETE, 130, "100")], IntentState.FILLED),
    ],
)
def test_what_is_proved(told: list[OrderUpdate], state: IntentState) -> None:
    assert proven_state(IntentState.WORKING, Units(130), total(told)) is state


@pytest.mark.parametrize("state", sorted(FINAL - {IntentState.NOT_SENT, IntentState.CANCELLED}))
def test_what_is_final_is_moved_by_no_push(state: IntentState) -> None:
    told = total([said(OrderStatus.COMPLETE, 130, "100")])
    assert proven_state(state, Units(130), told) is state


@pytest.mark.parametrize(
    ("state", "told", "enough"),
    [
        (IntentState.FILLED, said(OrderStatus.COMPLETE, 130, "100"), True),
        (IntentState.FILLED, said(OrderStatus.COMPLETE, 130), False),
        (IntentState.WORKING, said(OrderStatus.OPEN), True),
        (IntentState.WORKING, said(OrderStatus.OPEN, 65, "100"), True),
        (IntentState.WORKING, said(OrderStatus.COMPLETE), False),
        (IntentState.WORKING, said(OrderStatus.CANCELLED), False),
        (IntentState.REJECTED, said(OrderStatus.REJECTED, reason="RMS"), True),
    ],
)
def test_the_books_are_asked_where_a_push_leaves_something_open(
    state: IntentState, told: OrderUpdate, *, enough: bool
) -> None:
    assert tells_all(state, Units(130), alone(told)) is enough


def test_what_trades_do_not_show_yet_is_kept_at_the_average_that_makes_the_sum_right() -> None:
    left = ahead(130, Decimal(130) * 101, 65, Decimal(65) * 100)
    assert left is not None
    assert (left.units, left.price) == (65, Decimal(102))
    assert ahead(130, Decimal(13_000), 130, Decimal(13_000)) is None
    assert ahead(65, Decimal(6_500), 130, Decimal(13_000)) is None
    contradicted = ahead(130, Decimal(130) * 100, 65, Decimal(65) * 300)
    assert contradicted is not None
    assert contradicted.price == 100


def test_a_pushed_order_is_matched_as_a_row_of_the_book() -> None:
    row = as_order(total([said(OrderStatus.OPEN, 65, "100"), said(OrderStatus.CANCELLED)]))
    assert (row.order_id, row.contract, row.units, row.status) == ("1", KEY, 130, OrderStatus.CANCELLED)
    assert (row.filled, row.average) == (65, Decimal(100))


def test_of_nothing_pushed_nothing_is_known() -> None:
    with pytest.raises(ValueError, match="no update"):
        total([])
