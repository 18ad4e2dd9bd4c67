"""One request on one connection, and its answer read to the end. Nothing is sent twice, and nothing is followed.

What the HTTP library makes of a request and an answer takes it three times as long as this, and an order waits for it.
Errors are those of the library, so that all are read alike (`failures`).
"""

import contextlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import Final

from urllib3.exceptions import ProtocolError
from urllib3.exceptions import TimeoutError as Late

from app.adapters.openalgo.failures import CallFailed, Place

LONGEST_LINE: Final = 65_536
MOST_LINES: Final = 100
_AT_ONCE: Final = 65_536
_STATUS = re.compile(rb"HTTP/1\.(\d) +(\d{3})(?: .*)?")
_HEX = re.compile(rb"[0-9a-fA-F]{1,8}")
_INTERIM: Final = range(100, 200)
_WITHOUT_BODY: Final = (204, 304)


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status and the bytes that came with it. `keeps`: the connection can be used again."""

    status: int
    body: bytes
    keeps: bool


def exchange(connected: socket.socket, request: bytes, place: Place, is_late: Callable[[], bool]) -> Answered:
    """Send these bytes and read one answer. Raises CallFailed, or an error of urllib3.

    Each wait is as long as the timeout of the socket, and `is_late` is asked after each. From here on the request may
    have arrived, whatever is raised.
    """
    try:
        with contextlib.suppress(BrokenPipeError):  # who hangs up while he is spoken to may have answered before
            connected.sendall(request)
        return _Reading(connected, place, is_late).answer()
    except TimeoutError as late:
        raise Late("no answer in time") from late
    except (OSError, HTTPException) as cut:
        raise ProtocolError("The connection broke.", cut) from cut


class _Reading:
    """Reads one answer from a socket."""

    def __init__(self, connected: socket.socket, place: Place, is_late: Callable[[], bool]) -> None:
        self._socket = connected
        self._place = place
        self._is_late = is_late
        self._came = bytearray()
        self._at = 0

    def answer(self) -> Answered:
        status, keeps, headers = self._head()
        while status in _INTERIM:
            status, keeps, headers = self._head()
        said = headers.get(b"connection", b"").lower()
        keeps = b"close" not in said if keeps else b"keep-alive" in said
        body, ends = self._body(status, headers)
        # Bytes behind the answer would be taken for the next.
        return Answered(status, body, keeps and ends and self._at == len(self._came))

    def _head(self) -> tuple[int, bool, dict[bytes, bytes]]:
        """The status, whether this version keeps connections by itself, and the headers by their small names."""
        line = self._line()
        found = _STATUS.fullmatch(line)
        if found is None:
            raise BadStatusLine(repr(line[:40]))
        headers: dict[bytes, bytes] = {}
        for _ in range(MOST_LINES):
            line = self._line()
            if not line:
                return int(found[2]), found[1] != b"0", headers
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        raise HTTPException("too many headers")

    def _body(self, status: int, headers: dict[bytes, bytes]) -> tuple[bytes, bool]:
        """The body, and whether it ends before the connection does."""
        if status in _WITHOUT_BODY:
            return b"", True
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            return self._chunks(), True
        length = headers.get(b"content-length")
        if length is None:
            return self._rest(), False
        if not length.isdigit():
            raise HTTPException("no length of the answer")
        return self._take(int(length)), True

    def _chunks(self) -> bytes:
        whole = bytearray()
        while (size := self._chunk_size()) > 0:
            self._fits(len(whole) + size)
            whole += self._take(size)
            self._line()
        while self._line():
            pass  # what is said behind the last of them
        return bytes(whole)

    def _chunk_size(self) -> int:
        said = self._line().partition(b";")[0].strip()
        if _HEX.fullmatch(said) is None:
            raise IncompleteRead(b"")
        return int(said, 16)

    def _rest(self) -> bytes:
        """All until the other side hangs up."""
        while self._more():
            self._fits(len(self._came) - self._at)
        return self._take(len(self._came) - self._at)

    def _take(self, size: int) -> bytes:
        self._fits(size)
        end = self._at + size
        while len(self._came) < end:
            self._need()
        taken = bytes(self._came[self._at : end])
        self._at = end
        return taken

    def _line(self) -> bytes:
        """Without its end."""
        while (end := self._came.find(b"\n", self._at)) < 0:
            if len(self._came) - self._at > LONGEST_LINE:
                raise LineTooLong("header")
            self._need()
        line = bytes(self._came[self._at : end])
        self._at = end + 1
        return line.rstrip(b"\r")

    def _need(self) -> None:
        """Raises when nothing more comes."""
        if not self._more():
            raise IncompleteRead(b"") if self._came else RemoteDisconnected("no answer")

    def _more(self) -> bool:
        """False when the other side has hung up."""
        try:
            part = self._socket.recv(_AT_ONCE)
        except ConnectionError:
            if not self._came:
                raise
            raise IncompleteRead(b"") from None
        if self._is_late():
            raise CallFailed.too_slow(self._place)
        self._came += part
        return bool(part)

    def _fits(self, size: int) -> None:
        if size > self._place.cap_bytes:
            raise CallFailed.too_large(self._place)
