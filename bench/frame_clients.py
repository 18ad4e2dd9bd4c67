"""Who takes depth frames from a socket: the product's own way, and others: `python -m bench.frame_clients`, a process.

All of them end with the newest frame of each contract in memory. `read` is the bare socket: what the machine allows.
"""

import asyncio
import contextlib
import json
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from websockets.sync.client import ClientConnection, connect

from app.adapters.clock import SystemClock
from app.adapters.openalgo.feed_opening import FeedLimits, OpenAlgoFeeds
from app.domain.contracts import ContractKey
from app.ports.feed import FeedMode
from app.ports.gateway import GatewayAddress
from app.services.feed_link import BoardWriter, DropCounts, FeedLink
from app.services.price_board import PriceBoard
from bench.frame_source import EXCHANGE, symbols

NEVER_S = 1e6
PATIENCE_S = 60.0


class TookTooLongError(Exception):
    """Frames stopped coming."""


class Taker(Protocol):
    """Takes frames from now on; `take` returns when that many more have come to where the newest are kept."""

    def take(self, frames: int) -> None: ...


class Ours:
    """The feed, its link and the price board, with one consumer of changes and one who is woken, as in the engine."""

    def __init__(self, url: str) -> None:
        clock = SystemClock()
        keys = [ContractKey(EXCHANGE, symbol) for symbol in symbols()]
        self._board = PriceBoard(clock)
        writer = BoardWriter(self._board, clock, "bench", drops=DropCounts(), writes=True)
        address = GatewayAddress("http://127.0.0.1", url, "bench")
        feed = OpenAlgoFeeds(clock, FeedLimits(keepalive_s=NEVER_S))(address, writer)
        self._link = FeedLink(1, "bench", address, feed, writer, clock, opened=clock.monotonic())
        self._link.follow(dict.fromkeys(keys, FeedMode.DEPTH))
        while len(self._link.confirmed()) < len(keys):
            self._link.read(1.0)
        self._board.take_dirty("pages")
        self._woken = threading.Event()
        self._board.watch(keys, self._woken.set)
        self._taken = 0

    def take(self, frames: int) -> None:
        link = self._link
        self._taken += frames
        while link.writer.accepted < self._taken:
            if not link.read(PATIENCE_S):
                raise TookTooLongError
        self._board.take_dirty("pages")
        if self._board.counts().dropped:
            raise TookTooLongError(f"frames were dropped: {self._board.counts()}")


class _Level(msgspec.Struct):
    price: float
    quantity: int


class _Depth(msgspec.Struct):
    buy: list[_Level]
    sell: list[_Level]


class _Figures(msgspec.Struct):
    ltp: float
    timestamp: int
    volume: int
    depth: _Depth


class _Frame(msgspec.Struct):
    symbol: str
    exchange: str
    data: _Figures


_TYPED = msgspec.json.Decoder(_Frame)


class WebSocketsSync:
    """The websockets library's own threads and queue, decoded into dictionaries or into types."""

    def __init__(self, url: str, *, typed: bool) -> None:
        opening = connect(url, compression=None, max_size=None, ping_interval=None)
        self._socket = contextlib.ExitStack().enter_context(opening)  # it ends with the process
        _subscribe(self._socket)
        self._newest: dict[Any, Any] = {}
        self._read = self._typed if typed else self._loose

    def take(self, frames: int) -> None:
        receive, read = self._socket.recv, self._read
        for _ in range(frames):
            read(receive(PATIENCE_S, decode=False))

    def _loose(self, raw: bytes) -> None:
        frame = json.loads(raw)
        self._newest[frame["exchange"], frame["symbol"]] = frame["data"]

    def _typed(self, raw: bytes) -> None:
        frame = _TYPED.decode(raw)
        self._newest[frame.exchange, frame.symbol] = frame.data


def _subscribe(connection: ClientConnection) -> None:
    connection.send(json.dumps({"action": "authenticate", "api_key": "bench"}))
    rows = [{"symbol": symbol, "exchange": EXCHANGE} for symbol in symbols()]
    connection.send(json.dumps({"action": "subscribe", "symbols": rows, "mode": 3}))
    for _ in range(2):
        connection.recv(PATIENCE_S)


