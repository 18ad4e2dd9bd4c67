"""What happens to the feed: how it is lost, who serves after that, and how long both took. Told once it is complete."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.ports.clock import Clock
from app.services.feed_link import FeedLink
from app.services.feed_state import Failover, FeedFault, MoveKind

COMPLETE_WITHIN_S = 5.0
"""A move is told after that long even though something is not confirmed, or no price has come."""

Announce = Callable[[Failover], None]

_WORSE = frozenset({FeedFault.LOGIN_EXPIRED, FeedFault.WRONG_KEY})
"""What a try to come back finds out, and the loss itself could not know."""

_BY_A_DEAD_LOGIN = frozenset({FeedFault.SILENT, FeedFault.UNCONFIRMED, FeedFault.SECOND_LOGIN})
"""What a login that ends looks like from a feed that stays connected."""


@dataclass(slots=True)
class _Outage:
    """No account serves. `missed_from`: when the newest price that was on time came before, on the monotonic clock."""

    missed_from: float
    fault: FeedFault
    causes: list[str]
    decided: float


@dataclass(slots=True)
class _Move:
    """An account has begun to serve, and not everything is confirmed yet."""

    link: FeedLink
    kind: MoveKind
    fault: FeedFault | None
    cause: str
    decided: float
    missed_from: float | None
    begun: float


class FeedMoves:
    """For the reader's thread, but for `tell`, which belongs to the thread that may wait for the database."""

    def __init__(
        self, clock: Clock, name_of: Callable[[int], str], logged_out: Callable[[int], bool], announce: Announce
    ) -> None:
        """`logged_out`: whether the account's reads were refused for want of a login, as far as is known."""
        self._clock = clock
        self._logged_out = logged_out
        self._name_of = name_of
        self._announce = announce
        self._outage: _Outage | None = None
        self._move: _Move | None = None
        self._untold: deque[Failover] = deque()
        self.served: int | None = None
        """Who served last and completely; None at first, and after a rest."""
        self.failovers = 0
        self.cause = ""
        self.fault: FeedFault | None = None
        self.gap_from: float | None = None
        """Prices that came until then are of before the newest gap; None while there never was one."""

    def lost(self, link: FeedLink | None, fault: FeedFault, cause: str) -> None:
        """A feed was lost (`link`), or could not be opened."""
        now = self._clock.monotonic()
        if link is not None and fault in _BY_A_DEAD_LOGIN and self._logged_out(link.account_id):
            fault, cause = FeedFault.LOGIN_EXPIRED, f"{cause} Its gateway is not logged in at its broker any more."
        self.cause = cause
        if self._outage is None:
            # What was pushed came before this moment and after no later one: a quote asked for since is newer.
            newest = now if link is None else link.last_price or link.opened
            missed_from = newest
            if link is not None and fault is FeedFault.LATE:
                missed_from = link.writer.on_time_at() or link.opened
            self._outage = _Outage(missed_from, fault, [], now)
            self.gap_from = newest
        outage = self._outage
        outage.decided = now
        outage.causes.append(cause)
        if fault in _WORSE:
            outage.fault = fault
        self.fault = outage.fault
        self._move = None

    def begun(self, link: FeedLink, kind: MoveKind, cause: str = "") -> None:
        """`link` serves from now on: after a loss, or, with a kind and a cause of its own, unbroken."""
        now, outage = self._clock.monotonic(), self._outage
        if self.served is None:
            self.served, self._outage = link.account_id, None
            return
        if outage is None:
            self.cause = cause
            self._move = _Move(link, kind, None, cause, now, None, now)
            return
        words = " ".join(dict.fromkeys((outage.causes[0], outage.causes[-1])))
        kind = MoveKind.RECONNECT if link.account_id == self.served else kind
        self._move = _Move(link, kind, outage.fault, words, outage.decided, outage.missed_from, now)

    def settle(self, link: FeedLink, *, in_session: bool) -> None:
        """Close the books on a move as soon as everything is confirmed and prices come."""
        move, now = self._move, self._clock.monotonic()
        if move is None or move.link is not link:
            return
        confirmed = link.confirmed()
        is_whole = len(confirmed) + len(link.refused.keys() - confirmed) >= len(link.asked) and bool(link.asked)
        has_prices = link.last_price is not None or not in_session
        if not (is_whole and has_prices) and now - move.begun < COMPLETE_WITHIN_S:
            return
        self._untold.append(self._made(move, now, len(confirmed)))
        if link.account_id != self.served:
            self.failovers += 1
        self.served, self._move, self._outage = link.account_id, None, None

    def rest(self) -> None:
        """Nothing is wanted any more: what comes next is a beginning."""
        self.served = self._outage = self._move = None

    def tell(self) -> None:
        """Announce what is complete; an announcement that fails is made again in the next turn."""
        while self._untold:
            self._announce(self._untold[0])
            self._untold.popleft()

    def _made(self, move: _Move, now: float, confirmed: int) -> Failover:
        link, served = move.link, self.served if self.served is not None else move.link.account_id
        until = link.last_price if link.last_price is not None and move.missed_from is not None else move.begun
        return Failover(
            at=self._clock.now(),
            kind=move.kind,
            fault=move.fault,
            from_account=served,
            from_name=self._name_of(served),
            to_account=link.account_id,
            to_name=link.name,
            cause=move.cause,
            lost_s=0.0 if move.missed_from is None else max(0.0, until - move.missed_from),
            took_s=max(0.0, now - move.decided),
            confirmed=confirmed,
            wanted=len(link.asked),
        )
