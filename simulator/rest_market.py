"""Price endpoints: quotes, depth, history, and the contract master they take their symbols from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from simulator import schemas_market as schemas
from simulator.contracts import Contract
from simulator.quotes import Bar, Quote
from simulator.rest_call import Call, Endpoint, KeyRule, reading, unknown_symbol
from simulator.rest_replies import Reply, failure, success
from simulator.schemas import Keyed

INTERVALS = {
    "days": ["D"],
    "hours": ["1h"],
    "minutes": ["1m", "3m", "5m", "10m", "15m", "30m", "60m"],
    "months": [],
    "seconds": [],
    "weeks": [],
}
MASTER_COLUMNS = (
    *("symbol", "brsymbol", "name", "exchange", "brexchange", "token"),
    *("expiry", "strike", "lotsize", "instrumenttype", "tick_size"),
)


def quote_row(quote: Quote) -> dict[str, float]:
    return {
        "ask": quote.ask,
        "bid": quote.bid,
        "high": quote.high,
        "low": quote.low,
        "ltp": quote.ltp,
        "oi": quote.oi,
        "open": quote.open,
        "prev_close": quote.prev_close,
        "volume": quote.volume,
    }


def _wanted(call: Call) -> Contract:
    return call.contract(call.body["symbol"], call.body["exchange"])


def quotes(call: Call) -> Reply:
    return success(data=quote_row(call.venue.market.quote(_wanted(call))))


def multiquotes(call: Call) -> Reply:
    """Unknown symbols come first, each with its error; only when all are unknown the whole is an error."""
    asked = dict.fromkeys((row["symbol"], row["exchange"]) for row in call.body["symbols"])
    found = {key: call.venue.contract(*key) for key in asked}
    unknown = [
        {"error": unknown_symbol(*key), "exchange": key[1], "symbol": key[0]}
        for key, contract in found.items()
        if contract is None
    ]
    contracts = [contract for contract in found.values() if contract is not None]
    if not contracts:
        return failure(unknown[0]["error"], invalid_symbols=unknown)
    prices = call.venue.market.quotes(contracts)
    rows = [{"data": quote_row(prices[c.key]), "exchange": c.exchange, "symbol": c.symbol} for c in contracts]
    return success(results=[*unknown, *rows])


def depth(call: Call) -> Reply:
    contract = _wanted(call)
    quote, book = call.venue.market.quote(contract), call.venue.market.depth(contract)
    data: dict[str, Any] = quote_row(quote)
    del data["ask"], data["bid"]
    data |= {
        "asks": [{"price": level.price, "quantity": level.units} for level in book.asks],
        "bids": [{"price": level.price, "quantity": level.units} for level in book.bids],
        "ltq": quote.ltq,
        "totalbuyqty": book.total_buy_units,
        "totalsellqty": book.total_sell_units,
    }
    return success(data=data)


def no_depth_without_key(_: dict[str, Any]) -> Reply:
    """The one endpoint that calls a bad key a missing plug-in."""
    return failure("Broker-specific module not found", 404)


def bar_row(bar: Bar) -> dict[str, float]:
    return {
        "close": bar.close,
        "high": bar.high,
        "low": bar.low,
        "oi": bar.oi,
        "open": bar.open,
        "timestamp": bar.timestamp,
        "volume": bar.volume,
    }


def _bars(call: Call, contract: Contract, interval: str, start: date, end: date) -> list[Bar] | Reply:
    try:
        return call.venue.market.history(contract, interval, start, end)
    except ValueError:
        return failure(f"Error fetching historical data: Unsupported timeframe: {interval}", 500)


def history(call: Call) -> Reply:
    body = call.body
    if body["source"] == "db":
        return failure(
            f"No data found for {body['symbol']}:{body['exchange']} interval {body['interval']} in local database. "
            "Download data first using Historify.",
            404,
        )
    bars = _bars(call, _wanted(call), body["interval"], body["start_date"], body["end_date"])
    return bars if isinstance(bars, Reply) else success(data=[bar_row(bar) for bar in bars])


def ticker(call: Call) -> Reply:
    """History under another address: `EXCHANGE:SYMBOL` in the path, JSON or plain text."""
    body = call.body
    contract = call.contract(body["symbol"], body["exchange"])
    bars = _bars(call, contract, body["interval"], body["from"], body["to"])
    if isinstance(bars, Reply):
        return bars
    if body["format"] == "json":
        return success(data=[bar_row(bar) for bar in bars])
    lines = (
        f"{body['exchange']}:{body['symbol']},{datetime.fromtimestamp(bar.timestamp, UTC):%Y-%m-%d},"
        f"{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in bars
    )
    return Reply("\n".join(lines), content_type="text/plain")


def intervals(_: Call) -> Reply:
    return success(data=INTERVALS)


def symbol(call: Call) -> Reply:
    found = call.venue.contract(call.body["symbol"], call.body["exchange"])
    if found is None:
        return failure(f"Symbol {call.body['symbol']} not found in exchange {call.body['exchange']}", 404)
    return success(data=found.master_row())


def search(call: Call) -> Reply:
    query = call.body["query"].strip()
    if not query:
        return failure("Query parameter is required and cannot be empty")
    hits = call.venue.contracts.search(query, call.body["exchange"] or None)
    rows = [_without(row, "id") for row in _told(call, hits)]
    message = f"Found {len(rows)} matching symbols" if rows else "No matching symbols found"
    return success(data=rows, message=message)


def _told(call: Call, contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """Master rows as the gateway tells them now, faults applied."""
    told = (call.venue.contract(contract.symbol, contract.exchange) for contract in contracts)
    return [contract.master_row() for contract in told if contract is not None]


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def expiry(call: Call) -> Reply:
    body = call.body
    kind, name, exchange = body["instrumenttype"], body["symbol"], body["exchange"]
    days = call.venue.contracts.expiries(name, exchange, options=kind == "options")
    if not days:
        return success(data=[], message=f"No expiry dates found for {name} {kind} in {exchange}")
    message = f"Found {len(days)} expiry dates for {name} {kind} in {exchange}"
    return success(data=[day.strftime("%d-%b-%y").upper() for day in days], message=message)


def instruments(call: Call) -> Reply:
    exchange = call.body["exchange"]
    rows = [_without(row, "id", "freeze_qty") for row in _told(call, call.venue.contracts.all(exchange))]
    if call.body["format"] == "csv":
        return _instruments_csv(exchange, rows)
    message = f"Found {len(rows)} instruments" if rows else "No instruments found"
    return success(data=rows, message=message)


def _instruments_csv(exchange: str, rows: list[dict[str, Any]]) -> Reply:
    text = io.StringIO()
    writer = csv.DictWriter(text, MASTER_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    disposition = f"attachment; filename=instruments_{exchange}.csv"
    return Reply(text.getvalue(), content_type="text/csv", headers={"Content-Disposition": disposition})


TICKER_PATH = re.compile(r"ticker/(?P<exchange>[^:/]+):(?P<symbol>[^/]+)$")


def endpoints() -> Iterable[Endpoint]:
    def priced(name: str, schema: Any, answer: Any, what: str = "quotes") -> Endpoint:
        return Endpoint(name, schema, answer, trouble=reading(what))

    yield priced("quotes", schemas.SymbolAt, quotes)
    yield priced("multiquotes", schemas.MultiQuotes, multiquotes, "multiquotes")
    yield Endpoint("depth", schemas.SymbolAt, depth, trouble=reading("market depth"), refuse_key=no_depth_without_key)
    yield priced("history", schemas.History, history, "historical data")
    yield Endpoint("ticker", schemas.Ticker, ticker, method="GET", trouble=reading("historical data"))
    yield Endpoint("intervals", Keyed, intervals)
    yield Endpoint("symbol", schemas.SymbolAt, symbol)
    yield Endpoint("search", schemas.Search, search, key=KeyRule.KNOWN)
    yield Endpoint("expiry", schemas.Expiry, expiry, key=KeyRule.KNOWN)
    yield Endpoint("instruments", schemas.Instruments, instruments, key=KeyRule.KNOWN, method="GET")
