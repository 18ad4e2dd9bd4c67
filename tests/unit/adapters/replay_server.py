"""A real HTTP server on this machine that answers as a test tells it to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = tuple[int, bytes]


@dataclass
class Replay:
    """What to answer by path (the last part of it), and what was asked. `drops` cuts that many calls unanswered."""

    answers: dict[str, Script] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    connections: list[tuple[str, int]] = field(default_factory=list)
    drops: int = 0
    truncate: bool = False
    hang: threading.Event | None = None
    hang_s: float = 20.0
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replay: Replay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply(body)

    def do_GET(self) -> None:
        self._reply(b"")

    def _reply(self, body: bytes) -> None:
        path = self.path.removeprefix("/api/v1/")
        self.replay.asked.append((path, body))
        self.replay.connections.append(self.client_address)
        if self.replay.drops > 0:
            self.replay.drops -= 1
            self.close_connection = True
            return
        if self.replay.hang is not None:
            self.replay.hang.wait(self.replay.hang_s)
        status, content = self.replay.answers.get(
            path.split("?")[0], (404, b'{"message":"Not found","status":"error"}')
        )
        self.send_response(status)
        for name, value in self.replay.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.replay.truncate else content)
        self.close_connection = self.replay.truncate

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing on the console."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def replaying() -> Iterator[Replay]:
    replay = Replay()
    server = _Server(("127.0.0.1", 0), type("Answerer", (_Answerer,), {"replay": replay}))
    replay.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # noqa: TID251 - a test's server
    thread.start()
    try:
        yield replay
    finally:
        if replay.hang is not None:
            replay.hang.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
