"""The cache's tiers: what each keeps and how old it says that is; one that fails changes nothing but speed."""

import logging
from collections.abc import Callable, Mapping

import pytest

from app.adapters.cache import MemoryCache, RedisCache
from app.adapters.cache_manager import CacheManager
from app.adapters.clock import SystemClock
from app.ports.cache import CacheDown, Kept, Tier
from tests.unit.adapters.hand_clock import HandClock


class Far(MemoryCache):
    """A tier that all processes share and that a test can take down; it keeps by a clock of its own."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.is_down = False
        self.calls = 0

    def _call(self) -> None:
        self.calls += 1
        if self.is_down:
            raise CacheDown("connection refused")

    def get(self, key: str) -> Kept | None:
        self._call()
        return super().get(key)

    def put(self, key: str, kept: Kept) -> None:
        self._call()
        super().put(key, kept)

    def put_all(self, kept: Mapping[str, Kept]) -> None:
        for key, each in kept.items():
            self.put(key, each)

    def sweep(self) -> None:
        self._call()


@pytest.fixture
def far(clock: HandClock) -> Far:
    return Far(clock)


@pytest.fixture
def last(clock: HandClock) -> Far:
    return Far(clock)


def value(kept: Kept | None) -> bytes | None:
    return None if kept is None else kept.value


@pytest.fixture(params=["memory", "redis"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """Each tier that is written at once; the database is held to the same in tests/integration/test_cache_rows.py."""
    memory = request.param == "memory"
    return MemoryCache(SystemClock()) if memory else RedisCache.at(request.getfixturevalue("redis_url"))


def test_a_tier_gives_back_the_bytes_their_age_and_the_rest_of_their_life(tier: Tier) -> None:
    tier.put("a", Kept(b"\x00:\xff", 12.5, 47.5))
    kept = tier.get("a")
    assert kept is not None
    assert kept.value == b"\x00:\xff"
    assert 12.5 <= kept.age_s < 20
    assert kept.age_s + kept.left_s == pytest.approx(60.0, abs=0.01)
    assert tier.get("b") is None
    tier.put("a", Kept(b"newer", 0.0, 60.0))
    assert value(tier.get("a")) == b"newer"


def test_what_has_expired_is_not_there(tier: Tier, until: Callable[[Callable[[], bool]], None]) -> None:
    tier.put("short", Kept(b"1", 5.0, 0.01))
    until(lambda: tier.get("short") is None)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(done: Callable[[], bool]) -> None:
        end = SystemClock().monotonic() + 5.0
        while not done():
            assert SystemClock().monotonic() < end

    return wait


def test_memory_keeps_for_as_long_as_told_and_tells_the_age(clock: HandClock) -> None:
    cache = CacheManager(clock)
    cache.put("short", b"1", 5)
    cache.put("long", b"2", 50)
    clock.advance(6)
    assert cache.get("short") is None
    assert cache.get("long") == Kept(b"2", 6, 44)
    assert cache.get("never") is None


def test_memory_is_bounded(clock: HandClock) -> None:
    memory = MemoryCache(clock, most_entries=10)
    for number in range(100):
        memory.put(str(number), Kept(b"x", 0, 60))
    assert sum(memory.get(str(number)) is not None for number in range(100)) == 10


def test_what_one_process_puts_another_finds_with_its_age(clock: HandClock, far: Far) -> None:
    ours, theirs = CacheManager(clock, far=far), CacheManager(clock, far=far)
    ours.put("a", b"1", 60)
    clock.advance(7)
    assert theirs.get("a") == Kept(b"1", 7, 53)
    clock.advance(3)
    assert theirs.get("a") == Kept(b"1", 10, 50), "the copy of this process goes on growing old"


def test_a_copy_at_hand_is_good_for_thirty_seconds_or_for_as_long_as_the_reader_says(
    clock: HandClock, far: Far
) -> None:
    ours, theirs = CacheManager(clock, far=far), CacheManager(clock, far=far)
    ours.put("a", b"1", 600)
    theirs.put("a", b"2", 600)
    calls = far.calls
    clock.advance(29)
    assert (value(ours.get("a")), far.calls) == (b"1", calls), "the way is spared"
    assert value(ours.get("a", max_age_s=2.0)) == b"1", "nothing younger exists: put at the same moment"
    assert far.calls == calls + 1
    theirs.put("a", b"3", 600)
    assert value(ours.get("a", max_age_s=2.0)) == b"3"
    clock.advance(31)
    theirs.put("a", b"4", 600)
    assert value(ours.get("a")) == b"4"


def test_the_database_is_asked_where_redis_has_nothing_young(clock: HandClock, far: Far, last: Far) -> None:
    cache = CacheManager(clock, far=far, last=last)
    far.put("a", Kept(b"in redis", 299.0, 1e6))
    last.put("a", Kept(b"in the database", 10.0, 1e6))
    calls = last.calls
    assert value(cache.get("a")) == b"in redis"
    assert last.calls == calls
    clock.advance(2)
    assert value(cache.get("a")) == b"in the database", "after five minutes Redis is not believed either"
    assert value(cache.get("none")) is None


def test_the_youngest_wins_wherever_it_is_and_the_same_bytes_never_grow_younger(
    clock: HandClock, far: Far, last: Far
) -> None:
    cache = CacheManager(clock, far=far, last=last)
    far.put("a", Kept(b"older", 8.0, 60.0))
    last.put("a", Kept(b"younger", 3.0, 60.0))
    assert value(cache.get("a", max_age_s=1.0)) == b"younger"
    clock.advance(40)
    far.put("a", Kept(b"younger", 0.0, 60.0))  # a clock that was set back
    found = cache.get("a", max_age_s=1.0)
    assert found is not None
    assert found.age_s == 43.0


def test_only_what_is_to_last_goes_to_the_database_its_newest_alone_and_not_more_than_once_a_second(
    clock: HandClock, last: Far
) -> None:
    cache = CacheManager(clock, last=last)
    cache.step()
    assert last.calls == 0, "nothing to write, nothing written"
    cache.put("here", b"1", 60)
    for number in range(5):
        cache.put("told", b"%d" % number, 60, lasting=True)
    clock.advance(0.5)
    cache.step()
    assert last.get("here") is None
    assert last.get("told") == Kept(b"4", 0.5, 59.5), "as old as it was when it was written"
    calls = last.calls
    cache.put("told", b"5", 60, lasting=True)
    cache.step()
    assert last.calls == calls
    clock.advance(1.0)
    cache.step()
    assert value(last.get("told")) == b"5"
    calls = last.calls
    clock.advance(30.0)
    assert cache.step() > 0
    assert last.calls == calls


def test_behind_a_redis_that_answers_the_database_is_written_every_five_seconds_and_at_once_when_it_dies(
    clock: HandClock, far: Far, last: Far
) -> None:
    cache = CacheManager(clock, far=far, last=last)

    def told() -> int:
        before = last.calls
        for number in range(20):
            cache.put("told", b"%d" % (clock.monotonic() * 10 + number), 60, lasting=True)
            cache.step()
            clock.advance(0.5)
        return last.calls - before

    assert told() == 3, "two values, and a sweep"
    far.is_down = True
    assert told() == 10


def test_row_33_a_redis_that_is_down_costs_speed_only_and_is_left_alone_for_a_while(
    clock: HandClock, far: Far, last: Far, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CacheManager(clock, far=far, last=last)
    far.is_down = True
    last.put("b", Kept(b"2", 1.0, 60.0))
    with caplog.at_level(logging.WARNING):
        cache.put("a", b"1", 60)
        assert value(cache.get("a", max_age_s=0.0)) == b"1"
        assert value(cache.get("b")) == b"2"
        assert cache.get("c") is None
        assert far.calls == 1
        clock.advance(6)
        assert cache.get("c") is None
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


def test_a_database_that_is_down_raises_nothing_either(clock: HandClock, last: Far) -> None:
    cache = CacheManager(clock, last=last)
    last.is_down = True
    cache.put("a", b"1", 60, lasting=True)
    assert cache.step() > 0
    assert value(cache.get("a", max_age_s=0.0)) == b"1"
    clock.advance(6)
    last.is_down = False
    cache.put("a", b"2", 60, lasting=True)
    cache.step()
    assert value(last.get("a")) == b"2"


def test_tiers_on_a_real_redis(redis_url: str) -> None:
    ours, theirs = CacheManager.at(redis_url, SystemClock()), CacheManager.at(redis_url, SystemClock())
    ours.put("shared", b"1", 60)
    assert value(theirs.get("shared")) == b"1"
    assert ours.failures == theirs.failures == 0


def test_tiers_with_a_redis_that_is_not_there() -> None:
    cache = CacheManager.at("redis://127.0.0.1:1/0", SystemClock())
    cache.put("a", b"1", 60)
    assert value(cache.get("a")) == b"1"
    assert cache.failures == 1
    assert CacheManager.at(None, SystemClock()).get("a") is None
