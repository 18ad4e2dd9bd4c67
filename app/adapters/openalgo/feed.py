"""One authenticated WebSocket to one gateway: subscriptions out, ticks and order updates in."""

import json
import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from websockets.exceptions import ConnectionClosed

from app.adapters.openalgo import answers
from app.adapters.openalgo.frame_socket import FrameSocket
from app.adapters.openalgo.frames import (
    Authenticated,
    BrokerLink,
    ErrorFrame,
    Frame,
    FrameReader,
    Ignored,
    Pong,
    Subscribed,
    Unsubscribed,
    Unusable,
)
from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.ports.clock import Clock
from app.ports.feed import BrokerGone, Drop, FeedClosed, FeedListener, FeedMode, Tick

_log = logging.getLogger(__name__)

# The gateway has let go of the broker's feed or of us: this socket brings nothing any more, whatever it says later.
_LOST = frozenset(
    {"BROKER_ERROR", "BROKER_INIT_ERROR", "BROKER_CONNECTION_ERROR", "NOT_AUTHENTICATED", "AUTHENTICATION_ERROR"}
)
_MOST_KINDS = 50

_Other = OrderUpdate | Pong | Subscribed | Unsubscribed | Authenticated | BrokerLink | ErrorFrame | Ignored | Unusable


class OpenAlgoFeed:
    """The Feed port. `read` belongs to one thread; everything else may be called from any."""

    def __init__(
        self, socket: FrameSocket, listener: FeedListener, clock: Clock, *, secret: str, max_frame: int
    ) -> None:
        """Takes over an open socket, authenticated or not. `max_frame` is the longest frame in bytes that is used."""
        self._socket = socket
        self._listener = listener
        self._clock = clock
        self._secret = secret
        self._max_frame = max_frame
        self._wanted: set[ContractKey] = set()
        self._reader = FrameReader(self._wanted)
        self._lock = threading.Lock()
        self._asked: deque[tuple[int, frozenset[ContractKey]]] = deque()
        self._requests = 0
        self._confirmed: frozenset[ContractKey] = frozenset()
        self._refused: dict[ContractKey, str] = {}
        self.last_pong: float | None = None
        self.gateway_ms: int | None = None
        """The gateway's clock at the last pong, epoch milliseconds."""
        self.broker_gone = False
        self.ignored: Counter[str] = Counter()
        """Frames of types that nobody here asked for, by type; beyond so many types they are all one."""

    def authenticate(self, api_key: str) -> None:
        """Show the key. The answer comes as a frame. Raises FeedClosed."""
        self._send({"action": "authenticate", "api_key": api_key})

    def subscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None:
        if not keys:
            return
        with self._lock:
            self._requests += 1
            number = self._requests
            self._asked.append((number, frozenset(keys)))
            self._wanted.update(keys)
        self._send({"action": "subscribe", "symbols": _named(keys), "mode": int(mode), "request_id": number})

    def unsubscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None:
        if keys:
            # Each row needs the mode: the gateway ignores the one of the whole request.
            rows = [{**row, "mode": int(mode)} for row in _named(keys)]
            self._send({"action": "unsubscribe", "symbols": rows})

    def subscribe_orders(self) -> None:
        self._send({"action": "subscribe_orders"})

    def ping(self) -> None:
        self._send({"action": "ping"})

    def ask_broker(self) -> None:
        self._send({"action": "get_broker_info"})

    def read(self, timeout_s: float) -> bool:
        frames = self.receive(timeout_s)
        self.take(frames)
        return bool(frames)

    def confirmed(self) -> frozenset[ContractKey]:
        return self._confirmed  # replaced whole, so nobody needs a copy: this is asked with every frame

    def refused(self) -> dict[ContractKey, str]:
        with self._lock:
            return dict(self._refused)

    def close(self) -> None:
        self._socket.close()

    def receive(self, timeout_s: float) -> list[Frame]:
        """What came, at most one read of the socket; empty when nothing comes in time. Raises FeedClosed."""
        try:
            came = self._socket.receive(timeout_s)
        except ConnectionClosed as error:
            raise FeedClosed(_closing_words(error)) from error
        read, most = self._reader.read, self._max_frame
        return [read(raw) if len(raw) <= most else _too_large(raw) for raw in came]

    def take(self, frames: Sequence[Frame]) -> None:
        """Pass frames to whom they concern. Raises FeedClosed at one that says the socket is of no use any more."""
        ticks: list[Tick] = []
        for frame in frames:
            if isinstance(frame, Tick):
                ticks.append(frame)
                continue
            if ticks:  # what else came must find the board as it was then
                self._listener.ticks(ticks)
                ticks = []
            self._take_other(frame)
        if ticks:
            self._listener.ticks(ticks)

    def _take_other(self, frame: _Other) -> None:
        if isinstance(frame, OrderUpdate):
            self._listener.order_update(frame)
        elif isinstance(frame, Unusable):
            self._listener.dropped_frame(frame.kind, frame.reason)
        elif isinstance(frame, Pong):
            self.gateway_ms, self.last_pong = frame.server_ms, self._clock.monotonic()
        elif isinstance(frame, ErrorFrame):
            self._take_error(frame)
        else:
            self._take_acknowledgement(frame)

    def _take_acknowledgement(self, frame: Subscribed | Unsubscribed | Authenticated | BrokerLink | Ignored) -> None:
        if isinstance(frame, Subscribed):
            self._settle(frame)
        elif isinstance(frame, BrokerLink):
            self.broker_gone = not frame.there
        elif isinstance(frame, Unsubscribed):
            with self._lock:
                self._confirmed -= frame.keys
        elif isinstance(frame, Ignored):
            known = frame.type in self.ignored or len(self.ignored) < _MOST_KINDS
            self.ignored[frame.type if known else "other"] += 1

    def _settle(self, answer: Subscribed) -> None:
        """Contracts that an answer passes over in silence are refused: no ticks of them will come."""
        with self._lock:  # what was never asked for is not kept, however much of it an answer brings
            refused = [row for row in answer.refused if row[0] in self._wanted]
            words = {key: answers.safe_text(said, self._secret) for key, said in refused}
            asked = self._answered(answer.request)
            silent = asked - answer.confirmed - words.keys()
            words |= dict.fromkeys(silent, "the gateway did not answer for it")
            self._confirmed = (self._confirmed | (answer.confirmed & self._wanted)) - words.keys()
            self._refused = {key: said for key, said in self._refused.items() if key not in answer.confirmed} | words

    def _answered(self, request: int | None) -> frozenset[ContractKey]:
        """The contracts of the request that is answered. The gateway answers one socket's requests in turn."""
        while self._asked:
            number, keys = self._asked.popleft()
            if request is None or number == request:
                return keys
        return frozenset()

    def _take_error(self, error: ErrorFrame) -> None:
        """Errors do not say what they answer: a lost broker ends the feed, anything else the oldest open request."""
        text = answers.safe_text(f"{error.code}: {error.message}", self._secret)
        if error.code in _LOST:
            self.close()
            raise BrokerGone(f"The gateway's feed is gone. It said: {text}")
        self._listener.dropped_frame(Drop.REFUSAL, text)
        with self._lock:
            if self._asked:  # errors without a request are counted alone: a log of them would have no end
                _log.warning("A gateway's feed refused a request: %s", text)
                _, keys = self._asked.popleft()
                self._refused |= dict.fromkeys(keys - self._confirmed, text)

    def _send(self, message: Mapping[str, object]) -> None:
        """Raises FeedClosed."""
        try:
            self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            raise FeedClosed(_closing_words(error)) from error


def _named(keys: Sequence[ContractKey]) -> list[dict[str, object]]:
    return [{"symbol": key.symbol, "exchange": key.exchange} for key in keys]


def _too_large(raw: bytes) -> Unusable:
    return Unusable(f"a frame of {len(raw)} bytes", Drop.TOO_LARGE)


def _closing_words(error: ConnectionClosed) -> str:
    """Why a socket is closed, as far as either side said."""
    if error.rcvd is None:
        return "The connection to the gateway's feed broke off."
    reason = f" ({error.rcvd.reason})" if error.rcvd.reason else ""
    return f"The gateway closed its feed with code {error.rcvd.code}{reason}."
