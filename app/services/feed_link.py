"""One open price feed: what was asked of it, what it confirmed, and whether it is still alive."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.ports.clock import Clock
from app.ports.feed import Drop, Feed, FeedMode, Tick
from app.ports.gateway import GatewayAddress
from app.services.price_board import PriceBoard
from app.services.subscriptions import Batch, Wanted, batches, change

PING_EVERY_S = 5.0
SILENT_AFTER_S = 10.0
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

    def __init__(self, board: PriceBoard, source: str, stream: int, *, drops: DropCounts, writes: bool) -> None:
        self._board = board
        self._source = source
        self._stream = stream
        self._drops = drops
        self.writes = writes
        self.accepted = 0

    def ticks(self, ticks: Sequence[Tick]) -> None:
        self.accepted += self._board.put_all(ticks, self._source, self._stream) if self.writes else len(ticks)

    def order_update(self, update: OrderUpdate) -> None:
        """Price feeds do not ask for order updates; those have sockets of their own."""

    def dropped_frame(self, kind: Drop, reason: str) -> None:  # noqa: ARG002 - the listener's signature
        self._drops.add(kind)


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
    asked: dict[ContractKey, _Asked] = field(default_factory=dict)
    refused: dict[ContractKey, str] = field(default_factory=dict)
    last_price: float | None = None
    last_frame: float = 0.0
    first_ask: float | None = None
    last_ping: float = 0.0
    drained: bool = True
    followed: Wanted | None = None

    def __post_init__(self) -> None:
        self.last_frame = self.opened

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

    def tend(self, now: float) -> None:
        """Ping when it is time, and ask again for what was not confirmed."""
        if now - self.last_ping >= PING_EVERY_S:
            self.last_ping = now
            self.feed.ping()
        self._chase(now)

    def confirmed(self) -> frozenset[ContractKey]:
        """What was asked for and is being served, as far as the gateway's word goes."""
        return self.feed.confirmed() & self.asked.keys()

    def trouble(self, now: float, session_since: float | None) -> str | None:
        """Why this feed should be given up; None while it is well.

        `session_since` is when the market opened or this program began to watch it, None while it is closed: only
        while it is open is silence a fault.
        """
        if now - self.last_frame > SILENT_AFTER_S and self.drained:
            return f"{self.name}: nothing came for {SILENT_AFTER_S:g} s, not even an answer to a ping (half-open)."
        pong = max(self.feed.last_pong or self.opened, self.opened)
        if now - pong > SILENT_AFTER_S + PING_EVERY_S and self.drained:
            return f"{self.name}: prices come, but pings have not been answered for {now - pong:.0f} s."
        if not self.asked or self.first_ask is None or now - self.first_ask <= SILENT_AFTER_S:
            return None
        is_served = not self.feed.confirmed().isdisjoint(self.asked)
        if not is_served and not self.refused:
            return f"{self.name}: the gateway confirms no subscription. Its broker session may have been renewed."
        if session_since is None or not is_served:
            return None
        quiet_since = max(self.last_price or self.first_ask, session_since)
        if now - quiet_since > SILENT_AFTER_S:
            return f"{self.name}: the connection stands, but no price came for {SILENT_AFTER_S:g} s (silent feed)."
        return None

    def close(self) -> None:
        self.feed.close()

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
