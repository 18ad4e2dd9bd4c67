"""One client of the price stream: what it subscribed to and the frames waiting to be sent to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.quotes import ContractKey

TickSlot = tuple[ContractKey, int, int]  # contract, mode of the tick, place in a burst


@dataclass(eq=False)
class StreamClient:
    """Frames wait here, so a client that does not read holds up nobody.

    Replies and order updates queue in order; of the prices of one contract only the newest waits. The original sends
    to all clients of a tick together and has no such buffer: one stalled reader there can stall every other one.
    """

    connection: ServerConnection
    authenticated: bool = False
    wants_orders: bool = False
    half_open: bool = False
    modes: dict[ContractKey, set[int]] = field(default_factory=dict)
    _replies: deque[tuple[bytes, bool]] = field(default_factory=deque)
    _ticks: dict[TickSlot, bytes] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Task[None] | None = None

    def reply(self, frame: bytes, *, binary: bool = False) -> None:
        self._replies.append((frame, binary))
        self._wake.set()

    def tick(self, slot: TickSlot, frame: bytes) -> None:
        """Puts the newest price in the place of an unsent older one."""
        self._ticks.pop(slot, None)
        self._ticks[slot] = frame
        self._wake.set()

    def tag_for(self, key: ContractKey, mode: int) -> int | None:
        """The client's highest mode that a tick of `mode` satisfies; None when it gets none."""
        return max((held for held in self.modes.get(key, ()) if held <= mode), default=None)

    def forget(self, keys: Iterable[ContractKey]) -> None:
        """Drops unsent prices of contracts it no longer subscribes to."""
        gone = {key for key in keys if key not in self.modes}
        self._ticks = {slot: frame for slot, frame in self._ticks.items() if slot[0] not in gone}

    def waiting(self) -> int:
        """How many frames are unsent."""
        return len(self._replies) + len(self._ticks)

    async def pump(self) -> None:
        """Sends what waits until the connection ends."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send_all()
        except ConnectionClosed:
            return

    async def _send_all(self) -> None:
        while self._replies or self._ticks:
            if self.half_open:
                return
            if self._replies:
                frame, binary = self._replies.popleft()
                await self.connection.send(frame, text=not binary)
            else:
                await self.connection.send(self._ticks.pop(next(iter(self._ticks))), text=True)

    def close_soon(self, code: int, reason: str) -> None:
        """Closes with a protocol close frame; the task is kept until it is done."""
        if self._closing is None:
            self._closing = asyncio.create_task(self.connection.close(code, reason))

    def go_half_open(self) -> None:
        """From now on the socket stays open and nothing comes: no frame, no answer, no pong, no close."""
        self.half_open = True
        keepalive = self.connection.keepalive_task
        if keepalive is not None:
            keepalive.cancel()
        self.connection.transport.pause_reading()
