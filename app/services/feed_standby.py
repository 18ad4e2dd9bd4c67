"""A second, authenticated feed kept ready on the account that prices should come from, until it may take over."""

import threading
from collections.abc import Callable

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import Misconfigured, NotFound
from app.ports.clock import Clock
from app.ports.feed import FeedClosed, FeedMode
from app.ports.gateway import GatewayError
from app.services.feed_link import FeedLink

TRY_EVERY_S = 15.0
READ_S = 0.05
READS = 50

PROBE = {underlying.spot: FeedMode.LTP for underlying in UNDERLYINGS}
"""Followed to see that prices really come: a gateway may answer pings while its broker's side is dead."""

OpenLink = Callable[[int], FeedLink]
"""Opens and authenticates a feed that does not write yet; blocks, raises GatewayError, NotFound or Misconfigured."""


class FeedStandby:
    """`tend` is for one thread, `take` for another. Holds at most one open feed."""

    def __init__(self, open_link: OpenLink, clock: Clock) -> None:
        self._open_link = open_link
        self._clock = clock
        self._link: FeedLink | None = None
        self._next_try = 0.0
        self._holding = threading.Lock()

    def tend(self, account_id: int | None, session_since: float | None = None) -> None:
        """Keep a feed open on that account, and on no other; None means that none is needed.

        `session_since`: when the market opened, None while it is closed and no prices can be expected.
        """
        with self._holding:
            if self._link is not None and self._link.account_id != account_id:
                self._let_go()
            if self._link is not None:
                self._look_after(self._link, session_since)
                return
        if account_id is not None and self._clock.monotonic() >= self._next_try:
            self._open(account_id)

    def well_for_s(self) -> float | None:
        """How long the feed in reserve has stood; None when there is none."""
        link = self._link
        return None if link is None else self._clock.monotonic() - link.opened

    def take(self, account_id: int | None = None) -> FeedLink | None:
        """Hand over the feed (only if it is on that account, when one is named). It is the taker's from then on."""
        with self._holding:
            link = self._link
            if link is None or account_id not in {None, link.account_id}:
                return None
            self._link = None
            return link

    def _open(self, account_id: int) -> None:
        # Opening may take half a minute, so it happens outside the lock: the reader must never wait for it.
        self._next_try = self._clock.monotonic() + TRY_EVERY_S
        try:
            link = self._open_link(account_id)
            link.follow(PROBE)
        except (GatewayError, NotFound, Misconfigured, FeedClosed):
            return  # it is not well yet; the account that serves goes on, and this one is tried again
        with self._holding:
            self._link = link

    def _look_after(self, link: FeedLink, session_since: float | None) -> None:
        try:
            reads = 1
            while link.read(READ_S) and reads < READS:
                reads += 1
            link.tend(self._clock.monotonic())
            trouble = link.trouble(self._clock.monotonic(), session_since)
        except FeedClosed as closed:
            trouble = str(closed)
        if trouble is not None:
            self._let_go()

    def _let_go(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
            self._next_try = self._clock.monotonic() + TRY_EVERY_S
