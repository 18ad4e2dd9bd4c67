"""Opening a feed: a connection, a handshake, a key, and a clear word for each way this can fail."""

import contextlib
import socket
import ssl
from dataclasses import dataclass

from websockets.exceptions import InvalidHandshake

from app.adapters.openalgo import answers
from app.adapters.openalgo.address import Address
from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.frame_socket import FrameSocket, shake_hands
from app.adapters.openalgo.frames import Authenticated, ErrorFrame
from app.ports.clock import Clock
from app.ports.feed import FeedClosed, FeedListener
from app.ports.gateway import (
    GatewayAddress,
    GatewayError,
    GatewayRefused,
    LoggedOut,
    NotOpenAlgo,
    TimedOut,
    Unreachable,
    WrongKey,
)


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Seconds to open and to be let in, and bytes of a frame: above `max_frame` dropped, above `hard_frame` closed."""

    connect_s: float = 5.0
    open_s: float = 5.0
    authenticate_s: float = 30.0
    max_frame: int = 256 * 1024
    hard_frame: int = 4 * 1024 * 1024
    keepalive_s: float = 20.0


class OpenAlgoFeeds:
    """The FeedFactory port."""

    def __init__(self, clock: Clock, limits: FeedLimits | None = None) -> None:
        """`clock` is the machine's."""
        self._clock = clock
        self._limits = limits or FeedLimits()

    def __call__(self, address: GatewayAddress, listener: FeedListener) -> OpenAlgoFeed:
        """Raises a GatewayError when the gateway cannot be reached or does not let us in."""
        place = Address.parse(address.websocket_url, "websocket_url", "ws")
        feed = OpenAlgoFeed(
            _open(address.websocket_url.strip(), place, self._limits, self._clock),
            listener,
            self._clock,
            secret=address.api_key,
            max_frame=self._limits.max_frame,
        )
        try:
            self._authenticate(feed, place, address.api_key)
        except GatewayError:
            feed.close()
            raise
        return feed

    def _authenticate(self, feed: OpenAlgoFeed, place: Address, api_key: str) -> None:
        """The gateway may take its time: the first client has it connect to the broker."""
        deadline = self._clock.monotonic() + self._limits.authenticate_s
        try:
            feed.authenticate(api_key)
            while (left_s := deadline - self._clock.monotonic()) > 0:
                frames = feed.receive(left_s)
                for number, frame in enumerate(frames):
                    if isinstance(frame, Authenticated):
                        feed.take(frames[number + 1 :])
                        return
                    if isinstance(frame, ErrorFrame):
                        raise _refusal(frame, place, api_key)
                    feed.take([frame])
        except FeedClosed as closed:
            raise GatewayRefused(f"{place.label} let nobody in: {closed}") from closed
        raise TimedOut(f"{place.label} did not answer the key within {self._limits.authenticate_s:g} s.")


def _refusal(error: ErrorFrame, place: Address, api_key: str) -> GatewayError:
    if error.code == "AUTHENTICATION_ERROR":
        return WrongKey(f"{place.label} does not know this API key. Copy it again from OpenAlgo's API key page.")
    if error.code == "BROKER_ERROR" and "No broker configuration" in error.message:
        return LoggedOut(
            f"The key is right, but {place.label} is not logged in to its broker. Log in to OpenAlgo there."
        )
    if error.code in {"BROKER_INIT_ERROR", "BROKER_CONNECTION_ERROR"}:
        return LoggedOut(
            f"The key is right, but the broker of {place.label} does not let it in: its login has probably expired. "
            f"Log in to OpenAlgo there. It said: {answers.safe_text(f'{error.code}: {error.message}', api_key)}"
        )
    return GatewayRefused(f"{place.label} refused: {answers.safe_text(f'{error.code}: {error.message}', api_key)}")


def _open(url: str, place: Address, limits: FeedLimits, clock: Clock) -> FrameSocket:
    """A socket on which the WebSocket handshake is done. Raises Unreachable, TimedOut or NotOpenAlgo."""
    try:
        peer = socket.create_connection((place.host.strip("[]"), place.port), timeout=limits.connect_s)
    except socket.gaierror as error:
        raise Unreachable(f"There is no host of the name in {place.label}. Check the address.") from error
    except OSError as error:
        raise Unreachable(f"Nothing takes connections at {place.label}. Check the address of the feed.") from error
    try:
        return _let_in(url, peer, place, limits, clock)
    except TimeoutError as error:
        raise TimedOut(f"{place.label} took the connection and then said nothing for {limits.open_s:g} s.") from error
    except ssl.SSLError as error:
        raise Unreachable(f"No secure connection to {place.label}: its certificate is not trusted here.") from error
    except (InvalidHandshake, OSError) as error:
        raise NotOpenAlgo(f"What answers at {place.label} is not an OpenAlgo feed. Check the address.") from error


def _let_in(url: str, peer: socket.socket, place: Address, limits: FeedLimits, clock: Clock) -> FrameSocket:
    """Over an open connection, which is closed again when this raises."""
    with contextlib.ExitStack() as unless_in:
        unless_in.callback(peer.close)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(limits.open_s)
        if place.is_secure:
            peer = ssl.create_default_context().wrap_socket(peer, server_hostname=place.host.strip("[]"))
            unless_in.callback(peer.close)
        found = shake_hands(
            url,
            peer,
            clock,
            within_s=limits.open_s,
            hard_frame=limits.hard_frame,
            keepalive_s=limits.keepalive_s,
        )
        unless_in.pop_all()
        return found
