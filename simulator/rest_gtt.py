"""Good-till-triggered endpoints: place, modify, cancel, list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from simulator import schemas
from simulator.calendar import IST
from simulator.formats_books import STAMP
from simulator.rest_call import Call, Endpoint, direct
from simulator.rest_gtt_book import GttOrder, Mode
from simulator.rest_limits import ORDERS
from simulator.rest_replies import ErrorShape, Reply, failure, success
from simulator.schemas import Keyed

TOO_CLOSE = 0.0025  # of the last price: brokers want a quarter of a percent between them
LIFE = timedelta(days=365)


def _mode(call: Call) -> Mode:
    return "analyze" if call.analyze else "live"


def _too_close(call: Call, last: float) -> Reply | None:
    """Only a broker minds; the sandbox takes any trigger."""
    body = call.body
    first = body["triggerprice_sl"] or body["triggerprice_tg"]
    if call.analyze or abs(first - last) >= last * TOO_CLOSE:
        return None
    return failure(f"Trigger cannot be created with the first trigger price ({first}) too close to the last price.")


def place(call: Call) -> Reply:
    contract = call.contract(call.body["symbol"], call.body["exchange"])
    last = call.venue.market.quote(contract).ltp
    refusal = _too_close(call, last)
    if refusal is not None:
        return refusal
    order = call.gateway.gtt.add(_mode(call), call.body, last, call.venue.clock.now)
    return call.success(trigger_id=order.trigger_id)


def modify(call: Call) -> Reply:
    """A full replacement. The sandbox answers every failure here with a 500 that says nothing."""
    order = call.gateway.gtt.find(_mode(call), call.body["trigger_id"])
    if order is None:
        return failure("An unexpected error occurred", 500) if call.analyze else failure("Trigger ID not found.", 404)
    call.gateway.gtt.change(order, call.body, call.venue.clock.now)
    return call.success(trigger_id=order.trigger_id)


def cancel(call: Call) -> Reply:
    wanted = call.body["trigger_id"]
    order = call.gateway.gtt.find(_mode(call), wanted)
    if order is None:
        text = f"No active GTT with trigger_id '{wanted}'" if call.analyze else "Trigger ID not found."
        return call.failure(text, 404)
    call.gateway.gtt.cancel(order, call.venue.clock.now)
    return call.success(trigger_id=wanted)


def book(call: Call) -> Reply:
    return call.success(data=[_row(order) for order in call.gateway.gtt.active(_mode(call))])


def _row(order: GttOrder) -> dict[str, Any]:
    body = order.fields
    legs = [
        {
            "action": body["action"].upper(),
            "price": limit,
            "pricetype": body["pricetype"],
            "product": body["product"],
            "quantity": int(body["quantity"]),
        }
        for limit in order.limits
    ]
    sandbox = order.mode == "analyze"
    expires = order.created_at + LIFE
    row = {
        "created_at": _created(order.created_at, utc=sandbox),
        "exchange": body["exchange"],
        "expires_at": expires.astimezone(IST).strftime("%Y-%m-%dT%H:%M:%S.%f" if sandbox else STAMP),
        "last_price": order.last_price,
        "legs": legs,
        "status": "active",
        "symbol": body["symbol"],
        "trigger_id": order.trigger_id,
        "trigger_prices": order.triggers,
        "trigger_type": "two-leg" if body["trigger_type"] == "OCO" else "single",
        "updated_at": _created(order.updated_at, utc=sandbox),
    }
    if sandbox:
        row |= {"margin_blocked": max(order.limits) * int(body["quantity"]), "strategy": body["strategy"]}
    return row


def _created(moment: datetime, *, utc: bool) -> str:
    """The sandbox writes UTC without saying so; live stamps are Indian time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if utc else moment.astimezone(IST).strftime(STAMP)


def semi_auto(answer: Any, refusal: str) -> Any:
    """Semi-automatic mode queues a new trigger order and refuses changes of one, in live mode."""

    def guarded(call: Call) -> Reply:
        if call.analyze or call.venue.faults.standing("semi_auto", call.account.number) is None:
            reply: Reply = answer(call)
            return reply
        if refusal:
            return failure(f"{refusal} GTT order is not allowed in Semi-Auto mode. Switch to Auto mode.", 403)
        text = "Order queued for approval in Action Center"
        return success(message=text, mode="semi_auto", pending_order_id=1)

    return guarded


def endpoints() -> Iterable[Endpoint]:
    def order(name: str, schema: Any, answer: Any, refusal: str = "") -> Endpoint:
        return Endpoint(
            name,
            schema,
            semi_auto(answer, refusal),
            ErrorShape.REPR_WITH_MODE,
            ORDERS,
            sandboxed=True,
            trouble=direct,
        )

    yield order("placegttorder", schemas.PlaceGtt, place)
    yield order("modifygttorder", schemas.ModifyGtt, modify, "Modify")
    yield order("cancelgttorder", schemas.CancelGtt, cancel, "Cancel")
    yield Endpoint("gttorderbook", Keyed, book, sandboxed=True, trouble=direct)
