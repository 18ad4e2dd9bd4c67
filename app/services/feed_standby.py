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
LATE_REST_S = 60.0
"""A feed whose prices are late is not tried again before."""
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
    moment without a backup: the old one goes when the new one has confirmed the probes and brought a price. A feed
    whose prices are late is better than none, and makes room for the first that is found whose prices are not.
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
            on_time = [each for each in proven if self._links[each].late_since is None]
            kept = (on_time or proven)[:1]
            self._proven = frozenset(kept)
            self._tell_late(kept)
            spare = [each for each in proven if each not in kept and self._is_spare(self._links[each])]
            done += [self._links.pop(each) for each in spare]
            others = [each for each in candidates if each not in self._links]
            ahead = [each for each in others if not on_time or candidates.index(each) < candidates.index(kept[0])]
            is_on_trial = any(each not in kept for each in self._links)
        for link in done:  # outside the lock: closing a dead socket takes its time, and the reader may want another
            link.close()
        if may_open and not is_on_trial:
            self._open_first(ahead, bool(kept))

    def well_for_s(self, account_id: int, *, though_late: bool) -> float | None:
        """How long the proven feed of that account has been well; None when there is none, or it is not.

        Being late counts against it unless `though_late`.
        """
        link = self._links.get(account_id)
        if link is None or account_id not in self._proven or (link.late_since is not None and not though_late):
            return None
        return self._clock.monotonic() - (link.opened if though_late else max(link.opened, link.late_until))

    def ready(self) -> frozenset[int]:
        """The accounts whose feed is proven."""
        return self._proven & self._links.keys()

    def is_ticking(self) -> bool:
        """A proven feed in reserve brought a price within the last seconds, and is not known to be late."""
        oldest = self._clock.monotonic() - FRESH_S
        return any((link.last_price or 0.0) >= oldest for link in self._not_late())

    def is_on_time(self) -> bool:
        """The prices of a proven feed in reserve are known to be on time, within the last seconds."""
        oldest = self._clock.monotonic() - FRESH_S
        return any((link.writer.on_time_at() or 0.0) >= oldest for link in self._not_late())

    def _not_late(self) -> list[FeedLink]:
        found = [self._links.get(each) for each in self.ready()]
        return [link for link in found if link is not None and link.late_since is None]

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
            link.tend(now, in_session=session_since is not None)
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

    def _is_spare(self, link: FeedLink) -> bool:
        """Whether a proven one beside the one that is kept goes: one that is late is looked at a little longer."""
        if link.late_since is None:
            return True
        is_late = link.lateness(self._clock.monotonic()) is not None
        if is_late:
            self._tell_late([link.account_id])
            self._put_off(link.account_id, LATE_REST_S)
        return is_late

    def _tell_late(self, account_ids: Sequence[int]) -> None:
        for each in account_ids:
            found = self._links[each].lateness(self._clock.monotonic())
            others = {known: why for known, why in self._reasons.items() if known != each}
            self._reasons = others if found is None else {**others, each: found.words}

    def _put_off(self, account_id: int, rest_s: float = TRY_EVERY_S) -> None:
        self._not_before = {**self._not_before, account_id: self._clock.monotonic() + rest_s}


def _proven(link: FeedLink, session_since: float | None) -> bool:
    """It serves, and while the market is open it has brought a price."""
    return bool(link.confirmed()) and (session_since is None or link.last_price is not None)
