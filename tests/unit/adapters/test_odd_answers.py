"""Answers as no recording has them: odd types that must be read, and shapes that must never pass for an empty book."""

import json
import logging
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.openalgo import answers, instruments, parse, parse_history, parse_market
from app.domain.books import OrderStatus
from app.domain.contracts import ContractKey, Kind
from app.domain.outcomes import Answer
from app.domain.plan import Mode
from app.ports.gateway import (
    GatewayError,
    GatewayRefused,
    LoggedOut,
    NotOpenAlgo,
    RateLimited,
    Unreachable,
)

ORDER: dict[str, Any] = {
    "action": "BUY", "exchange": "NFO", "order_status": "open", "orderid": "1", "price": 812.5, "pricetype": "LIMIT",
    "product": "NRML", "quantity": 65, "symbol": "NIFTY01DEC2625000CE", "timestamp": "", "trigger_price": 0.0,
}  # fmt: skip
TRADE: dict[str, Any] = {
    "action": "SELL", "average_price": 812.46, "exchange": "NFO", "orderid": "2", "product": "NRML", "quantity": 65,
    "symbol": "NIFTY01DEC2625000CE", "timestamp": "10:30:26", "trade_value": 1.0,
}  # fmt: skip
POSITION: dict[str, Any] = {
    "average_price": "206.50", "exchange": "NFO", "ltp": 207.15, "pnl": -611.0, "product": "NRML", "quantity": 65,
    "symbol": "NIFTY01DEC2625000CE",
}  # fmt: skip
NO_BOOKS: list[Any] = [None, {}, "", "[]", 0, False, [None], ["row"], [[]]]


def orders(*changed: dict[str, Any]) -> dict[str, object]:
    return {"status": "success", "data": {"orders": [{**ORDER, **change} for change in changed]}}


@pytest.mark.parametrize("book", NO_BOOKS, ids=repr)
def test_what_is_no_list_of_rows_is_no_book(book: Any) -> None:
    for body, read in (
        ({"data": {"orders": book}}, parse.order_book),
        ({"data": book}, parse.trade_book),
        ({"data": book}, parse.position_book),
        ({"data": {"holdings": book}}, parse.holdings),
        ({"results": book}, parse_market.quotes),
        ({"data": book}, parse_history.minutes),
    ):
        with pytest.raises(NotOpenAlgo, match="cannot be read"):
            read(body)


