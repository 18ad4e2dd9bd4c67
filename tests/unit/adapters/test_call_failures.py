"""Calls that end without an answer: each failure of the network, and whether an order can have left."""

import contextlib
import http.client
import inspect
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3 import exceptions

from app.adapters.openalgo import failures
from app.adapters.openalgo.connection import PATIENCE, GatewayConnection, Pace, Route, Sizes
from app.adapters.openalgo.failures import CallFailed, Place, failed
from app.domain.errors import InvalidInput
from app.ports.gateway import GatewayError, NotOpenAlgo, TimedOut, Unreachable
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.replay_server import Replay

ORDER = Route("placeorder", Pace.PLACE)
BOOK = Route("orderbook", Pace.BOOKS)
PATIENT = dict.fromkeys(PATIENCE, 20.0)
"""For answers that come: a busy machine may be slow with them."""
SHORT = dict.fromkeys(PATIENCE, 0.3)
"""For answers that never come."""
PLACE = Place("desk:5000", 8.0, 5_000_000)


def connection(
    url: str, clock: HandClock, *, patience: Mapping[Pace, float] = PATIENT, connect_s: float = 10.0
) -> GatewayConnection:
    return GatewayConnection(url, clock, sizes=Sizes(connect_s=connect_s, turn_s=10), patience=patience)


def test_every_error_of_the_library_has_a_meaning() -> None:
    raised = {
        kind
        for _, kind in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(kind, exceptions.HTTPError) and not issubclass(kind, Warning)
    }
    assert raised
    assert raised - set(failures._MEANINGS) == set()


def test_an_error_of_a_later_version_is_read_as_its_parent() -> None:
    class Later(exceptions.ReadTimeoutError):
        pass

    found = failed(Later(urllib3.HTTPConnectionPool("desk"), "/x?apikey=s3cret", "late"), PLACE)
    assert type(found.error) is TimedOut
    assert found.no_answer.bytes_sent
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (http.client.RemoteDisconnected("x"), Unreachable),
        (ConnectionResetError(), Unreachable),
        (http.client.IncompleteRead(b""), Unreachable),
        (http.client.BadStatusLine("SSH-2.0"), NotOpenAlgo),
    ],
)
def test_a_broken_answer_may_have_been_an_accepted_order(cause: Exception, expected: type[GatewayError]) -> None:
    found = failed(exceptions.ProtocolError("Connection aborted.", cause), PLACE)
    assert type(found.error) is expected
    assert found.no_answer.bytes_sent


def test_an_answer_comes_back(replay: Replay, clock: HandClock) -> None:
    replay.answers["orderbook"] = (200, b'{"status":"success"}')
    reply = connection(replay.url, clock).post(BOOK, b'{"a":1}')
    assert (reply.status, reply.body) == (200, b'{"status":"success"}')
    assert replay.asked == [("orderbook", b'{"a":1}')]


def test_a_connection_is_kept_for_a_moment_and_no_longer(replay: Replay, clock: HandClock) -> None:
    wire = connection(replay.url, clock)
    for idle_s in (0.0, 1.4, 1.6, 0.1):
        clock.advance(idle_s)
        wire.post(BOOK, b"{}")
    first, second, third, fourth = replay.connections
    assert first == second
    assert third != second
    assert fourth == third


def test_closing_drops_the_connections_and_calls_open_new_ones(replay: Replay, clock: HandClock) -> None:
    wire = connection(replay.url, clock)
    wire.post(BOOK, b"{}")
    wire.close()
    for _ in range(Sizes().reads + 1):
        wire.post(BOOK, b"{}")
    assert replay.connections[0] != replay.connections[1]
    assert len(set(replay.connections[1:])) == 1


def test_an_order_is_never_sent_again(replay: Replay, clock: HandClock) -> None:
    replay.drops = 1
    with pytest.raises(CallFailed) as told:
        connection(replay.url, clock).post(ORDER, b"{}")
    assert told.value.no_answer.bytes_sent
    assert replay.paths() == ["placeorder"]


def test_a_read_is_asked_once_more_and_only_once(replay: Replay, clock: HandClock) -> None:
    replay.answers["orderbook"] = (200, b"{}")
    replay.drops = 1
    assert connection(replay.url, clock).read(BOOK, b"{}").status == 200
    replay.drops = 5
    with pytest.raises(CallFailed):
        connection(replay.url, clock).read(BOOK, b"{}")
    assert len(replay.asked) == 4


def test_a_silent_gateway_times_out_once(replay: Replay, clock: HandClock) -> None:
    replay.hang = threading.Event()
    with pytest.raises(CallFailed) as told:
        connection(replay.url, clock, patience=SHORT).read(BOOK, b"{}")
    assert type(told.value.error) is TimedOut
    assert told.value.no_answer.bytes_sent
    assert len(replay.asked) == 1


def test_row_08_half_an_answer_is_no_answer(replay: Replay, clock: HandClock) -> None:
    replay.answers["placeorder"] = (200, b'{"orderid":"1","status":"success"}')
    replay.truncate = True
    with pytest.raises(CallFailed) as told:
        connection(replay.url, clock).post(ORDER, b"{}")
    assert told.value.no_answer.bytes_sent


