"""Option reads: chain, symbol by offset, synthetic future, greeks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from simulator import schemas_market as schemas
from simulator.calendar import ist
from simulator.contracts import Contract
from simulator.option_ladder import CUT_OFF, Ladder, Strike, no_underlying_price, option_at, parse_option, resolve
from simulator.quotes import ContractKey, Quote
from simulator.rest_call import BrokerTrouble, Call, Endpoint, direct
from simulator.rest_limits import GREEKS
from simulator.rest_replies import INVALID_KEY, ErrorShape, Reply, failure, success

SECONDS_A_DAY = 86_400


def _label(distance: int, side: str) -> str:
    """By place in the ladder: below the money a call is in, a put is out."""
    if distance == 0:
        return "ATM"
    inside = (distance < 0) == (side == "CE")
    return f"{'ITM' if inside else 'OTM'}{abs(distance)}"


def _around(ladder: Ladder, count: int | None) -> range:
    if count is None:
        return range(len(ladder.strikes))
    return range(max(0, ladder.atm - count), min(len(ladder.strikes), ladder.atm + count + 1))


def _side(call: Call, contract: Contract | None, quote: Quote | None, label: str, greeks: bool) -> Any:
    if contract is None or quote is None:
        return None
    told = call.venue.contract(contract.symbol, contract.exchange) or contract
    zero = call.venue.faults.standing("chain_zero_quotes", call.account.number) is not None
    figures = {
        "ltp": quote.ltp,
        "bid": quote.bid,
        "ask": quote.ask,
        "bid_qty": 0,
        "ask_qty": 0,
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "prev_close": quote.prev_close,
        "volume": quote.volume,
        "oi": quote.oi,
    }
    row: dict[str, Any] = {"symbol": contract.symbol, "label": label}
    row |= dict.fromkeys(figures, 0) if zero else figures
    row |= {"lotsize": told.lot_units, "tick_size": told.tick_size}
    return row | (_chain_greeks(call, contract) if greeks else {})


def _chain_greeks(call: Call, contract: Contract) -> dict[str, float]:
    found = call.venue.market.greeks(contract)
    return {
        "implied_volatility": round(found.implied_volatility, 2),
        "delta": round(found.delta, 4),
        "gamma": round(found.gamma, 6),
        "theta": round(found.theta, 4),
        "vega": round(found.vega, 4),
    }


def _sides(strikes: Iterable[Strike]) -> list[Contract]:
    return [contract for strike in strikes for contract in (strike.ce, strike.pe) if contract is not None]


def optionchain(call: Call) -> Reply:
    body = call.body
    ladder = resolve(call, body["underlying"], body["exchange"], body["expiry_date"])
    places = _around(ladder, body["strike_count"])
    prices = call.venue.market.quotes(_sides(ladder.strikes[n] for n in places))
    underlying = call.venue.market.quote(ladder.underlying)
    greeks = body["with_greeks"]

    def side(strike: Strike, kind: str, distance: int) -> Any:
        contract = strike.ce if kind == "CE" else strike.pe
        quote = prices.get(contract.key) if contract is not None else None
        return _side(call, contract, quote, _label(distance, kind), greeks)

    rows = [
        {
            "strike": ladder.strikes[n].price,
            "ce": side(ladder.strikes[n], "CE", n - ladder.atm),
            "pe": side(ladder.strikes[n], "PE", n - ladder.atm),
        }
        for n in places
    ]
    reply = {
        "status": "success",
        "underlying": ladder.base,
        "underlying_symbol": ladder.underlying.symbol,
        "underlying_exchange": ladder.underlying.exchange,
        "underlying_ltp": ladder.spot,
        "underlying_prev_close": underlying.prev_close,
        "expiry_date": ladder.expiry_text,
        "expiry_ts": call.venue.clock.epoch(ladder.expires_at),
        "server_ts": call.venue.clock.epoch(call.venue.clock.now) + _skew(call),
        "atm_strike": ladder.strikes[ladder.atm].price,
        "quotes_included": True,
        "greeks_included": greeks,
        "forward_price": _synthetic(call, ladder, prices) if greeks else None,
        "chain": rows,
    }
    return Reply(reply)


def _skew(call: Call) -> int:
    fault = call.venue.faults.standing("clock_skew", call.account.number)
    return 0 if fault is None else int(fault.parameters["seconds"])


def _synthetic(call: Call, ladder: Ladder, prices: dict[ContractKey, Quote] | None = None) -> float:
    """Strike at the money plus call minus put."""
    strike = ladder.strikes[ladder.atm]
    prices = prices or call.venue.market.quotes(_sides([strike]))
    ce, pe = (prices[side.key].ltp if side else 0.0 for side in (strike.ce, strike.pe))
    return round(strike.price + ce - pe, 2)


def optionsymbol(call: Call) -> Reply:
    body = call.body
    ladder = resolve(call, body["underlying"], body["exchange"], body["expiry_date"])
    contract = option_at(ladder, body["offset"], body["option_type"].upper())
    told = call.venue.contract(contract.symbol, contract.exchange) or contract
    reply = {
        "status": "success",
        "symbol": told.symbol,
        "exchange": told.exchange,
        "lotsize": told.lot_units,
        "tick_size": told.tick_size,
        "freeze_qty": told.freeze_units,
        "underlying_ltp": ladder.spot,
    }
    return Reply(reply)


def syntheticfuture(call: Call) -> Reply:
    body = call.body
    ladder = resolve(call, body["underlying"], body["exchange"], body["expiry_date"])
    return success(
        atm_strike=ladder.strikes[ladder.atm].price,
        expiry=ladder.expiry_text,
        synthetic_future_price=_synthetic(call, ladder),
        underlying=ladder.base,
        underlying_ltp=ladder.spot,
    )


def _greeks_of(call: Call, row: dict[str, Any], terms: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The answer for one option, or None and why not."""
    parts = parse_option(row["symbol"])
    if parts is None:
        text = f"Failed to parse option symbol {row['symbol']}: Invalid option symbol format: {row['symbol']}"
        return None, text
    contract = call.venue.contract(row["symbol"], row["exchange"])
    if contract is None or contract.expiry is None:
        return None, "Option LTP not available"
    market = call.venue.market
    greeks = market.greeks(contract)
    forward = row.get("forward_price") or market.forward(contract.underlying, contract.expiry)
    reply = {
        "days_to_expiry": round(seconds_to(call, contract.expiry) / SECONDS_A_DAY, 4),
        "exchange": contract.exchange,
        "expiry_date": contract.expiry.strftime("%d-%b-%Y"),
        "greeks": {
            "delta": round(greeks.delta, 4),
            "gamma": round(greeks.gamma, 6),
            "theta": round(greeks.theta, 4),
            "vega": round(greeks.vega, 4),
            "rho": round(greeks.rho, 6),
        },
        "implied_volatility": round(greeks.implied_volatility, 2),
        "interest_rate": terms["interest_rate"] or 0,
        "option_price": market.quote(contract).ltp,
        "option_type": contract.kind,
        "spot_price": round(forward, 2),
        "status": "success",
        "strike": contract.strike,
        "symbol": contract.symbol,
        "underlying": contract.underlying,
    }
    return reply, ""