class Counted:
    """Frames counted on another thread."""

    def __init__(self) -> None:
        self._come = 0
        self._wanted = 0
        self._there = threading.Event()

    def one(self) -> None:
        self._come += 1
        if self._come == self._wanted:
            self._there.set()

    def wait(self, frames: int) -> None:
        self._there.clear()
        self._wanted += frames
        if self._come < self._wanted and not self._there.wait(PATIENCE_S):
            raise TookTooLongError


class Sdk:
    """The feed of OpenAlgo's own package."""

    def __init__(self, url: str) -> None:
        from openalgo import api  # noqa: PLC0415  it takes half a second, and may be missing

        self._count = Counted()
        client = api(api_key="bench", host="http://127.0.0.1", ws_url=url)
        if not client.connect():
            raise TookTooLongError("the SDK was not let in")
        rows = [{"exchange": EXCHANGE, "symbol": symbol} for symbol in symbols()]
        client.subscribe_depth(rows, on_data_received=lambda _: self._count.one())

    def take(self, frames: int) -> None:
        self._count.wait(frames)


class Picows:
    """The fastest WebSocket of the package index, decoded into types."""

    def __init__(self, url: str) -> None:
        import picows  # noqa: PLC0415  it may be missing

        self._newest: dict[Any, Any] = {}
        self._count = Counted()
        newest, count = self._newest, self._count

        class Listener(picows.WSListener):
            def on_ws_frame(self, _: Any, frame: Any) -> None:
                read = _TYPED.decode(frame.get_payload_as_memoryview())
                newest[read.exchange, read.symbol] = read.data
                count.one()

        async def run() -> None:
            transport, _ = await picows.ws_connect(Listener, url)
            self._is_in.set()
            await transport.wait_disconnected()

        self._is_in = threading.Event()
        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()  # noqa: TID251 - a plain client
        if not self._is_in.wait(PATIENCE_S):
            raise TookTooLongError

    def take(self, frames: int) -> None:
        self._count.wait(frames)


class BareRead:
    """Bytes out of the socket, looked at by nobody."""

    def __init__(self, url: str, frame_bytes: int) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S)
        self._socket.sendall(
            b"GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: YWxnb21pcnJvciBiZW5jaA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        self._frame_bytes = frame_bytes
        self._room = bytearray(64 * 1024)
        self._over = 0

    def take(self, frames: int) -> None:
        left = frames * self._frame_bytes - self._over
        while left > 0:
            came = self._socket.recv_into(self._room)
            if not came:
                raise TookTooLongError
            left -= came
        self._over = -left


LIMIT = "bare read"
OURS = "ours"
_KINDS: dict[str, Callable[[str, int], Taker]] = {
    OURS: lambda url, _: Ours(url),
    "websockets+json": lambda url, _: WebSocketsSync(url, typed=False),
    "websockets+msgspec": lambda url, _: WebSocketsSync(url, typed=True),
    "sdk": lambda url, _: Sdk(url),
    "picows+msgspec": lambda url, _: Picows(url),
    LIMIT: BareRead,
}
PEERS = tuple(kind for kind in _KINDS if kind not in {OURS, LIMIT})


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _take(taker: Taker, asked: Mapping[str, Any]) -> dict[str, Any]:
    """CPU seconds of this process, all of its threads, for so many frames."""
    before = _cpu_s()
    taker.take(asked["frames"])
    return {"cpu_s": _cpu_s() - before}


def _bursts(taker: Taker, asked: Mapping[str, Any]) -> dict[str, Any]:
    """When the last frame of each burst was there, ns."""
    there = []
    for _ in range(asked["bursts"]):
        taker.take(asked["frames"])
        there.append(monotonic_ns())
    return {"there": there}


def main() -> None:
    """The kind, the address and the size of a frame stand on the command line; it says whether it is in, or missing."""
    kind, url, frame_bytes = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the SDK prints
    try:
        taker = _KINDS[kind](url, int(frame_bytes))
    except ImportError as missing:
        _say(answers, {"missing": str(missing)})
        return
    _say(answers, {"ready": True})
    commands = {"take": _take, "bursts": _bursts}
    for line in sys.stdin:
        asked = json.loads(line)
        _say(answers, commands[asked["do"]](taker, asked))
    os._exit(0)  # what a client's threads still do is nobody's business


def _say(answers: Any, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
