"""Counts of requests for the rate limits, in this process's memory; the library's own starts a timer thread."""

import threading
import time
from collections import deque

from limits.storage import Storage
from limits.storage.base import MovingWindowSupport

_MOST_KEYS = 20_000


class QuietMemoryStorage(Storage, MovingWindowSupport):
    """Moving windows kept as times of the hits. Thread-safe and bounded; what has run out is dropped on the way."""

    STORAGE_SCHEME = ["desk-memory"]  # noqa: RUF012 - the library reads it as a list

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._hits: dict[str, tuple[deque[float], int]] = {}
        self._guard = threading.Lock()
        self._now = time.monotonic

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits when they fit into the window of `expiry` seconds."""
        with self._guard:
            hits = self._window(key, expiry)
            if len(hits) + amount > limit:
                return False
            hits.extend([self._now()] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - the library's signature
        """When the oldest hit in the window was (on the monotonic clock), and how many there are."""
        with self._guard:
            hits = self._window(key, expiry)
            return (hits[0] if hits else self._now(), len(hits))

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self._guard:
            hits = self._window(key, expiry)
            hits.extend([self._now()] * amount)
            return len(hits)

    def get(self, key: str) -> int:
        with self._guard:
            hits, expiry = self._hits.get(key, (deque(), 0))
            return sum(1 for hit in hits if hit > self._now() - expiry)

    def get_expiry(self, key: str) -> float:
        with self._guard:
            hits, expiry = self._hits.get(key, (deque(), 0))
            return (hits[-1] if hits else self._now()) + expiry

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._guard:
            count = len(self._hits)
            self._hits.clear()
            return count

    def clear(self, key: str) -> None:
        with self._guard:
            self._hits.pop(key, None)

    def _window(self, key: str, expiry: int) -> deque[float]:
        now = self._now()
        if key not in self._hits and len(self._hits) >= _MOST_KEYS:
            self._drop_finished(now)
        hits, _ = self._hits.setdefault(key, (deque(), expiry))
        while hits and hits[0] <= now - expiry:
            hits.popleft()
        return hits

    def _drop_finished(self, now: float) -> None:
        over = [key for key, (hits, expiry) in self._hits.items() if not hits or hits[-1] <= now - expiry]
        for key in over or list(self._hits)[: _MOST_KEYS // 10]:
            del self._hits[key]
