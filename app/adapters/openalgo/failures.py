"""What it means when a call to a gateway ends without an answer: for an order, and for somebody who only asked.

For an order one thing matters: whether it can have left. Only failures before the first byte say that it has not.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from urllib3 import exceptions as u

from app.domain.outcomes import NoAnswer
from app.ports.gateway import GatewayError, NotOpenAlgo, TimedOut, Unreachable


@dataclass(frozen=True, slots=True)
class Place:
    """The call that failed: whom it went to, how long it may take, how many bytes it may bring."""

    host: str
    read_s: float
    cap_bytes: int


class CallFailed(Exception):
    """A call ended without an answer. `no_answer` is what an order learns, `error` what a reader is told."""

    def __init__(self, error: GatewayError, *, bytes_sent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.no_answer = NoAnswer(reason=str(error), bytes_sent=bytes_sent)

    @staticmethod
    def too_large(place: Place) -> "CallFailed":
        return CallFailed(
            NotOpenAlgo(f"{place.host} answers with more than {place.cap_bytes:,} bytes."), bytes_sent=True
        )

    @staticmethod
    def too_slow(place: Place) -> "CallFailed":
        return CallFailed(_timed_out(place), bytes_sent=True)


@dataclass(frozen=True, slots=True)
class _Meaning:
    bytes_sent: bool
    error: Callable[[Place], GatewayError]


def _no_name(place: Place) -> GatewayError:
    return Unreachable(f"There is no host of the name in {place.host}. Check the address.")


def _no_connection(place: Place) -> GatewayError:
    return Unreachable(f"Nothing takes connections at {place.host}. Check the address, and that OpenAlgo is running.")


def _no_reaction(place: Place) -> GatewayError:
    return Unreachable(f"{place.host} does not react. Check the address, and the firewall in front of it.")


def _no_trust(place: Place) -> GatewayError:
    return Unreachable(
        f"No secure connection to {place.host}: its certificate is not trusted here, or it does not speak https."
    )


def _no_turn(place: Place) -> GatewayError:
    return Unreachable(f"All connections to {place.host} are busy with calls that it has not answered yet.")


def _timed_out(place: Place) -> GatewayError:
    return TimedOut(f"{place.host} did not answer within {place.read_s:g} s.")


def _cut(place: Place) -> GatewayError:
    return Unreachable(f"{place.host} cut the connection before its answer was complete.")


def _no_http(place: Place) -> GatewayError:
    return NotOpenAlgo(f"What answers at {place.host} is not an OpenAlgo gateway. Check the address and the port.")


_MEANINGS: Mapping[type[u.HTTPError], _Meaning] = {
    # Before the first byte: the order has certainly not left.
    u.NameResolutionError: _Meaning(bytes_sent=False, error=_no_name),
    u.NewConnectionError: _Meaning(bytes_sent=False, error=_no_connection),
    u.ConnectTimeoutError: _Meaning(bytes_sent=False, error=_no_reaction),
    u.EmptyPoolError: _Meaning(bytes_sent=False, error=_no_turn),
    u.ClosedPoolError: _Meaning(bytes_sent=False, error=_no_turn),
    u.LocationValueError: _Meaning(bytes_sent=False, error=_no_connection),
    u.LocationParseError: _Meaning(bytes_sent=False, error=_no_connection),
    u.URLSchemeUnknown: _Meaning(bytes_sent=False, error=_no_connection),
    u.ProxySchemeUnknown: _Meaning(bytes_sent=False, error=_no_connection),
    u.HostChangedError: _Meaning(bytes_sent=False, error=_no_connection),
    # From the first byte on: it may have left.
    u.ReadTimeoutError: _Meaning(bytes_sent=True, error=_timed_out),
    u.TimeoutError: _Meaning(bytes_sent=True, error=_timed_out),
    u.TimeoutStateError: _Meaning(bytes_sent=True, error=_timed_out),
    u.ProtocolError: _Meaning(bytes_sent=True, error=_cut),
    u.IncompleteRead: _Meaning(bytes_sent=True, error=_cut),
    u.InvalidChunkLength: _Meaning(bytes_sent=True, error=_cut),
    u.SSLError: _Meaning(bytes_sent=True, error=_cut),
    u.FullPoolError: _Meaning(bytes_sent=True, error=_cut),
    u.UnrewindableBodyError: _Meaning(bytes_sent=True, error=_cut),
    u.ProxyError: _Meaning(bytes_sent=True, error=_cut),
    u.MaxRetryError: _Meaning(bytes_sent=True, error=_cut),
    u.RequestError: _Meaning(bytes_sent=True, error=_cut),
    u.PoolError: _Meaning(bytes_sent=True, error=_cut),
    u.DecodeError: _Meaning(bytes_sent=True, error=_no_http),
    u.ResponseError: _Meaning(bytes_sent=True, error=_no_http),
    u.ResponseNotChunked: _Meaning(bytes_sent=True, error=_no_http),
    u.BodyNotHttplibCompatible: _Meaning(bytes_sent=True, error=_no_http),
    u.InvalidHeader: _Meaning(bytes_sent=True, error=_no_http),
    u.HeaderParsingError: _Meaning(bytes_sent=True, error=_no_http),
    u.HTTPError: _Meaning(bytes_sent=True, error=_cut),
}
"""Every error of the HTTP library. A test walks the library and fails when one is missing here."""


class HandshakeFailed(u.NewConnectionError):
    """The TLS handshake did not succeed: like a connection that was not made, with nothing sent."""


_KNOWN = {**_MEANINGS, HandshakeFailed: _Meaning(bytes_sent=False, error=_no_trust)}


def failed(error: u.HTTPError, place: Place) -> CallFailed:
    """The error for a call that ended in `error`; an unknown kind is read as its nearest known parent."""
    meaning = next(_KNOWN[kind] for kind in type(error).__mro__ if kind in _KNOWN)
    if isinstance(error, u.ProtocolError) and _is_another_protocol(error):
        return CallFailed(_no_http(place), bytes_sent=True)
    return CallFailed(meaning.error(place), bytes_sent=meaning.bytes_sent)


def _is_another_protocol(error: u.ProtocolError) -> bool:
    """Whether what came back was not HTTP at all."""
    cause = error.args[1] if len(error.args) > 1 else None
    return isinstance(cause, http.client.HTTPException) and not isinstance(
        cause, http.client.RemoteDisconnected | http.client.IncompleteRead
    )
