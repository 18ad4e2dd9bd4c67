"""The cache's tiers: what is kept and for how long, and a Redis whose failure changes nothing but speed."""

import logging

import pytest

from app.adapters.cache import CacheDown, CacheManager, MemoryCache, RedisCache
from app.adapters.clock import SystemClock
from app.ports.cache import Cache
from tests.unit.adapters.hand_clock import HandClock


class Far(MemoryCache):
    """A far tier that a test can take down."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.is_down = False
        self.calls = 0

    def _call(self) -> None:
        self.calls += 1
        if self.is_down:
            raise CacheDown("connection refused")

    def get(self, key: str) -> bytes | None:
        self._call()
        return super().get(key)

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        self._call()
        super().put(key, value, ttl_s)

    def forget(self, key: str) -> None:
        self._call()
        super().forget(key)


@pytest.fixture
def far(clock: HandClock) -> Far:
    return Far(clock)


def test_memory_keeps_for_as_long_as_told(clock: HandClock) -> None:
    cache = MemoryCache(clock)
    cache.put("short", b"1", 5)
    cache.put("long", b"2", 50)
    clock.advance(6)
    assert cache.get("short") is None
    assert cache.get("long") == b"2"
    assert cache.get("never") is None
    cache.forget("long")
    cache.forget("long")
    assert cache.get("long") is None


def test_memory_is_bounded(clock: HandClock) -> None:
    cache = MemoryCache(clock, most_entries=10)
    for number in range(100):
        cache.put(str(number), b"x", 60)
    assert sum(cache.get(str(number)) is not None for number in range(100)) == 10


def test_without_redis_memory_is_all(clock: HandClock) -> None:
    cache = CacheManager(clock)
    cache.put("a", b"1", 60)
    clock.advance(59)
    assert cache.get("a") == b"1"
    clock.advance(2)
    assert cache.get("a") is None


def test_what_one_process_puts_another_finds(clock: HandClock, far: Far) -> None:
    ours, theirs = CacheManager(clock, far=far), CacheManager(clock, far=far)
    ours.put("a", b"1", 60)
    assert theirs.get("a") == b"1"
    theirs.forget("a")
    clock.advance(2.1)
    assert ours.get("a") is None


def test_the_near_copy_spares_the_way(clock: HandClock, far: Far) -> None:
    cache = CacheManager(clock, far=far)
    cache.put("a", b"1", 60)
    calls = far.calls
    assert cache.get("a") == b"1"
    assert far.calls == calls
    clock.advance(3)
    assert cache.get("a") == b"1"
    assert far.calls == calls + 1


def test_row_33_a_redis_that_is_down_costs_speed_only_and_is_left_alone_for_a_while(
    clock: HandClock, far: Far, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CacheManager(clock, far=far)
    far.is_down = True
    with caplog.at_level(logging.WARNING):
        cache.put("a", b"1", 60)
        assert cache.get("a") == b"1"
        assert cache.get("b") is None
        cache.forget("a")
        assert cache.get("a") is None
        assert far.calls == 1
        clock.advance(6)
        assert cache.get("b") is None
    assert (cache.failures, far.calls) == (2, 2)
    assert len(caplog.records) == 1, "said once, not at every call"


def test_row_33_a_redis_that_is_back_is_used_again(
    clock: HandClock, far: Far, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CacheManager(clock, far=far)
    for is_down in (True, False, True):
        far.is_down = is_down
        clock.advance(6)
        cache.put("a", b"1", 60)
    assert cache.failures == 2
    assert [record.getMessage().split()[1] for record in caplog.records] == ["does", "answers", "does"]


def test_redis_keeps_and_forgets(redis_url: str) -> None:
    cache: Cache = RedisCache.at(redis_url)
    cache.put("a", b"\x00\xff", 60)
    assert cache.get("a") == b"\x00\xff"
    assert cache.get("b") is None
    cache.forget("a")
    assert cache.get("a") is None


def test_redis_entries_end(redis_url: str) -> None:
    cache = RedisCache.at(redis_url)
    cache.put("a", b"1", 60)
    left_ms = cache._client.pttl("algomirror:cache:a")
    assert isinstance(left_ms, int)
    assert 50_000 < left_ms <= 60_000


def test_tiers_on_a_real_redis(redis_url: str) -> None:
    ours, theirs = CacheManager.at(redis_url, SystemClock()), CacheManager.at(redis_url, SystemClock())
    ours.put("shared", b"1", 60)
    assert theirs.get("shared") == b"1"
    assert ours.failures == theirs.failures == 0


def test_tiers_with_a_redis_that_is_not_there() -> None:
    cache = CacheManager.at("redis://127.0.0.1:1/0", SystemClock())
    cache.put("a", b"1", 60)
    assert cache.get("a") == b"1"
    assert cache.failures == 1
    assert CacheManager.at(None, SystemClock()).get("a") is None
