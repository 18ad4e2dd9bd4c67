"""In a process that does not lead: what pages look at is told to the leader, and what it tells of prices is taken."""

import threading
import uuid
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import msgspec

from app.domain.contracts import ContractKey
from app.ports.cache import Cache, Kept
from app.ports.clock import Clock
from app.services.feed_news import TELL_EVERY_S
from app.services.onlookers import Onlookers, Wanted, WantedCandles
from app.services.shown_prices import ShownPrices
from app.services.told_market import PRICES, PRICES_OF

SAY_EVERY_S = 5.0
"""How often this process says that it is there; what is looked at anew is said at once."""
LOOKED_AT_FOR_S = 20.0
DEPTH_FOR_S = 10.0
LOOK_EVERY_S = 1.0
"""While there is nothing to follow."""

T = TypeVar("T")


class NewsFollower:
    """`step` is for one thread; everything else is thread-safe and does not block."""

    def __init__(
        self,
        prices: ShownPrices,
        onlookers: Onlookers,
        *,
        cache: Cache,
        clock: Clock,
        leads: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        """`wake` makes `step` come at once."""
        self._prices = prices
        self._onlookers = onlookers
        self._cache = cache
        self._clock = clock
        self._leads = leads
        self._name = ""
        self._wake = wake
        self._may_begin = self._began = False
        self._chains: dict[tuple[str, date], float] = {}
        self._depths: dict[ContractKey, float] = {}
        self._candles: dict[WantedCandles, float] = {}
        self._lock = threading.Lock()
        self._said = Wanted()
        self._said_at = float("-inf")
        self._taken: bytes | None = None

    @property
    def is_active(self) -> bool:
        """Whether pages show what a leader elsewhere tells."""
        return self._began and not self._leads()

    def begin(self) -> None:
        """Another process leads, or none ever will here: from the next step on its news is followed."""
        self._may_begin = True

    def want_chain(self, underlying: str, expiry: date) -> None:
        chain = (underlying, expiry)
        with self._lock:
            is_new = chain not in self._chains
            self._chains[chain] = self._clock.monotonic() + LOOKED_AT_FOR_S
        if is_new:
            self._wake()

    def want_depth(self, key: ContractKey) -> None:
        with self._lock:
            is_new = key not in self._depths
            self._depths[key] = self._clock.monotonic() + DEPTH_FOR_S
        if is_new:
            self._wake()

    def want_candles(self, wanted: WantedCandles) -> None:
        with self._lock:
            is_new = wanted not in self._candles
            self._candles[wanted] = self._clock.monotonic() + LOOKED_AT_FOR_S
        if is_new:
            self._wake()

    def step(self) -> float:
        """Say what is wanted, take the newest prices. Returns the seconds until the next time."""
        if self._leads() or not self._may_begin:
            if self._began:
                self._began = False
                self._prices.forget()
                self._onlookers.leave(self._name)
            return LOOK_EVERY_S
        if not self._began:
            self._onlookers.sweep()
            self._name, self._began = uuid.uuid4().hex, True
        self._say()
        self._take_prices()
        return TELL_EVERY_S

    def _wanted(self, now: float) -> Wanted:
        with self._lock:
            self._chains = {chain: until for chain, until in self._chains.items() if until > now}
            self._depths = {key: until for key, until in self._depths.items() if until > now}
            self._candles = {each: until for each, until in self._candles.items() if until > now}
            return Wanted(tuple(sorted(self._chains)), tuple(sorted(self._depths)), tuple(sorted(self._candles)))

    def _say(self) -> None:
        now = self._clock.monotonic()
        wanted = self._wanted(now)
        if wanted != self._said or now - self._said_at >= SAY_EVERY_S:
            self._onlookers.say(self._name, wanted)
            self._said, self._said_at = wanted, now

    def _take_prices(self) -> None:
        kept = self._cache.get(PRICES, TELL_EVERY_S)
        if kept is None or kept.value is self._taken:
            return
        self._taken = kept.value
        prices = decoded(PRICES_OF, kept)
        if prices is not None:
            self._prices.take(prices, self._clock.monotonic() - kept.age_s)


def decoded(decoder: "msgspec.json.Decoder[T]", kept: Kept) -> T | None:
    """None where another version speaks: its words are not ours, and nothing was told."""
    try:
        return decoder.decode(kept.value)
    except msgspec.DecodeError:
        return None
