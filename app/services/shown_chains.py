"""The chains that pages show: our own, or where another process leads those that it told, with their age."""

import threading
from datetime import date
from typing import Protocol

from cachetools import LRUCache

from app.domain.contracts import ContractKey, underlying_named
from app.domain.errors import NotFound, Unavailable
from app.ports.cache import Cache, Kept
from app.ports.clock import Clock
from app.services.chain_aging import aged
from app.services.chain_listings import names
from app.services.chain_view import ChainView
from app.services.feed_news import TELL_EVERY_S
from app.services.news_follower import NewsFollower, decoded
from app.services.option_chain_manager import OptionChainManager
from app.services.price_board import BoardDepth
from app.services.told_market import CHAIN_OF, DEPTH_OF, KEPT_S, chain_place, depth_place

NOTHING_TOLD = f"No engine has told anything of its chains within the last {KEPT_S / 60:.0f} minutes."
ASKED = "The engine, in another process, was asked for this expiry just now. It comes within seconds."
MOST_READ = 32


class Chains(Protocol):
    """What pages ask of chains; as in OptionChainManager."""

    def expiries(self, underlying: str) -> list[date]: ...

    def looked_at(self, underlying: str, expiry: date) -> None: ...

    def depth(self, key: ContractKey) -> BoardDepth | None: ...

    def view(self, underlying: str, expiry: date | None = None) -> ChainView: ...


class ShownChains:
    """The Chains port. Thread-safe; asks the cache, which may take as long as one look into the database."""

    def __init__(self, own: OptionChainManager, follower: NewsFollower, cache: Cache, clock: Clock) -> None:
        self._own = own
        self._follower = follower
        self._cache = cache
        self._clock = clock
        self._lock = threading.Lock()
        self._read: LRUCache[str, tuple[bytes, ChainView | None]] = LRUCache(MOST_READ)

    def expiries(self, underlying: str) -> list[date]:
        """As OptionChainManager's; Unavailable too where no leader told anything."""
        if not self._follower.is_active:
            return self._own.expiries(underlying)
        nearest = self._told(chain_place(underlying_named(underlying).name))
        if nearest is None:
            raise Unavailable(NOTHING_TOLD)
        return list(nearest.expiries)

    def looked_at(self, underlying: str, expiry: date) -> None:
        """As OptionChainManager's; elsewhere the leader is asked, who passes over what is not listed. Writes nothing.

        Its list may come or go between the view that was taken and this: nobody who looks is turned away for that.
        """
        if self._follower.is_active:
            self._follower.want_chain(underlying, expiry)
        else:
            self._own.looked_at(underlying, expiry)

    def depth(self, key: ContractKey) -> BoardDepth | None:
        if not self._follower.is_active:
            return self._own.depth(key)
        self._own.check_listed(key)
        self._follower.want_depth(key)
        kept = self._cache.get(depth_place(key), TELL_EVERY_S)
        told = None if kept is None else decoded(DEPTH_OF, kept)
        return None if kept is None or told is None else told.on_board(self._clock.monotonic() - kept.age_s)

    def view(self, underlying: str, expiry: date | None = None) -> ChainView:
        if not self._follower.is_active:
            return self._own.view(underlying, expiry)
        name = underlying_named(underlying).name
        nearest = self._told(chain_place(name))
        if nearest is None:
            return ChainView(name, names(), None, (), note=NOTHING_TOLD)
        if expiry in {None, nearest.expiry}:
            return nearest
        if expiry not in nearest.expiries:
            raise NotFound(f"{name} has no expiry on {expiry:%d %b %Y}. Choose one that is listed.")
        return self._told(chain_place(name, expiry)) or ChainView(name, names(), expiry, nearest.expiries, note=ASKED)

    def _told(self, place: str) -> ChainView | None:
        kept = self._cache.get(place, TELL_EVERY_S)
        if kept is None:
            return None
        view = self._decoded(place, kept)
        return None if view is None else aged(view, kept.age_s)

    def _decoded(self, place: str, kept: Kept) -> ChainView | None:
        with self._lock:
            known = self._read.get(place)
            if known is None or known[0] is not kept.value:
                known = self._read[place] = (kept.value, decoded(CHAIN_OF, kept))
        return known[1]