@pytest.mark.parametrize("raw", [None, [], "", 1])
def test_an_order_book_that_is_no_object_is_no_book(raw: Any) -> None:
    with pytest.raises(NotOpenAlgo):
        parse.order_book({"data": raw})


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("orderid", None), ("orderid", ""), ("action", "B"), ("action", None), ("quantity", None), ("quantity", "--"),
        ("quantity", -65), ("quantity", 65.5), ("price", None), ("price", -1), ("price", "NaN"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_read_is_named(field: str, raw: object) -> None:
    with pytest.raises(NotOpenAlgo, match=rf"order book.*row 2 has {field}"):
        parse.order_book(orders({}, {field: raw}))


def test_an_order_with_odd_types_is_read() -> None:
    (order,) = parse.order_book(
        orders(
            {
                "orderid": 26112300000001, "quantity": "65", "price": "", "trigger_price": None, "pricetype": "MARKET",
                "order_status": "PART_TRADED", "symbol": None, "filled_quantity": "30.0", "average_price": "207.05",
                "reason": " RMS: margin ", "action": "buy", "surprise": {},
            }
        )
    )  # fmt: skip
    assert (order.order_id, order.units) == ("26112300000001", 65)
    assert order.price == order.trigger_price == 0
    assert (order.status, order.contract, order.filled) == (OrderStatus.OPEN, None, 30)
    assert (order.average, order.reject_reason) == (Decimal("207.05"), "RMS: margin")


def test_a_status_under_its_other_name_is_read() -> None:
    (order,) = parse.order_book(orders({"order_status": None, "status": "rejected"}))
    assert order.status is OrderStatus.REJECTED


@pytest.mark.parametrize("change", [{"quantity": 0}, {"quantity": None}, {"average_price": 0}, {"orderid": None}])
def test_a_fill_of_nothing_or_at_no_price_is_not_skipped(change: dict[str, Any]) -> None:
    with pytest.raises(NotOpenAlgo, match="trade book"):
        parse.trade_book({"data": [TRADE, {**TRADE, **change}]})


@pytest.mark.parametrize(
    ("change", "average", "pnl"),
    [
        ({"average_price": 0}, None, None),
        ({"average_price": None}, None, None),
        ({"average_price": "0.00", "quantity": 0, "pnl": "-130.00"}, None, Decimal(-130)),
        ({"pnl": None}, Decimal("206.50"), None),
        ({"pnl": float("nan")}, Decimal("206.50"), None),
    ],
)
def test_a_profit_without_an_average_is_unknown(
    change: dict[str, Any], average: Decimal | None, pnl: Decimal | None
) -> None:
    (position,) = parse.position_book({"data": [{**POSITION, **change}]})
    assert (position.average, position.pnl) == (average, pnl)


def test_a_last_price_under_its_other_name_is_read() -> None:
    row = {name: value for name, value in POSITION.items() if name not in {"ltp", "pnl"}}
    (position,) = parse.position_book({"data": [{**row, "last_price": "207.15"}]})
    assert (position.ltp, position.pnl) == (Decimal("207.15"), None)


def test_no_funds_at_all_is_a_dead_session_and_never_zero() -> None:
    with pytest.raises(LoggedOut):
        parse.funds({"status": "success", "data": {}})


@pytest.mark.parametrize("data", [{"collateral": "0.00"}, {"availablecash": None}, {"availablecash": "--"}, [], None])
def test_funds_without_cash_are_no_funds(data: Any) -> None:
    with pytest.raises(NotOpenAlgo, match="funds"):
        parse.funds({"data": data})


def test_missing_figures_of_funds_are_unknown() -> None:
    funds = parse.funds({"data": {"availablecash": "1,00,000.00"}})
    assert funds.available == 100_000
    assert {funds.collateral, funds.used, funds.realised, funds.unrealised} == {None}


@pytest.mark.parametrize(
    "data",
    [{}, {"mode": "live"}, {"mode": "live", "analyze_mode": True}, {"mode": "x", "analyze_mode": False},
     {"mode": ["live"], "analyze_mode": []}, None],
)  # fmt: skip
def test_a_mode_that_contradicts_itself_is_unknown(data: Any) -> None:
    with pytest.raises(NotOpenAlgo):
        parse.mode({"data": data})
    assert parse.mode({"data": {"mode": "analyze", "analyze_mode": True}}) is Mode.PAPER


def test_a_quote_of_zeros_is_no_quote() -> None:
    rows = [
        {"symbol": "A", "exchange": "NFO", "data": {"ltp": 0, "bid": 1}},
        {"symbol": "B", "exchange": "NFO", "data": {"ltp": "12.5", "volume": "1,000"}},
        {"symbol": "C", "exchange": "NFO", "data": None},
        {"symbol": None, "exchange": "NFO", "data": {"ltp": 1}},
    ]
    quotes = parse_market.quotes({"results": rows})
    assert list(quotes) == [ContractKey("NFO", "B")]
    assert quotes[ContractKey("NFO", "B")].volume == 1000
    assert quotes[ContractKey("NFO", "B")].bid is None


@pytest.mark.parametrize("total", [0, -1, None, "", "--"])
def test_no_margin_is_not_a_margin_of_zero(total: object) -> None:
    with pytest.raises(GatewayRefused):
        parse_market.margin({"data": {"total_margin_required": total}})


def row(symbol: str, **change: Any) -> dict[str, Any]:
    return {"symbol": symbol, "exchange": "NFO", "expiry": "01-DEC-26", "lotsize": 65, "tick_size": 0.05, **change}


def listed(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": rows}).encode()


@pytest.mark.parametrize(
    ("tick", "expected"),
    [(0.05, "0.05"), ("0.05", "0.05"), (5, "0.05"), (5.0, "0.05"), (10, "0.1"), (20, "0.2"), (0.01, "0.01"),
     (0.05000000074505806, "0.05"), (0.2, "0.2"), (1, None), (0, None), (None, None), (0.03, None), (500, None)],
)  # fmt: skip
def test_tick_sizes_in_rupees_or_paise(tick: float | None, expected: str | None) -> None:
    assert instruments.tick_in_rupees(tick) == (None if expected is None else Decimal(expected))


def test_rows_that_contradict_themselves_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    good = row("NIFTY01DEC2625000CE")
    bad = [
        row("NIFTY01DEC2625050CE", expiry="08-DEC-26"), row("NIFTY01DEC2625100CE", lotsize=0),
        row("NIFTY01DEC2625150CE", tick_size=0.03), row("NIFTY01DEC2625200CE", exchange="NSE"),
    ]  # fmt: skip
    others = [row("NIFTYNXT5001DEC2670000CE"), row("BANKNIFTY29DEC26FUT"), row("NIFTY"), {"symbol": None}]
    with caplog.at_level(logging.WARNING):
        found = instruments.contracts(listed(good, *bad, *others), "NFO", ["NIFTY"])
    assert [(contract.key.symbol, contract.kind) for contract in found] == [("NIFTY01DEC2625000CE", Kind.CE)]
    assert "expiry that is not the symbol's" in caplog.text


def test_a_row_without_a_lot_has_that_of_its_index_and_expiry_where_somebody_knows_it() -> None:
    rows = [row("NIFTY01DEC2625000CE", lotsize=None), row("NIFTY01DEC2625100CE", lotsize=75)]
    asked = []

    def lot_of(underlying: str, expiry: date) -> int | None:
        asked.append((underlying, expiry))
        return 65

    found = instruments.contracts(listed(*rows), "NFO", ["NIFTY"], lot_of)
    assert [contract.lot_size for contract in found] == [65, 75]
    assert asked == [("NIFTY", date(2026, 12, 1))]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"status":"error"}', b'{"status":"success","data":null}', b"\xff"]
)
def test_an_unreadable_contract_list(body: bytes) -> None:
    with pytest.raises(NotOpenAlgo):
        instruments.contracts(body, "NFO", ["NIFTY"])


