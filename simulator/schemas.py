"""What OpenAlgo accepts in the body of an order request, with the words it uses to refuse the rest.

Every class here is a marshmallow schema. `load` raises `marshmallow.ValidationError`; the three ways its
messages reach the client are in `rest_errors`. Field names and texts are the wire's, not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

EXCHANGES = (
    "NSE",
    "NFO",
    "CDS",
    "BSE",
    "BFO",
    "BCD",
    "MCX",
    "NCDEX",
    "NCO",
    "NSE_INDEX",
    "BSE_INDEX",
    "MCX_INDEX",
    "GLOBAL_INDEX",
    "CRYPTO",
)
ACTIONS = ("BUY", "SELL", "buy", "sell")
PRICE_TYPES = ("MARKET", "LIMIT", "SL", "SL-M")
PRODUCTS = ("MIS", "NRML", "CNC")


def text(*, required: bool = True, **more: Any) -> fields.String:
    return fields.String(required=required, **more)


def one_of(choices: tuple[str, ...], *, default: str | None = None) -> fields.String:
    """A required enum, or an optional one when `default` is given. Case matters."""
    check = validate.OneOf(choices, error=f"Must be one of: {', '.join(choices)}.")
    if default is None:
        return fields.String(required=True, validate=check)
    return fields.String(load_default=default, validate=check)


def rupees(name: str = "Price", *, required: bool = False) -> fields.Float:
    check = validate.Range(min=0, error=f"{name} must be a non-negative number.")
    if required:
        return fields.Float(required=True, validate=check)
    return fields.Float(load_default=0.0, validate=check)


def positive(unit: str = "number") -> fields.Float:
    return fields.Float(
        required=True,
        validate=validate.Range(min=0, min_inclusive=False, error=f"Quantity must be a positive {unit}."),
    )


def whole(name: str = "Quantity", *, minimum: int = 1) -> fields.Integer:
    return fields.Integer(
        required=True, validate=validate.Range(min=minimum, error=f"{name} must be a positive integer.")
    )


def disclosed(*, required: bool = False) -> fields.Integer:
    check = validate.Range(min=0, error="Disclosed quantity must be a non-negative integer.")
    if required:
        return fields.Integer(required=True, validate=check)
    return fields.Integer(load_default=0, validate=check)


def length_between(low: int, high: int, error: str | None = None) -> validate.Length:
    return validate.Length(min=low, max=high, error=error)


class Keyed(Schema):
    """Every body carries the key; an unknown field is refused."""

    apikey = fields.String(required=True, validate=length_between(1, 256))


class Strategic(Keyed):
    strategy = text()


class _WholeOutsideCrypto(Schema):
    """Only crypto is traded in fractions."""

    @validates_schema
    def refuse_fractions(self, data: Mapping[str, Any], **_: Any) -> None:
        quantity = data.get("quantity")
        if quantity is not None and data.get("exchange") != "CRYPTO" and quantity != int(quantity):
            raise ValidationError(
                f"Fractional quantity ({quantity:g}) is not allowed for non-crypto exchanges.", field_name="quantity"
            )


class PlaceOrder(Strategic, _WholeOutsideCrypto):
    exchange = one_of(EXCHANGES)
    symbol = text()
    action = one_of(ACTIONS)
    quantity = positive()
    pricetype = one_of(PRICE_TYPES, default="MARKET")
    product = one_of(PRODUCTS, default="MIS")
    price = rupees()
    trigger_price = rupees("Trigger price")
    disclosed_quantity = disclosed()
    underlying_ltp = fields.Float(load_default=None, allow_none=True)


class SmartOrder(PlaceOrder):
    quantity = fields.Float(
        required=True, validate=validate.Range(min=0, error="Quantity must be a non-negative number.")
    )
    position_size = fields.Float(required=True)


class ModifyOrder(Strategic, _WholeOutsideCrypto):
    exchange = one_of(EXCHANGES)
    symbol = text()
    orderid = text()
    action = one_of(ACTIONS)
    product = one_of(PRODUCTS)
    pricetype = one_of(PRICE_TYPES)
    price = rupees(required=True)
    quantity = positive()
    disclosed_quantity = disclosed(required=True)
    trigger_price = rupees("Trigger price", required=True)


class OrderId(Strategic):
    orderid = text()


class BasketRow(_WholeOutsideCrypto):
    exchange = one_of(EXCHANGES)
    symbol = text()
    action = one_of(ACTIONS)
    quantity = positive()
    pricetype = one_of(PRICE_TYPES, default="MARKET")
    product = one_of(PRODUCTS, default="MIS")
    price = rupees()
    trigger_price = rupees("Trigger price")
    disclosed_quantity = disclosed()


class Basket(Strategic):
    orders = fields.List(fields.Nested(BasketRow), required=True)


class SplitOrder(PlaceOrder):
    splitsize = whole("Split size")


class OpenPosition(Strategic):
    symbol = text()
    exchange = text()
    product = one_of(PRODUCTS)


class MarginRow(Schema):
    symbol = text(validate=length_between(1, 50))
    exchange = one_of(EXCHANGES)
    action = one_of(ACTIONS)
    quantity = text()
    product = one_of(PRODUCTS)
    pricetype = one_of(PRICE_TYPES, default="MARKET")
    price = fields.String(load_default="0")
    trigger_price = fields.String(load_default="0")


class Margin(Keyed):
    positions = fields.List(
        fields.Nested(MarginRow),
        required=True,
        validate=length_between(1, 50, "Positions must contain 1 to 50 items."),
    )


class AnalyzerToggle(Keyed):
    mode = fields.Boolean(required=True)


_GTT_PRODUCT_ERROR = "GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only."
_NO_TRIGGER = "SINGLE GTT requires a positive triggerprice_sl or triggerprice_tg."


class PlaceGtt(Strategic, _WholeOutsideCrypto):
    """The one family of bodies whose unknown fields are dropped instead of refused."""

    class Meta:
        unknown = EXCLUDE

    trigger_type = fields.String(required=True)
    exchange = one_of(EXCHANGES)
    symbol = text()
    action = one_of(ACTIONS)
    product = fields.String(required=True, validate=validate.OneOf(("CNC", "NRML"), error=_GTT_PRODUCT_ERROR))
    quantity = positive()
    pricetype = one_of(("LIMIT", "MARKET"), default="LIMIT")
    price = rupees(required=True)
    triggerprice_sl = fields.Float(load_default=0.0, allow_none=True)
    triggerprice_tg = fields.Float(load_default=0.0, allow_none=True)
    stoploss = fields.Float(load_default=None, allow_none=True)
    target = fields.Float(load_default=None, allow_none=True)
    expires_at = fields.String(load_default=None, allow_none=True)

    @pre_load
    def drop_blanks(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Forms send an empty string for a number they do not use."""
        optional = {"triggerprice_sl", "triggerprice_tg", "stoploss", "target"}
        return {name: value for name, value in data.items() if not (name in optional and value == "")}

    @validates_schema
    def check_triggers(self, data: Mapping[str, Any], **_: Any) -> None:
        kind = str(data.get("trigger_type", "")).upper()
        if kind not in {"SINGLE", "OCO"}:
            raise ValidationError("Must be 'SINGLE' or 'OCO'.", field_name="trigger_type")
        low, high = data.get("triggerprice_sl") or 0.0, data.get("triggerprice_tg") or 0.0
        if kind == "SINGLE":
            if low <= 0 and high <= 0:
                raise ValidationError(_NO_TRIGGER, field_name="triggerprice_sl")
            return
        names = ("triggerprice_sl", "stoploss", "triggerprice_tg", "target")
        missing = [name for name in names if not data.get(name)]
        if missing:
            raise ValidationError({name: [f"Required for OCO ({', '.join(names)})."] for name in missing})
        if low >= high:
            raise ValidationError(
                "Stoploss trigger must be less than target trigger (triggerprice_tg).", field_name="triggerprice_sl"
            )

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A SINGLE order has one trigger: when both are given, the stop-loss one stays."""
        data["trigger_type"] = data["trigger_type"].upper()
        for name in ("triggerprice_sl", "triggerprice_tg"):
            data[name] = data[name] or 0.0
        if data["trigger_type"] == "SINGLE" and data["triggerprice_sl"] > 0:
            data["triggerprice_tg"] = 0.0
        return data


class ModifyGtt(PlaceGtt):
    trigger_id = text()


class CancelGtt(Strategic):
    class Meta:
        unknown = EXCLUDE

    trigger_id = text()