def seconds_to(call: Call, expiry: date) -> float:
    """Seconds to the expiry's cut-off, 0 once it has passed."""
    return max(0.0, (ist(expiry, CUT_OFF) - call.venue.clock.now).total_seconds())


def optiongreeks(call: Call) -> Reply:
    found, why = _greeks_of(call, call.body, call.body)
    if found is not None:
        return Reply(found)
    if why.startswith("Failed to parse"):
        return failure(f"Failed to get option Greeks: {why}", 500)
    return failure(why, 404)


def multioptiongreeks(call: Call) -> Reply:
    """Always 200; `status` says success, partial or error."""
    answers = [(row, *_greeks_of(call, row, call.body)) for row in call.body["symbols"]]
    rows = [
        found or {"exchange": row["exchange"], "message": why, "status": "error", "symbol": row["symbol"]}
        for row, found, why in answers
    ]
    failures = [why for _, found, why in answers if found is None]
    worked = len(rows) - len(failures)
    reply: dict[str, Any] = {
        "data": rows,
        "status": "success" if not failures else "partial" if worked else "error",
        "summary": {"failed": len(failures), "success": worked, "total": len(rows)},
    }
    if failures:
        reply["message"] = f"{len(failures)} option Greeks calculation(s) failed: {'; '.join(failures)}"
    return Reply(reply)


def no_greeks_without_key(_: dict[str, Any]) -> Reply:
    return failure(INVALID_KEY, 401)


def no_spot(body: dict[str, Any], trouble: BrokerTrouble) -> Reply:
    text = f"Failed to fetch LTP for {body['underlying']}: Error fetching quotes: API Error: {trouble.text}"
    return failure(text, 500)


def endpoints() -> Iterable[Endpoint]:
    def ladder(name: str, schema: Any, answer: Any, *, sort_keys: bool = False) -> Endpoint:
        return Endpoint(
            name,
            schema,
            answer,
            ErrorShape.ERRORS,
            refuse_key=no_underlying_price,
            trouble=no_spot,
            sort_keys=sort_keys,
        )

    yield ladder("optionchain", schemas.OptionChain, optionchain)
    yield ladder("optionsymbol", schemas.OptionSymbol, optionsymbol)
    yield ladder("syntheticfuture", schemas.SyntheticFuture, syntheticfuture, sort_keys=True)
    shape = ErrorShape.ERRORS_FAILED
    yield Endpoint(
        "optiongreeks",
        schemas.OptionGreeks,
        optiongreeks,
        shape,
        GREEKS,
        refuse_key=no_greeks_without_key,
        trouble=direct,
    )
    yield Endpoint(
        "multioptiongreeks",
        schemas.MultiOptionGreeks,
        multioptiongreeks,
        shape,
        refuse_key=no_greeks_without_key,
        trouble=direct,
    )
