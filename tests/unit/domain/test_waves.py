"""Waves: no SELL before every BUY of that account has filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Side
from app.domain.money import Units
from app.domain.orders import FINAL, IntentState, Purpose
from app.domain.waves import WaveItem, blocked_reason, releasable

S = IntentState
BUY, SELL = Side.BUY, Side.SELL


def item(side: Side, state: IntentState, filled: int = 0, leg: int = 1) -> WaveItem:
    return WaveItem(leg, side, state, Units(65), Units(filled))


READY_SELL = item(SELL, S.READY, leg=2)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([item(BUY, S.READY), READY_SELL], {0}),
        ([item(BUY, S.READY), item(BUY, S.READY), READY_SELL], {0, 1}),
        ([item(BUY, S.SENDING), READY_SELL], set()),
        ([item(BUY, S.WORKING, 64), READY_SELL], set()),
        ([item(BUY, S.UNKNOWN), READY_SELL], set()),
        ([item(BUY, S.PARKED), READY_SELL], set()),
        ([item(BUY, S.FILLED, 65), READY_SELL], {1}),
        ([item(BUY, S.FILLED, 0), READY_SELL], set()),  # its trades are not there yet
        ([item(BUY, S.FILLED, 65), item(BUY, S.WORKING), READY_SELL], set()),
        ([item(BUY, S.CANCELLED, 30), READY_SELL], set()),
        ([READY_SELL, READY_SELL], {0, 1}),
        ([item(BUY, S.FILLED, 65), item(SELL, S.WORKING), READY_SELL], {2}),
        ([], set()),
    ],
)
def test_what_may_go_now(purpose: Purpose, items: list[WaveItem], expected: set[int]) -> None:
    assert releasable(purpose, items) == expected


@pytest.mark.parametrize("state", [S.REJECTED, S.NOT_SENT, S.DENIED, S.CANCELLED])
def test_a_failed_buy_blocks_its_sells_and_says_why(state: IntentState) -> None:
    items = [item(BUY, state, leg=3), READY_SELL]
    assert "Leg 3 was not bought" in (blocked_reason(Purpose.ENTRY, items) or "")
    assert "hedges are kept" in (blocked_reason(Purpose.EXIT, items) or "")


@pytest.mark.parametrize(
    "items",
    [
        [item(BUY, S.READY), READY_SELL],
        [item(BUY, S.UNKNOWN), READY_SELL],
        [item(BUY, S.FILLED, 0), READY_SELL],
        [item(BUY, S.FILLED, 65), READY_SELL],
        [item(BUY, S.REJECTED)],
        [item(BUY, S.REJECTED), item(SELL, S.WORKING)],
        [],
    ],
)
def test_nothing_is_blocked_while_the_gate_may_open_or_nothing_waits(items: list[WaveItem]) -> None:
    assert blocked_reason(Purpose.ENTRY, items) is None


some_items = st.lists(
    st.builds(
        WaveItem,
        leg=st.integers(1, 4),
        side=st.sampled_from(Side),
        state=st.sampled_from(IntentState),
        units=st.just(Units(65)),
        filled=st.integers(0, 65).map(Units),
    ),
    max_size=12,
)


@given(st.sampled_from(Purpose), some_items)
def test_no_sell_goes_before_every_buy_has_filled(purpose: Purpose, items: list[WaveItem]) -> None:
    bought = all(i.state is S.FILLED and i.filled == i.units for i in items if i.side is BUY)
    chosen = releasable(purpose, items)
    assert all(items[n].state is S.READY for n in chosen)
    assert bought or not any(items[n].side is SELL for n in chosen)
    assert chosen >= {n for n, i in enumerate(items) if i.side is BUY and i.state is S.READY}
    if blocked_reason(purpose, items):
        assert not any(items[n].side is SELL for n in chosen)
        assert any(i.side is BUY and i.state in FINAL for i in items)
