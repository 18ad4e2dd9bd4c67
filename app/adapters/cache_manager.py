"""The cache of a process: its own memory, then Redis where there is one, then the database."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from app.adapters.cache import MemoryCache, RedisCache
from app.ports.cache import CacheDown, Kept, LastTier, Tier
from app.ports.clock import Clock

T = TypeVar("T")

_log = logging.getLogger(__name__)

MEMORY_S, REDIS_S = 30.0, 300.0
"""A copy there that is older is not believed to be the newest: the next tier is asked too."""
_PAUSE_S = 5.0
"""How long a tier that failed is left alone, so that it slows down one request and not all."""
_LOOK_S = 0.25
WRITE_EVERY_S = 1.0
WRITE_BEHIND_REDIS_S = 5.0
"""How often the database is written at most: where others read it, and where it only waits for Redis to die."""
SWEEP_EVERY_S = 60.0


class CacheManager:
    """The Cache port in tiers. `step` is for one thread; the rest is thread-safe and none of it raises.

    A tier that is down costs speed and nothing else: it is logged when that begins and when it ends, and counted.
    """

    def __init__(
        self, clock: Clock, *, near: Tier | None = None, far: Tier | None = None, last: LastTier | None = None
    ) -> None:
        self._clock = clock
        self._near = near or MemoryCache(clock)
        self._far, self._last = far, last
        self._redis, self._database = _Care("Redis", clock), _Care("Database", clock)
        self._waiting: dict[str, Kept] = {}
        self._put_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._written_at = self._swept_at = float("-inf")

    @staticmethod
    def at(redis_url: str | None, clock: Clock, last: LastTier | None = None) -> "CacheManager":
        """The tiers of an installation; `redis_url` None is one without Redis. Connects to nothing yet."""
        return CacheManager(clock, far=RedisCache.at(redis_url) if redis_url else None, last=last)

    @property
    def failures(self) -> int:
        """Calls to Redis or the database that failed since the start."""
        return self._redis.failures + self._database.failures

    def get(self, key: str, max_age_s: float = float("inf")) -> Kept | None:
        mine = best = self._near.get(key)
        if mine is not None and mine.age_s <= min(max_age_s, MEMORY_S):
            return mine
        far, last = self._far, self._last
        if far is not None:
            best = _younger(best, self._redis.ask(lambda: far.get(key)))
        if last is not None and (best is None or best.age_s > min(max_age_s, REDIS_S)):
            best = _younger(best, self._database.ask(lambda: last.get(key)))
        if best is not None and best is not mine:
            self._near.put(key, best)
        return best

    def put(self, key: str, value: bytes, ttl_s: float, *, lasting: bool = False) -> None:
        kept, far = Kept(value, 0.0, ttl_s), self._far
        self._near.put(key, kept)
        if far is not None:
            self._redis.ask(lambda: far.put(key, kept))
        if lasting and self._last is not None:
            with self._lock:
                self._waiting[key] = kept
                self._put_at[key] = self._clock.monotonic()

    def step(self) -> float:
        """Write to the database what waits for it. Returns the seconds until the next look."""
        now, last = self._clock.monotonic(), self._last
        pause_s = WRITE_EVERY_S if self._far is None or self._redis.is_down else WRITE_BEHIND_REDIS_S
        if last is None or not self._waiting or now - self._written_at < pause_s:
            return _LOOK_S
        self._written_at = now
        waiting = self._take_waiting(now)
        self._database.ask(lambda: last.put_all(waiting))
        if now - self._swept_at >= SWEEP_EVERY_S:
            self._swept_at = now
            self._database.ask(last.sweep)
        return _LOOK_S

    def _take_waiting(self, now: float) -> dict[str, Kept]:
        """The newest of each key, as old as it is by now."""
        with self._lock:
            waiting, put_at = self._waiting, self._put_at
            self._waiting, self._put_at = {}, {}
        aged = {key: (kept, now - put_at[key]) for key, kept in waiting.items()}
        return {key: Kept(kept.value, age_s, kept.left_s - age_s) for key, (kept, age_s) in aged.items()}


class _Care:
    """Looks after a tier that may be gone. Thread-safe."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = float("-inf")
        self.is_down = False
        self.failures = 0

    def ask(self, call: Callable[[], T]) -> T | None:
        """Its answer; None when it is down, or was moments ago."""
        if self._clock.monotonic() < self._paused_until:
            return None
        try:
            answer = call()
        except CacheDown as error:
            self._failed(error)
            return None
        self._worked()
        return answer

    def _failed(self, error: CacheDown) -> None:
        with self._lock:
            self.failures += 1
            self._paused_until = self._clock.monotonic() + _PAUSE_S
            begins, self.is_down = not self.is_down, True
        if begins:
            _log.warning("%s does not answer; the cache goes on without it: %s", self._name, error)

    def _worked(self) -> None:
        if not self.is_down:
            return
        with self._lock:
            ends, self.is_down = self.is_down, False
        if ends:
            _log.warning("%s answers the cache again.", self._name)


def _younger(one: Kept | None, other: Kept | None) -> Kept | None:
    """Of the same bytes the older: an age that shrinks is that of a clock which was set back."""
    if one is None or other is None:
        return one or other
    if one.value == other.value:
        return one if one.age_s >= other.age_s else other
    return one if one.age_s <= other.age_s else other
