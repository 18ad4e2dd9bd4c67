"""One open price feed: what was asked of it, what it confirmed, and whether it is still alive."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.ports.clock import Clock
from app.ports.feed import Drop, Feed, FeedMode, Tick
from app.ports.gateway import GatewayAddress
from app.services.feed_state import FeedFault
from app.services.price_board import PriceBoard
from app.services.subscriptions import Batch, Wanted, batches, change
from app.services.tick_lag import TickLag

KEEPALIVE_S = 5.0
ANSWER_S = 5.0
"""How long after a ping was due something must have come."""
SILENT_AFTER_S = 10.0
LATE_FOR_S = 5.0
"""A feed is left for late prices when all of them were late for so long."""
GONE_AFTER_S = 3.0
"""A gateway that says it has no broker is believed when no price came for so long."""
RATE_OVER_S = 1.0
CONFIRM_WITHIN_S = 5.0
ASK_AT_MOST = 3
REFUSED_REST_S = 60.0


class DropCounts:
    """Frames that were not used, by kind, whichever feed brought them. Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[Drop] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: Drop) -> None:
        with self._lock:
            self._counts[kind] += 1

    def joined(self, more: Mapping[Drop, int]) -> dict[Drop, int]:
        """These and more of them."""
        with self._lock:
            return dict(self._counts + Counter(more))


