"""A second, authenticated feed, warm on the next account in order that answers, ready to take over at any moment."""

import threading
from collections.abc import Callable, Sequence

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import Misconfigured, NotFound, Unavailable
from app.ports.clock import Clock
from app.ports.feed import FeedClosed, FeedMode
from app.services.feed_link import FeedLink

TRY_EVERY_S = 15.0
READ_S = 0.05
READS = 10
FRESH_S = 3.0
TRIAL_S = 15.0
"""A feed that has not proven itself by then makes room for the next account."""

PROBE = {underlying.spot: FeedMode.LTP for underlying in UNDERLYINGS}
"""Followed to see that prices really come: a gateway may answer pings while its broker's side is dead."""

OpenLink = Callable[[int], FeedLink]
"""Opens and authenticates a feed that does not write yet; blocks, raises Unavailable, NotFound or Misconfigured."""
HasRoom = Callable[[], bool]
"""Whether one more connection may be opened."""


class FeedStandby:
    """`tend` and `close` are for one thread, everything else for any.

    It holds one proven feed. While one of an account further ahead is on trial it holds two, so that there is never a
    moment without a backup: the old one goes when the new one has confirmed the probes and brought a price.
    """

    def __init__(self, open_link: OpenLink, has_room: HasRoom, clock: Clock) -> None:
        self._open_link = open_link
        self._has_room = has_room
        self._clock = clock
        self._links: dict[int, FeedLink] = {}
        self._proven: frozenset[int] = frozenset()
        self._not_before: dict[int, float] = {}
        self._reasons: dict[int, str] = {}
        self._holding = threading.Lock()

    def tend(self, candidates: Sequence[int], session_since: float | None = None, *, may_open: bool = True) -> None:
        """Keep a feed warm on the first of these accounts that answers. May block on the network.

        `session_since`: when the market opened, None while it is closed and no prices can be expected.
        """
        done: list[FeedLink] = []
        with self._holding:
            for account_id, link in list(self._links.items()):
                if account_id not in candidates or not self._is_well(link, session_since):
                    done.append(self._links.pop(account_id))
            proven = [each for each in candidates if each in self._links and _proven(self._links[each], session_since)]
            self._proven = frozenset(proven)
            done += [self._links.pop(each) for each in proven[1:]]
            best = candidates.index(proven[0]) if proven else len(candidates)
            is_on_trial = len(self._links) > min(len(proven), 1)
        for link in done:  # outside the lock: closing a dead socket takes its time, and the reader may want another
            link.close()
        if may_open and not is_on_trial:
            self._open_first(candidates[:best], bool(proven))

    def well_for_s(self, account_id: int) -> float | None:
        """How long the proven feed of that account has stood; None when there is none."""
        link = self._links.get(account_id)
        return self._clock.monotonic() - link.opened if link is not None and account_id in self._proven else None

    def ready(self) -> frozenset[int]:
        """The accounts whose feed is proven."""
        return self._proven & self._links.keys()

    def is_ticking(self) -> bool:
        """A proven feed in reserve brought a price within the last seconds."""
        now, links = self._clock.monotonic(), [self._links.get(each) for each in self.ready()]
        return any(link is not None and now - (link.last_price or 0.0) <= FRESH_S for link in links)

    def take(self, *account_ids: int) -> FeedLink | None:
        """Hand over a feed, of one of these accounts when some are named, proven before unproven. It is the taker's."""
        with self._holding:
            held = [each for each in self._links if each in account_ids or not account_ids]
            if not held:
                return None
            taken = min(held, key=lambda each: each not in self._proven)
            self._proven -= {taken}
            return self._links.pop(taken)

    def hurry(self) -> None:
        """Somebody wants another account now: what failed a moment ago is tried again at once."""
        self._not_before = {}

    def reasons(self) -> dict[int, str]:
        """Why an account's feed could not be had the last time it was tried."""
        return self._reasons

    def close(self) -> None:
        self.tend((), may_open=False)

    def _open_first(self, candidates: Sequence[int], has_backup: bool) -> None:
        now = self._clock.monotonic()
        due = next((each for each in candidates if now >= self._not_before.get(each, 0.0)), None)
        if due is None:
            return
        if has_backup and not self._has_room():
            self._make_room()
        # Opening may take half a minute, so it happens outside the lock: the reader must never wait for it.
        self._put_off(due)
        try:
            link = self._open_link(due)
            link.follow(PROBE)
        except (Unavailable, NotFound, Misconfigured, FeedClosed) as error:
            self._reasons = {**self._reasons, due: str(error)}
            return  # the next one in order is tried in the next turn, and this one again after a while
        self._reasons = {each: why for each, why in self._reasons.items() if each != due}
        with self._holding:
            self._links[due] = link

    def _make_room(self) -> None:
        """Make room where no second one may be open: better a short while without a backup than never the right one."""
        link = self.take()
        if link is not None:
            link.close()

    def _is_well(self, link: FeedLink, session_since: float | None) -> bool:
        try:
            reads = 1
            while link.read(READ_S) and reads < READS:
                reads += 1
            now = self._clock.monotonic()
            link.tend(now)
            found = link.trouble(now, session_since)
            words = "" if found is None else found.words
            if not words and now - link.opened > TRIAL_S and not _proven(link, session_since):
                words = f"{link.name}: what prices are probed with was not confirmed, or did not come."
        except FeedClosed as closed:
            words = str(closed) or "closed"
        if words:
            self._reasons = {**self._reasons, link.account_id: words}
            self._put_off(link.account_id)
        return not words

    def _put_off(self, account_id: int) -> None:
        self._not_before = {**self._not_before, account_id: self._clock.monotonic() + TRY_EVERY_S}


def _proven(link: FeedLink, session_since: float | None) -> bool:
    """It serves, and while the market is open it has brought a price."""
    return bool(link.confirmed()) and (session_since is None or link.last_price is not None)
