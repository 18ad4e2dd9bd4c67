"""Orders by offset from the money: one option or several legs. Each call resolves strikes at its own moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulator import schemas_market as schemas
from simulator.contracts import Contract
from simulator.option_ladder import no_underlying_price, option_at, resolve
from simulator.orders import Queued, Refused
from simulator.rest_call import Call, Endpoint
from simulator.rest_limits import ORDERS
from simulator.rest_options import no_spot
from simulator.rest_orders import order_reply, orderid_of, place_children, request_of
from simulator.rest_replies import ErrorShape, RefusedError, Reply


def _row(leg: dict[str, Any], contract: Contract) -> dict[str, Any]:
    return {**leg, "symbol": contract.symbol, "exchange": contract.exchange}


async def optionsorder(call: Call) -> Reply:
    body = call.body
    ladder = resolve(call, body["underlying"], body["exchange"], body["expiry_date"])
    contract = option_at(ladder, body["offset"], body["option_type"].upper())
    about = {
        "exchange": contract.exchange,
        "offset": body["offset"],
        "option_type": body["option_type"].upper(),
        "symbol": contract.symbol,
        "underlying": ladder.base,
        "underlying_ltp": ladder.spot,
    }
    if body["splitsize"]:
        results = await place_children(call, _row(body, contract), body["splitsize"])
        if isinstance(results, Reply):
            return results
        return call.success(
            **about, results=results, split_size=body["splitsize"], total_quantity=int(body["quantity"])
        )
    reply = call.place(request_of(_row(body, contract), body["strategy"]))
    if isinstance(reply, Queued | Refused):
        return order_reply(call, reply)
    return call.success(**about, orderid=orderid_of(reply))


async def optionsmultiorder(call: Call) -> Reply:
    """Buys are sent first and one failing stops nothing; the whole is a success, rows in the order of the legs."""
    body = call.body
    ladder = resolve(call, body["underlying"], body["exchange"], body["expiry_date"] or _first_expiry(body))
    numbered = list(enumerate(body["legs"], 1))
    buys = [pair for pair in numbered if pair[1]["action"].upper() == "BUY"]
    sells = [pair for pair in numbered if pair[1]["action"].upper() == "SELL"]
    results: dict[int, dict[str, Any]] = {}
    for number, leg in buys + sells:
        placed = await _leg(call, number, leg)
        if isinstance(placed, Reply):
            return placed
        results[number] = placed
    rows = [results[number] for number in sorted(results)]
    return call.success(results=rows, underlying=ladder.base, underlying_ltp=ladder.spot)


def _first_expiry(body: dict[str, Any]) -> str | None:
    return next((leg["expiry_date"] for leg in body["legs"] if leg["expiry_date"]), None)


async def _leg(call: Call, number: int, leg: dict[str, Any]) -> dict[str, Any] | Reply:
    body = call.body
    about = {
        "action": leg["action"].upper(),
        "leg": number,
        "offset": leg["offset"],
        "option_type": leg["option_type"].upper(),
    }
    try:
        ladder = resolve(call, body["underlying"], body["exchange"], leg["expiry_date"] or body["expiry_date"])
        contract = option_at(ladder, leg["offset"], leg["option_type"].upper())
    except RefusedError as refusal:
        return {**about, "message": refusal.reply.body["message"], "status": "error"}
    about |= {"exchange": contract.exchange, "symbol": contract.symbol}
    placed = {"mode": "analyze" if call.analyze else "live", "product": leg["product"], "status": "success"}
    if leg["splitsize"]:
        children = await place_children(call, _row(leg, contract), leg["splitsize"])
        if isinstance(children, Reply):
            return children
        sizes = {"total_quantity": leg["quantity"], "split_size": leg["splitsize"], "split_results": children}
        return {**about, **placed, **sizes}
    reply = call.place(request_of(_row(leg, contract), body["strategy"]))
    if isinstance(reply, Queued):
        return order_reply(call, reply)
    if isinstance(reply, Refused):
        return {**about, "message": reply.text, "status": "error"}
    return {**about, **placed, "orderid": orderid_of(reply)}


def endpoints() -> Iterable[Endpoint]:
    def by_offset(name: str, schema: Any, answer: Any) -> Endpoint:
        return Endpoint(
            name, schema, answer, ErrorShape.ERRORS, ORDERS, refuse_key=no_underlying_price, trouble=no_spot
        )

    yield by_offset("optionsorder", schemas.OptionsOrder, optionsorder)
    yield by_offset("optionsmultiorder", schemas.OptionsMultiOrder, optionsmultiorder)
