"""Order endpoints: one order, several, changed, cancelled, and their state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from simulator import schemas
from simulator.formats_books import live_status, sandbox_status
from simulator.orders import Accepted, ModifyRequest, OrderReply, OrderRequest, Queued, Refused
from simulator.rest_call import Call, Endpoint, answered, direct, fetching, fixed
from simulator.rest_limits import ORDERS
from simulator.rest_replies import ErrorShape, Reply, failure, success

CHILD_PAUSE_S = 0.1
MOST_CHILDREN = 100
MATCHED = "Positions Already Matched. No Action needed."
FLAT = "No OpenPosition Found. Not placing Exit order."
SEMI_AUTO = "{0} operation is not allowed in Semi-Auto mode. Please switch to Auto mode to {1}."


def request_of(row: dict[str, Any], strategy: str, **other: Any) -> OrderRequest:
    """An order from the loaded fields of a body; the action's case is folded."""
    fields: dict[str, Any] = {
        "symbol": row["symbol"],
        "exchange": row["exchange"],
        "action": row["action"].upper(),
        "units": int(row["quantity"]),
        "pricetype": row["pricetype"],
        "product": row["product"],
        "price": Decimal(str(row["price"])),
        "trigger_price": Decimal(str(row["trigger_price"])),
        "strategy": strategy,
    }
    return OrderRequest(**(fields | other))


def order_reply(call: Call, reply: OrderReply) -> Reply:
    """An id (null where the broker gave none), a refusal, or word that a human must approve first."""
    reply = answered(reply)
    if isinstance(reply, Queued):
        return success(
            message="Order queued for approval in Action Center",
            mode="semi_auto",
            pending_order_id=reply.pending_order_id,
        )
    if isinstance(reply, Refused):
        stored = {"orderid": reply.orderid} if reply.orderid else {}
        return call.failure(reply.text, reply.http_status, **stored)
    said = {"message": reply.message} if reply.message else {}
    return call.success(orderid=reply.orderid or None, **said)


def place(call: Call) -> Reply:
    return order_reply(call, call.place(request_of(call.body, call.body["strategy"])))


def net_units(call: Call) -> int:
    body = call.body
    wanted = (body["symbol"], body["exchange"], body["product"])
    rows = (p for p in call.account.positions() if (p.symbol, p.exchange, p.product) == wanted)
    return next((row.units for row in rows), 0)


def place_smart(call: Call) -> Reply:
    """Brings the net position to `position_size`; action and quantity count only when both are zero."""
    now, target = net_units(call), int(call.body["position_size"])
    change = target - now
    if change == 0 and (target != 0 or call.body["quantity"] == 0):
        return call.success(message=FLAT if call.analyze and target == 0 else MATCHED)
    other: dict[str, Any] = {}
    if change:
        other = {"action": "BUY" if change > 0 else "SELL", "units": abs(change)}
    if call.analyze:  # the sandbox reads the price type under another name and never finds it
        other |= {"pricetype": "MARKET", "price": Decimal(0), "trigger_price": Decimal(0)}
    return order_reply(call, call.place(request_of(call.body, call.body["strategy"], **other)))


def modify(call: Call) -> Reply:
    body = call.body
    request = ModifyRequest(
        body["orderid"],
        int(body["quantity"]),
        body["pricetype"],
        Decimal(str(body["price"])),
        Decimal(str(body["trigger_price"])),
    )
    return order_reply(call, call.account.modify(request))


def cancel(call: Call) -> Reply:
    if not call.body["orderid"]:
        return failure("Order ID is missing")
    return order_reply(call, call.account.cancel(call.body["orderid"]))


def _approval_needed(call: Call) -> bool:
    """Semi-automatic mode refuses account-wide changes, in live mode only."""
    standing = call.venue.faults.standing("semi_auto", call.account.number)
    return standing is not None and not call.analyze


def cancel_all(call: Call) -> Reply:
    if _approval_needed(call):
        return failure(SEMI_AUTO.format("Cancel all orders", "cancel orders"), 403)
    reply = call.account.cancel_all()
    failed: list[Any] = [orderid for orderid, _ in reply.failed]
    if call.analyze:
        failed = [{"orderid": orderid, "message": text} for orderid, text in reply.failed]
    message = f"Canceled {len(reply.cancelled)} orders. Failed to cancel {len(failed)} orders."
    if call.analyze and not reply.cancelled and not failed:
        message = "No open orders to cancel"
    return call.success(canceled_orders=list(reply.cancelled), failed_cancellations=failed, message=message)


def close_positions(call: Call) -> Reply:
    """Live says the same whatever happened to the orders it sent."""
    if _approval_needed(call):
        return failure(SEMI_AUTO.format("Close position", "close positions"), 403)
    reply = call.account.close_positions()
    if not call.analyze:
        return success(message="All Open Positions Squared Off")
    message = f"Closed {reply.closed} positions"
    if reply.failed:
        message += f" (Failed to close {reply.failed} positions)"
    return call.success(closed_positions=reply.closed, failed_closures=reply.failed, message=message)


