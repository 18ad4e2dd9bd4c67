"""How long sending takes: 20 slices in one segment at 8 in a second are two seconds, whatever the workers."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Side
from app.domain.pacing import Batch, SlowedBatch, pace

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("orders", "per_second", "seconds"),
    [(1, 8, 0), (8, 8, 0), (9, 8, 1), (16, 8, 1), (17, 8, 2), (20, 8, 2), (20, 10, 1), (20, 1, 19), (100, 8, 12)],
)
def test_one_batch(orders: int, per_second: int, seconds: float) -> None:
    found = pace([Batch(BUY, "NFO", orders)], per_second, 4)
    assert found.total_s == seconds
    assert found.slowed == ((SlowedBatch(BUY, "NFO", orders, seconds),) if seconds else ())


def test_segments_go_side_by_side_and_waves_one_after_the_other() -> None:
    found = pace([Batch(BUY, "NFO", 20), Batch(BUY, "BFO", 20), Batch(SELL, "NFO", 20), Batch(SELL, "BFO", 4)], 8, 4)
    # 20 bought by second 2, of which 4 in that second: 4 more may go at once, then 8 each second.
    assert [(one.side, one.segment, one.seconds) for one in found.slowed] == [
        (BUY, "NFO", 2), (BUY, "BFO", 2), (SELL, "NFO", 2),
    ]  # fmt: skip
    assert found.total_s == 4


def test_slow_calls_bound_it_instead() -> None:
    found = pace([Batch(BUY, "NFO", 8)], 8, 2, call_s=1.5)
    assert found.slowed == ()
    assert found.total_s == 6


def test_in_words() -> None:
    assert pace([Batch(SELL, "NFO", 20)], 8, 4).words() == (
        "20 SELL orders in NFO: the last goes 2 s after the first, as 8 in a second are taken.",
    )


@pytest.mark.parametrize(("per_second", "workers"), [(0, 4), (11, 4), (8, 0), (8, 11)])
def test_what_cannot_be(per_second: int, workers: int) -> None:
    with pytest.raises(ValueError, match="cannot be paced"):
        pace([], per_second, workers)


_batches = st.lists(
    st.builds(Batch, st.sampled_from(Side), st.sampled_from(["NFO", "BFO"]), st.integers(0, 60)), max_size=4
)


@given(_batches, st.integers(1, 10), st.integers(1, 10), st.sampled_from([0.0, 0.1, 2.0]))
def test_never_quicker_than_the_limit_and_never_slower_than_one_after_the_other(
    batches: Sequence[Batch], per_second: int, workers: int, call_s: float
) -> None:
    found = pace(batches, per_second, workers, call_s=call_s)
    for segment in ("NFO", "BFO"):
        orders = sum(one.orders for one in batches if one.segment == segment)
        assert found.total_s >= max(0, (orders - 1) // per_second)
    together = sum(one.orders for one in batches)
    assert found.total_s <= together * max(1.0, call_s)
    assert found.total_s >= 0
