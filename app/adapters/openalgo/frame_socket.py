"""The WebSocket under a feed: the common frame is cut out of the bytes here, the library sees to everything else."""

import contextlib
import logging
import os
import select
import socket
import ssl
import sys
import threading

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosedError, InvalidHandshake, InvalidMessage
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.uri import parse_uri

from app.ports.clock import Clock

_CHUNK = 64 * 1024
_LONGEST_HEAD = 64 * 1024
_SEND_S = 5.0
_WHOLE = frozenset({0x81, 0x82})
"""The first byte of a text or binary message in one frame, without an extension."""

# Its debug lines hold whole frames, and the first of them holds the key.
_library_log = logging.getLogger("websockets.client")
_library_log.setLevel(logging.WARNING)


def shake_hands(
    url: str, peer: socket.socket, clock: Clock, *, within_s: float, hard_frame: int, keepalive_s: float
) -> "FrameSocket":
    """Do the opening handshake on an open connection. Raises InvalidHandshake, TimeoutError or OSError.

    A redirect is refused like any other answer: the key goes to the address that was given and nowhere else.
    """
    protocol = ClientProtocol(parse_uri(url), max_size=hard_frame, logger=_library_log)
    request = protocol.connect()
    request.headers["User-Agent"] = "AlgoMirror"
    protocol.send_request(request)
    peer.sendall(b"".join(protocol.data_to_send()))
    rest = _read_head(peer, protocol, clock, clock.monotonic() + within_s)
    if protocol.handshake_exc is not None:
        raise InvalidHandshake(str(protocol.handshake_exc)) from protocol.handshake_exc
    if protocol.state is not State.OPEN:
        raise InvalidMessage("the answer had no end")
    return FrameSocket(peer, protocol, clock, hard_frame=hard_frame, keepalive_s=keepalive_s, waiting=rest)


