"""The sockets of the bench gateway: order updates of an account, and the simulator's prices passed on."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Callable
from time import monotonic_ns
from typing import Any

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_NAMED = re.compile(rb'"type":"market_data","symbol":"([^"]+)"')
_TURN_S = 0.02


async def _listen(handler: Any) -> str:
    server = await serve(handler, "127.0.0.1", 0, compression=None)
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


class OrderStream:
    """One account's feed: it lets everybody in, knows no prices, and tells of orders."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._listening: set[ServerConnection] = set()
        self._sending: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        return await _listen(self._serve)

    def push(self, frame: bytes) -> None:
        for connection in self._listening:
            task = asyncio.get_running_loop().create_task(_send(connection, frame))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _serve(self, connection: ServerConnection) -> None:
        try:
            async for raw in connection:
                await connection.send(msgspec.json.encode(self._answer(connection, msgspec.json.decode(raw))))
        except ConnectionClosed:
            return
        finally:
            self._listening.discard(connection)

    def _answer(self, connection: ServerConnection, asked: dict[str, Any]) -> dict[str, Any]:
        action = asked.get("action") or asked.get("type")
        if action == "authenticate":
            return {"type": "auth", "status": "success", "broker": "simulator"}
        if action == "ping":
            return {"type": "pong", "server_timestamp": self._now_ms()}
        if action == "subscribe":
            rows = [{**row, "status": "success"} for row in asked["symbols"]]
            return {"type": "subscribe", "status": "success", "subscriptions": rows, **_number(asked)}
        if action == "subscribe_orders":
            self._listening.add(connection)
        return {"type": str(action), "status": "success", "successful": [], **_number(asked)}


def _number(asked: dict[str, Any]) -> dict[str, Any]:
    return {"request_id": asked["request_id"]} if "request_id" in asked else {}


async def _send(connection: ServerConnection, frame: bytes) -> None:
    with contextlib.suppress(ConnectionClosed):
        await connection.send(frame)


class PriceRelay:
    """Stands between the desk and the simulator's feed, so that the moment a price left is known here.

    It passes everything on both ways, can send the newest frames again and again at a rate, and can move a price.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._clients: set[ServerConnection] = set()
        self._newest: dict[str, bytes] = {}
        self._moved: dict[str, bytes] = {}
        self._flowing: asyncio.Task[None] | None = None

    async def start(self) -> str:
        return await _listen(self._serve)

    async def seen(self, symbol: str, within_s: float) -> None:
        """Wait until a frame of that contract has come, at most so long: a desk subscribes what it holds soon."""
        end = monotonic_ns() + round(within_s * 1e9)
        while symbol not in self._newest and monotonic_ns() < end:  # noqa: ASYNC110 - frames come by thousands a second
            await asyncio.sleep(_TURN_S)

    async def strike(self, symbol: str, points: float) -> int:
        """Send the newest frame with every price `points` higher, and nothing else of that contract until `free`.

        The moment it was written to the socket, in ns; 0 when there was no frame yet.
        """
        newest = self._newest.get(symbol)
        if newest is None:
            return 0
        frame = self._moved[symbol] = _shifted(newest, points)
        sent = monotonic_ns()
        for client in self._clients:
            await _send(client, frame)
        return sent

    def free(self) -> None:
        self._moved.clear()

    def flow(self, per_second: int) -> None:
        """From now on send so many frames a second besides those that come; 0 stops it."""
        if self._flowing is not None:
            self._flowing.cancel()
        self._flowing = asyncio.get_running_loop().create_task(self._flow(per_second)) if per_second else None

    async def _flow(self, per_second: int) -> None:
        turns = itertools.count()
        begun, sent = monotonic_ns(), 0
        while True:
            names = list(self._newest)
            due = round((monotonic_ns() - begun) * per_second / 1e9) - sent
            for _ in range(due if names else 0):
                name = names[next(turns) % len(names)]
                for client in self._clients:
                    await _send(client, self._moved.get(name) or self._newest[name])
            sent += due
            await asyncio.sleep(_TURN_S)

    async def _serve(self, client: ServerConnection) -> None:
        async with connect(self._upstream, compression=None, proxy=None) as upstream:
            self._clients.add(client)
            down = asyncio.create_task(self._down(client, upstream))
            try:
                async for raw in client:
                    await upstream.send(raw)
            except ConnectionClosed:
                return
            finally:
                self._clients.discard(client)
                down.cancel()

    async def _down(self, client: ServerConnection, upstream: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for raw in upstream:
                frame = raw if isinstance(raw, bytes) else raw.encode()
                named = _NAMED.search(frame, 0, 80)
                symbol = named[1].decode() if named else ""
                if symbol in self._moved:
                    continue
                if symbol:
                    self._newest[symbol] = frame
                await client.send(raw)
        await client.close()


def _shifted(frame: bytes, points: float) -> bytes:
    tick = msgspec.json.decode(frame)
    figures = tick["data"]
    figures["ltp"] = round(figures["ltp"] + points, 2)
    for levels in figures.get("depth", {}).values():
        for level in levels:
            level["price"] = round(level["price"] + points, 2)
    return msgspec.json.encode(tick)
