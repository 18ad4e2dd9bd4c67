"""Caches: in this process, in Redis, and the two as tiers. All of them may forget anything at any time."""

import logging
import threading
from dataclasses import dataclass

import redis
from cachetools import TLRUCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.domain.errors import Unavailable
from app.ports.cache import Cache
from app.ports.clock import Clock

_log = logging.getLogger(__name__)

_MOST_ENTRIES = 4096
_NEAR_LIFE_S = 2.0
"""How long this process may believe its own copy of what others can change in Redis."""
_PAUSE_S = 5.0
"""How long a Redis that failed is left alone, so that it slows down one request and not all."""
_PREFIX = "algomirror:cache:"


class CacheDown(Unavailable):
    """The cache cannot be reached. Whoever asked goes on without it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: bytes
    life_s: float


def _end_of_life(_: str, entry: _Entry, now: float) -> float:
    return now + entry.life_s


class MemoryCache:
    """The Cache port in this process: at most so many entries, the least used leave first. Thread-safe."""

    def __init__(self, clock: Clock, most_entries: int = _MOST_ENTRIES) -> None:
        self._lock = threading.Lock()
        self._entries: TLRUCache[str, _Entry] = TLRUCache(most_entries, ttu=_end_of_life, timer=clock.monotonic)

    def get(self, key: str) -> bytes | None:
        with self._lock:
            entry = self._entries.get(key)
        return None if entry is None else entry.value

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        with self._lock:
            self._entries[key] = _Entry(value, ttl_s)

    def forget(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)


class RedisCache:
    """The Cache port in Redis, shared by all processes. Thread-safe. Every method may raise CacheDown."""

    def __init__(self, client: redis.Redis, prefix: str = _PREFIX) -> None:
        self._client = client
        self._prefix = prefix

    @staticmethod
    def at(url: str) -> "RedisCache":
        """Connects to nothing yet. A Redis that takes longer than 250 ms is no help and counts as down."""
        client = redis.Redis.from_url(
            url, socket_timeout=0.25, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 0), decode_responses=False
        )
        return RedisCache(client)

    def get(self, key: str) -> bytes | None:
        try:
            value = self._client.get(self._prefix + key)
        except redis.RedisError as error:
            raise CacheDown(str(error)) from error
        return value if isinstance(value, bytes) else None

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        try:
            self._client.set(self._prefix + key, value, px=max(1, round(ttl_s * 1000)))
        except redis.RedisError as error:
            raise CacheDown(str(error)) from error

    def forget(self, key: str) -> None:
        try:
            self._client.delete(self._prefix + key)
        except redis.RedisError as error:
            raise CacheDown(str(error)) from error


class CacheManager:
    """The Cache port in tiers: this process, then Redis where there is one. Thread-safe; never raises.

    A Redis that is down costs speed and nothing else: it is logged when that begins and when it ends, and counted.
    With Redis, what another process put or forgot is seen here at most 2 s later.
    """

    def __init__(self, clock: Clock, *, near: Cache | None = None, far: Cache | None = None) -> None:
        """`far` may raise CacheDown."""
        self._clock = clock
        self._near = near or MemoryCache(clock)
        self._far = far
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._is_down = False
        self.failures = 0
        """Calls to the far tier that failed since the start."""

    @staticmethod
    def at(redis_url: str | None, clock: Clock) -> "CacheManager":
        """The tiers of an installation; `redis_url` None is one without Redis. Connects to nothing yet."""
        return CacheManager(clock, far=RedisCache.at(redis_url) if redis_url else None)

    def get(self, key: str) -> bytes | None:
        value = self._near.get(key)
        if value is not None or not self._is_far_open():
            return value
        value = self._far_get(key)
        if value is not None:
            self._near.put(key, value, _NEAR_LIFE_S)
        return value

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        self._near.put(key, value, ttl_s if self._far is None else min(ttl_s, _NEAR_LIFE_S))
        if self._far is None or not self._is_far_open():
            return
        try:
            self._far.put(key, value, ttl_s)
        except CacheDown as error:
            self._failed(error)
        else:
            self._worked()

    def forget(self, key: str) -> None:
        self._near.forget(key)
        if self._far is None or not self._is_far_open():
            return
        try:
            self._far.forget(key)
        except CacheDown as error:
            self._failed(error)
        else:
            self._worked()

    def _far_get(self, key: str) -> bytes | None:
        if self._far is None:
            return None
        try:
            value = self._far.get(key)
        except CacheDown as error:
            self._failed(error)
            return None
        self._worked()
        return value

    def _is_far_open(self) -> bool:
        return self._far is not None and self._clock.monotonic() >= self._paused_until

    def _failed(self, error: CacheDown) -> None:
        with self._lock:
            self.failures += 1
            self._paused_until = self._clock.monotonic() + _PAUSE_S
            begins, self._is_down = not self._is_down, True
        if begins:
            _log.warning("Redis does not answer; caching goes on in this process alone: %s", error)

    def _worked(self) -> None:
        if not self._is_down:
            return
        with self._lock:
            ends, self._is_down = self._is_down, False
        if ends:
            _log.warning("Redis answers again.")
