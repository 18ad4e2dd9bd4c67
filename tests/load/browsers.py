"""Many browsers on one thread: each a socket that watches a page; some read what comes, some never do."""

import json
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

ANSWER_S = 10.0
SMALL = 4096
"""Bytes that the kernel takes for a browser that does not read: the desk feels it soon."""


@dataclass
class Browser:
    """`gap_s` is the longest time in which nothing came, `price_age_s` the oldest newest price it was told of."""

    peer: socket.socket
    wire: ClientProtocol
    reads: bool
    heard_at: float = field(default_factory=time.monotonic)
    messages: int = 0
    gap_s: float = 0.0
    price_age_s: float = 0.0
    is_lost: bool = False

    def say(self, text: str) -> None:
        self.wire.send_text(text.encode())
        self.flush()

    def flush(self) -> None:
        for data in self.wire.data_to_send():
            if data:
                self.peer.sendall(data)

    def take(self, now: float) -> None:
        """What waits; marks itself lost when the desk has hung up."""
        try:
            data = self.peer.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self.is_lost = True
            return
        self.wire.receive_data(data)
        for event in self.wire.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._hear(bytes(event.data).decode(), now)
        self.flush()

    def _hear(self, text: str, now: float) -> None:
        if text == "2":  # Engine.IO asks whether somebody is there
            self.say("3")
            return
        if not text.startswith("42"):
            return
        self.messages += 1
        self.gap_s = max(self.gap_s, now - self.heard_at)
        self.heard_at = now
        told: list[Any] = json.loads(text[2:])
        body = told[1] if len(told) > 1 else None
        cells = body.get("cells", {}) if isinstance(body, dict) else {}
        age = cells.get("feed.age") if isinstance(cells, dict) else None
        if isinstance(age, dict) and isinstance(age.get("age_s"), int | float):
            self.price_age_s = max(self.price_age_s, age["age_s"])


class Browsers:
    """`open` before `start`; `stop` ends the thread and all sockets."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)  # noqa: TID251 - a load test's own
        self.all: list[Browser] = []
        self.refused = 0

    def open(self, cookie: str, topic: str, *, reads: bool) -> bool:
        """False when the desk does not let it in."""
        parts = urlsplit(self._url)
        peer = socket.socket()
        if not reads:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        peer.settimeout(ANSWER_S)
        peer.connect((parts.hostname or "", parts.port or 80))
        address = f"ws://{parts.netloc}/socket.io/?EIO=4&transport=websocket"
        browser = Browser(peer, ClientProtocol(parse_uri(address)), reads)
        try:
            self._greet(browser, cookie, topic)
        except (InvalidHandshake, OSError):
            self.refused += 1
            peer.close()
            return False
        self.all.append(browser)
        if reads:
            self._selector.register(peer, selectors.EVENT_READ, browser)
        return True

    def _greet(self, browser: Browser, cookie: str, topic: str) -> None:
        request = browser.wire.connect()
        request.headers["Cookie"] = cookie
        request.headers["Origin"] = self._url
        browser.wire.send_request(request)
        browser.flush()
        answered = False
        while not answered:
            data = browser.peer.recv(65_536)
            if not data:
                raise ConnectionResetError
            browser.wire.receive_data(data)
            answered = any(isinstance(event, Response) for event in browser.wire.events_received())
            if browser.wire.handshake_exc is not None:
                raise InvalidHandshake from browser.wire.handshake_exc
        browser.say("40")
        browser.say(f"42{json.dumps(['watch', {'topic': topic}])}")

    def start(self) -> None:
        now = time.monotonic()
        for browser in self.all:
            browser.heard_at = now
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(5)
        for browser in self.all:
            browser.peer.close()

    def good(self) -> list[Browser]:
        return [browser for browser in self.all if browser.reads]

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.2):
                browser: Browser = key.data
                browser.take(time.monotonic())
                if browser.is_lost:
                    self._selector.unregister(browser.peer)
