"""The frames of the WebSocket side that carry no prices: acknowledgements, errors, answers."""

from __future__ import annotations

import json
from typing import Any

BROKER = "simulator"
SUPPORTED_BROKERS = (BROKER,)
FEATURES = {"ltp": True, "quote": True, "depth": True}


def encode(frame: dict[str, Any]) -> bytes:
    return json.dumps(frame, ensure_ascii=False).encode()


def error(code: str, message: str) -> bytes:
    """An error has no `type`, so a client that switches on the type never sees it."""
    return encode({"status": "error", "code": code, "message": message})


def authenticated(user_id: str) -> bytes:
    return encode(
        {
            "type": "auth",
            "status": "success",
            "message": "Authentication successful",
            "broker": BROKER,
            "user_id": user_id,
            "supported_features": FEATURES,
        }
    )


def subscribed(rows: list[dict[str, Any]], request: dict[str, Any]) -> bytes:
    """One failing row makes the whole answer `partial`, also when all rows fail."""
    whole = all(row["status"] == "success" for row in rows)
    frame = {
        "type": "subscribe",
        "status": "success" if whole else "partial",
        "subscriptions": rows,
        "message": "Subscription processing complete",
        "broker": BROKER,
    }
    return encode(_echo(frame, request))


def unsubscribed(rows: list[dict[str, Any]], request: dict[str, Any]) -> bytes:
    frame = {
        "type": "unsubscribe",
        "status": "success",
        "message": "Unsubscription processing complete",
        "successful": rows,
        "failed": [],
        "broker": BROKER,
    }
    return encode(_echo(frame, request))


def orders_switched(request: dict[str, Any], *, on: bool) -> bytes:
    word = "Subscribed to" if on else "Unsubscribed from"
    frame = {
        "type": "subscribe_orders" if on else "unsubscribe_orders",
        "status": "success",
        "message": f"{word} order updates",
    }
    return encode(_echo(frame, request))


def pong(request: dict[str, Any], now_ms: int) -> bytes:
    frame: dict[str, Any] = {"type": "pong", "status": "success", "server_timestamp": now_ms}
    if "timestamp" in request:
        frame["client_timestamp"] = request["timestamp"]
    if "_pingId" in request:
        frame["_pingId"] = request["_pingId"]
    return encode(frame)


def broker_info(user_id: str, *, connected: bool) -> bytes:
    return encode(
        {
            "type": "broker_info",
            "status": "success",
            "broker": BROKER,
            "adapter_status": "connected" if connected else "disconnected",
            "user_id": user_id,
        }
    )


def supported_brokers() -> bytes:
    frame = {
        "type": "supported_brokers",
        "status": "success",
        "brokers": list(SUPPORTED_BROKERS),
        "count": len(SUPPORTED_BROKERS),
    }
    return encode(frame)


def _echo(frame: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    if "request_id" in request:
        frame["request_id"] = request["request_id"]
    return frame
