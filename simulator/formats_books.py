"""Books and funds as JSON: the live shape of one broker's adapter, and the sandbox's own richer one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from simulator.calendar import IST
from simulator.holdings import FundsView, HoldingView, MarginView, PositionView
from simulator.orders import Fill, OrderView

STAMP = "%Y-%m-%d %H:%M:%S"


def number(value: Decimal) -> float:
    """A JSON number of at most two decimals, which is all the books carry."""
    return round(float(value), 2)


def money_text(value: Decimal) -> str:
    return f"{value:.2f}"


def stamp(moment: datetime) -> str:
    return moment.astimezone(IST).strftime(STAMP)


def live_order(order: OrderView) -> dict[str, Any]:
    """No fill figures and no reject reason: live rows have neither. MARKET shows price 0.0."""
    return {
        "action": order.action,
        "exchange": order.exchange,
        "order_status": order.status,
        "orderid": order.orderid,
        "price": 0.0 if order.pricetype == "MARKET" else number(order.price),
        "pricetype": order.pricetype,
        "product": order.product,
        "quantity": order.units,
        "symbol": order.symbol,
        "timestamp": stamp(order.placed_at),
        "trigger_price": number(order.trigger_price),
    }


def sandbox_order(order: OrderView) -> dict[str, Any]:
    return {
        **live_order(order),
        "price": number(order.price),
        "average_price": number(order.average_price),
        "filled_quantity": order.filled_units,
        "pending_quantity": order.pending_units,
        "rejection_reason": order.rejection_reason,
        "strategy": order.strategy,
    }


def order_statistics(orders: Sequence[OrderView], *, analyze: bool) -> dict[str, int]:
    """Live, a cancelled or waiting order is counted nowhere but under its side."""
    statistics = {
        "total_buy_orders": sum(order.action == "BUY" for order in orders),
        "total_sell_orders": sum(order.action == "SELL" for order in orders),
        "total_completed_orders": _count(orders, "complete"),
        "total_open_orders": _count(orders, "open"),
        "total_rejected_orders": _count(orders, "rejected"),
    }
    if analyze:
        statistics["total_trigger_pending_orders"] = _count(orders, "trigger pending")
    return statistics


def _count(orders: Sequence[OrderView], status: str) -> int:
    return sum(order.status == status for order in orders)


def live_status(order: OrderView, fills: Sequence[Fill]) -> dict[str, Any]:
    """`average_price` is 0.0 unless complete, and then the price of the first matching trade, whatever came after."""
    first = next((fill for fill in fills if fill.orderid == order.orderid), None)
    complete = order.status == "complete" and first is not None
    return {**live_order(order), "average_price": number(first.price) if complete and first else 0.0}


def sandbox_status(order: OrderView) -> dict[str, Any]:
    """The sandbox spells the price type `price_type` here and nowhere else, and leaves the reject reason out."""
    row = sandbox_order(order)
    row["price_type"] = row.pop("pricetype")
    del row["rejection_reason"]
    return row


def live_fill(fill: Fill) -> dict[str, Any]:
    return {
        "action": fill.action,
        "average_price": number(fill.price),
        "exchange": fill.exchange,
        "orderid": fill.orderid,
        "product": fill.product,
        "quantity": fill.units,
        "symbol": fill.symbol,
        "timestamp": fill.at.astimezone(IST).strftime("%H:%M:%S"),
        "trade_value": number(fill.price * fill.units),
    }


def sandbox_fill(fill: Fill) -> dict[str, Any]:
    return {
        **live_fill(fill),
        "price": number(fill.price),
        "strategy": fill.strategy,
        "timestamp": stamp(fill.at),
        "tradeid": fill.tradeid,
    }


def live_position(position: PositionView) -> dict[str, Any]:
    """`average_price` is a string. Without a last price the row lacks `ltp` and `pnl`, as some brokers' rows do."""
    row: dict[str, Any] = {
        "average_price": money_text(position.average_price),
        "exchange": position.exchange,
        "product": position.product,
        "quantity": position.units,
        "symbol": position.symbol,
    }
    if position.ltp is not None:
        row |= {"ltp": number(position.ltp), "pnl": number(position.pnl)}
    return row


def sandbox_position(position: PositionView) -> dict[str, Any]:
    """A closed row shows the realised figure as `unrealized_pnl` too; the totals beside the rows are right."""
    closed = position.units == 0
    cost = position.average_price * abs(position.units)
    return {
        "average_price": number(position.average_price),
        "exchange": position.exchange,
        "lot_size": 1.0,
        "ltp": None if position.ltp is None else number(position.ltp),
        "pnl": number(position.pnl),
        "pnlpercent": float(position.pnl / cost * 100) if cost else 0.0,
        "product": position.product,
        "quantity": position.units,
        "symbol": position.symbol,
        "today_realized_pnl": number(position.realised_today),
        "total_pnl_today": number(position.pnl),
        "unrealized_pnl": number(position.realised_today if closed else position.unrealised),
    }


