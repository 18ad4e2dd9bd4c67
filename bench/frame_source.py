"""Depth frames as a gateway pushes them, written to a loopback socket: `python -m bench.frame_source`, a process alone.

It lets everybody in, confirms what is asked for, and sends when it is told to; frames are made beforehand.
"""

import json
import sys
import threading
from collections.abc import Mapping
from time import monotonic_ns
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection, serve

CONTRACTS = 82
EXCHANGE = "NFO"
_TICK = 0.1
"""Every price ends in a five, so that all frames are of one length."""
_TURNS = 4
"""How many prices of each contract there are, sent in turn."""


def symbols(count: int = CONTRACTS) -> list[str]:
    """Calls and puts around one strike."""
    return [f"NIFTY01DEC26{25000 + 50 * (number // 2)}{('CE', 'PE')[number % 2]}" for number in range(count)]


def depth_frame(symbol: str, turn: int) -> bytes:
    """About 1 kB, in the words and the order of a recorded one."""
    ltp = round(196.65 + turn * _TICK, 2)
    figures = {
        "symbol": symbol,
        "exchange": EXCHANGE,
        "mode": "full",
        "ltp": ltp,
        "ltt": 1795411897,
        "timestamp": 1795411897836,
        "volume": 277225,
        "last_quantity": 260,
        "average_price": 199.05,
        "total_buy_quantity": 141700,
        "total_sell_quantity": 163800,
        "open": 205.95,
        "high": 217.45,
        "low": 183.05,
        "close": 302.55,
        "oi": 196608,
        "open_interest": 196608,
        "depth": {"buy": _levels(ltp - _TICK, -_TICK), "sell": _levels(ltp + _TICK, _TICK)},
    }
    about = {"type": "market_data", "symbol": symbol, "exchange": EXCHANGE, "mode": 3}
    return json.dumps({**about, "data": figures, "broker": "zerodha"}).encode()


def _levels(best: float, step: float) -> list[dict[str, float]]:
    return [
        {"price": round(best + place * step, 2), "quantity": 65 * (37 - place), "orders": 3 + place}
        for place in range(5)
    ]


class Source:
    """Serves on a free port; sends to whoever connected last."""

    def __init__(self) -> None:
        on_wire = [
            Frame(Opcode.TEXT, depth_frame(symbol, turn)).serialize(mask=False)
            for turn in range(_TURNS)
            for symbol in symbols()
        ]
        self._one = on_wire[0]
        self._round = b"".join(on_wire[:CONTRACTS])
        self._all = b"".join(on_wire)
        self._per_send = len(on_wire)
        self._newest: ServerConnection | None = None
        self.server = serve(self._answer, "127.0.0.1", 0, compression=None, ping_interval=None)
        self.port: int = self.server.socket.getsockname()[1]

    @property
    def frame_bytes(self) -> int:
        """Of one frame with its head."""
        return len(self._one)

    def flood(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """At least so many frames, as fast as they are taken."""
        sends = -(-asked["frames"] // self._per_send)
        for _ in range(sends):
            self._write(self._all)
        return {"frames": sends * self._per_send}

    def bursts(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """All contracts at once, or one frame alone, again and again; when each was given to the socket, ns."""
        frames = self._round if asked["frames"] > 1 else self._one
        sent = []
        for _ in range(asked["bursts"]):
            threading.Event().wait(asked["every_s"])
            sent.append(monotonic_ns())
            self._write(frames)
        return {"sent": sent}

    def _write(self, raw: bytes) -> None:
        assert self._newest is not None
        self._newest.socket.sendall(raw)

    def _answer(self, connection: ServerConnection) -> None:
        self._newest = connection
        try:
            for raw in connection:
                connection.send(json.dumps(_answer_to(json.loads(raw))))
        except ConnectionClosed:
            return


def _answer_to(asked: Mapping[str, Any]) -> dict[str, Any]:
    action = asked.get("action")
    if action == "authenticate":
        return {"type": "auth", "status": "success", "broker": "zerodha"}
    if action == "subscribe":
        rows = [{**row, "status": "success"} for row in asked.get("symbols") or [asked]]
        number = {"request_id": asked["request_id"]} if "request_id" in asked else {}
        return {"type": "subscribe", "status": "success", "subscriptions": rows, **number}
    return {"type": str(action), "status": "success"}


def main() -> None:
    source = Source()
    threading.Thread(target=source.server.serve_forever, daemon=True).start()  # noqa: TID251 - a process of its own
    commands = {"flood": source.flood, "bursts": source.bursts}
    _say({"port": source.port, "frame_bytes": source.frame_bytes})
    for line in sys.stdin:
        asked = json.loads(line)
        _say(commands[asked["do"]](asked))
    source.server.shutdown()


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
