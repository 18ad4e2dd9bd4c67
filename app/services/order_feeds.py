"""Pushed order updates: a socket of its own for each account that has something at work."""

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.books import OrderUpdate
from app.domain.errors import Misconfigured, NotFound
from app.ports.clock import Clock
from app.ports.feed import Drop, Feed, FeedClosed, FeedFactory, Tick
from app.ports.gateway import GatewayAddress, GatewayError
from app.services.gateways import Gateways

READ_S = 0.2
IDLE_S = 0.5
PING_EVERY_S = 5.0
SILENT_AFTER_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0

OnUpdate = Callable[[int, OrderUpdate], None]
OnOpen = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class OrderFeedState:
    """`open` False with an empty `trouble` means that the account needs none. `since` is when that last changed."""

    open: bool
    since: datetime
    trouble: str


class _Forwarder:
    """Passes an account's updates on as they come: twice, out of order. The receiver sorts that out."""

    def __init__(self, account_id: int, on_update: OnUpdate) -> None:
        self._account_id = account_id
        self._on_update = on_update

    def ticks(self, ticks: Sequence[Tick]) -> None:
        """Nothing is subscribed here."""

    def order_update(self, update: OrderUpdate) -> None:
        self._on_update(self._account_id, update)

    def dropped_frame(self, kind: Drop, reason: str) -> None:
        """A frame nobody can read changes nothing: the books are read as well."""


@dataclass(slots=True)
class _Line:
    """One account's socket, as its own thread knows it. Times are monotonic seconds."""

    feed: Feed
    address: GatewayAddress
    opened: float
    last_frame: float
    last_ping: float


class OrderFeeds:
    """`step(account_id)` is for one thread for each account; everything else is thread-safe.

    Updates only make things known sooner. Many brokers push none at all, so the books are always read as well.
    """

    def __init__(
        self,
        gateways: Gateways,
        feeds: FeedFactory,
        clock: Clock,
        *,
        on_update: OnUpdate,
        on_open: OnOpen = lambda _account_id: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Both callbacks run on the account's thread, must return soon and must not raise.

        `on_open` is called after each opening: there is no replay, so what happened before is in the books alone.
        """
        self._gateways = gateways
        self._feeds = feeds
        self._clock = clock
        self._on_update = on_update
        self._on_open = on_open
        self._jitter = jitter
        self._needed: frozenset[int] = frozenset()
        self._lines: dict[int, _Line] = {}
        self._states: dict[int, OrderFeedState] = {}
        self._failures: dict[int, int] = {}
        self._retry_at: dict[int, float] = {}
        self._lock = threading.Lock()

    def is_open(self, account_id: int) -> bool:
        """Whether what happens to this account's orders is pushed here just now."""
        return self.state(account_id).open

    def need(self, account_ids: Iterable[int]) -> None:
        """From now on exactly these accounts need their order updates."""
        self._needed = frozenset(account_ids)

    def state(self, account_id: int) -> OrderFeedState:
        return self._states.get(account_id, OrderFeedState(False, self._clock.now(), ""))

    def step(self, account_id: int) -> float:
        """Open, read for a moment, or close, whichever is due. Returns the seconds until the next call."""
        line = self._lines.get(account_id)
        if account_id not in self._needed:
            if line is not None:
                self._drop(account_id, line, "")
            return IDLE_S
        now = self._clock.monotonic()
        if line is None:
            wait_s = self._retry_at.get(account_id, now) - now
            if wait_s > 0:
                return min(wait_s, IDLE_S)
            self._open(account_id)
            return 0.0
        try:
            self._read(account_id, line)
        except (FeedClosed, NotFound, Misconfigured) as error:
            self._fail(account_id, line, str(error))
        return 0.0

    def close(self) -> None:
        """Let go of all sockets. To be called when the threads have stopped."""
        self.need(())
        for account_id, line in list(self._lines.items()):
            self._drop(account_id, line, "")

    def _open(self, account_id: int) -> None:
        try:
            address = self._gateways.address(account_id)
            feed = self._feeds(address, _Forwarder(account_id, self._on_update))
        except (GatewayError, NotFound, Misconfigured) as error:
            self._fail(account_id, None, str(error))
            return
        try:
            feed.subscribe_orders()
        except FeedClosed as closed:
            feed.close()
            self._fail(account_id, None, str(closed))
            return
        now = self._clock.monotonic()
        self._lines[account_id] = _Line(feed, address, now, now, now)
        self._say(account_id, is_open=True, trouble="")
        self._on_open(account_id)

    def _read(self, account_id: int, line: _Line) -> None:
        came = line.feed.read(READ_S)
        now = self._clock.monotonic()
        if came:
            line.last_frame = now
            self._failures.pop(account_id, None)
        if now - line.last_ping >= PING_EVERY_S:
            line.last_ping = now
            line.feed.ping()
            if self._gateways.address(account_id) != line.address:
                self._fail(account_id, line, "The account has another address or key.")
                return
        if now - line.last_frame > SILENT_AFTER_S:
            self._fail(account_id, line, f"Nothing came for {SILENT_AFTER_S:g} s, not even an answer to a ping.")

    def _fail(self, account_id: int, line: _Line | None, trouble: str) -> None:
        if line is not None:
            self._drop(account_id, line, trouble)
        failures = self._failures.get(account_id, 0)
        self._failures[account_id] = failures + 1
        pause: float = min(FIRST_PAUSE_S * 2.0**failures, LONGEST_PAUSE_S)
        self._retry_at[account_id] = self._clock.monotonic() + pause * (0.5 + 0.5 * self._jitter())
        self._say(account_id, is_open=False, trouble=trouble)

    def _drop(self, account_id: int, line: _Line, trouble: str) -> None:
        line.feed.close()
        self._lines.pop(account_id, None)
        self._say(account_id, is_open=False, trouble=trouble)

    def _say(self, account_id: int, *, is_open: bool, trouble: str) -> None:
        with self._lock:
            before = self._states.get(account_id)
            since = self._clock.now() if before is None or before.open != is_open else before.since
            self._states[account_id] = OrderFeedState(is_open, since, trouble)
