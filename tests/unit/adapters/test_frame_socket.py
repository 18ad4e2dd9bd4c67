"""The WebSocket of a feed on a connected pair of sockets: what a gateway sends, in whatever pieces it comes."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.frame_socket import FrameSocket, shake_hands
from app.domain.contracts import ContractKey
from app.ports.feed import FeedMode
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.listening import Listening

HARD = 200_000
KEEPALIVE_S = 20.0
URI = parse_uri("ws://gateway/")


class Gateway:
    """The other end of the pair."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.heard = ServerProtocol(state=State.OPEN)

    def says(self, *messages: str | bytes) -> None:
        self.sends(*map(framed, messages))

    def sends(self, *raw: bytes) -> None:
        self.peer.sendall(b"".join(raw))

    def hears(self) -> list[Frame]:
        """Frames that came, whole ones; waits for the first."""
        while not (events := self.heard.events_received()):
            self.heard.receive_data(self.peer.recv(65_536))
        return [event for event in events if isinstance(event, Frame)]


def framed(message: str | bytes) -> bytes:
    return frame(Opcode.TEXT if isinstance(message, str) else Opcode.BINARY, message)


def frame(opcode: Opcode, content: str | bytes, *, fin: bool = True, mask: bool = False) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return Frame(opcode, raw, fin=fin).serialize(mask=mask)


@contextmanager
def connected(clock: HandClock | None = None) -> Iterator[tuple[FrameSocket, Gateway]]:
    ours, theirs = socket.socketpair()
    protocol = ClientProtocol(URI, state=State.OPEN, max_size=HARD)
    client = FrameSocket(ours, protocol, clock or HandClock(), hard_frame=HARD, keepalive_s=KEEPALIVE_S)
    theirs.settimeout(10)
    try:
        yield client, Gateway(theirs)
    finally:
        client.close()
        theirs.close()


@pytest.fixture
def pair() -> Iterator[tuple[FrameSocket, Gateway]]:
    with connected() as both:
        yield both


