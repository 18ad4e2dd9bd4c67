"""The connections for market data: opened here, counted, and never more than are allowed."""

import threading
from dataclasses import dataclass

from app.domain.errors import Unavailable
from app.ports.clock import Clock
from app.ports.feed import FeedFactory
from app.services.feed_link import BoardWriter, DropCounts, FeedLink
from app.services.feed_state import ConnectionState
from app.services.gateways import Gateways
from app.services.price_board import PriceBoard

MOST_CONNECTIONS = 10
PUSHED_BY = "feed of "
"""How the source of a pushed price begins, on the board."""


@dataclass(frozen=True, slots=True)
class FeedPace:
    """How many connections there may be, and how they are kept. Sockets of pushed order updates are not among them.

    `idle_s`: a feed that nobody wants anything of is closed after so long; the warm backup never is. `keepalive_s` and
    `standby_keepalive_s`: seconds between two pings of the feed that serves and of the one that waits.
    """

    connections: int = MOST_CONNECTIONS
    idle_s: float = 300.0
    keepalive_s: float = 5.0
    standby_keepalive_s: float = 30.0


class FeedPool:
    """Thread-safe; `open` blocks on the network. A link that was closed has left the pool."""

    def __init__(self, gateways: Gateways, feeds: FeedFactory, board: PriceBoard, clock: Clock, pace: FeedPace) -> None:
        self.pace = pace
        self.drops = DropCounts()
        self._gateways = gateways
        self._feeds = feeds
        self._board = board
        self._clock = clock
        self._links: list[FeedLink] = []
        self._opening = 0
        self._lock = threading.Lock()

    @property
    def has_room(self) -> bool:
        return len(self._open()) + self._opening < self.pace.connections

    def open(self, account_id: int, *, serves: bool) -> FeedLink:
        """An authenticated feed; one that does not serve writes nothing onto the board.

        Raises GatewayError, NotFound, Misconfigured; Unavailable when there may be no more connections.
        """
        with self._lock:
            if not self.has_room:
                raise Unavailable(f"There are {self.pace.connections} connections for market data already.")
            self._opening += 1
        try:
            link = self._opened(account_id, serves=serves)
        finally:
            with self._lock:
                self._opening -= 1
        with self._lock:
            self._links = [*self._open(), link]
        return link

    def connections(self, ready: frozenset[int]) -> tuple[ConnectionState, ...]:
        """Every open one, the one that serves first. `ready` are the accounts whose feed may take over."""
        now = self._clock.monotonic()
        states = [_state(link, now, ready) for link in self._open()]
        return tuple(sorted(states, key=lambda state: (_ROLES.index(state.role), state.account_name)))

    def _opened(self, account_id: int, *, serves: bool) -> FeedLink:
        address, name = self._gateways.address(account_id), self._gateways.name(account_id)
        writer = BoardWriter(self._board, self._clock, f"{PUSHED_BY}{name}", drops=self.drops, writes=serves)
        feed = self._feeds(address, writer)
        opened = self._clock.monotonic()
        keepalive_s = self.pace.keepalive_s if serves else self.pace.standby_keepalive_s
        return FeedLink(account_id, name, address, feed, writer, self._clock, opened=opened, keepalive_s=keepalive_s)

    def _open(self) -> list[FeedLink]:
        return [link for link in self._links if not link.closed]


_ROLES = ("serving", "warm", "on_trial")


def _state(link: FeedLink, now: float, ready: frozenset[int]) -> ConnectionState:
    role = "serving" if link.writer.writes else "warm" if link.account_id in ready else "on_trial"
    pong = link.feed.last_pong
    return ConnectionState(
        account_id=link.account_id,
        account_name=link.name,
        role=role,
        open_s=max(0.0, now - link.opened),
        tick_age_s=None if link.last_price is None else max(0.0, now - link.last_price),
        pong_age_s=None if pong is None else max(0.0, now - pong),
        asked=len(link.asked),
        confirmed=link.confirmed_count,
        rate=link.rate,
        accepted=link.writer.accepted,
    )
