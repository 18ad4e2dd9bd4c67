"""Levels of depth that are read late are those that an eager reading of the whole frame would have found."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.openalgo import numbers
from app.adapters.openalgo.frames import FrameReader
from app.ports.feed import Tick

PRICES = st.sampled_from([0, 0.0, -1, 0.05, 0.5, 0.005, 1, 196.65, 999_999_999, 1e9, 1e300, "196.5", "0", "abc", None])
UNITS = st.sampled_from([0, 1, 65, 2405, -65, 10**15 - 1, 10**15, 10**30, 2.5, 0.0, "65", "--", None, True])
MANY = st.floats(0.05, 2e9).map(lambda price: round(price, 2))
LEVEL = st.dictionaries(
    st.sampled_from(["price", "quantity", "orders"]), st.one_of(PRICES, UNITS), max_size=3
) | st.fixed_dictionaries({"price": PRICES | MANY, "quantity": UNITS})
SIDE: st.SearchStrategy[Any] = st.lists(LEVEL, max_size=5) | st.sampled_from([None, [], 5, "x", [None], [[]]])
DEPTH: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["buy", "sell", "other"]), SIDE, max_size=3
) | st.sampled_from([None, 5, []])


def eager(depth: Any, side: str) -> list[tuple[float, int]]:
    """What the whole frame says, by the plainest reading there is."""
    given = depth.get(side) if isinstance(depth, dict) else None
    found = []
    for row in given if isinstance(given, list) else []:
        if not isinstance(row, dict):
            continue
        price, units = numbers.number(row.get("price")), numbers.number(row.get("quantity"))
        if price is not None and units is not None and 0 < price < 10**9 and 0 < units < 10**15:
            found.append((float(price), int(units)))
    return found


@given(DEPTH, st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]), st.booleans())
def test_levels_read_late_are_those_of_an_eager_reading(depth: Any, marks: tuple[str, str], loose: bool) -> None:
    body = {
        "type": "market_data",
        "symbol": "S",
        "exchange": "NFO",
        "data": {"ltp": "5" if loose else 5, "depth": depth},
    }
    tick = FrameReader().read(json.dumps(body, separators=marks).encode())
    assert isinstance(tick, Tick)
    bids, asks = eager(depth, "buy"), eager(depth, "sell")
    assert (list(tick.figures.bids), list(tick.figures.asks)) == (bids, asks)
    assert tick.has_touch == bool(bids or asks)


@pytest.mark.parametrize(
    ("depth", "there"),
    [
        ('{"buy": [{"price": 0.05, "quantity": 65}]}', True),
        ('{"buy": [{"price": 0.0, "quantity": 65}]}', False),
        ('{"buy": [{"price": 1e300, "quantity": 65}]}', False),
        ('{"buy": [{"price": 9999999999, "quantity": 65}]}', False),
        ('{"buy": [{"price": 5, "quantity": 10000000000000000}]}', False),
        ('{"buy": [{"price": 5, "quantity": 0.5}], "sell": [{"quantity": 1, "price": 6}]}', True),
    ],
)
def test_the_quick_look_is_no_guess(depth: str, there: bool) -> None:
    raw = f'{{"type": "market_data", "symbol": "S", "exchange": "NFO", "data": {{"ltp": 5, "depth": {depth}}}}}'
    tick = FrameReader().read(raw.encode())
    assert isinstance(tick, Tick)
    assert tick.has_touch is there
    assert bool(tick.figures.bids or tick.figures.asks) is there