def basket(call: Call) -> Reply:
    """Buys go first; the answer is a success even when every row failed."""
    rows = call.body["orders"]
    ordered = [r for r in rows if r["action"].upper() == "BUY"] + [r for r in rows if r["action"].upper() == "SELL"]
    replies = [call.place(request_of(row, call.body["strategy"])) for row in ordered]
    queued = next((reply for reply in replies if isinstance(reply, Queued)), None)
    if queued is not None:
        return order_reply(call, queued)
    results = [
        _basket_row(call, row, reply, last=place_no == len(rows))
        for place_no, (row, reply) in enumerate(zip(ordered, replies, strict=True), 1)
    ]
    return call.success(results=results)


def _basket_row(call: Call, row: dict[str, Any], reply: OrderReply, *, last: bool) -> dict[str, Any]:
    if isinstance(reply, Refused):
        return {"message": reply.text, "status": "error", "symbol": row["symbol"]}
    result = {
        "exchange": row["exchange"],
        "orderid": orderid_of(reply),
        "product": row["product"],
        "status": "success",
        "symbol": row["symbol"],
    }
    return result | ({"batch_order": True, "is_last_order": last} if call.analyze else {})


def orderid_of(reply: OrderReply) -> str | None:
    return (reply.orderid or None) if isinstance(reply, Accepted) else None


def child_sizes(units: int, size: int) -> list[int]:
    """Whole children of `size` and the rest last."""
    whole, rest = divmod(units, size)
    return [size] * whole + ([rest] if rest else [])


async def place_children(call: Call, request: dict[str, Any], size: int) -> list[dict[str, Any]] | Reply:
    """Places the children one after the other, a pause between them; a failed one does not stop the rest."""
    results = []
    for order_num, units in enumerate(child_sizes(int(request["quantity"]), size), 1):
        if order_num > 1:
            await asyncio.sleep(CHILD_PAUSE_S)
        reply = call.place(request_of({**request, "quantity": units}, call.body["strategy"]))
        if isinstance(reply, Queued):
            return order_reply(call, reply)
        row: dict[str, Any] = {"order_num": order_num, "quantity": units}
        if isinstance(reply, Refused):
            row |= {"message": reply.text, "status": "error"}
        else:
            row |= {"orderid": orderid_of(reply), "status": "success"}
        results.append(row)
    return results


async def split(call: Call) -> Reply:
    body = call.body
    if len(child_sizes(int(body["quantity"]), body["splitsize"])) > MOST_CHILDREN:
        return call.failure(f"Total number of orders would exceed maximum limit of {MOST_CHILDREN}")
    results = await place_children(call, body, body["splitsize"])
    if isinstance(results, Reply):
        return results
    return call.success(results=results, split_size=body["splitsize"], total_quantity=int(body["quantity"]))


def status(call: Call) -> Reply:
    order = call.account.order(call.body["orderid"])
    if order is None:
        return call.failure(f"Order {call.body['orderid']} not found", 404)
    data = sandbox_status(order) if call.analyze else live_status(order, call.account.trades())
    return call.success(data=data)


def open_position(call: Call) -> Reply:
    return call.success(quantity=net_units(call))


_WITH_MODE = ErrorShape.REPR_WITH_MODE


def endpoints() -> Iterable[Endpoint]:
    in_endpoint = "An unexpected error occurred in the API endpoint"
    yield Endpoint("placeorder", schemas.PlaceOrder, place, ErrorShape.REPR, ORDERS, crash_text=in_endpoint)
    yield Endpoint(
        "placesmartorder",
        schemas.SmartOrder,
        place_smart,
        _WITH_MODE,
        ORDERS,
        sandboxed=True,
        trouble=fetching("/portfolio/positions", "Error in place_smartorder_api: "),
    )
    yield Endpoint("modifyorder", schemas.ModifyOrder, modify, _WITH_MODE, ORDERS, sandboxed=True, trouble=direct)
    yield Endpoint(
        "cancelorder",
        schemas.OrderId,
        cancel,
        _WITH_MODE,
        ORDERS,
        sandboxed=True,
        trouble=fetching("/orders/regular/{orderid}", "Failed to cancel order: "),
    )
    yield Endpoint(
        "cancelallorder",
        schemas.Strategic,
        cancel_all,
        _WITH_MODE,
        sandboxed=True,
        trouble=fixed("Failed to cancel all orders due to internal error"),
    )
    yield Endpoint(
        "closeposition",
        schemas.Strategic,
        close_positions,
        _WITH_MODE,
        sandboxed=True,
        trouble=fixed("Failed to close positions due to internal error"),
    )
    yield Endpoint("basketorder", schemas.Basket, basket, _WITH_MODE)
    yield Endpoint("splitorder", schemas.SplitOrder, split, _WITH_MODE)
    yield Endpoint("orderstatus", schemas.OrderId, status, _WITH_MODE, sandboxed=True, trouble=fetching("/orders"))
    yield Endpoint(
        "openposition",
        schemas.OpenPosition,
        open_position,
        _WITH_MODE,
        sandboxed=True,
        trouble=fetching("/portfolio/positions"),
    )