def test_nothing_came(pair: tuple[FrameSocket, Gateway]) -> None:
    assert pair[0].receive(0.0) == []


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 150_000])
def test_messages_of_every_length(length: int, pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    sending = threading.Thread(target=gateway.says, args=("x" * length, b"end"))  # noqa: TID251 - a pair's buffer is small
    sending.start()
    came: list[bytes] = []
    while not came or came[-1] != b"end":
        came += client.receive(10.0)
    sending.join()
    assert came == [b"x" * length, b"end"]


def test_a_part_of_a_message_is_waited_on_and_not_taken_for_silence(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    raw = frame(Opcode.PING, "are you there") + framed(b"x" * 150_000)  # more than one read takes
    sending = threading.Thread(target=gateway.sends, args=(raw,))  # noqa: TID251 - a pair's buffer is small
    sending.start()
    assert client.receive(10.0) == [b"x" * 150_000]
    sending.join()
    gateway.sends(raw[:100])
    assert client.receive(0.0) == []


def test_what_comes_together_is_received_together(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    gateway.says("one", b"two", "three")
    assert client.receive(10.0) == [b"one", b"two", b"three"]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.data())
def test_messages_come_whole_in_whatever_pieces_their_bytes_come(messages: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(map(framed, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    with connected() as (client, gateway):
        came: list[bytes] = []
        for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            gateway.sends(raw[begin:end])
            came += client.receive(0.0)
        assert came == messages


@given(st.binary(min_size=1, max_size=400))
def test_no_bytes_do_harm(raw: bytes) -> None:
    with connected() as (client, gateway):
        gateway.says("before")
        assert client.receive(10.0) == [b"before"]
        gateway.sends(raw)
        try:
            client.receive(0.0)
            client.receive(0.0)
        except ConnectionClosed:
            with pytest.raises(ConnectionClosed):
                client.receive(0.0)


def test_a_message_in_fragments_with_a_ping_between_them(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    gateway.sends(
        framed("before"),
        frame(Opcode.TEXT, "frag", fin=False),
        frame(Opcode.PING, "are you there"),
        frame(Opcode.CONT, "men", fin=False),
        frame(Opcode.CONT, "ted"),
        framed("after"),
    )
    assert client.receive(10.0) == [b"before", b"fragmented", b"after"]
    (pong,) = gateway.hears()
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"are you there")


def test_what_came_before_a_goodbye_is_received_and_then_its_words(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    gateway.sends(framed("last"), frame(Opcode.CLOSE, (4401).to_bytes(2) + b"auth timeout"), framed("too late"))
    assert client.receive(10.0) == [b"last"]
    for _ in range(2):
        with pytest.raises(ConnectionClosed) as told:
            client.receive(10.0)
        assert told.value.rcvd is not None
        assert (told.value.rcvd.code, told.value.rcvd.reason) == (4401, "auth timeout")
    with pytest.raises(ConnectionClosed):
        client.send("{}")


@pytest.mark.parametrize(
    "breach",
    [
        frame(Opcode.TEXT, "masked", mask=True),
        frame(Opcode.CONT, "of nothing"),
        frame(Opcode.TEXT, "never finished", fin=False) + framed("another"),
        b"\xc1\x02{}",  # an extension that nobody agreed on
        b"\x83\x00",  # an opcode of no meaning
        b"\x81\x7f" + (HARD + 1).to_bytes(8),
    ],
    ids=["masked", "continued", "interrupted", "extended", "opcode", "huge"],
)
def test_breaches_of_the_protocol_end_the_connection(breach: bytes, pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    gateway.sends(framed("before"), breach, framed("after"))
    assert client.receive(10.0)[0] == b"before"
    with pytest.raises(ConnectionClosed):
        client.receive(10.0)
    (goodbye,) = gateway.hears()
    assert goodbye.opcode is Opcode.CLOSE


def test_a_connection_that_breaks_off(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    gateway.says("last")
    gateway.peer.close()
    assert client.receive(10.0) == [b"last"]
    with pytest.raises(ConnectionClosed) as told:
        client.receive(10.0)
    assert told.value.rcvd is None


def test_pings_go_out_and_a_socket_on_which_nothing_comes_is_given_up() -> None:
    clock = HandClock()
    with connected(clock) as (client, gateway):
        clock.advance(KEEPALIVE_S)
        assert client.receive(0.0) == []
        (ping,) = gateway.hears()
        assert ping.opcode is Opcode.PING
        gateway.sends(frame(Opcode.PONG, bytes(ping.data)))
        assert client.receive(0.2) == []
        clock.advance(KEEPALIVE_S)
        assert client.receive(0.0) == [], "the first was answered; this is the second"
        clock.advance(KEEPALIVE_S)
        gateway.says("prices go on")
        assert client.receive(10.0) == [b"prices go on"]
        clock.advance(KEEPALIVE_S)
        with pytest.raises(ConnectionClosed):
            client.receive(0.0)


def test_closing_says_goodbye_and_ends_a_read_under_way(pair: tuple[FrameSocket, Gateway]) -> None:
    client, gateway = pair
    ended = threading.Event()

    def read() -> None:
        try:
            while True:
                client.receive(10.0)
        except ConnectionClosed:
            ended.set()

    reader = threading.Thread(target=read)  # noqa: TID251 - the reader's side
    reader.start()
    client.close()
    client.close()
    (goodbye,) = gateway.hears()
    assert goodbye.opcode is Opcode.CLOSE
    assert ended.wait(5)
    reader.join()


def test_row_24_one_read_is_bounded_however_much_waits() -> None:
    raw = json.dumps({"type": "market_data", "symbol": "A", "exchange": "NFO", "data": {"ltp": 1}}).encode()
    with connected() as (client, gateway):
        heard = Listening()
        feed = OpenAlgoFeed(client, heard, HandClock(), secret="", max_frame=4096)
        feed.subscribe([ContractKey("NFO", "A")], FeedMode.LTP)
        flood = framed(raw) * 5000
        sending = threading.Thread(target=gateway.sends, args=(flood,))  # noqa: TID251 - more than a buffer holds
        sending.start()
        assert feed.read(10.0)
        assert 0 < len(heard.came) < 1000
        while len(heard.came) < 5000:
            feed.read(10.0)
        sending.join()


def answering(answer: bytes) -> tuple[socket.socket, threading.Thread]:  # noqa: TID251 - a test's own server
    """A server that waits for a request and gives this, with the key of the request signed into it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listening.accept()
        with listening, peer, suppress(ConnectionError):
            protocol = ServerProtocol()
            protocol.receive_data(peer.recv(65_536))
            (request,) = protocol.events_received()
            accepted = protocol.accept(request).serialize()  # type: ignore[arg-type]
            peer.sendall(answer.replace(b"<accepted>", accepted))
            peer.recv(65_536)

    thread = threading.Thread(target=serve, daemon=True)  # noqa: TID251 - a test's own server
    thread.start()
    return socket.create_connection(listening.getsockname(), timeout=10), thread


def test_what_comes_in_one_piece_with_the_handshake_is_received() -> None:
    peer, serving = answering(b"<accepted>" + framed("early") + framed("two")[:3])
    client = shake_hands("ws://gateway/", peer, HandClock(), within_s=10.0, hard_frame=HARD, keepalive_s=KEEPALIVE_S)
    assert client.receive(10.0) == [b"early"]
    client.close()
    serving.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"220 mail.example\r\n\r\n",
        b"\x00" * 100_000,
    ],
    ids=["redirect", "page", "unsigned", "mail", "zeros"],
)
def test_other_answers_to_the_handshake_are_refused(answer: bytes) -> None:
    peer, serving = answering(answer)
    with pytest.raises(InvalidHandshake):
        shake_hands("ws://gateway/", peer, HandClock(), within_s=10.0, hard_frame=HARD, keepalive_s=KEEPALIVE_S)
    peer.close()
    serving.join(5)


def test_no_frame_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), connected() as (client, gateway):
        client.send("CANARY-key")
        assert bytes(gateway.hears()[0].data) == b"CANARY-key"
    assert "CANARY-key" not in "".join(r.getMessage() for r in caplog.records if r.name != "websockets.server")