def test_an_endless_answer_is_cut(replay: Replay, clock: HandClock) -> None:
    replay.answers["orderbook"] = (200, b"x" * 400_000)
    wire = connection(replay.url, clock)
    with pytest.raises(CallFailed, match="more than"):
        wire.post(Route("orderbook", Pace.BOOKS, cap_bytes=100_000), b"{}")
    assert wire.post(BOOK, b"{}").status == 200
    assert replay.connections[0] != replay.connections[1]


def test_a_redirect_is_not_followed(replay: Replay, clock: HandClock) -> None:
    replay.headers = {"Location": f"{replay.url}/api/v1/elsewhere"}
    replay.answers["orderbook"] = (302, b"")
    assert connection(replay.url, clock).post(BOOK, b"{}").status == 302
    assert replay.paths() == ["orderbook"]


def test_proxies_of_the_environment_are_not_used(
    replay: Replay, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    replay.answers["orderbook"] = (200, b"{}")
    assert connection(replay.url, clock).post(BOOK, b"{}").status == 200


@contextmanager
def a_listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def url_of(server: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


def test_without_a_listener_nothing_was_sent(clock: HandClock) -> None:
    with a_listener() as server:
        url = url_of(server)
    with pytest.raises(CallFailed, match="OpenAlgo is running") as told:
        connection(url, clock).post(ORDER, b"{}")
    assert type(told.value.error) is Unreachable
    assert not told.value.no_answer.bytes_sent


def test_without_such_a_host_nothing_was_sent(clock: HandClock) -> None:
    with pytest.raises(CallFailed, match="no host of the name") as told:
        connection("http://no-such-host.invalid:5000", clock).post(ORDER, b"{}")
    assert not told.value.no_answer.bytes_sent


@contextmanager
def one_answer(text: bytes, tls: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    """A listener that says `text` to the first who connects, over TLS when told so."""
    with a_listener() as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer, contextlib.suppress(OSError):
                speaker = tls.wrap_socket(peer, server_side=True) if tls else peer
                speaker.recv(4096)
                speaker.sendall(text)

        thread = threading.Thread(target=answer, daemon=True)  # noqa: TID251 - a test's own server
        thread.start()
        yield server
        thread.join(5)


def test_something_that_does_not_speak_http(clock: HandClock) -> None:
    with one_answer(b"SSH-2.0-OpenSSH_9.9\r\n") as server, pytest.raises(CallFailed) as told:
        connection(url_of(server), clock).post(BOOK, b"{}")
    assert type(told.value.error) is NotOpenAlgo


def test_a_failed_handshake_sent_nothing(clock: HandClock) -> None:
    with (
        one_answer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server,
        pytest.raises(CallFailed, match="certificate") as told,
    ):
        connection(url_of(server, "https"), clock).post(ORDER, b"{}")
    assert type(told.value.error) is Unreachable
    assert not told.value.no_answer.bytes_sent


def test_a_certificate_that_nobody_vouches_for_gets_no_order(clock: HandClock, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))
    with one_answer(b"HTTP/1.1 200 OK\r\n\r\n", tls) as server, pytest.raises(CallFailed, match="certificate") as told:
        connection(url_of(server, "https"), clock).post(ORDER, b"{}")
    assert not told.value.no_answer.bytes_sent


def self_signed(folder: Path) -> Path:
    """A certificate of 127.0.0.1 by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "desk.pem"
    path.write_bytes(
        key.private_bytes(encoding, shape, serialization.NoEncryption()) + certificate.public_bytes(encoding)
    )
    return path


def test_a_handshake_that_never_ends_sent_nothing(clock: HandClock) -> None:
    with a_listener() as server, pytest.raises(CallFailed) as told:
        connection(url_of(server, "https"), clock, connect_s=0.3).post(ORDER, b"{}")
    assert not told.value.no_answer.bytes_sent
    assert isinstance(told.value.__cause__, exceptions.NewConnectionError)


def test_hung_orders_hold_up_no_reads_and_tell_the_next_order_that_it_was_not_sent(
    replay: Replay, clock: HandClock
) -> None:
    replay.hang = threading.Event()
    wire = GatewayConnection(replay.url, clock, sizes=Sizes(orders=1, turn_s=1), patience=PATIENT)
    hung = threading.Thread(target=lambda: wire.post(ORDER, b"{}"), daemon=True)  # noqa: TID251 - a lane of the test
    hung.start()
    while not replay.asked:
        hung.join(0.005)
    with pytest.raises(CallFailed, match="busy") as told:
        wire.post(ORDER, b"{}")
    assert not told.value.no_answer.bytes_sent
    release, replay.hang = replay.hang, None
    assert wire.post(BOOK, b"{}").status == 404
    release.set()
    hung.join(5)


@pytest.mark.parametrize(
    "url",
    ["", "desk:5000", "ftp://desk", "http://", "http://user:word@desk:5000", "http://desk/path", "http://desk?x=1",
     "http://desk#x", "javascript:alert(1)", "http://desk:99999", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_any_call(url: str, clock: HandClock) -> None:
    with pytest.raises(InvalidInput) as told:
        GatewayConnection(url, clock)
    assert told.value.field == "host_url"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "https://desk.example/", " http://desk ", "http://[::1]:5000"]
)
def test_addresses_that_will_do(url: str, clock: HandClock) -> None:
    assert GatewayConnection(url, clock).host.endswith((":5000", ":443", ":80"))
