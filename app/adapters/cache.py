"""Where values are kept in this process and in Redis. Both may forget anything at any time."""

import threading
from dataclasses import dataclass

import redis
from cachetools import TLRUCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.ports.cache import CacheDown, Kept
from app.ports.clock import Clock

_MOST_ENTRIES = 4096
_PREFIX = "algomirror:kept:"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Both moments are on the monotonic clock."""

    value: bytes
    put: float
    ends: float


def _end_of_life(_: str, entry: _Entry, _now: float) -> float:
    return entry.ends


class MemoryCache:
    """The Tier port in this process: at most so many entries, the least used leave first. Never raises."""

    def __init__(self, clock: Clock, most_entries: int = _MOST_ENTRIES) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: TLRUCache[str, _Entry] = TLRUCache(most_entries, ttu=_end_of_life, timer=clock.monotonic)

    def get(self, key: str) -> Kept | None:
        with self._lock:
            entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock.monotonic()
        return Kept(entry.value, now - entry.put, entry.ends - now)

    def put(self, key: str, kept: Kept) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._entries[key] = _Entry(kept.value, now - kept.age_s, now + kept.left_s)


class RedisCache:
    """The Tier port in Redis, shared by all processes.

    The milliseconds that a value was to live stand before it: less what Redis says is left of them, that is its age.
    """

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

    def get(self, key: str) -> Kept | None:
        place = self._prefix + key
        try:
            with self._client.pipeline(transaction=True) as asked:  # both are of the same value
                asked.get(place)
                asked.pttl(place)
                text, left_ms = asked.execute()
        except redis.RedisError as error:
            raise CacheDown(str(error)) from error
        if not isinstance(text, bytes) or left_ms <= 0:
            return None
        life_ms, _, value = text.partition(b":")
        return Kept(value, max(0.0, (int(life_ms) - left_ms) / 1000), left_ms / 1000)

    def put(self, key: str, kept: Kept) -> None:
        left_ms = max(1, round(kept.left_s * 1000))
        life_ms = left_ms + round(kept.age_s * 1000)
        try:
            self._client.set(self._prefix + key, b"%d:%b" % (life_ms, kept.value), px=left_ms)
        except redis.RedisError as error:
            raise CacheDown(str(error)) from error