def _read_head(peer: socket.socket, protocol: ClientProtocol, clock: Clock, deadline: float) -> bytes:
    """Give the library the answer's head; what came behind it is ours to cut."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        left_s = deadline - clock.monotonic()
        if left_s <= 0:
            raise TimeoutError
        peer.settimeout(left_s)
        came = peer.recv(_CHUNK)
        if not came:
            raise InvalidMessage("closed during the handshake")
        head += came
    head, end, rest = head.partition(b"\r\n\r\n")
    protocol.receive_data(head + end)
    if protocol.state is not State.OPEN and protocol.handshake_exc is None:
        protocol.receive_data(rest)  # an answer with a body is read as far as it came: it is a refusal anyway
        protocol.receive_eof()
    protocol.events_received()
    return rest


class FrameSocket:
    """`receive` belongs to one thread; everything else may be called from any.

    Nothing is read ahead: what nobody receives waits in the kernel, and then at the sender.
    """

    def __init__(
        self,
        peer: socket.socket,
        protocol: ClientProtocol,
        clock: Clock,
        *,
        hard_frame: int,
        keepalive_s: float,
        waiting: bytes = b"",
    ) -> None:
        """Takes over a connection whose handshake is done. A message above `hard_frame` bytes ends it."""
        peer.setblocking(False)
        self._peer = peer
        self._protocol = protocol
        self._clock = clock
        self._hard_frame = hard_frame
        self._keepalive_s = keepalive_s
        self._poll = select.poll()
        self._poll.register(peer, select.POLLIN)
        self._lock = threading.Lock()
        self._rest = [waiting] if waiting else []
        self._is_new = bool(waiting)
        self._is_over = False
        self._missing = 0
        self._parts: list[bytes] | None = None
        self._pinged = clock.monotonic()
        self._ping: bytes | None = None

    def receive(self, timeout_s: float) -> list[bytes]:
        """Whole messages, at most those of one read; empty when none is complete in time. Raises ConnectionClosed."""
        deadline = self._clock.monotonic() + timeout_s
        if self._is_new and not self._is_over:
            self._is_new = False
            if messages := self._messages(b""):
                return messages
        while not self._is_over:
            data = self._read(deadline - self._clock.monotonic())
            if data == b"":
                self._is_over = True
                break
            self._keep_alive(is_idle=data is None)
            if data is None:
                return []
            messages = self._messages(data)
            if messages or self._clock.monotonic() >= deadline:  # else it was a part of one, or the library's own talk
                return messages
        raise self._closed()

    def send(self, text: str) -> None:
        """Raises ConnectionClosed."""
        with self._lock:
            if self._is_over:
                raise self._closed()
            self._protocol.send_text(text.encode())
            self._flush()

    def close(self) -> None:
        """Say good-bye, and do not wait for an answer. A `receive` under way ends."""
        with self._lock:
            if not self._is_over:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                with contextlib.suppress(ConnectionClosedError):
                    self._flush()
            self._is_over = True
            with contextlib.suppress(OSError):
                self._peer.shutdown(socket.SHUT_RDWR)
            self._peer.close()

    def _read(self, timeout_s: float) -> bytes | None:
        """Bytes; none at all when the other side has gone; None when nothing came in time."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            has_more = isinstance(self._peer, ssl.SSLSocket) and self._peer.pending() > 0
            left_s = max(0.0, deadline - self._clock.monotonic())
            if not has_more and not self._poll.poll(left_s * 1000):
                return None
            try:
                with self._lock:
                    return self._peer.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue  # a part of a TLS record: there is nothing to read in it yet
            except OSError:
                return b""

    def _messages(self, data: bytes) -> list[bytes]:
        """Cut what is complete out of the bytes, and keep the rest."""
        if self._rest:
            self._rest.append(data)
            self._missing -= len(data)
            if self._missing > 0:  # a large frame comes in many reads and is put together once
                return []
            data = b"".join(self._rest)
        messages: list[bytes] = []
        begin, have, self._missing = 0, len(data), 1
        while begin < have and not self._is_over:
            if self._parts is None:
                begin = _cut_common(data, begin, self._hard_frame, messages)
            start, end = _span(data, begin)
            if end - start > self._hard_frame:
                self._give(data[begin:])
                begin = have
            elif not start or end > have:
                self._missing = max(1, end - have)
                break
            else:
                if data[begin] in _WHOLE and self._parts is None:
                    messages.append(data[start:end])
                else:
                    messages += self._assembled(self._give(data[begin:end]))
                begin = end
        self._rest = [data[begin:]] if begin < have else []
        return messages

    def _give(self, data: bytes) -> list[Event]:
        """Have the library take bytes and answer what it has to: a ping, a good-bye, a breach of the protocol."""
        with self._lock:
            self._protocol.receive_data(data)
            with contextlib.suppress(ConnectionClosedError):  # said by the next call, after what came has been used
                self._flush()
            return self._protocol.events_received()

    def _assembled(self, events: list[Event]) -> list[bytes]:
        whole = []
        for event in events:
            if not isinstance(event, Frame):
                continue
            if event.opcode is Opcode.PONG and bytes(event.data) == self._ping:
                self._ping = None
            elif event.opcode in DATA_OPCODES:
                self._parts = [*(self._parts or ()), bytes(event.data)]
                if event.fin:
                    whole.append(b"".join(self._parts))
                    self._parts = None
        return whole

    def _keep_alive(self, *, is_idle: bool) -> None:
        """Ping from time to time. A socket on which nothing comes, not even the answer, is given up."""
        now = self._clock.monotonic()
        if now - self._pinged < self._keepalive_s:
            return
        with self._lock:
            if self._ping is not None and is_idle:
                self._is_over = True
                raise self._closed()
            self._pinged, self._ping = now, os.urandom(4)
            self._protocol.send_ping(self._ping)
            self._flush()

    def _flush(self) -> None:
        """Send what the library has to say. With the lock held. Raises ConnectionClosed."""
        try:
            self._peer.settimeout(_SEND_S)
            for data in self._protocol.data_to_send():
                if data:
                    self._peer.sendall(data)
            self._peer.setblocking(False)
        except OSError:
            self._is_over = True
            raise self._closed() from None
        self._is_over = self._is_over or self._protocol.state is not State.OPEN

    def _closed(self) -> ConnectionClosedError:
        return ConnectionClosedError(self._protocol.close_rcvd, None)


def _cut_common(data: bytes, begin: int, most: int, messages: list[bytes]) -> int:
    """Cut out what follows of the usual kind: whole messages of 126 to 65,535 bytes, at most `most`. Where they end."""
    have = len(data)
    while begin + 4 <= have and data[begin] in _WHOLE and data[begin + 1] == 126:
        size = data[begin + 2] << 8 | data[begin + 3]
        end = begin + 4 + size
        if end > have or size > most:
            break
        messages.append(data[begin + 4 : end])
        begin = end
    return begin


def _span(data: bytes, begin: int) -> tuple[int, int]:
    """Where the content of the frame at `begin` starts and ends; zeros when its head is not there yet.

    A masked frame, which no server may send, is said to be endless.
    """
    have = len(data) - begin
    size = data[begin + 1] if have > 1 else -1
    if size == 126 and have >= 4:  # nearly every frame of market data
        return begin + 4, begin + 4 + (data[begin + 2] << 8 | data[begin + 3])
    if 0 <= size < 126:
        return begin + 2, begin + 2 + size
    if size == 127 and have >= 10:
        return begin + 10, begin + 10 + int.from_bytes(data[begin + 2 : begin + 10])
    return (1, sys.maxsize) if size > 127 else (0, 0)
