"""One request and one answer on a socket, whatever pieces the answer comes in."""

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import TimeoutError as Late

from app.adapters.openalgo.exchange import LONGEST_LINE, Answered, exchange
from app.adapters.openalgo.failures import CallFailed, Place, failed
from app.ports.gateway import NotOpenAlgo, TimedOut, Unreachable

PLACE = Place("desk:5000", 8.0, 1000)
REQUEST = b"POST /api/v1/placeorder HTTP/1.1\r\nHost: desk\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;odd=1\r\n{} \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
)
PLAIN = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours and theirs."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


def asked(ends: tuple[socket.socket, socket.socket], answer: bytes, *, ends_there: bool = True) -> Answered:
    ours, theirs = ends
    theirs.sendall(answer)
    if ends_there:
        theirs.shutdown(socket.SHUT_WR)
    return exchange(ours, REQUEST, PLACE, lambda: False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (PLAIN, Answered(200, b"{}", keeps=True)),
        (CHUNKED, Answered(200, b"{} 0123456789", keeps=True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, Answered(200, b"{}", keeps=True)),
        (b"HTTP/1.1 500\r\nContent-Length: 1\r\nConnection: Close\r\n\r\nx", Answered(500, b"x", keeps=False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", Answered(200, b"x", keeps=False)),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", Answered(200, b"x", keeps=True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answered(204, b"", keeps=True)),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", Answered(200, b"until the end", keeps=False)),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", Answered(200, b"x", keeps=True)),
    ],
)
def test_an_answer_is_read_to_its_end(
    answer: bytes, expected: Answered, ends: tuple[socket.socket, socket.socket]
) -> None:
    assert asked(ends, answer) == expected
    assert ends[1].recv(1000) == REQUEST


def test_an_answer_that_ends_by_itself_is_not_waited_for(ends: tuple[socket.socket, socket.socket]) -> None:
    assert asked(ends, CHUNKED, ends_there=False).keeps


def test_bytes_behind_an_answer_are_never_taken_for_the_next(ends: tuple[socket.socket, socket.socket]) -> None:
    assert asked(ends, PLAIN + b"HTTP/1.1 200 OK\r\n") == Answered(200, b"{}", keeps=False)


@settings(max_examples=40, deadline=None)
@given(answer=st.sampled_from([PLAIN, CHUNKED]), cuts=st.sets(st.integers(1, 90), max_size=5))
def test_pieces_of_any_size_make_the_same_answer(answer: bytes, cuts: set[int]) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # each piece is received by itself
    with ours, theirs:
        ours.settimeout(5)
        at = sorted(cut for cut in cuts if cut < len(answer))
        for first, last in zip([0, *at], [*at, len(answer)], strict=True):
            theirs.sendall(answer[first:last])
        found = exchange(ours, REQUEST, PLACE, lambda: False)
    assert (found.body, found.keeps) == (b"{}" if answer is PLAIN else b"{} 0123456789", True)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Unreachable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotOpenAlgo),
        (b"HTTP/2 200\r\n\r\n", NotOpenAlgo),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", NotOpenAlgo),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", NotOpenAlgo),
        (b"x" * (LONGEST_LINE + 70_000), NotOpenAlgo),
    ],
)
def test_whatever_else_comes_may_have_been_an_accepted_order(
    answer: bytes, kind: type[Exception], ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends

    def speak() -> None:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)

    speaker = threading.Thread(target=speak)  # noqa: TID251 - the other side of a test
    speaker.start()
    with pytest.raises(ProtocolError) as raised:
        exchange(ours, REQUEST, PLACE, lambda: False)
    speaker.join()
    found = failed(raised.value, PLACE)
    assert type(found.error) is kind
    assert found.no_answer.bytes_sent


@pytest.mark.parametrize("answer", [PLAIN.replace(b": 2", b": 1001"), CHUNKED.replace(b"\nA\r", b"\nFFF\r")])
def test_an_answer_that_is_too_long_is_not_read(answer: bytes, ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(CallFailed, match="more than") as raised:
        asked(ends, answer)
    assert raised.value.no_answer.bytes_sent


def test_silence_is_no_answer(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].settimeout(0.01)
    with pytest.raises(Late) as raised:
        asked(ends, b"HTTP/1.1 200", ends_there=False)
    assert type(failed(raised.value, PLACE).error) is TimedOut


def test_an_answer_that_trickles_is_given_up(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(PLAIN)
    with pytest.raises(CallFailed) as raised:
        exchange(ends[0], REQUEST, PLACE, lambda: True)
    assert raised.value.no_answer.bytes_sent


def test_who_hangs_up_while_spoken_to_may_have_answered_before(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(PLAIN.replace(b"200", b"413"))
    theirs.close()
    assert exchange(ours, REQUEST, PLACE, lambda: False).status == 413
