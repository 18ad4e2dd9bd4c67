"""The leader's half of what pages elsewhere show: told twice a second, and not at all while nobody is there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec

from app.domain.contracts import UNDERLYINGS, ContractKey
from app.domain.errors import Conflict, NotFound, Unavailable
from app.ports.cache import Cache
from app.ports.clock import Clock
from app.services.account_health import HealthBoard
from app.services.candle_series import Subject
from app.services.candle_store import CandleStore, CandleView
from app.services.feed_news import TELL_EVERY_S, FeedNewsDesk
from app.services.onlookers import Onlookers, Wanted
from app.services.option_chain_manager import OptionChainManager
from app.services.price_board import PriceBoard
from app.services.told_market import (
    HEALTH,
    KEPT_S,
    MOST_TOLD,
    PRICES,
    ToldDepth,
    candle_place,
    chain_place,
    depth_place,
    prices_text,
    told_price,
)
from app.services.websocket_manager import WebSocketManager

NOBODY_S = 1.0
"""Between two looks for somebody who serves pages elsewhere."""
IDLE_CHAINS_EVERY_S = 2.0
"""How often the nearest chain of each index is told though nobody looks: a page that is opened begins with it."""
CANDLES_EVERY_S = 1.5
MOST_CANDLES = 24
"""Series told at once, all pages elsewhere together."""
PRICES_KEPT_S = 600.0
"""Prices older than this are told only where somebody wants the contract."""


class MarketNews:
    """For one thread of the engine that leads. Nothing here decides about money: it is for pages."""

    def __init__(
        self,
        board: PriceBoard,
        feed: WebSocketManager,
        chains: OptionChainManager,
        candles: CandleStore,
        feed_news: FeedNewsDesk,
        onlookers: Onlookers,
        *,
        health: HealthBoard,
        cache: Cache,
        clock: Clock,
        pause_s: Callable[[], float] = lambda: TELL_EVERY_S,
    ) -> None:
        self._board = board
        self._feed = feed
        self._chains = chains
        self._candles = candles
        self._feed_news = feed_news
        self._onlookers = onlookers
        self._health = health
        self._cache = cache
        self._clock = clock
        self._pause_s = pause_s
        self._idle_at = self._candles_at = float("-inf")

    def step(self) -> float:
        """One telling. Returns the seconds until the next."""
        wanted = self._onlookers.wanted()
        if wanted is None:
            return NOBODY_S
        self._feed_news.tell()
        self._tell(HEALTH, msgspec.json.encode(self._health.known()))
        self._tell_prices()
        self._tell_chains(wanted)
        for key in wanted.depths:
            self._tell_depth(key)
        self._tell_candles(wanted)
        return self._pause_s()

    def _tell_prices(self) -> None:
        now = self._clock.monotonic()
        keys = self._feed.wanted_by_others().union(self._board.heard_since(now - PRICES_KEPT_S))
        found = [(key, price) for key in keys if (price := self._board.latest(key)) is not None]
        self._tell(PRICES, prices_text(told_price(key, price, now) for key, price in found))

    def _tell_chains(self, wanted: Wanted) -> None:
        """The nearest of each index stands under the index alone, the others under their expiry."""
        now = self._clock.monotonic()
        is_due = now - self._idle_at >= IDLE_CHAINS_EVERY_S
        if is_due:
            self._idle_at = now
        looked_at = {chain for chain in wanted.chains if self._look(*chain)}
        for name in (each.name for each in UNDERLYINGS):
            nearest = (name, self._nearest(name))
            if is_due or nearest in looked_at:
                self._tell_chain(name)
            looked_at = {chain for chain in looked_at if chain != nearest}
        for name, expiry in looked_at:
            self._tell_chain(name, expiry)

    def _look(self, underlying: str, expiry: date) -> bool:
        """Keep its prices coming; False where it has passed or the list is being read: the last figures grow old."""
        try:
            self._chains.looked_at(underlying, expiry)
        except (NotFound, Unavailable):
            return False
        return True

    def _nearest(self, underlying: str) -> date | None:
        try:
            return next(iter(self._chains.expiries(underlying)), None)
        except Unavailable:
            return None

    def _tell_chain(self, underlying: str, expiry: date | None = None) -> None:
        view = self._chains.view(underlying, expiry)
        self._tell(chain_place(underlying, expiry), msgspec.json.encode(view))

    def _tell_depth(self, key: ContractKey) -> None:
        try:
            depth = self._chains.depth(key)
        except (NotFound, Unavailable):
            return
        if depth is not None:
            told = ToldDepth(self._clock.monotonic() - depth.received, depth.bids, depth.asks)
            self._tell(depth_place(key), msgspec.json.encode(told))

    def _tell_candles(self, wanted: Wanted) -> None:
        """Somebody looks at them, so they are kept; told every second or two, since a candle takes a minute."""
        now = self._clock.monotonic()
        if not wanted.candles or now - self._candles_at < CANDLES_EVERY_S:
            return
        self._candles_at = now
        for each in wanted.candles[:MOST_CANDLES]:
            subject = Subject(each.legs)
            try:
                view = self._candles.view(subject, each.size, of_closes=each.of_closes)
            except Conflict as no:
                view = CandleView(subject, each.size, None, (), (), str(no), "")
            newest = replace(view, candles=view.candles[-MOST_TOLD:])
            self._tell(candle_place(each), msgspec.json.encode(newest))

    def _tell(self, place: str, text: bytes) -> None:
        self._cache.put(place, text, KEPT_S, lasting=True)
