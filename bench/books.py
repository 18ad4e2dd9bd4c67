"""The books of the bench gateway's accounts, in the words of an OpenAlgo gateway in live mode."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

_IST = timezone(timedelta(hours=5, minutes=30))

Row = dict[str, Any]

_ALWAYS: dict[str, Row] = {
    "ping": {"broker": "simulator", "message": "pong"},
    "analyzer": {"analyze_mode": False, "mode": "live", "total_logs": 0},
    "funds": {
        "availablecash": "500000000.00",
        "collateral": "0.00",
        "m2mrealized": "0.00",
        "m2munrealized": "0.00",
        "utiliseddebits": "0.00",
    },
    "holdings": {"holdings": [], "statistics": {}},
    "margin": {"total_margin_required": 100000.0, "span_margin": 80000.0, "exposure_margin": 20000.0},
}


@dataclass
class MarketTime:
    """The simulator's clock, carried on from one reading of it at speed 1."""

    began_ms: int
    since: float = field(default_factory=time.monotonic)

    def now_ms(self) -> int:
        return self.began_ms + round((time.monotonic() - self.since) * 1000)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, _IST)


@dataclass
class Books:
    """Orders, trades and positions of one account. Every order fills at once and whole."""

    user_id: str
    time: MarketTime
    orders: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    positions: dict[tuple[str, str], Row] = field(default_factory=dict)

    def fill(self, order_id: str, asked: Row, price: float) -> Row:
        """Book the order as complete; the update to push."""
        now = self.time.now()
        said = {name: asked[name] for name in ("symbol", "exchange", "action", "product", "quantity")}
        typed = {"price": asked.get("price", 0.0), "trigger_price": 0.0, "pricetype": asked["pricetype"]}
        order = {**said, **typed, "orderid": order_id, "order_status": "complete"}
        self.orders.append({**order, "timestamp": f"{now:%Y-%m-%d %H:%M:%S}"})
        self.trades.append(
            {**said, "orderid": order_id, "average_price": price, "trade_value": 0.0, "timestamp": f"{now:%H:%M:%S}"}
        )
        self._move(said, price)
        return {
            **order,
            "type": "order_update",
            "user_id": self.user_id,
            "mode": "live",
            "broker": "simulator",
            "filled_quantity": said["quantity"],
            "pending_quantity": 0,
            "average_price": price,
            "rejection_reason": "",
        }

    def _move(self, said: Row, price: float) -> None:
        key = (said["symbol"], said["product"])
        row = self.positions.setdefault(
            key, {"symbol": key[0], "exchange": said["exchange"], "product": key[1], "quantity": 0}
        )
        row["quantity"] += said["quantity"] if said["action"] == "BUY" else -said["quantity"]
        row |= {"average_price": f"{price:.2f}", "ltp": price, "pnl": 0.0}

    def answer(self, path: str) -> Row | None:
        """The answer to a question about this account; None to any other."""
        living: dict[str, Any] = {
            "orderbook": {"orders": self.orders, "statistics": {}},
            "tradebook": self.trades,
            "positionbook": list(self.positions.values()),
        }
        data = living.get(path, _ALWAYS.get(path))
        return None if data is None else {"status": "success", "data": data}