class BoardWriter:
    """Writes what a feed brings onto the board, and counts it. Called on the reader's thread.

    The writer of a feed in reserve (`writes` False) only counts: two feeds must not write one contract by turns.
    """

    def __init__(self, board: PriceBoard, clock: Clock, source: str, *, drops: DropCounts, writes: bool) -> None:
        self._board = board
        self._clock = clock
        self._source = source
        self._drops = drops
        self.writes = writes
        self.accepted = 0
        self._lag = TickLag(board.late_after_s)

    def ticks(self, ticks: Sequence[Tick]) -> None:
        if self.writes:
            self.accepted += self._board.put_all(ticks, self._source)
            return
        self.accepted += len(ticks)
        lag_s = self._board.lag_of(ticks[-1]) if ticks else None
        if lag_s is not None:
            self._lag.saw(lag_s, self._clock.monotonic())

    def lag_s(self) -> float | None:
        """How far its ticks of late are behind the exchange's time; None while that is unknown."""
        return self._board.lag_s() if self.writes else self._lag.least(self._clock.monotonic())

    def on_time_at(self) -> float | None:
        """When the newest of its ticks came that is known not to be late; None before the first."""
        return self._board.on_time_at() if self.writes else self._lag.on_time_at

    def is_late(self, lag_s: float) -> bool:
        return lag_s > self._board.late_after_s

    def order_update(self, update: OrderUpdate) -> None:
        """Price feeds do not ask for order updates; those have sockets of their own."""

    def dropped_frame(self, kind: Drop, reason: str) -> None:  # noqa: ARG002 - the listener's signature
        self._drops.add(kind)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a feed should be given up, and what that is called."""

    fault: FeedFault
    words: str


@dataclass(slots=True)
class _Asked:
    """A contract that was asked for: how, when last, and how often since it was last confirmed."""

    mode: FeedMode
    at: float
    times: int = 1


@dataclass(slots=True)
class FeedLink:
    """For one thread at a time. All times are monotonic seconds. Methods raise FeedClosed when the socket is gone."""

    account_id: int
    name: str
    address: GatewayAddress
    feed: Feed
    writer: BoardWriter
    clock: Clock
    opened: float
    keepalive_s: float = KEEPALIVE_S
    asked: dict[ContractKey, _Asked] = field(default_factory=dict)
    refused: dict[ContractKey, str] = field(default_factory=dict)
    last_price: float | None = None
    last_frame: float = 0.0
    first_ask: float | None = None
    last_ping: float = 0.0
    drained: bool = True
    followed: Wanted | None = None
    closed: bool = False
    confirmed_count: int = 0
    rate: float = 0.0
    watched_since: float = 0.0
    late_since: float | None = None
    """Since when all its prices are late; None while they are not, nobody knows, or the market is closed."""
    late_until: float = float("-inf")
    """When they last were."""
    _rated: tuple[float, int] = (0.0, 0)

    def __post_init__(self) -> None:
        self.last_frame = self.watched_since = self.opened
        self._rated = (self.opened, 0)

    def begin_serving(self, keepalive_s: float) -> None:
        """From now on its prices count, and it is pinged as often as that: what was slow to come before is no fault."""
        self.writer.writes, self.late_since = True, None
        self.keepalive_s, self.last_ping = keepalive_s, 0.0
        self.last_frame = self.watched_since = self.clock.monotonic()

    def follow(self, wanted: Wanted) -> list[ContractKey]:
        """Ask for what is wanted and not asked for yet, drop the rest. Returns the contracts newly asked for."""
        if wanted is self.followed:
            return []
        self.followed = wanted
        steps = change({key: each.mode for key, each in self.asked.items()}, wanted)
        for batch in steps.drops:
            self.feed.unsubscribe(batch.keys, batch.mode)
            for key in batch.keys:
                del self.asked[key]
                self.refused.pop(key, None)
        fresh: list[ContractKey] = []
        for batch in steps.adds:
            self._ask(batch)
            fresh += batch.keys
        return fresh

    def renew(self, keys: Iterable[ContractKey]) -> None:
        """Ask anew for what is confirmed and brings nothing: the gateway's broker may have forgotten it."""
        for batch in batches({key: self.asked.pop(key).mode for key in keys if key in self.asked}):
            self.feed.unsubscribe(batch.keys, batch.mode)
            self._ask(batch)

    def read(self, timeout_s: float) -> bool:
        """Let what arrives within the time onto the board. False when nothing came."""
        before = self.writer.accepted
        came = self.feed.read(timeout_s)
        now = self.clock.monotonic()
        self.drained = not came
        if came:
            self.last_frame = now
        if self.writer.accepted != before:
            self.last_price = now
        return came

    def tend(self, now: float, *, in_session: bool) -> None:
        """Ping when it is time, ask again for what was not confirmed, see whether prices are late."""
        if now - self.last_ping >= self.keepalive_s:
            self.last_ping = now
            self.feed.ping()
            self.feed.ask_broker()
        self._chase(now)
        self._weigh(now, self.writer.lag_s() if in_session else None)
        self.confirmed_count = len(self.confirmed())
        since, counted = self._rated
        if now - since >= RATE_OVER_S:
            self.rate = (self.writer.accepted - counted) / (now - since)
            self._rated = (now, self.writer.accepted)

    def confirmed(self) -> frozenset[ContractKey]:
        """What was asked for and is being served, as far as the gateway's word goes."""
        return self.feed.confirmed() & self.asked.keys()

    def trouble(self, now: float, session_since: float | None) -> Trouble | None:
        """Why this feed should be given up; None while it is well.

        `session_since` is when the market opened or this program began to watch it, None while it is closed: only
        while it is open is silence a fault.
        """
        return self._half_open(now) or self._gone(now) or self._silent(now, session_since)

    def lateness(self, now: float) -> Trouble | None:
        """Why this feed should be given up for another whose prices are on time; None while its own are, or may be."""
        if self.late_since is None or now - self.late_since < LATE_FOR_S:
            return None
        return self._late()

    def let_go(self) -> None:
        """It counts for nothing any more; `close` follows, and may take a second."""
        self.closed = True
        self.writer.writes = False

    def close(self) -> None:
        self.let_go()
        self.feed.close()

    def _half_open(self, now: float) -> Trouble | None:
        quiet_s, limit_s = now - self.last_frame, self.keepalive_s + ANSWER_S
        if quiet_s > limit_s and self.drained:
            words = f"nothing came for {limit_s:g} s, not even an answer to a ping (half-open)."
            return Trouble(FeedFault.HALF_OPEN, f"{self.name}: {words}")
        pong_s = now - max(self.feed.last_pong or self.opened, self.watched_since)
        if pong_s > limit_s + self.keepalive_s and self.drained:
            words = f"prices come, but pings have not been answered for {pong_s:.0f} s."
            return Trouble(FeedFault.HALF_OPEN, f"{self.name}: {words}")
        return None

    def _gone(self, now: float) -> Trouble | None:
        """The gateway itself says that its broker's feed is gone; some say so for a moment while they connect."""
        since = self.last_price or self.first_ask
        if not self.feed.broker_gone or since is None or now - max(since, self.watched_since) <= GONE_AFTER_S:
            return None
        words = "the gateway has let go of its broker's feed: a second login took its place, or the login ended."
        return Trouble(FeedFault.SECOND_LOGIN, f"{self.name}: {words}")

    def _silent(self, now: float, session_since: float | None) -> Trouble | None:
        if not self.asked or self.first_ask is None or now - self.first_ask <= SILENT_AFTER_S:
            return None
        is_served = not self.feed.confirmed().isdisjoint(self.asked)
        if not is_served and not self.refused:
            words = "the gateway confirms no subscription. Its broker session may have been renewed."
            return Trouble(FeedFault.UNCONFIRMED, f"{self.name}: {words}")
        if session_since is None or not is_served:
            return None
        quiet_since = max(self.last_price or self.first_ask, session_since)
        if now - quiet_since > SILENT_AFTER_S:
            if self.late_since is not None:  # all that comes is older than what was here before it fell behind
                return self._late()
            words = f"the connection stands, but no price came for {SILENT_AFTER_S:g} s (silent feed)."
            return Trouble(FeedFault.SILENT, f"{self.name}: {words}")
        return None

    def _late(self) -> Trouble:
        words = f"prices come, and all are {self.writer.lag_s() or 0.0:.0f} s late by their own time."
        return Trouble(FeedFault.LATE, f"{self.name}: {words}")

    def _weigh(self, now: float, lag_s: float | None) -> None:
        if lag_s is None or not self.writer.is_late(lag_s):
            self.late_since = None
        else:
            self.late_since, self.late_until = now if self.late_since is None else self.late_since, now

    def _ask(self, batch: Batch) -> None:
        self.feed.subscribe(batch.keys, batch.mode)
        now = self.clock.monotonic()
        self.first_ask = self.first_ask or now
        for key in batch.keys:
            before = self.asked.get(key)
            self.asked[key] = _Asked(batch.mode, now, 1 if before is None else before.times + 1)

    def _chase(self, now: float) -> None:
        """Ask again for what stays unconfirmed; after three times it counts as refused and rests for a minute."""
        confirmed, refused = self.feed.confirmed(), self.feed.refused()
        late = [key for key, each in self.asked.items() if key not in confirmed and now - each.at > CONFIRM_WITHIN_S]
        again: dict[ContractKey, FeedMode] = {}
        for key in late:
            each = self.asked[key]
            given_up = key in refused or each.times >= ASK_AT_MOST
            if given_up:
                self.refused[key] = refused.get(key, "The gateway never confirmed it.")
            if not given_up or now - each.at > REFUSED_REST_S:
                again[key] = each.mode
        for key in self.refused.keys() & confirmed:
            del self.refused[key]
        for batch in batches(again):
            self._ask(batch)
