"""Opening a feed at a server that a test scripts: let in, refused, ignored, sent elsewhere."""

import json
import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from app.adapters.clock import SystemClock
from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.feed_opening import FeedLimits, OpenAlgoFeeds
from app.ports.feed import Drop, FeedClosed
from app.ports.gateway import GatewayAddress, GatewayRefused, LoggedOut, NotOpenAlgo, TimedOut, Unreachable, WrongKey
from tests.unit.adapters.listening import Listening

KEY = "CANARY-key"
WELCOME = {"type": "auth", "status": "success", "message": "Authentication successful", "broker": "simulator"}
TICK = {"type": "market_data", "symbol": "SBIN", "exchange": "NSE", "data": {"ltp": 812.5}}
LIMITS = FeedLimits(connect_s=10.0, open_s=10.0, authenticate_s=10.0, max_frame=1000, hard_frame=5000)
SHORT = replace(LIMITS, authenticate_s=0.5)  # for a welcome that never comes
Script = Callable[[ServerConnection], None]


@contextmanager
def serving(
    script: Script,
    answer: Callable[[ServerConnection, Request], Response | None] | None = None,
    secured: ssl.SSLContext | None = None,
) -> Iterator[str]:
    with serve(script, "127.0.0.1", 0, process_request=answer, ssl=secured, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251 - a test's own server
        thread.start()
        port = server.socket.getsockname()[1]
        yield f"ws://127.0.0.1:{port}" if secured is None else f"wss://localhost:{port}"
        server.shutdown()
        thread.join(5)


def saying(*frames: Any, code: int | None = None) -> Script:
    """Answers the first frame with these; then closes with `code`, or stays until the client goes."""

    def script(connection: ServerConnection) -> None:
        connection.recv()
        for frame in frames:
            connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        if code is not None:
            connection.close(code, "auth timeout")
        for _ in connection:
            pass

    return script


def opened(url: str, heard: Listening | None = None, limits: FeedLimits = LIMITS) -> OpenAlgoFeed:
    return OpenAlgoFeeds(SystemClock(), limits)(GatewayAddress("http://127.0.0.1:1", url, KEY), heard or Listening())


def read_to_the_end(feed: OpenAlgoFeed) -> None:
    while feed.read(10.0):
        pass


def test_the_key_is_shown_first() -> None:
    asked: list[Any] = []

    def script(connection: ServerConnection) -> None:
        asked.append(json.loads(connection.recv()))
        connection.send(json.dumps(WELCOME))

    with serving(script) as url:
        opened(url).close()
    assert asked == [{"action": "authenticate", "api_key": KEY}]


def test_what_comes_before_the_welcome_is_delivered_too() -> None:
    heard = Listening()
    with serving(saying(TICK, "{", {"type": "news"}, WELCOME)) as url:
        feed = opened(url, heard)
        feed.close()
    assert heard.kinds == [Drop.UNASKED, Drop.NOT_JSON]
    assert feed.ignored == {"news": 1}


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("AUTHENTICATION_ERROR", "Invalid API key", WrongKey),
        ("BROKER_ERROR", "No broker configuration found for user", LoggedOut),
        ("BROKER_ERROR", "Failed to create adapter for x", GatewayRefused),
        ("BROKER_INIT_ERROR", f"boom {KEY} at http://broker/?token=1", LoggedOut),
        ("BROKER_CONNECTION_ERROR", "403", LoggedOut),
        ("SERVER_ERROR", "'list' object", GatewayRefused),
    ],
)
def test_refusals(code: str, message: str, expected: type[Exception]) -> None:
    with serving(saying({"status": "error", "code": code, "message": message})) as url, pytest.raises(expected) as told:
        opened(url)
    assert type(told.value) is expected
    assert KEY not in str(told.value)
    assert "token=1" not in str(told.value)


def test_no_answer_to_the_key() -> None:
    with serving(saying()) as url, pytest.raises(TimedOut, match=r"within 0\.5 s"):
        opened(url, limits=SHORT)


def test_only_other_frames_are_no_answer() -> None:
    with serving(saying(*[TICK] * 50)) as url, pytest.raises(TimedOut):
        opened(url, limits=SHORT)


def test_closed_instead_of_answered() -> None:
    with serving(saying(code=4401)) as url, pytest.raises(GatewayRefused, match="4401"):
        opened(url)


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY])
def test_a_web_server_is_no_feed(status: HTTPStatus) -> None:
    def answer(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(status, "hello")

    with serving(saying(), answer) as url, pytest.raises(NotOpenAlgo):
        opened(url)


def test_a_redirect_is_not_followed() -> None:
    with serving(saying(WELCOME)) as elsewhere:

        def answer(connection: ServerConnection, _: Request) -> Response:
            response = connection.respond(HTTPStatus.FOUND, "")
            response.headers["Location"] = elsewhere
            return response

        with serving(saying(), answer) as url, pytest.raises(NotOpenAlgo):
            opened(url)


def test_frames_too_large_to_use_and_too_large_to_take() -> None:
    heard = Listening()
    with serving(saying(WELCOME, "x" * 2000, TICK, "x" * 6000)) as url:
        feed = opened(url, heard)
        with pytest.raises(FeedClosed):
            read_to_the_end(feed)
        feed.close()
    assert heard.kinds == [Drop.TOO_LARGE, Drop.UNASKED]


def certificate(folder: Path) -> Path:
    """Of `localhost`, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), SystemClock().now()
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(signed.public_bytes(Encoding.PEM) + plain)
    return path


def test_a_secure_feed_is_read_whole_when_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, heard = certificate(tmp_path), Listening()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with serving(saying(WELCOME, *[TICK] * 2000), secured=context) as url:
        with pytest.raises(Unreachable, match="not trusted"):
            opened(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        feed = opened(url, heard)
        while len(heard.kinds) < 2000:
            feed.read(10.0)
        feed.close()


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(saying(WELCOME)) as url:
        opened(url).close()


def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving(saying(WELCOME)) as url:
        opened(url).close()
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert all(KEY not in record.getMessage() for record in ours)
