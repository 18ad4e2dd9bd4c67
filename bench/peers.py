"""Plain clients that send the same orders and keep no record: `python -m bench.peers`, a process of its own.

Two threads (or sockets) for each account, connections open and warm, an account's SELLs after both its BUYs.
"""

import http.client
import importlib.metadata
import json
import resource
import select
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic_ns
from typing import Any
from urllib.parse import urlsplit

import urllib3

Leg = Mapping[str, Any]
Post = Callable[[str, bytes], None]
"""Sends one request on a connection of its own and reads the whole answer."""

_HEADERS = {"Content-Type": "application/json"}


def body_of(leg: Leg) -> bytes:
    return json.dumps({"apikey": "bench", "strategy": "peer", **leg}).encode()


def _http_client(host: str) -> Callable[[], Post]:
    def make() -> Post:
        parts = urlsplit(host)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

        def post(path: str, body: bytes) -> None:
            connection.request("POST", f"/api/v1/{path}", body, _HEADERS)
            connection.getresponse().read()

        return post

    return make


def _urllib3(host: str) -> Callable[[], Post]:
    pool = urllib3.connection_from_url(host, maxsize=2, block=True, retries=False)

    def post(path: str, body: bytes) -> None:
        pool.request("POST", f"/api/v1/{path}", body=body, headers=_HEADERS)

    return lambda: post


def _sdk(host: str) -> Callable[[], Post]:
    from openalgo import api  # noqa: PLC0415  it takes half a second, and may be missing

    client = api(api_key="bench", host=host, timeout=60.0)

    def post(path: str, body: bytes) -> None:
        if path == "ping":
            client.funds()
            return
        leg = json.loads(body)
        client.placeorder(
            strategy="peer",
            symbol=leg["symbol"],
            exchange=leg["exchange"],
            action=leg["action"],
            price_type=leg["pricetype"],
            product=leg["product"],
            quantity=leg["quantity"],
            price=leg["price"],
        )

    return lambda: post


KINDS: dict[str, Callable[[str], Callable[[], Post]]] = {"http.client": _http_client, "urllib3": _urllib3, "sdk": _sdk}


class Pool:
    """Threads begun beforehand, each with its connection open, waiting for the start."""

    def __init__(self, kind: str, hosts: Sequence[str], legs: Sequence[Leg]) -> None:
        buys = [body_of(leg) for leg in legs if leg["action"] == "BUY"]
        sells = [body_of(leg) for leg in legs if leg["action"] == "SELL"]
        self._ready = threading.Barrier(len(hosts) * len(buys) + 1)
        self._start = threading.Event()
        self._threads = ThreadPoolExecutor(len(hosts) * len(buys))
        self._ends = []
        for host in hosts:
            make, bought = KINDS[kind](host), threading.Barrier(len(buys))
            for pair in zip(buys, sells, strict=True):
                self._ends.append(self._threads.submit(self._send, make, bought, pair))

    def _send(self, make: Callable[[], Post], bought: threading.Barrier, pair: tuple[bytes, bytes]) -> None:
        post = make()
        post("ping", b'{"apikey":"bench"}')
        self._ready.wait()
        self._start.wait()
        post("placeorder", pair[0])
        bought.wait()
        post("placeorder", pair[1])

    def burst(self) -> int:
        """The moment of the start, ns."""
        self._ready.wait()
        begun = monotonic_ns()
        self._start.set()
        for end in self._ends:
            end.result()
        self._threads.shutdown()
        return begun


class Epoll:
    """One thread, one epoll, raw bytes: what the machine allows."""

    def __init__(self, hosts: Sequence[str], legs: Sequence[Leg]) -> None:
        buys, sells = ([leg for leg in legs if leg["action"] == side] for side in ("BUY", "SELL"))
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[int, socket.socket]] = {}
        self._first = [_request(leg) for leg in buys]
        self._second = [_request(leg) for leg in sells]
        self._pairs: list[list[socket.socket]] = []
        for number, host in enumerate(hosts):
            pair = [socket.create_connection((urlsplit(host).hostname, urlsplit(host).port)) for _ in buys]
            self._pairs.append(pair)
            for each in pair:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets[each.fileno()] = number, each
                self._epoll.register(each.fileno(), select.EPOLLIN)

    def burst(self) -> int:
        begun = monotonic_ns()
        for pair in self._pairs:
            _write(pair, self._first)
        bought = [0] * len(self._pairs)
        left = 2 * len(self._sockets)
        while left:
            for number, _ in self._epoll.poll():
                account, each = self._sockets[number]
                each.recv(65_536)  # an answer is one small segment
                left -= 1
                bought[account] += 1
                if bought[account] == len(self._first):
                    _write(self._pairs[account], self._second)
        self._epoll.close()
        for pair in self._pairs:
            for each in pair:
                each.close()
        return begun


def _request(leg: Leg) -> bytes:
    body = body_of(leg)
    return b"POST /api/v1/placeorder HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _write(pair: Sequence[socket.socket], requests: Sequence[bytes]) -> None:
    for each, request in zip(pair, requests, strict=True):
        each.sendall(request)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One burst by that client; its start and the CPU seconds it took."""
    kind, hosts, legs = asked["kind"], asked["hosts"], asked["legs"]
    try:
        client = Epoll(hosts, legs) if kind == "epoll" else Pool(kind, hosts, legs)
    except ImportError as missing:
        return {"missing": str(missing)}
    before = _cpu_s()
    begun = client.burst()
    return {"begun": begun, "cpu_s": _cpu_s() - before}


def versions() -> dict[str, str]:
    found = {}
    for name in ("openalgo", "urllib3", "httpx", "websockets", "msgspec", "picows"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(measure(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
