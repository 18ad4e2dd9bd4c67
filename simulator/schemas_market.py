"""What OpenAlgo accepts in the body of a request for prices, contracts, calendars and options."""

from __future__ import annotations

import re

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from simulator.schemas import (
    ACTIONS,
    EXCHANGES,
    PRICE_TYPES,
    Keyed,
    Strategic,
    disclosed,
    length_between,
    one_of,
    rupees,
    text,
    whole,
)

DERIVATIVE_EXCHANGES = ("NFO", "BFO", "MCX", "CDS", "NCO", "BCD", "NCDEX", "CRYPTO")
INTERVALS = (
    *("1s", "5s", "10s", "15s", "30s", "45s"),
    *("1m", "2m", "3m", "5m", "10m", "15m", "20m", "30m"),
    *("1h", "2h", "3h", "4h", "D", "W", "M", "Q", "Y"),
)
_OFFSET = re.compile(r"^(ATM|(ITM|OTM)([1-9]|[1-4]\d|50))$")


def _check_offset(value: str) -> None:
    if not _OFFSET.match(value.upper()):
        raise ValidationError("Offset must be ATM, ITM1-ITM50, or OTM1-OTM50")


class SymbolAt(Keyed):
    symbol = text()
    exchange = one_of(EXCHANGES)


class Instrument(Schema):
    symbol = text()
    exchange = one_of(EXCHANGES)


class MultiQuotes(Keyed):
    symbols = fields.List(fields.Nested(Instrument), required=True, validate=validate.Length(min=1))


class History(SymbolAt):
    interval = one_of(INTERVALS)
    start_date = fields.Date(required=True, format="%Y-%m-%d")
    end_date = fields.Date(required=True, format="%Y-%m-%d")
    source = one_of(("api", "db"), default="api")


class Search(Keyed):
    query = text()
    exchange = fields.String(load_default=None, allow_none=True)


class Expiry(Keyed):
    symbol = text()
    exchange = one_of(DERIVATIVE_EXCHANGES)
    instrumenttype = one_of(("futures", "options"))


class Instruments(Keyed):
    """The endpoint passes an absent `exchange` on as null, so it is refused although documented as optional."""

    exchange = one_of(EXCHANGES)
    format = one_of(("json", "csv"), default="json")


class Holidays(Keyed):
    year = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=2020, max=2050))


class Timings(Keyed):
    date = text()


class Chart(Keyed):
    class Meta:
        unknown = INCLUDE


class OptionChain(Keyed):
    underlying = text()
    exchange = one_of(EXCHANGES)
    expiry_date = text()
    strike_count = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=100))
    with_greeks = fields.Boolean(load_default=False)
    interest_rate = fields.Float(load_default=None, allow_none=True, validate=validate.Range(min=0, max=100))


class SyntheticFuture(Keyed):
    underlying = text()
    exchange = one_of(EXCHANGES)
    expiry_date = text()


_OPTION_TYPES = ("CE", "PE", "ce", "pe")


class OptionSymbol(Keyed):
    strategy = fields.String(load_default=None, allow_none=True)
    underlying = text()
    exchange = one_of(EXCHANGES)
    expiry_date = fields.String(load_default=None, allow_none=True)
    strike_int = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))
    offset = fields.String(required=True, validate=_check_offset)
    option_type = one_of(_OPTION_TYPES)


class _OptionPricing(Schema):
    pricetype = one_of(PRICE_TYPES, default="MARKET")
    product = one_of(("MIS", "NRML"), default="MIS")
    price = rupees()
    trigger_price = rupees("Trigger price")
    disclosed_quantity = disclosed()
    splitsize = fields.Integer(
        load_default=0, validate=validate.Range(min=0, error="Split size must be a non-negative integer.")
    )


class OptionsOrder(Strategic, _OptionPricing):
    """`offset` is not checked here: a wrong one is refused later, as out of range."""

    underlying = text()
    exchange = one_of(EXCHANGES)
    expiry_date = fields.String(load_default=None, allow_none=True)
    strike_int = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))
    offset = text()
    option_type = one_of(_OPTION_TYPES)
    action = one_of(ACTIONS)
    quantity = whole()


class OptionsLeg(_OptionPricing):
    offset = text()
    option_type = one_of(_OPTION_TYPES)
    action = one_of(ACTIONS)
    quantity = whole()
    expiry_date = fields.String(load_default=None, allow_none=True)


class OptionsMultiOrder(Strategic):
    underlying = text()
    exchange = one_of(EXCHANGES)
    expiry_date = fields.String(load_default=None, allow_none=True)
    strike_int = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))
    legs = fields.List(
        fields.Nested(OptionsLeg), required=True, validate=length_between(1, 20, "Legs must contain 1 to 20 items.")
    )


class _GreekTerms(Schema):
    interest_rate = fields.Float(load_default=None, allow_none=True, validate=validate.Range(min=0, max=100))
    expiry_time = fields.String(load_default=None, allow_none=True)


class OptionGreeks(Keyed, _GreekTerms):
    symbol = text()
    exchange = one_of(DERIVATIVE_EXCHANGES)
    forward_price = fields.Float(load_default=None, allow_none=True, validate=validate.Range(min=0))
    underlying_symbol = fields.String(load_default=None, allow_none=True)
    underlying_exchange = fields.String(load_default=None, allow_none=True)


class GreekRow(Schema):
    symbol = text()
    exchange = one_of(DERIVATIVE_EXCHANGES)
    underlying_symbol = fields.String(load_default=None, allow_none=True)
    underlying_exchange = fields.String(load_default=None, allow_none=True)


class MultiOptionGreeks(Keyed, _GreekTerms):
    symbols = fields.List(fields.Nested(GreekRow), required=True, validate=length_between(1, 50))


class Ticker(Keyed):
    """Exchange and symbol come from the path, the rest from the query string."""

    exchange = one_of(EXCHANGES)
    symbol = text()
    interval = one_of(INTERVALS, default="D")
    format = one_of(("json", "txt"), default="json")

    class Meta:
        include = {  # noqa: RUF012 - marshmallow reads it so; `from` is no Python name
            "from": fields.Date(required=True, format="%Y-%m-%d"),
            "to": fields.Date(required=True, format="%Y-%m-%d"),
        }
