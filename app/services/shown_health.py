"""How accounts are doing, for pages: as reported here, or where another process leads as it told, while it speaks."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from app.domain import wording
from app.ports.cache import Cache
from app.services.account_health import AccountHealth, HealthBoard, HealthState
from app.services.feed_news import DOUBTED_AFTER_S, TELL_EVERY_S
from app.services.news_follower import NewsFollower, decoded
from app.services.told_market import HEALTH, HEALTH_OF


class Healths(Protocol):
    """What pages ask; as in HealthBoard."""

    def of(self, account_id: int) -> AccountHealth: ...


class ShownHealth:
    """The Healths port. Thread-safe."""

    def __init__(self, own: HealthBoard, follower: NewsFollower, cache: Cache) -> None:
        self._own = own
        self._follower = follower
        self._cache = cache
        self._lock = threading.Lock()
        self._read: tuple[bytes, Mapping[int, AccountHealth] | None] = (b"", None)

    def of(self, account_id: int) -> AccountHealth:
        """UNKNOWN, with the reason, while the process that leads says nothing."""
        if not self._follower.is_active:
            return self._own.of(account_id)
        kept = self._cache.get(HEALTH, TELL_EVERY_S)
        if kept is None:
            return AccountHealth(reason="No engine has said anything of it within minutes.")
        with self._lock:
            if self._read[0] is not kept.value:
                self._read = kept.value, decoded(HEALTH_OF, kept)
            told = self._read[1]
        health = (told or {}).get(account_id, AccountHealth())
        if kept.age_s <= DOUBTED_AFTER_S:
            return health
        reason = f"The engine, in another process, has told nothing for {wording.age(kept.age_s)}."
        return replace(health, state=HealthState.UNKNOWN, reason=reason)