def test_a_list_without_the_index_is_refused() -> None:
    with pytest.raises(GatewayRefused, match="master contracts"):
        instruments.contracts(listed(), "NFO", ["NIFTY"])


def test_a_long_list_is_read_in_a_moment() -> None:
    rows = [row(f"NIFTY01DEC26{10_000 + number}CE", name="NIFTY", token="x" * 20) for number in range(12_000)]
    body = listed(*rows)
    started = time.process_time()
    assert len(instruments.contracts(body, "NFO", ["NIFTY"])) == 12_000
    assert time.process_time() - started < 1.5, "ten times what it takes on a slow machine"


def hours_body(*rows: tuple[str, object, object]) -> dict[str, object]:
    return {"data": [{"exchange": name, "start_time": start, "end_time": end} for name, start, end in rows]}


@pytest.mark.parametrize(
    "times", [("NSE", None, 1), ("NSE", 1795405500, 1795428000), ("NSE", 1795428000000, 1795405500000), ("", 1, 2)]
)
def test_hours_that_make_no_sense_are_refused(times: tuple[str, object, object]) -> None:
    with pytest.raises(NotOpenAlgo, match="trading hours"):
        parse_market.trading_hours(hours_body(times), date(2026, 11, 23))


@pytest.mark.parametrize(
    "row",
    [
        {"date": "26 Jan"},
        {"closed_exchanges": "NFO"},
        {"open_exchanges": {}},
        {"open_exchanges": [{"exchange": "NFO"}]},
    ],
    ids=repr,
)
def test_holidays_that_make_no_sense_are_refused(row: dict[str, Any]) -> None:
    right = {"date": "2026-01-26", "description": "Republic Day", "closed_exchanges": ["NFO"], "open_exchanges": []}
    with pytest.raises(NotOpenAlgo, match="cannot be read"):
        parse_market.holidays({"data": [{**right, **row}]})
    assert parse_market.holidays({"data": [right]})[0].closed == {"NFO"}


BAR: dict[str, Any] = {
    "timestamp": 1795405500, "open": 100.0, "high": 102.0, "low": 99.5, "close": 101.0, "volume": 65, "oi": 0,
}  # fmt: skip


def history(*changed: dict[str, Any]) -> tuple[list[int], int]:
    """Which timestamps were taken, and how many rows were not."""
    found = parse_history.minutes({"data": [{**BAR, **change} for change in changed]})
    return [int(bar.opens.timestamp()) for bar in found.bars], found.dropped


@pytest.mark.parametrize(
    "row",
    [
        {"open": None}, {"close": 0}, {"low": -1}, {"high": "NaN"}, {"high": 100.5}, {"low": 100.5},
        {"close": float("inf")}, {"open": True},
    ],
    ids=repr,
)  # fmt: skip
def test_a_minute_without_sensible_prices_is_left_out_and_counted(row: dict[str, Any]) -> None:
    assert history(row, {"timestamp": 1795405560}) == ([1795405560], 1)


def test_minutes_come_in_their_order_and_each_once() -> None:
    assert history({"timestamp": 1795405560}, {}, {}) == ([1795405500, 1795405560], 0)