def sandbox_totals(positions: Sequence[PositionView]) -> dict[str, float]:
    realised = sum((p.realised_today for p in positions), Decimal(0))
    unrealised = sum((p.unrealised for p in positions), Decimal(0))
    return {
        "total_pnl": number(realised + unrealised),
        "total_pnl_today": number(realised + unrealised),
        "total_today_realized_pnl": number(realised),
        "total_unrealized_pnl": number(unrealised),
    }


def sandbox_pnl_row(position: PositionView) -> dict[str, Any]:
    row = sandbox_position(position)
    kept = ("exchange", "pnl", "product", "quantity", "symbol")
    return {name: row[name] for name in (*kept, "today_realized_pnl", "total_pnl_today", "unrealized_pnl")}


def holdings(rows: Sequence[HoldingView]) -> dict[str, Any]:
    invested = sum((row.average_price * row.units for row in rows), Decimal(0))
    value = sum((row.ltp * row.units for row in rows), Decimal(0))
    return {
        "holdings": [_holding(row) for row in rows],
        "statistics": {
            "totalholdingvalue": number(value),
            "totalinvvalue": number(invested),
            "totalpnlpercentage": number((value - invested) / invested * 100) if invested else 0.0,
            "totalprofitandloss": number(value - invested),
        },
    }


def _holding(row: HoldingView) -> dict[str, Any]:
    cost = row.average_price * row.units
    return {
        "average_price": number(row.average_price),
        "exchange": row.exchange,
        "pnl": number(row.pnl),
        "pnlpercent": number(row.pnl / cost * 100) if cost else 0.0,
        "product": "CNC",
        "quantity": row.units,
        "symbol": row.symbol,
    }


def live_funds(funds: FundsView) -> dict[str, str]:
    """Strings with two decimals."""
    return {
        "availablecash": money_text(funds.cash),
        "collateral": money_text(funds.collateral),
        "m2mrealized": money_text(funds.realised),
        "m2munrealized": money_text(funds.unrealised),
        "utiliseddebits": money_text(funds.used),
    }


def sandbox_funds(funds: FundsView) -> dict[str, Any]:
    """Numbers, and six fields more than live."""
    return {
        "availablecash": number(funds.cash),
        "collateral": number(funds.collateral),
        "grossexposure": number(funds.gross_exposure),
        "last_reset": stamp(funds.last_reset),
        "m2mrealized": number(funds.realised),
        "m2munrealized": number(funds.unrealised),
        "reset_count": funds.reset_count,
        "today_realized_pnl": number(funds.realised),
        "total_realized_pnl": number(funds.total_realised),
        "totalpnl": number(funds.total_realised + funds.unrealised),
        "utiliseddebits": number(funds.used),
    }


def margin(view: MarginView) -> dict[str, float]:
    return {
        "exposure_margin": number(view.exposure),
        "span_margin": number(view.span),
        "total_margin_required": number(view.total),
    }


def order_update(order: OrderView, user_id: str) -> dict[str, Any]:
    """The push of an order event: no time, no sequence number.

    Sandbox events other than a fill carry no fill figures, and a fill puts its price in `price`.
    """
    final = order.status in {"cancelled", "rejected"}
    frame: dict[str, Any] = {
        "type": "order_update",
        "user_id": user_id,
        "mode": order.mode,
        "broker": "simulator" if order.mode == "live" else "sandbox",
        "orderid": order.orderid,
        "symbol": order.symbol,
        "exchange": order.exchange,
        "action": order.action,
        "quantity": order.units,
        "price": 0.0 if order.mode == "live" and order.pricetype == "MARKET" else number(order.price),
        "trigger_price": number(order.trigger_price),
        "pricetype": order.pricetype,
        "product": order.product,
        "order_status": order.status,
        "filled_quantity": order.filled_units,
        "pending_quantity": 0 if final else order.pending_units,
        "average_price": round(float(order.average_price), 4),
        "rejection_reason": order.rejection_reason,
    }
    if order.mode == "analyze":
        frame |= _sandbox_event(order)
    return frame


def _sandbox_event(order: OrderView) -> dict[str, Any]:
    if order.status != "complete":
        return {"filled_quantity": 0, "pending_quantity": 0, "average_price": 0.0}
    return {"price": number(order.average_price), "pending_quantity": 0}
