"""The least of HTTP/1.1 that a kept-alive client of a gateway needs: one protocol object for each connection."""

import asyncio
import re
import time
from collections.abc import Callable

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

Reply = Callable[[bytes], None]
"""Writes the answer to one request; called once."""

Answer = Callable[[str, bytes, int, Reply], None]
"""Takes path, body, the moment the request was complete (CLOCK_MONOTONIC, ns) and how to reply."""


class Wire(asyncio.Protocol):
    """One connection. Requests are answered in whatever order their replies come: clients here send one at a time."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._waiting = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        received = time.monotonic_ns()
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            length = _LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._waiting) < size:
                return
            body, self._waiting = self._waiting[end + 4 : size], self._waiting[size:]
            self._answer(head.split(b" ", 2)[1].decode(), body, received, self._reply)

    def _reply(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD % len(body) + body)


async def listen(answer: Answer) -> int:
    """Serve on a free port of this machine until the loop ends; the port."""
    server = await asyncio.get_running_loop().create_server(lambda: Wire(answer), "127.0.0.1", 0, backlog=512)
    port: int = server.sockets[0].getsockname()[1]
    return port
