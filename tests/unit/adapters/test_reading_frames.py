"""Frames off the wire: all recorded ones are read, odd ones are read or dropped, and none of them does harm."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.openalgo import frames
from app.adapters.openalgo.frames import (
    Authenticated,
    BrokerLink,
    ErrorFrame,
    FrameReader,
    Ignored,
    Pong,
    Subscribed,
    Unsubscribed,
    Unusable,
)
from app.domain.books import OrderStatus, OrderUpdate
from app.domain.contracts import ContractKey, Side
from app.ports.feed import Drop, Tick
from tests.unit.adapters.recorded import RECORDED, frames_in, transcripts

CALL = ContractKey("NFO", "NIFTY01DEC2625000CE")
MARKET: dict[str, Any] = {
    "type": "market_data", "symbol": CALL.symbol, "exchange": "NFO", "mode": 1,
    "data": {"ltp": 196.65, "timestamp": 1795411897836}, "broker": "zerodha",
}  # fmt: skip
KINDS = {
    "market_data": Tick, "order_update": OrderUpdate, "pong": Pong, "subscribe": Subscribed,
    "unsubscribe": Unsubscribed, "auth": Authenticated, "broker_info": BrokerLink, None: ErrorFrame,
}  # fmt: skip


def read(body: Any) -> frames.Frame:
    return FrameReader().read(body if isinstance(body, bytes) else json.dumps(body).encode())


def market(**figures: Any) -> dict[str, Any]:
    return {**MARKET, "data": {**MARKET["data"], **figures}}


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
def test_every_recorded_frame_is_read(path: Path) -> None:
    reader = FrameReader()
    for body in frames_in(path):
        kind = body.get("type")
        frame = reader.read(json.dumps(body).encode())
        expected = KINDS.get(kind, Ignored)
        assert isinstance(frame, expected), (body, frame)
        if isinstance(frame, Tick):
            assert (frame.key.symbol, frame.ltp) == (body["symbol"], body["data"]["ltp"])
            assert frame.at is not None
            assert frame.at.year == 2026


def test_there_are_transcripts() -> None:
    seen = Counter(body.get("type") for path in transcripts() for body in frames_in(path))
    assert seen["market_data"] > 200
    assert seen["order_update"] > 10
    assert set(KINDS) <= set(seen)


def recorded_frame(transcript: str, kind: str, number: int = 0) -> frames.Frame:
    bodies = [body for body in frames_in(RECORDED / "ws" / f"{transcript}.jsonl") if body.get("type") == kind]
    return read(bodies[number])


def test_a_depth_frame() -> None:
    tick = recorded_frame("subscribe_depth_option", "market_data")
    assert isinstance(tick, Tick)
    assert (tick.key, tick.ltp, tick.figures.volume, tick.figures.previous_close) == (CALL, 196.65, 277225, 302.55)
    assert tick.at == datetime.fromtimestamp(1795411897.836, UTC)
    assert tick.figures.bids[0] == (196.5, 2405)
    assert tick.figures.asks[0] == (196.8, 2535)
    assert len(tick.figures.bids) == len(tick.figures.asks) == 5


def test_an_index_has_neither_day_nor_depth() -> None:
    tick = recorded_frame("subscribe_depth_index", "market_data")
    assert isinstance(tick, Tick)
    assert (tick.figures.open, tick.figures.high, tick.figures.low, tick.figures.previous_close) == (
        None,
        None,
        None,
        None,
    )
    assert (tick.figures.bids, tick.figures.asks) == ((), ())


def test_a_richer_frame_than_was_asked_for_is_used_in_full() -> None:
    tick = recorded_frame("relogin_new_token", "market_data")
    assert isinstance(tick, Tick)
    assert (tick.figures.high, tick.figures.previous_close) == (866.8, 882.4)


def test_order_updates_carry_fills_and_reasons() -> None:
    path = RECORDED / "ws" / "order_updates_live.jsonl"
    updates = [read(body) for body in frames_in(path) if body.get("type") == "order_update"]
    assert all(isinstance(update, OrderUpdate) for update in updates)
    first = updates[0]
    assert isinstance(first, OrderUpdate)
    assert (first.order_id, first.contract, first.side) == ("261123190000001", CALL, Side.BUY)
    assert (first.units, first.filled, first.average, first.mode) == (65, 0, None, "live")
    rejected = [u for u in updates if isinstance(u, OrderUpdate) and u.status is OrderStatus.REJECTED]
    assert rejected
    assert all(update.reject_reason for update in rejected)
    part = [u for u in updates if isinstance(u, OrderUpdate) and u.status is OrderStatus.OPEN and u.filled > 0]
    assert part
    assert all(update.average is not None for update in part)


def test_the_bad_half_of_a_subscription_keeps_its_words() -> None:
    answer = recorded_frame("unknown_symbol", "subscribe")
    assert isinstance(answer, Subscribed)
    assert answer.confirmed == frozenset()
    ((key, words),) = answer.refused
    assert key == ContractKey("NSE", "NOSUCH")
    assert "NOSUCH" in words


@pytest.mark.parametrize("ltp", [0, 0.0, -5, None, "", "--", "abc", float("nan"), float("inf"), 1e300, [], {}, True])
def test_what_is_no_price_is_no_tick(ltp: Any) -> None:
    assert isinstance(read(market(ltp=ltp)), Unusable)


def test_a_frame_without_figures_is_no_tick() -> None:
    no_figures: list[Any] = [{}, None, [], "x", 5]
    for data in no_figures:
        assert isinstance(read({**MARKET, "data": data}), Unusable)
    assert isinstance(read({name: value for name, value in MARKET.items() if name != "data"}), Unusable)


@pytest.mark.parametrize("change", [{"symbol": None}, {"symbol": ""}, {"exchange": None}, {"symbol": 5}])
def test_a_price_of_nothing_is_no_tick(change: dict[str, Any]) -> None:
    assert isinstance(read({**MARKET, **change}), Unusable)


def test_numbers_as_text_are_read() -> None:
    depth = {"buy": [{"price": "196.5", "quantity": "2,405"}, {"price": "0", "quantity": 0}, "odd"], "sell": None}
    tick = read(market(ltp="1,196.65", volume="10.0", open="--", close="302.55", depth=depth))
    assert isinstance(tick, Tick)
    assert (tick.ltp, tick.figures.volume, tick.figures.open, tick.figures.previous_close) == (
        1196.65,
        10,
        None,
        302.55,
    )
    assert (tick.figures.bids, tick.figures.asks) == (((196.5, 2405),), ())


def test_padding_is_no_depth() -> None:
    levels = [{"price": 196.5, "quantity": 65, "orders": 0}] + [{"price": 0, "quantity": 0, "orders": 0}] * 4
    tick = read(market(depth={"buy": levels, "sell": []}, open=0, high=0.0))
    assert isinstance(tick, Tick)
    assert (tick.figures.bids, tick.figures.asks, tick.figures.open, tick.figures.high) == (
        ((196.5, 65),),
        (),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ({"timestamp": 1795411897836, "ltt": 1795411897}, 1795411897.836),
        ({"timestamp": None, "ltt": 1795411897}, 1795411897.0),
        ({"timestamp": None, "ltt": 1795411897836}, 1795411897.836),
        ({"timestamp": 0, "ltt": 0}, None),
        ({"timestamp": "2026-11-23T09:15:00", "ltt": None}, None),
        ({"timestamp": 10**400}, None),
        ({"timestamp": -1}, None),
    ],
)
def test_times_in_seconds_and_milliseconds(stamps: dict[str, Any], expected: float | None) -> None:
    tick = read(market(**stamps))
    assert isinstance(tick, Tick)
    assert tick.at == (None if expected is None else datetime.fromtimestamp(expected, UTC))


UPDATE: dict[str, Any] = {
    "type": "order_update", "mode": "live", "orderid": "1", "symbol": CALL.symbol, "exchange": "NFO", "action": "SELL",
    "quantity": 130, "order_status": "open", "filled_quantity": 65, "average_price": "207.05", "rejection_reason": "",
}  # fmt: skip


def test_an_order_update_with_odd_types_is_read() -> None:
    update = read({**UPDATE, "orderid": 26112300000001, "order_status": "TRADED", "symbol": None, "quantity": "130"})
    assert isinstance(update, OrderUpdate)
    assert (update.order_id, update.status, update.contract) == ("26112300000001", OrderStatus.COMPLETE, None)
    assert (update.units, update.filled, update.average) == (130, 65, Decimal("207.05"))


@pytest.mark.parametrize(
    "change",
    [{"orderid": None}, {"action": "X"}, {"quantity": "?"}, {"filled_quantity": None}, {"filled_quantity": -1}],
)
def test_an_order_update_that_cannot_be_read_is_dropped(change: dict[str, Any]) -> None:
    frame = read({**UPDATE, **change})
    assert isinstance(frame, Unusable)
    assert next(iter(change)) in frame.reason


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 200_000, b"\x00" * 1000,
     b'{"type":"pong"}', b'{"type":"pong","server_timestamp":"soon"}'],
)  # fmt: skip
def test_garbage_is_dropped(raw: bytes) -> None:
    assert isinstance(FrameReader().read(raw), Unusable)


def test_a_frame_of_an_unknown_type_is_ignored() -> None:
    assert read({"type": "supported_brokers", "status": "success"}) == Ignored("supported_brokers")
    assert read({}) == Ignored("None")


def test_only_disconnected_says_that_the_broker_is_gone() -> None:
    assert read({"type": "broker_info", "adapter_status": "disconnected"}) == BrokerLink(there=False)
    assert read({"type": "broker_info", "adapter_status": "connected"}) == BrokerLink(there=True)
    assert read({"type": "broker_info"}) == BrokerLink(there=True)


def test_errors_are_known_with_and_without_a_type() -> None:
    error = {"status": "error", "code": "BROKER_ERROR", "message": "Broker adapter not found"}
    expected = ErrorFrame("BROKER_ERROR", "Broker adapter not found")
    assert read(error) == expected
    assert read({**error, "type": "error"}) == expected
    assert read({**error, "type": "auth"}) == expected


def test_keys_are_made_once_and_not_without_end() -> None:
    reader = FrameReader()
    raw = json.dumps(MARKET).encode()
    first, second = reader.read(raw), reader.read(raw)
    assert isinstance(first, Tick)
    assert isinstance(second, Tick)
    assert first.key is second.key
    for number in range(frames._MOST_KEYS + 10):
        reader.read(json.dumps({**MARKET, "symbol": f"S{number}"}).encode())
    assert len(reader._keys) <= frames._MOST_KEYS


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(["symbol", "exchange", "status", "subscriptions", "successful", "request_id", "code", *UPDATE])
TYPES = st.sampled_from(["market_data", "order_update", "pong", "subscribe", "unsubscribe", "auth", "error", None, 5])
BODIES = st.builds(
    lambda kind, fields, figures: {**fields, "type": kind, "data": figures},
    TYPES,
    st.dictionaries(FIELDS, ANY),
    st.dictionaries(st.sampled_from(["ltp", "volume", "timestamp", "ltt", "depth", "open", "close"]), ANY) | ANY,
)


@given(st.one_of(st.binary(), BODIES.map(lambda body: json.dumps(body).encode())))
def test_whatever_comes_is_one_of_our_frames(raw: bytes) -> None:
    frame = FrameReader().read(raw)
    assert isinstance(frame, get_args(frames.Frame))
    if isinstance(frame, Tick):
        assert 0 < frame.ltp < 1e9
        assert all(price > 0 and units >= 0 for price, units in (*frame.figures.bids, *frame.figures.asks))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[1]", Drop.NOT_JSON),
        (b"\xff\xfe", Drop.NOT_JSON),
        pytest.param(b"[" * 100_000, Drop.NOT_JSON, id="nested"),
        (market(ltp=0), Drop.ZERO),
        (market(ltp="0.00"), Drop.ZERO),
        (market(ltp=-5), Drop.NEGATIVE),
        (market(ltp=1e12), Drop.OUT_OF_BAND),
        (market(ltp="abc"), Drop.NOT_A_NUMBER),
        (market(ltp=float("nan")), Drop.NOT_A_NUMBER),
        (market(ltp=float("inf")), Drop.NOT_A_NUMBER),
        ({**MARKET, "data": {"volume": 1}}, Drop.MISSING),
        ({**MARKET, "data": None}, Drop.MISSING),
        ({**MARKET, "data": []}, Drop.MISSING),
        ({**MARKET, "symbol": None}, Drop.NAMELESS),
        ({**MARKET, "exchange": 7}, Drop.NAMELESS),
        ({"type": "order_update", "orderid": ""}, Drop.UNREADABLE),
    ],
)
def test_what_cannot_be_used_is_told_apart_by_kind(raw: Any, kind: Drop) -> None:
    frame = read(raw)
    assert isinstance(frame, Unusable)
    assert frame.kind is kind
