"""What the process that leads knows of its price feed, told to the others through the cache, with its age."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from app.ports.cache import Cache
from app.ports.clock import Clock
from app.services.feed_state import ConnectionState, FeedPhase, FeedState
from app.services.price_board import BoardCounts, PriceBoard
from app.services.resource_guard import GuardState, ResourceGuard
from app.services.silent_symbols import SilentContract, SilentSymbols
from app.services.websocket_manager import WebSocketManager

TELL_EVERY_S = 0.5
KEPT_S = 300.0
"""How long the others may show what a leader said last: its age stands beside it."""

DOUBTED_AFTER_S = 5.0
"""A leader that tells nothing for so long may be gone: its feed is called live no more."""

_PLACE = "feed-news"


@dataclass(frozen=True, slots=True)
class FeedNews:
    """A picture of one moment: `at` by the clock of the process that took it."""

    at: datetime
    order: tuple[int, ...]
    state: FeedState
    counts: BoardCounts
    connections: tuple[ConnectionState, ...]
    silent: tuple[SilentContract, ...]
    not_ready: Mapping[int, str]
    guard: GuardState

    def aged(self, seconds: float) -> "FeedNews":
        """The same, so many seconds later: every age in it has grown."""
        state = replace(self.state, last_tick_age_s=_later(self.state.last_tick_age_s, seconds))
        connections = tuple(
            replace(
                each,
                open_s=each.open_s + seconds,
                tick_age_s=_later(each.tick_age_s, seconds),
                pong_age_s=_later(each.pong_age_s, seconds),
            )
            for each in self.connections
        )
        return replace(self, state=state, connections=connections)


@dataclass(frozen=True, slots=True)
class Heard:
    """News of another process, so many seconds old; every age in it has grown by that."""

    news: FeedNews
    age_s: float


_NEWS = msgspec.json.Decoder(FeedNews)


class FeedNewsDesk:
    """Thread-safe. Nothing here decides about money: it is for pages."""

    def __init__(
        self,
        feed: WebSocketManager,
        board: PriceBoard,
        silent: SilentSymbols,
        guard: ResourceGuard,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._board = board
        self._silent = silent
        self._guard = guard
        self._cache = cache
        self._clock = clock

    def own(self) -> FeedNews:
        return FeedNews(
            at=self._clock.now(),
            order=self._feed.order(),
            state=self._feed.state(),
            counts=self._board.counts(),
            connections=self._feed.connections(),
            silent=tuple(self._silent.found()),
            not_ready=self._feed.not_ready(),
            guard=self._guard.state(),
        )

    def state(self) -> FeedState:
        """Of the feed of this process, or, where it has none, the leader's: not live for longer than it says so."""
        if self._feed.order():
            return self._feed.state()
        heard = self.of_others()
        if heard is None:
            return self._feed.state()
        state = heard.news.state
        is_old = heard.age_s > DOUBTED_AFTER_S and state.phase is FeedPhase.LIVE
        return replace(state, phase=FeedPhase.LATE) if is_old else state

    def tell(self) -> None:
        """Tell the others; for the process that leads."""
        self._cache.put(_PLACE, msgspec.json.encode(self.own()), KEPT_S, lasting=True)

    def of_others(self) -> Heard | None:
        """What a leader said last; None when none was heard of for so long, or it speaks another version's words."""
        kept = self._cache.get(_PLACE, TELL_EVERY_S)
        if kept is None:
            return None
        try:
            news = _NEWS.decode(kept.value)
        except msgspec.DecodeError:
            return None
        return Heard(news.aged(kept.age_s), kept.age_s)


def _later(age_s: float | None, seconds: float) -> float | None:
    return None if age_s is None else age_s + seconds
