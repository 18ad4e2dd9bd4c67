"""One account's OpenAlgo gateway over REST: reads that raise, sends that return an outcome whatever happens."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from app.adapters.openalgo import answers, instruments, parse, parse_history, parse_interest, parse_market
from app.adapters.openalgo.connection import PATIENCE, GatewayConnection, Pace, Reply, Route, Sizes
from app.adapters.openalgo.failures import CallFailed
from app.adapters.openalgo.sending import Sending
from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding, Quote
from app.domain.calendar_hours import Holiday
from app.domain.contracts import Contract, ContractKey
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Answer, Outcome
from app.domain.plan import Mode
from app.ports.clock import Clock
from app.ports.gateway import (
    GatewayAddress,
    GatewayError,
    GatewayRefused,
    LoggedOut,
    LotOf,
    MarginLeg,
    MinuteHistory,
    OtherMode,
    TradingHours,
    WrongKey,
    no_lot,
)

_PING = Route("ping", Pace.BOOKS)
_ANALYZER = Route("analyzer", Pace.BOOKS)
_FUNDS = Route("funds", Pace.BOOKS)
_ORDER_BOOK = Route("orderbook", Pace.BOOKS)
_TRADE_BOOK = Route("tradebook", Pace.BOOKS)
_POSITION_BOOK = Route("positionbook", Pace.BOOKS)
_HOLDINGS = Route("holdings", Pace.BOOKS)
_MARGIN = Route("margin", Pace.BOOKS)
_TIMINGS = Route("market/timings", Pace.BOOKS)
_HOLIDAYS = Route("market/holidays", Pace.BOOKS)
_SEARCH = Route("search", Pace.BOOKS)
_EXPIRY = Route("expiry", Pace.BOOKS)
_HISTORY = Route("history", Pace.HISTORY)
_QUOTES = Route("multiquotes", Pace.QUOTES)
# A whole derivatives segment is some 20 MB.
_INSTRUMENTS = Route("instruments", Pace.CONTRACTS, cap_bytes=64_000_000)


class OpenAlgoGateway:
    """The Gateway port over HTTP. Thread-safe. Makes no call before it is asked something."""

    def __init__(
        self,
        address: GatewayAddress,
        clock: Clock,
        *,
        sizes: Sizes | None = None,
        patience: Mapping[Pace, float] = PATIENCE,
    ) -> None:
        """`clock` is the machine's. Raises InvalidInput when the host URL is not one."""
        self._key = address.api_key
        self._wire = GatewayConnection(address.host_url, clock, sizes=sizes, patience=patience)
        self._sending = Sending(self._wire, address.api_key)

    def broker(self) -> str:
        return parse.broker(self._ask(_PING))

    def mode(self) -> Mode:
        return parse.mode(self._ask(_ANALYZER))

    def funds(self) -> Funds:
        return parse.funds(self._ask(_FUNDS))

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        return parse.order_book(self._book(_ORDER_BOOK, expected))

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        return parse.trade_book(self._book(_TRADE_BOOK, expected))

    def position_book(self, expected: Mode | None = None) -> list[BrokerPosition]:
        return parse.position_book(self._book(_POSITION_BOOK, expected))

    def holdings(self) -> list[Holding]:
        return parse.holdings(self._ask(_HOLDINGS))

    def quotes(self, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        wanted = [{"symbol": key.symbol, "exchange": key.exchange} for key in dict.fromkeys(keys)]
        if not wanted:
            return {}
        answer = self._answer(self._read(_QUOTES, {"symbols": wanted}))
        if answer.status == 400 and answer.body is not None and answer.body.get("invalid_symbols"):
            return {}  # none of them is known there, which the gateway calls an error
        return parse_market.quotes(self._success(answer))

    def contracts(self, exchange: str, underlyings: Sequence[str], lot_of: LotOf = no_lot) -> list[Contract]:
        query = urlencode({"apikey": self._key, "exchange": exchange, "format": "json"})
        try:
            reply = self._wire.get(_INSTRUMENTS, query)
        except CallFailed as failed:
            raise failed.error from failed
        if reply.status != 200:
            raise self._why(self._answer(reply))
        return instruments.contracts(reply.body, exchange, underlyings, lot_of)

    def freeze_limits(self, exchange: str, underlying: str) -> Units | None:
        found = self._ask(_SEARCH, {"query": f"{underlying} FUT", "exchange": exchange})
        return parse_market.freeze_limit(found, underlying)

    def basket_margin(self, legs: Sequence[MarginLeg]) -> Decimal:
        return parse_market.margin(self._ask(_MARGIN, {"positions": [_margin_leg(leg) for leg in legs]}))

    def trading_hours(self, day: date) -> list[TradingHours]:
        return parse_market.trading_hours(self._ask(_TIMINGS, {"date": day.isoformat()}), day)

    def holidays(self, year: int) -> list[Holiday]:
        return parse_market.holidays(self._ask(_HOLIDAYS, {"year": year}))

    def minute_history(self, key: ContractKey, first: date, last: date) -> MinuteHistory:
        asked = {
            "symbol": key.symbol,
            "exchange": key.exchange,
            "interval": "1m",
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
        }
        return parse_history.minutes(self._ask(_HISTORY, asked))

    def day_interest(self, key: ContractKey, first: date, last: date) -> dict[date, int]:
        asked = {
            "symbol": key.symbol,
            "exchange": key.exchange,
            "interval": "D",
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
        }
        return parse_interest.day_interest(self._ask(_HISTORY, asked))

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        return self._sending.place(request, expected=expected)

    def cancel(self, order_id: str, tag: str) -> Outcome:
        return self._sending.cancel(order_id, tag)

    def modify(self, request: ModifyRequest) -> Outcome:
        return self._sending.modify(request)

    def close(self) -> None:
        self._wire.close()

    def _book(self, route: Route, expected: Mode | None) -> Mapping[str, object]:
        body = self._ask(route)
        found = answers.mode_of_book(body)
        if expected not in {None, found}:
            raise OtherMode(found)
        return body

    def _ask(self, route: Route, fields: Mapping[str, object] | None = None) -> Mapping[str, object]:
        return self._success(self._answer(self._read(route, fields or {})))

    def _read(self, route: Route, fields: Mapping[str, object]) -> Reply:
        try:
            return self._wire.read(route, json.dumps({"apikey": self._key, **fields}).encode())
        except CallFailed as failed:
            raise failed.error from failed

    def _answer(self, reply: Reply) -> Answer:
        return Answer(reply.status, answers.decode(reply.body))

    def _success(self, answer: Answer) -> Mapping[str, object]:
        """The JSON object of an answer that says success. Raises the GatewayError that any other answer is."""
        if answer.body is None or not answers.is_success(answer):
            raise self._why(answer)
        return answer.body

    def _why(self, answer: Answer) -> GatewayError:
        if answers.is_key_refused(answer):
            return self._key_or_session()
        return answers.refusal(answer, host=self._wire.host, secret=self._key)

    def _key_or_session(self) -> GatewayError:
        """A refused key is wrong, or right with no broker behind it: expiries are told to any right key."""
        host = self._wire.host
        asked = {"symbol": "NIFTY", "exchange": "NFO", "instrumenttype": "futures"}
        try:
            answer = self._answer(self._read(_EXPIRY, asked))
        except GatewayError as error:
            return GatewayRefused(
                f"{host} refuses the key, or has no broker session; it could not be asked which: {error}"
            )
        if answers.is_success(answer):
            return LoggedOut(f"The key is right, but {host} is not logged in to its broker. Log in to OpenAlgo there.")
        if answers.is_key_refused(answer):
            return WrongKey(f"{host} does not know this API key. Copy it again from OpenAlgo's API key page.")
        return GatewayRefused(f"{host} refuses the key, or has no broker session; asked which, it did not say.")


def _margin_leg(leg: MarginLeg) -> dict[str, str]:
    """As the gateway wants it: numbers as text."""
    return {
        "symbol": leg.contract.symbol,
        "exchange": leg.contract.exchange,
        "action": leg.side.value,
        "quantity": str(leg.units),
        "product": leg.product.value,
        "pricetype": "LIMIT" if leg.price else "MARKET",
        "price": f"{leg.price:f}",
        "trigger_price": "0",
    }