def test_two_minutes_that_contradict_each_other_are_both_left_out() -> None:
    assert history({}, {"close": 99.75}, {"timestamp": 1795405560}) == ([1795405560], 2)


@pytest.mark.parametrize("stamp", [None, "2026-11-23", 1795405500000, 0, 1795405500.5, -60])
def test_history_whose_times_cannot_be_read_is_no_history(stamp: object) -> None:
    with pytest.raises(NotOpenAlgo, match="history"):
        history({"timestamp": stamp})


def test_a_minute_whose_volume_is_not_known_has_none() -> None:
    found = parse_history.minutes({"data": [{**BAR, "volume": None}, {**BAR, "volume": -5, "timestamp": 1795405560}]})
    assert [bar.volume for bar in found.bars] == [None, None]


MESSAGES: list[tuple[int, Any, type[GatewayError]]] = [
    (500, {"message": "Token is invalid or has expired", "status": "error"}, LoggedOut),
    (403, {"message": "Incorrect `api_key` or `access_token`.", "status": "error"}, LoggedOut),
    (500, {"message": "'NoneType' object is not subscriptable", "status": "error"}, GatewayRefused),
    (429, {"message": "50 per 1 second"}, RateLimited),
    (429, {"message": "Too many requests", "status": "error"}, GatewayRefused),
    (400, {"message": {"exchange": ["Field may not be null."]}, "status": "error"}, GatewayRefused),
    (400, {"message": "Validation error", "errors": {"expiry_date": ["Missing"]}, "status": "error"}, GatewayRefused),
    (404, {"message": "Not found", "path": "/api/v1/x", "status": "error"}, GatewayRefused),
    (200, {"status": "error", "message": "no"}, GatewayRefused),
    (200, {"hello": "world"}, NotOpenAlgo),
    (200, None, NotOpenAlgo),
    (404, None, NotOpenAlgo),
    (403, None, NotOpenAlgo),
    (502, None, Unreachable),
    (504, None, Unreachable),
]


@pytest.mark.parametrize(("status", "body", "expected"), MESSAGES)
def test_which_error_an_answer_is(status: int, body: Any, expected: type[GatewayError]) -> None:
    error = answers.refusal(Answer(status, body), host="desk:5000", secret="s3cret")
    assert type(error) is expected


def test_what_is_shown_holds_no_key_and_no_address() -> None:
    text = (
        "Client error '403' for url 'http://127.0.0.1:7001/orders?apikey=s3cret'\nFor more information check: https://x"
    )
    shown = answers.safe_text(text + " s3cret", "s3cret")
    assert shown == "Client error '403'"
    assert answers.safe_text("key s3cret\nrefused", "s3cret") == "key (key) refused"
    assert len(answers.safe_text("x" * 5000, "")) == 300


@given(st.binary())
def test_any_bytes_are_an_object_or_nothing(body: bytes) -> None:
    decoded = answers.decode(body)
    assert decoded is None or isinstance(decoded, dict)


@given(st.text(st.characters(exclude_categories=()), max_size=8), st.booleans())
def test_every_text_of_an_answer_can_be_stored(text: str, escaped: bool) -> None:
    """Half an emoji or a zero byte in one gateway's words would crash the record of all accounts' answers."""
    body = json.dumps({"message": text, text: [text]}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    decoded = answers.decode(body)
    assert decoded is not None
    for each in (decoded["message"], *decoded):
        assert isinstance(each, str)
        assert "\x00" not in each
        assert each.encode().decode() == each


def test_whole_characters_stay_as_they_were_said() -> None:
    words = "\u20b9 1,200 \U0001f600 \ud55c"
    for escaped in (True, False):
        assert answers.decode(json.dumps({"message": words}, ensure_ascii=escaped).encode()) == {"message": words}


def test_hostile_json_is_nothing() -> None:
    assert answers.decode(b"[" * 100_000) is None
    assert answers.decode(b'{"a":' + b"9" * 5000 + b"}") is None
    assert answers.decode(b'{"a": NaN, "b": Infinity, "c": 1.10}') == {"a": None, "b": None, "c": Decimal("1.10")}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ORDER, "data", "orders"]), inner),
    max_leaves=20,
)


@given(JSON)
def test_whatever_comes_is_read_or_refused(data: Any) -> None:
    for read in (parse.order_book, parse.trade_book, parse.position_book, parse.funds, parse.mode, parse.broker):
        for body in ({"data": data}, {"data": [data]}, {"data": {"orders": [data]}}):
            try:
                read(body)
            except GatewayError as error:
                assert str(error)  # noqa: PT017 - any other error fails the test by itself
