"""The WebSocket side of one gateway: authentication, subscriptions, prices, order updates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from simulator import stream_frames as frames
from simulator.account import SimAccount
from simulator.quotes import ContractKey
from simulator.rest_call import Gateway
from simulator.stream_client import StreamClient
from simulator.stream_faults import StreamFaults
from simulator.stream_hub import TickHub
from simulator.stream_orders import OrderPush
from simulator.stream_subscriptions import MODE_LABELS, QUOTE, Subscriptions
from simulator.stream_ticks import Tick, TickFrames, fan_out, first_burst

AUTH_GRACE_S = 15.0
FIRST_TICK_S = 0.5
PING_S = 20.0
WITHOUT_AUTH = frozenset({"authenticate", "auth", "ping", "get_supported_brokers"})


class RequestRefusedError(Exception):
    """The request is answered with an error frame."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.frame = frames.error(code, message)


class StreamSide:
    """Serves the stream of one gateway. `adapter` is its broker connection, named by the token it logged in with.

    A new login leaves the old adapter behind: sockets stay open, prices stop, nobody is told.
    """

    def __init__(self, gateway: Gateway, hub: TickHub) -> None:
        self._gateway = gateway
        self._hub = hub
        self._faults = StreamFaults(gateway)
        self._subscriptions = Subscriptions()
        self._clients: dict[StreamClient, None] = {}
        self._adapter: int | None = None
        self._dead_token: int | None = None
        self._broker_modes: dict[ContractKey, int] = {}  # what the broker was told; it lags behind the subscriptions
        self._server: Server | None = None
        self._orders = OrderPush(self._faults, self._clients)
        self._orders.listen()
        self._actions: dict[str, Callable[[StreamClient, dict[str, Any]], bytes]] = {
            "authenticate": self._authenticate,
            "auth": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "unsubscribe_all": self._unsubscribe_all,
            "subscribe_orders": self._subscribe_orders,
            "unsubscribe_orders": self._unsubscribe_orders,
            "get_broker_info": self._broker_info,
            "get_supported_brokers": lambda _client, _request: frames.supported_brokers(),
            "ping": self._ping,
        }

    @property
    def _account(self) -> SimAccount:
        return self._gateway.account

    async def start(self, host: str, port: int) -> int:
        """Listens and answers the port really taken. Raises OSError when it is in use."""
        self._server = await serve(
            self._serve, host, port, ping_interval=PING_S, ping_timeout=PING_S, compression=None, close_timeout=0.2
        )
        taken: int = next(iter(self._server.sockets)).getsockname()[1]
        return taken

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def restart(self) -> None:
        """Follows the gateway into its fresh market; clients are sent away and must come again."""
        for client in tuple(self._clients):
            self._subscriptions.drop(client)  # the old market and its watchers are gone
            client.close_soon(1012, "service restart")
        self._adapter = self._dead_token = None
        self._broker_modes.clear()
        self._orders.listen()

    # connections

    async def _serve(self, connection: ServerConnection) -> None:
        if self._faults.refuses():
            await connection.close(1011)
            return
        client = StreamClient(connection)
        self._clients[client] = None
        pump = asyncio.create_task(client.pump())
        grace = asyncio.get_running_loop().call_later(AUTH_GRACE_S, self._check_authenticated, client)
        try:
            async for raw in connection:
                client.reply(self.answer(client, raw))
        except ConnectionClosed:
            return
        finally:
            grace.cancel()
            pump.cancel()
            self._leave(client)

    def _check_authenticated(self, client: StreamClient) -> None:
        if not client.authenticated:
            client.close_soon(4401, "auth timeout")

    def _leave(self, client: StreamClient) -> None:
        self._clients.pop(client, None)
        self._unwatch(self._subscriptions.drop(client))
        if not self._clients:
            self._adapter = None

    # requests

    def answer(self, client: StreamClient, raw: str | bytes) -> bytes:
        """The frame that answers one incoming message; every message gets exactly one."""
        try:
            request = json.loads(raw)
        except ValueError:
            return frames.error("INVALID_JSON", "Invalid JSON message")
        try:
            return self._dispatch(client, request)
        except RequestRefusedError as refusal:
            return refusal.frame

    def _dispatch(self, client: StreamClient, request: Any) -> bytes:
        require_object(request)
        name = request.get("action") or request.get("type")
        action = self._actions.get(name) if isinstance(name, str) else None
        if action is None:
            raise RequestRefusedError("INVALID_ACTION", f"Invalid action: {name}")
        if not client.authenticated and name not in WITHOUT_AUTH:
            raise RequestRefusedError("NOT_AUTHENTICATED", "You must authenticate first")
        return action(client, request)

    def _authenticate(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        key = request.get("api_key") or request.get("apikey")
        if not key:
            raise RequestRefusedError("AUTHENTICATION_ERROR", "API key is required")
        if key != self._account.api_key:
            raise RequestRefusedError("AUTHENTICATION_ERROR", "Invalid API key")
        client.authenticated = True
        if not self._session_ok():
            raise RequestRefusedError("BROKER_ERROR", "No broker configuration found for user")
        if not self._connected():
            self._tear_down()
            self._adapter = self._account.token_generation
        return frames.authenticated(self._account.user_id)

    def _session_ok(self) -> bool:
        return self._account.session_ok and not self._faults.standing("session_revoked")

    def _connected(self) -> bool:
        return self._adapter == self._account.token_generation and self._session_ok()

    def _tear_down(self) -> None:
        for client in self._clients:
            self._unwatch(self._subscriptions.drop(client))

    def _require_adapter(self) -> None:
        if not self._connected():
            raise RequestRefusedError("BROKER_ERROR", "Broker adapter not found")

    def _subscribe(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        asked = asked_symbols(request)
        if not asked:
            raise RequestRefusedError("INVALID_PARAMETERS", "At least one symbol must be specified")
        mode = mode_number(request.get("mode", QUOTE))
        self._require_adapter()
        rows = [
            self._subscribe_one(client, str(row["symbol"]), str(row["exchange"]), mode, request.get("depth", 5))
            for row in asked
            if row.get("symbol") and row.get("exchange")
        ]
        return frames.subscribed(rows, request)

    def _subscribe_one(self, client: StreamClient, symbol: str, exchange: str, mode: int, depth: Any) -> dict[str, Any]:
        row = {"symbol": symbol, "exchange": exchange}
        key = ContractKey(symbol, exchange)
        if self._gateway.venue.contracts.find(*key) is None:
            text = f"Token not found for {symbol} on {exchange}"
            return {**row, "status": "error", "message": text, "broker": frames.BROKER}
        if key not in self._subscriptions:
            self._gateway.venue.watch(key)
        if self._subscriptions.add(client, key, mode):
            asyncio.get_running_loop().call_later(FIRST_TICK_S, self._send_first, key, mode)
        return {**row, "status": "success", "mode": MODE_LABELS[mode], "depth": depth, "broker": frames.BROKER}

    def _unsubscribe(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        """A batch takes the mode of each row, not the one beside it; removing what is not held succeeds."""
        asked = asked_symbols(request)
        if not asked:
            raise RequestRefusedError("INVALID_PARAMETERS", "Either symbols or unsubscribe_all is required")
        kept = [row for row in asked if row.get("symbol") and row.get("exchange")]
        pairs = [(ContractKey(str(row["symbol"]), str(row["exchange"])), row.get("mode", QUOTE)) for row in kept]
        self._release(client, [(key, mode_number(mode)) for key, mode in pairs])
        return frames.unsubscribed([_gone(key) for key, _ in pairs], request)

    def _unsubscribe_all(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        pairs = [(key, mode) for key, modes in client.modes.items() for mode in modes]
        self._release(client, pairs)
        return frames.unsubscribed([_gone(key) for key, _ in pairs], request)

    def _release(self, client: StreamClient, pairs: list[tuple[ContractKey, int]]) -> None:
        self._unwatch([key for key, mode in pairs if self._subscriptions.remove(client, key, mode)])
        client.forget(key for key, _ in pairs)

    def _unwatch(self, keys: list[ContractKey]) -> None:
        for key in keys:
            self._broker_modes.pop(key, None)
            self._gateway.venue.unwatch(key)

    def _subscribe_orders(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        client.wants_orders = True
        return frames.orders_switched(request, on=True)

    def _unsubscribe_orders(self, client: StreamClient, request: dict[str, Any]) -> bytes:
        client.wants_orders = False
        return frames.orders_switched(request, on=False)

    def _broker_info(self, _client: StreamClient, _request: dict[str, Any]) -> bytes:
        """`connected` also while the broker's feed is dead: it says only that the adapter exists."""
        return frames.broker_info(self._account.user_id, connected=self._connected())

    def _ping(self, _client: StreamClient, request: dict[str, Any]) -> bytes:
        return frames.pong(request, self._gateway.venue.clock.now_ms + self._faults.skew_ms())

    # prices

    def holds(self, key: ContractKey) -> bool:
        return key in self._subscriptions

    def publish(self) -> None:
        """What the fault board does to the connections themselves, and to what the broker feeds."""
        self._faults.strike(self._clients)
        for key in self._faults.forgets(self._broker_modes):
            del self._broker_modes[key]

    def deliver(self, ticks: TickFrames) -> None:
        top = min(self._broker_modes.get(ticks.key, 0), self._subscriptions.highest(ticks.key))
        if top and self._feeding(ticks.key):
            held = {mode for mode in self._subscriptions.modes(ticks.key) if mode < top}
            for tick in fan_out(held | {top}):
                self._send(ticks, [tick])

    def _send_first(self, key: ContractKey, mode: int) -> None:
        if key in self._subscriptions:
            self._broker_modes[key] = max(mode, self._broker_modes.get(key, 0))
        ticks = self._hub.frames(key) if key in self._subscriptions else None
        if ticks is not None and self._feeding(key):
            self._send(ticks, first_burst(mode, index=ticks.index))

    def _send(self, ticks: TickFrames, burst: Sequence[Tick]) -> None:
        for place, tick in enumerate(burst):
            for client in self._subscriptions.clients(ticks.key):
                tag = client.tag_for(ticks.key, tick.mode)
                if tag is not None:
                    frame = self._faults.spoilt(ticks.key, ticks.frame(tick, tag))
                    client.tick((ticks.key, tick.mode, place), frame)

    def _feeding(self, key: ContractKey) -> bool:
        """A token that has died once leaves its feed dead, even when it works again."""
        if not self._account.token_ok or self._faults.standing("token_dead"):
            self._dead_token = self._account.token_generation
        alive = self._connected() and self._dead_token != self._account.token_generation
        return alive and not self._faults.mutes(key)


def require_object(value: Any) -> None:
    """The original trips over anything else and tells how. Raises RequestRefusedError."""
    if not isinstance(value, dict):
        raise RequestRefusedError("SERVER_ERROR", f"'{type(value).__name__}' object has no attribute 'get'")


def asked_symbols(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a batch, or the one symbol of a single request; empty when neither is there."""
    rows = request.get("symbols")
    if rows:
        for row in rows:
            require_object(row)
        return list(rows)
    return [request] if request.get("symbol") and request.get("exchange") else []


def mode_number(mode: Any) -> int:
    """1, 2 or 3 from a number or a label of any case. Raises RequestRefusedError."""
    if isinstance(mode, bool) or not isinstance(mode, int | str):
        raise RequestRefusedError("INVALID_MODE", f"Mode must be int or str, got {type(mode).__name__} ({mode})")
    if isinstance(mode, int):
        if mode in MODE_LABELS:
            return mode
        raise RequestRefusedError("INVALID_MODE", f"Invalid mode {mode}; expected 1 (LTP), 2 (Quote), or 3 (Depth)")
    found = {label.lower(): number for number, label in MODE_LABELS.items()}.get(mode.lower())
    if found is None:
        text = f"Invalid mode '{mode}'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"
        raise RequestRefusedError("INVALID_MODE", text)
    return found


def _gone(key: ContractKey) -> dict[str, Any]:
    return {"symbol": key.symbol, "exchange": key.exchange, "status": "success", "broker": frames.BROKER}
