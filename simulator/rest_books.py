"""Account endpoints: who is there, books, funds, margin, and the switch between live and sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from simulator import formats_books as formats
from simulator import schemas
from simulator.holdings import MarginLeg
from simulator.rest_call import BrokerTrouble, Call, Endpoint, fetching
from simulator.rest_replies import ErrorShape, Reply, failure, success


def ping(call: Call) -> Reply:
    """Answers without asking the broker, so it proves the session and not the broker's token."""
    return success(data={"broker": call.account.broker, "message": "pong"})


def funds(call: Call) -> Reply:
    view = call.account.funds()
    return call.success(data=formats.sandbox_funds(view) if call.analyze else formats.live_funds(view))


def no_funds(_: dict[str, Any], __: BrokerTrouble) -> Reply:
    """A broker that fails here is a success with nothing in it."""
    return success(data={})


def orderbook(call: Call) -> Reply:
    orders = call.account.orders()
    row = formats.sandbox_order if call.analyze else formats.live_order
    statistics = formats.order_statistics(orders, analyze=call.analyze)
    return call.success(data={"orders": [row(order) for order in orders], "statistics": statistics})


def tradebook(call: Call) -> Reply:
    row = formats.sandbox_fill if call.analyze else formats.live_fill
    return call.success(data=[row(fill) for fill in call.account.trades()])


def positionbook(call: Call) -> Reply:
    positions = call.account.positions()
    if not call.analyze:
        return success(data=[formats.live_position(row) for row in positions])
    rows = [formats.sandbox_position(row) for row in positions]
    return call.success(data=rows, **formats.sandbox_totals(positions))


def holdings(call: Call) -> Reply:
    return call.success(data=formats.holdings(call.account.holdings()))


def pnl_symbols(call: Call) -> Reply:
    if not call.analyze:
        return failure("This endpoint is only available in sandbox/analyzer mode")
    positions = call.account.positions()
    rows = [formats.sandbox_pnl_row(row) for row in positions]
    return call.success(data=rows, **formats.sandbox_totals(positions))


def margin(call: Call) -> Reply:
    """Always the broker's figure, in analyze mode too. Unknown rows are dropped and the rest is priced."""
    try:
        legs = [_leg(row) for row in call.body["positions"]]
    except (InvalidOperation, ValueError):
        return failure("Invalid quantity or price in positions")
    view = call.account.margin(legs)
    if view is None:
        return failure("No valid positions to calculate margin. Check if symbols are valid.")
    return success(data=formats.margin(view))


def _leg(row: dict[str, Any]) -> MarginLeg:
    """Raises ValueError or InvalidOperation for text that is no number."""
    return MarginLeg(
        symbol=row["symbol"],
        exchange=row["exchange"],
        action=row["action"].upper(),
        units=int(row["quantity"]),
        product=row["product"],
        price=Decimal(row["price"]),
    )


def margin_trouble(_: dict[str, Any], trouble: BrokerTrouble) -> Reply:
    prefix = "TokenException: " if trouble.status == 403 else ""
    return failure(f"{prefix}{trouble.text}", trouble.status)


def _analyzer(call: Call) -> dict[str, Any]:
    return {
        "analyze_mode": call.analyze,
        "mode": "analyze" if call.analyze else "live",
        "total_logs": call.gateway.analyze_calls,
    }


def analyzer(call: Call) -> Reply:
    return success(data=_analyzer(call))


def analyzer_toggle(call: Call) -> Reply:
    """Switches the whole instance; anyone with the key may."""
    call.account.set_mode(analyze=call.body["mode"])
    figures = _analyzer(call)
    return success(data={**figures, "message": f"Analyzer mode switched to {figures['mode']}"})


def endpoints() -> Iterable[Endpoint]:
    def book(name: str, answer: Any, path: str) -> Endpoint:
        return Endpoint(name, schemas.Keyed, answer, sandboxed=True, trouble=fetching(path))

    yield Endpoint("ping", schemas.Keyed, ping)
    yield Endpoint("funds", schemas.Keyed, funds, sandboxed=True, trouble=no_funds)
    yield book("orderbook", orderbook, "/orders")
    yield book("tradebook", tradebook, "/trades")
    yield book("positionbook", positionbook, "/portfolio/positions")
    yield book("holdings", holdings, "/portfolio/holdings")
    yield Endpoint("pnl/symbols", schemas.Keyed, pnl_symbols)
    yield Endpoint("margin", schemas.Margin, margin, ErrorShape.REPR, trouble=margin_trouble)
    yield Endpoint("analyzer", schemas.Keyed, analyzer, ErrorShape.REPR)
    yield Endpoint("analyzer/toggle", schemas.AnalyzerToggle, analyzer_toggle, ErrorShape.REPR)
