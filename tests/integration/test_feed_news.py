"""What the process that leads knows of its feed, on the page of one that does not: through a real Redis, which dies."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.adapters.cache_manager import CacheManager
from app.adapters.clock import SystemClock
from app.persistence.cache_rows import CacheRows
from app.ports.cache import Cache
from app.ports.clock import Clock
from app.services.feed_news import KEPT_S, FeedNewsDesk
from app.services.feed_state import FeedPhase
from tests.databases import running_redis
from tests.desk_visitor import within
from tests.run_maker import read
from tests.unit.services.market_fakes import FakeClock
from tests.whole_app import ADMIN, Whole, whole_app

PAGE = "/trading/market-data"


@dataclass
class Pair:
    """A process that feeds prices and one that does not, each an application of its own."""

    leader: Whole
    other: Whole

    def connect(self, cache: Cache, others: Cache, clock: Clock) -> tuple[FeedNewsDesk, FeedNewsDesk]:
        """Both sides of the news, over these caches."""
        sides = []
        for whole, each in ((self.leader, cache), (self.other, others)):
            market = whole.runtime.market
            sides.append(FeedNewsDesk(market.feed, market.board, market.silent, market.guard, each, clock))
        object.__setattr__(self.other.desk, "feed_news", sides[1])
        return sides[0], sides[1]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    made = Pair(whole_app(tmp_path / "one"), whole_app(tmp_path / "two"))
    made.leader.runtime.market.feed.step()
    yield made
    made.leader.runtime.market.feed.close()


def test_another_process_shows_what_the_leader_told_and_a_dead_redis_breaks_nothing(pair: Pair) -> None:
    clock, admin = SystemClock(), pair.other.signed_in(ADMIN)
    with running_redis() as (url, server):
        rows = CacheRows(pair.leader.database, clock)
        ours, theirs = CacheManager.at(url, clock, rows), CacheManager.at(url, clock, rows)
        news, _ = pair.connect(ours, theirs, clock)
        assert "No prices are fed by this process." in read(admin.get(PAGE).text)
        news.tell()
        page = admin.get(PAGE).text
        assert "The engine leads in another process." in read(page)
        assert "Ravi account at Zerodha" in read(page)
        assert "Take prices from here" in page  # it is asked of the engine, wherever that is
        told = admin.get("/api/market-data").json or {}
        assert told["feeds"] is False
        assert 0 <= told["told_age_s"] < 60
        assert [source["account_id"] for source in told["sources"]] == [pair.leader.ids["account_id"]]
        server.kill()
        server.wait()
        news.tell()  # this finds Redis dead
        ours.step()
        told = within(5.0, lambda: _young(admin.get("/api/market-data").json, 0.5), "the database tells it")
        assert told["told_age_s"] >= 0
        within(5.0, lambda: not _young(admin.get("/api/market-data").json, 1.5), "its age grows while nobody speaks")
        assert "Ravi account at Zerodha" in read(admin.get(PAGE).text)


def _young(told: Any, seconds: float) -> Any:
    """What was told, where that is at most so many seconds ago."""
    return told if told["told_age_s"] is not None and told["told_age_s"] <= seconds else None


def test_the_top_bar_shows_the_leaders_feed_and_calls_it_live_only_while_the_leader_speaks(pair: Pair) -> None:
    clock = FakeClock()
    cache = CacheManager(clock)
    news, others = pair.connect(cache, cache, clock)
    assert others.state().phase is FeedPhase.OFF
    pair.leader.runtime.market.feed._become(FeedPhase.LIVE)
    news.tell()
    clock.advance(4.0)
    assert others.state().phase is FeedPhase.LIVE
    assert "Feed live" in read(pair.other.signed_in(ADMIN).get("/").text)
    clock.advance(2.0)
    assert others.state().phase is FeedPhase.LATE
    assert "Feed live" not in read(pair.other.signed_in(ADMIN).get("/").text)
    assert news.state() == pair.leader.runtime.market.feed.state()


def test_ages_grow_with_the_news_and_never_shrink_by_a_clock_that_is_wrong(pair: Pair) -> None:
    clock = FakeClock()
    cache = CacheManager(clock)
    news, others = pair.connect(cache, cache, clock)
    news.tell()
    clock.advance(7.0)
    heard = others.of_others()
    assert heard is not None
    assert heard.age_s == 7.0
    clock.at -= timedelta(hours=1)  # the other machine's clock is behind the leader's
    clock.ticked += 5.0
    heard = others.of_others()
    assert heard is not None
    assert heard.age_s == 12.0
    cache.put("feed-news", b'{"of":"another version"}', KEPT_S)
    assert others.of_others() is None
