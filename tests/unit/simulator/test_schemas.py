"""The simulator refuses bodies with OpenAlgo's words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from simulator import schemas, schemas_market
from simulator.rest_replies import ErrorShape, invalid

ORDER = {"apikey": "k", "strategy": "s", "exchange": "NFO", "symbol": "X", "action": "BUY", "quantity": 65}
GTT = {**ORDER, "product": "NRML", "price": 100, "trigger_type": "SINGLE", "triggerprice_sl": 90}
OCO = {**GTT, "trigger_type": "OCO", "stoploss": 89, "triggerprice_tg": 110, "target": 109}
SYMBOL_AT = {"apikey": "k", "symbol": "X", "exchange": "NFO"}
HISTORY = {**SYMBOL_AT, "interval": "5m", "start_date": "2026-11-20", "end_date": "2026-11-23"}
LEG = {"offset": "ATM", "option_type": "CE", "action": "SELL", "quantity": 65}
MARGIN_ROW = {"symbol": "X", "exchange": "NFO", "action": "BUY", "quantity": "65", "product": "MIS"}
EXCHANGES = ", ".join(schemas.EXCHANGES)


def refusal(schema: type[Schema], body: dict[str, Any]) -> Any:
    with pytest.raises(ValidationError) as error:
        schema().load(body)
    return error.value.messages


@pytest.mark.parametrize(
    ("schema", "body", "messages"),
    [
        (schemas.PlaceOrder, {**ORDER, "foo": 1}, {"foo": ["Unknown field."]}),
        (schemas.PlaceOrder, {**ORDER, "symbol": None}, {"symbol": ["Field may not be null."]}),
        (schemas.PlaceOrder, {**ORDER, "apikey": ""}, {"apikey": ["Length must be between 1 and 256."]}),
        (schemas.PlaceOrder, {**ORDER, "apikey": "k" * 257}, {"apikey": ["Length must be between 1 and 256."]}),
        (schemas.PlaceOrder, {**ORDER, "exchange": "nfo"}, {"exchange": [f"Must be one of: {EXCHANGES}."]}),
        (schemas.PlaceOrder, {**ORDER, "quantity": 0}, {"quantity": ["Quantity must be a positive number."]}),
        (schemas.PlaceOrder, {**ORDER, "quantity": ""}, {"quantity": ["Not a valid number."]}),
        (schemas.PlaceOrder, {**ORDER, "price": -1}, {"price": ["Price must be a non-negative number."]}),
        (
            schemas.PlaceOrder,
            {**ORDER, "trigger_price": -1},
            {"trigger_price": ["Trigger price must be a non-negative number."]},
        ),
        (
            schemas.PlaceOrder,
            {**ORDER, "disclosed_quantity": -1},
            {"disclosed_quantity": ["Disclosed quantity must be a non-negative integer."]},
        ),
        (
            schemas.PlaceOrder,
            {**ORDER, "quantity": 1.5},
            {"quantity": ["Fractional quantity (1.5) is not allowed for non-crypto exchanges."]},
        ),
        (schemas.PlaceOrder, {**ORDER, "position_size": 1}, {"position_size": ["Unknown field."]}),
        (schemas.SmartOrder, ORDER, {"position_size": ["Missing data for required field."]}),
        (schemas.OrderId, {"apikey": "k", "strategy": "s", "orderid": 5}, {"orderid": ["Not a valid string."]}),
        (
            schemas.Basket,
            {"apikey": "k", "strategy": "s", "orders": [{"symbol": "X", "exchange": "NFO", "action": "BUY"}]},
            {"orders": {0: {"quantity": ["Missing data for required field."]}}},
        ),
        (schemas.SplitOrder, {**ORDER, "splitsize": 0}, {"splitsize": ["Split size must be a positive integer."]}),
        (
            schemas.Margin,
            {"apikey": "k", "positions": [{**MARGIN_ROW, "quantity": 65}]},
            {"positions": {0: {"quantity": ["Not a valid string."]}}},
        ),
        (
            schemas.Margin,
            {"apikey": "k", "positions": [MARGIN_ROW] * 51},
            {"positions": ["Positions must contain 1 to 50 items."]},
        ),
        (schemas.PlaceGtt, {**GTT, "trigger_type": "BOTH"}, {"trigger_type": ["Must be 'SINGLE' or 'OCO'."]}),
        (
            schemas.PlaceGtt,
            {**OCO, "triggerprice_sl": 120},
            {"triggerprice_sl": ["Stoploss trigger must be less than target trigger (triggerprice_tg)."]},
        ),
        (
            schemas.PlaceGtt,
            {**OCO, "target": ""},
            {"target": ["Required for OCO (triggerprice_sl, stoploss, triggerprice_tg, target)."]},
        ),
        (schemas_market.MultiQuotes, {"apikey": "k", "symbols": []}, {"symbols": ["Shorter than minimum length 1."]}),
        (schemas_market.History, {**HISTORY, "end_date": "x"}, {"end_date": ["Not a valid date."]}),
        (
            schemas_market.OptionChain,
            {"apikey": "k", "underlying": "NIFTY", "exchange": "NFO", "expiry_date": "01DEC26", "strike_count": 0},
            {"strike_count": ["Must be greater than or equal to 1 and less than or equal to 100."]},
        ),
        (
            schemas_market.OptionsMultiOrder,
            {"apikey": "k", "strategy": "s", "underlying": "NIFTY", "exchange": "NFO", "legs": [LEG] * 21},
            {"legs": ["Legs must contain 1 to 20 items."]},
        ),
    ],
)
def test_refuses(schema: type[Schema], body: dict[str, Any], messages: Any) -> None:
    assert refusal(schema, body) == messages


def test_defaults_and_coercion() -> None:
    loaded = schemas.PlaceOrder().load({**ORDER, "quantity": "65", "price": "812.5"})

    assert (loaded["pricetype"], loaded["product"], loaded["trigger_price"]) == ("MARKET", "MIS", 0.0)
    assert (loaded["quantity"], loaded["price"]) == (65.0, 812.5)


def test_crypto_may_be_fractional() -> None:
    assert schemas.PlaceOrder().load({**ORDER, "exchange": "CRYPTO", "quantity": 0.5})["quantity"] == 0.5


def test_gtt_drops_what_it_does_not_know_and_keeps_one_trigger() -> None:
    loaded = schemas.PlaceGtt().load({**GTT, "foo": 1, "triggerprice_tg": 120, "target": ""})

    assert "foo" not in loaded
    assert (loaded["triggerprice_sl"], loaded["triggerprice_tg"]) == (90.0, 0.0)


@given(st.integers(0, 60), st.sampled_from(["ATM", "ITM", "OTM", "XTM"]))
def test_offsets_reach_fifty(steps: int, word: str) -> None:
    offset = word if word == "ATM" else f"{word}{steps}"
    body = {"apikey": "k", "underlying": "NIFTY", "exchange": "NFO", "offset": offset, "option_type": "CE"}
    allowed = word == "ATM" or (word in {"ITM", "OTM"} and 1 <= steps <= 50)

    if allowed:
        assert schemas_market.OptionSymbol().load(body)["offset"] == offset
    else:
        assert refusal(schemas_market.OptionSymbol, body) == {
            "offset": ["Offset must be ATM, ITM1-ITM50, or OTM1-OTM50"]
        }


@pytest.mark.parametrize(
    ("shape", "analyze", "body"),
    [
        (ErrorShape.REPR, True, {"message": "{'a': ['no']}", "status": "error"}),
        (ErrorShape.REPR_WITH_MODE, False, {"message": "{'a': ['no']}", "status": "error"}),
        (ErrorShape.REPR_WITH_MODE, True, {"message": "{'a': ['no']}", "status": "error", "mode": "analyze"}),
        (ErrorShape.OBJECT, True, {"message": {"a": ["no"]}, "status": "error"}),
        (ErrorShape.ERRORS, True, {"message": "Validation error", "errors": {"a": ["no"]}, "status": "error"}),
        (ErrorShape.ERRORS_FAILED, True, {"message": "Validation failed", "errors": {"a": ["no"]}, "status": "error"}),
    ],
)
def test_three_shapes_of_refusal(shape: ErrorShape, analyze: bool, body: dict[str, Any]) -> None:
    reply = invalid(shape, {"a": ["no"]}, analyze=analyze)

    assert (reply.status, reply.body) == (400, body)
