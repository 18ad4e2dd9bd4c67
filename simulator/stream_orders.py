"""Pushes order updates of one account to the clients that asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from simulator.account import SimAccount
from simulator.formats_books import order_update
from simulator.orders import OrderView
from simulator.stream_client import StreamClient
from simulator.stream_faults import StreamFaults
from simulator.stream_frames import encode

HELD_S = 1.0
"""How long an update waits for a second one to swap places with, real seconds."""


class OrderPush:
    """Sends what an account reports. There is no snapshot and no replay."""

    def __init__(self, faults: StreamFaults, clients: Iterable[StreamClient]) -> None:
        self._faults = faults
        self._clients = clients
        self._held: bytes | None = None

    def listen(self) -> None:
        """Starts with the gateway's present account, from now on."""
        self._held = None
        self._account.on_order_update(self.push)

    @property
    def _account(self) -> SimAccount:
        return self._faults.gateway.account

    def push(self, order: OrderView) -> None:
        """A live update needs a live broker session; the sandbox makes its own."""
        live_gone = not (self._account.session_ok and self._account.token_ok)
        if (order.mode == "live" and live_gone) or self._faults.standing("no_order_push"):
            return
        frame = encode(order_update(order, self._account.user_id))
        if self._faults.hit("reorder_order_push"):
            self._swap(frame)
            return
        self._send(frame)
        if self._faults.hit("duplicate_order_push"):
            self._send(frame)

    def _swap(self, frame: bytes) -> None:
        if self._held is None:
            self._held = frame
            asyncio.get_running_loop().call_later(HELD_S, self._release, frame)
            return
        self._send(frame)
        self._release(self._held)

    def _release(self, frame: bytes) -> None:
        if self._held is frame:
            self._held = None
            self._send(frame)

    def _send(self, frame: bytes) -> None:
        for client in tuple(self._clients):
            if client.wants_orders:
                client.reply(frame)
