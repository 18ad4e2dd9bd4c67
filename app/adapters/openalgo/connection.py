"""Kept-alive HTTP connections to one gateway: one request at a time on each, nothing ever sent twice on its own."""

import contextlib
import http.client
import logging
import queue
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError

from app.adapters.openalgo.address import Address
from app.adapters.openalgo.exchange import Answered, exchange
from app.adapters.openalgo.failures import CallFailed, HandshakeFailed, Place, failed
from app.ports.clock import Clock

# Its debug lines hold whole request paths, and the contract list is asked for with the key in the path.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

_MOST_IDLE_S = 1.5
"""A gateway's server drops a connection idle for 2 s without saying so; an order sent on one is an unknown order."""

_HEADERS = "Accept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: AlgoMirror\r\n"
_USUAL_PORTS = {False: 80, True: 443}


class Pace(StrEnum):
    """How long an answer may take, by what is asked for."""

    PLACE = "place"
    CANCEL = "cancel"
    BOOKS = "books"
    QUOTES = "quotes"
    CONTRACTS = "contracts"
    HISTORY = "history"


PATIENCE: Mapping[Pace, float] = {
    # The gateway itself waits for its broker for 120 s, and who hangs up sooner knows less.
    Pace.PLACE: 125.0,
    # The answer to a cancel settles nothing, so nobody waits long for it.
    Pace.CANCEL: 15.0,
    Pace.BOOKS: 8.0,
    Pace.QUOTES: 5.0,
    Pace.CONTRACTS: 30.0,
    # Calls for history stand in a queue of their own there, one in 350 ms.
    Pace.HISTORY: 20.0,
}
"""Seconds to wait for an answer."""


@dataclass(frozen=True, slots=True)
class Route:
    """One of the few paths that are ever asked for. `cap_bytes` is the longest answer that is read."""

    path: str
    pace: Pace
    cap_bytes: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Most connections at a time: orders, cancels and reads wait for none of the others' hung calls."""

    orders: int = 4
    cancels: int = 2
    reads: int = 4
    connect_s: float = 3.0
    turn_s: int = 3
    """Seconds to wait for one of the connections to come free."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status and the bytes that came with it."""

    status: int
    body: bytes


class _PlainConnection(HTTPConnection):
    idle_since: float | None = None


class _SecureConnection(HTTPSConnection):
    idle_since: float | None = None

    def connect(self) -> None:
        """Name a failed handshake what it is: a connection that was not made, with nothing sent."""
        try:
            super().connect()
        except HTTPError:
            raise
        except OSError as error:
            self.close()
            raise HandshakeFailed(self, f"no secure connection: {error}") from error


class _FreshPool(urllib3.HTTPConnectionPool):
    """Hands out no connection that has been idle for long."""

    ConnectionCls: type[HTTPConnection] = _PlainConnection
    clock: Clock

    def take(self, within_s: float) -> Any:
        """One of its connections, for this caller alone. Raises EmptyPoolError."""
        return self._get_conn(within_s)

    def give_back(self, connection: Any) -> None:
        self._put_conn(connection)

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        since = getattr(connection, "idle_since", None)
        if since is not None and self.clock.monotonic() - since > _MOST_IDLE_S:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = self.clock.monotonic()
        super()._put_conn(conn)


class _FreshSecurePool(_FreshPool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class GatewayConnection:
    """All connections to one gateway. Thread-safe: each thread has a connection to itself while it asks."""

    def __init__(
        self, host_url: str, clock: Clock, *, sizes: Sizes | None = None, patience: Mapping[Pace, float] = PATIENCE
    ) -> None:
        """Connects to nothing yet. Raises InvalidInput when `host_url` is no http(s)://host[:port]."""
        self._address = Address.parse(host_url, "host_url", "http")
        self._sizes = sizes or Sizes()
        self._patience = patience
        self._clock = clock
        self._pools = {
            Pace.PLACE: self._pool(self._sizes.orders),
            Pace.CANCEL: self._pool(self._sizes.cancels),
        }
        self._reads = self._pool(self._sizes.reads)
        usual = self._address.port == _USUAL_PORTS[self._address.is_secure]
        host = self._address.host if usual else self._address.label
        self._headers = f"Host: {host}\r\n{_HEADERS}".encode("ascii")

    @property
    def host(self) -> str:
        """`host:port`, for sentences."""
        return self._address.label

    def post(self, route: Route, body: bytes) -> Reply:
        """Send once. Raises CallFailed."""
        return self._send(route, "POST", f"/api/v1/{route.path}", body)

    def read(self, route: Route, body: bytes) -> Reply:
        """Ask, and once more if the gateway dropped the connection unanswered. Raises CallFailed. Never for orders."""
        try:
            return self.post(route, body)
        except CallFailed as error:
            if not _dropped(error.__cause__):
                raise
        return self.post(route, body)

    def get(self, route: Route, query: str) -> Reply:
        """Ask with the fields in `query`, already encoded. Raises CallFailed."""
        return self._send(route, "GET", f"/api/v1/{route.path}?{query}", None)

    def close(self) -> None:
        for pool in (*self._pools.values(), self._reads):
            _drain(pool)

    def _send(self, route: Route, method: str, path: str, body: bytes | None) -> Reply:
        read_s = self._patience[route.pace]
        place = Place(self.host, read_s, route.cap_bytes)
        deadline = self._clock.monotonic() + self._sizes.turn_s + self._sizes.connect_s + read_s
        request = self._request(method, path, body)
        pool = self._pools.get(route.pace, self._reads)
        try:
            connection = pool.take(self._sizes.turn_s)
            answered: Answered | None = None
            try:
                connected = self._connected(connection, read_s)
                answered = exchange(connected, request, place, lambda: self._clock.monotonic() > deadline)
            finally:
                if answered is None or not answered.keeps:
                    connection.close()
                pool.give_back(connection)
        except HTTPError as error:
            raise failed(error, place) from error
        return Reply(answered.status, answered.body)

    def _connected(self, connection: Any, read_s: float) -> socket.socket:
        """Connects where it has to. Raises what says that nothing was sent."""
        if connection.is_closed:
            connection.timeout = self._sizes.connect_s
            connection.connect()
        connected: socket.socket = connection.sock
        connected.settimeout(read_s)
        return connected

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        line = f"{method} {path} HTTP/1.1\r\n".encode("ascii")
        if body is None:
            return b"%b%b\r\n" % (line, self._headers)
        return b"%b%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            line, self._headers, len(body), body,
        )  # fmt: skip

    def _pool(self, size: int) -> _FreshPool:
        kind = _FreshSecurePool if self._address.is_secure else _FreshPool
        pool = kind(self._address.host, self._address.port, maxsize=size, block=True, retries=False)
        pool.clock = self._clock
        return pool


def _drain(pool: _FreshPool) -> None:
    """Close the idle connections of a pool that stays usable; those in use close once they have been idle."""
    idle: list[Any] = []
    turns = pool.pool
    if turns is None:
        return
    with contextlib.suppress(queue.Empty):
        while True:
            idle.append(turns.get_nowait())
    for connection in idle:
        if connection is not None:
            connection.close()
        turns.put_nowait(None)


def _dropped(error: BaseException | None) -> bool:
    """Whether the connection was cut before one byte of an answer: what a server does to one kept for too long."""
    if not isinstance(error, ProtocolError) or len(error.args) < 2:
        return False
    return isinstance(error.args[1], http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError)
