"""What the control port shows: state, clock, faults, and what really happened in every account."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from simulator.account import SimAccount
from simulator.fault_names import FAULTS
from simulator.orders import Fill, OrderView
from simulator.venue import Venue

if TYPE_CHECKING:
    from simulator.simulation import Simulation


def clock(venue: Venue) -> dict[str, Any]:
    return {
        "now": venue.clock.ist_now().isoformat(),
        "now_ms": venue.clock.now_ms,
        "speed": venue.clock.speed,
        "phase": venue.clock.phase,
        "trading_date": venue.clock.trading_date.isoformat(),
    }


def account(simulation: Simulation, shown: SimAccount) -> dict[str, Any]:
    port = simulation.ports[shown.number - 1]
    host = "127.0.0.1" if simulation.options.host == "0.0.0.0" else simulation.options.host  # noqa: S104 - a comparison
    return {
        "number": shown.number,
        "name": shown.name,
        "host": f"http://{host}:{port.rest_port}",
        "ws_url": f"ws://{host}:{port.ws_port}",
        "api_key": shown.api_key,
        "user_id": shown.user_id,
        "broker": shown.broker,
        "mode": "analyze" if shown.analyze_mode else "live",
        "session_ok": shown.session_ok,
        "token_ok": shown.token_ok,
    }


def state(simulation: Simulation) -> dict[str, Any]:
    return {
        **clock(simulation.venue),
        "seed": simulation.venue.seed,
        "contracts": len(simulation.venue.contracts),
        "accounts": [account(simulation, shown) for shown in simulation.venue.accounts],
    }


def faults(venue: Venue) -> dict[str, Any]:
    return {
        "faults": [fault.as_json() for fault in venue.faults.list()],
        "known": {name: kind.sentence for name, kind in sorted(FAULTS.items())},
    }


def truth(venue: Venue) -> dict[str, Any]:
    """Live orders and fills of every account, untouched by faults; positions are the sums of the fills."""
    return {**clock(venue), "accounts": [_account_truth(shown) for shown in venue.accounts]}


def _account_truth(shown: SimAccount) -> dict[str, Any]:
    fills = shown.truth_fills()
    return {
        "account": shown.number,
        "orders": [_order(order) for order in shown.truth()],
        "fills": [_fill(fill) for fill in fills],
        "positions": net_positions(fills),
    }


def _order(order: OrderView) -> dict[str, Any]:
    return {
        "orderid": order.orderid,
        "symbol": order.symbol,
        "exchange": order.exchange,
        "action": order.action,
        "quantity": order.units,
        "filled_quantity": order.filled_units,
        "pricetype": order.pricetype,
        "product": order.product,
        "price": str(order.price),
        "trigger_price": str(order.trigger_price),
        "average_price": str(order.average_price),
        "order_status": order.status,
        "rejection_reason": order.rejection_reason,
        "strategy": order.strategy,
        "placed_at": order.placed_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
    }


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "orderid": fill.orderid,
        "tradeid": fill.tradeid,
        "symbol": fill.symbol,
        "exchange": fill.exchange,
        "action": fill.action,
        "product": fill.product,
        "quantity": fill.units,
        "price": str(fill.price),
        "at": fill.at.isoformat(),
    }


def net_positions(fills: list[Fill]) -> list[dict[str, Any]]:
    """Signed units by contract and product; closed ones stay with 0."""
    net: dict[tuple[str, str, str], int] = defaultdict(int)
    for fill in fills:
        net[fill.symbol, fill.exchange, fill.product] += fill.signed_units
    return [
        {"symbol": symbol, "exchange": exchange, "product": product, "quantity": units}
        for (symbol, exchange, product), units in sorted(net.items())
    ]
