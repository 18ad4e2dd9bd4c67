"""A process that leads and one that does not: the second shows the chains and prices of the first, and their ages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from app.adapters.cache_manager import CacheManager
from app.domain.candles import Candle, Ohlc
from app.domain.contracts import ContractKey
from app.domain.errors import NotFound, Unavailable
from app.persistence.cache_rows import CacheRows
from app.persistence.database import Database
from app.persistence.tables import CacheEntry, Onlooker
from app.ports.feed import Tick
from app.services.account_health import HealthBoard, HealthState
from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from app.services.chain_view import NO_FORWARD, ChainSide, ChainView
from app.services.market_news import NOBODY_S, MarketNews
from app.services.news_follower import LOOKED_AT_FOR_S, NewsFollower
from app.services.onlookers import LASTS_S, Onlookers
from app.services.price_board import PriceBoard
from app.services.shown_candles import ShownCandles
from app.services.shown_chains import ASKED, NOTHING_TOLD, ShownChains
from app.services.shown_health import ShownHealth
from app.services.shown_prices import ShownPrices
from app.services.told_market import MOST_TOLD
from tests.empty_database import empty_database
from tests.unit.services.market_fakes import EXPIRY, MONDAY_1030, NIFTY, option
from tests.unit.services.test_chain_figures import CALL, Quoted
from tests.unit.services.test_option_chains import BANKNIFTY, NEXT, World


class MadeCandles:
    """A store with one candle more each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def view(self, subject: Subject, size: int, *, of_closes: bool = False) -> CandleView:
        self.asked += 1
        opens = [MONDAY_1030 + timedelta(minutes=size * each) for each in range(MOST_TOLD + self.asked)]
        candles = tuple(Candle(at, at + timedelta(minutes=size), Ohlc(1.0, 3.0, -0.5, 2.0)) for at in opens)
        gap = (MONDAY_1030, MONDAY_1030 + timedelta(minutes=1))
        return CandleView(subject, size, None, candles, (gap,), "", "of closes" if of_closes else "")


class Leader:
    """Whose market it is."""

    def __init__(self, world: World, database: Database) -> None:
        clock = world.clock
        self.cache = CacheManager(clock, last=CacheRows(database, clock))
        self.health = HealthBoard(clock)
        news: Any = SimpleNamespace(tell=lambda: None)
        self.candles = MadeCandles()
        made: Any = self.candles
        self.news = MarketNews(
            world.board,
            world.feed,  # type: ignore[arg-type]
            world.chains,
            made,
            news,
            Onlookers(database, clock),
            health=self.health,
            cache=self.cache,
            clock=clock,
        )

    def tell(self) -> float:
        pause_s = self.news.step()
        self.cache.step()
        return pause_s


class Follower:
    """Has a market of its own as well, in which nothing is."""

    def __init__(self, clock: Any, database: Database, *, begins: bool = True) -> None:
        own = World()
        own.contracts.step()
        self.board, self.clock, self.leads, self.woken = PriceBoard(clock), clock, False, 0
        cache = CacheManager(clock, last=CacheRows(database, clock))
        self.prices = ShownPrices(self.board, clock, leads=lambda: self.leads)
        self.following = NewsFollower(
            self.prices,
            Onlookers(database, clock),
            cache=cache,
            clock=clock,
            leads=lambda: self.leads,
            wake=self._wake,
        )
        if begins:
            self.following.begin()
        self.own = own.chains
        self.health = ShownHealth(HealthBoard(clock), self.following, cache)
        none_made: Any = SimpleNamespace(view=lambda *_, **__: None)
        self.candles = ShownCandles(none_made, self.following, cache, clock)
        self.chains = ShownChains(own.chains, self.following, cache, clock)

    def _wake(self) -> None:
        self.woken += 1


class Pair:
    def __init__(self, world: World, database: Database) -> None:
        self.world, self.database = world, database
        self.leader, self.follower = Leader(world, database), Follower(world.clock, database)

    def pass_(self, seconds: float = 0.0) -> None:
        """Both do what they do, that much later."""
        self.world.clock.advance(seconds)
        self.follower.following.step()
        self.leader.tell()
        self.follower.following.step()

    def rows(self, table: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = empty_database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def pair(database: Database) -> Pair:
    pair = Pair(Quoted(), database)
    pair.pass_()
    return pair


def figures(view: ChainView) -> dict[str, object]:
    """What does not come from the telling itself."""
    return {name: getattr(view, name) for name in ("spot", "atm", "rows", "totals", "synthetic", "no_greeks", "layout")}


def rounded(view: ChainView) -> ChainView:
    """Ages to the millisecond: they are sums of floats."""

    def side(each: ChainSide | None) -> ChainSide | None:
        if each is None:
            return None
        ages = (None if age is None else round(age, 3) for age in (each.age_s, each.touch_age_s))
        age_s, touch_age_s = ages
        return replace(each, age_s=age_s, touch_age_s=touch_age_s)

    return replace(view, rows=tuple(replace(row, ce=side(row.ce), pe=side(row.pe)) for row in view.rows))


def test_the_follower_shows_the_leaders_chain(pair: Pair) -> None:
    seen = pair.follower.chains.view("NIFTY")
    assert figures(seen) == figures(pair.world.chains.view("NIFTY"))
    assert (seen.expiry, seen.told_age_s, seen.note) == (EXPIRY, 0.0, None)
    assert seen.synthetic is not None
    assert pair.follower.chains.expiries("NIFTY") == [EXPIRY, NEXT]


@pytest.mark.parametrize("seconds", [0.5, 2.9, 3.1, 6.0, 9.9, 10.1, 11.0, 40.0])
def test_what_was_told_grows_old_exactly_as_it_would_have_in_the_process_that_told_it(
    pair: Pair, seconds: float
) -> None:
    pair.world.clock.advance(1.0)
    for key in (CALL, option(24_950).key):
        pair.world.board.put(Tick(key, 100.0, None))  # a trade alone: the touch is older by a second
    pair.pass_(1.0)
    told = pair.follower.chains.view("NIFTY")
    assert told.told_age_s == 0.0
    pair.world.clock.advance(seconds)
    seen, own = pair.follower.chains.view("NIFTY"), pair.world.chains.view("NIFTY")
    for row, expected in zip(rounded(seen).rows, rounded(own).rows, strict=True):
        for side, other in zip(row.sides, expected.sides, strict=True):
            assert side is not None
            assert other is not None
            assert (side.ltp, side.age_s, side.staleness) == (other.ltp, other.age_s, other.staleness)
            assert (side.figures is None) == (other.figures is None)
    assert (seen.synthetic, seen.no_greeks) == (own.synthetic, own.no_greeks)
    assert seen.totals is not None
    assert own.totals is not None
    assert seen.totals.straddle == own.totals.straddle
    assert round(seen.age_s or 0, 3) == round(own.age_s or 0, 3)
    assert seen.told_age_s == pytest.approx(seconds, abs=0.001)


def test_a_leader_that_falls_silent_is_named_and_nothing_it_told_is_shown_as_young(pair: Pair) -> None:
    pair.world.clock.advance(12.1)
    seen = pair.follower.chains.view("NIFTY")
    assert "has told nothing for 12 s" in str(seen.note)
    assert {side.staleness for row in seen.rows for side in row.sides if side is not None} == {"stale"}
    assert seen.no_greeks == NO_FORWARD
    assert seen.totals is not None
    assert (seen.totals.straddle, seen.totals.atm_iv) == (None, None)
    pair.world.clock.advance(300.0)
    gone = pair.follower.chains.view("NIFTY")
    assert (gone.rows, gone.note) == ((), NOTHING_TOLD)
    with pytest.raises(Unavailable):
        pair.follower.chains.expiries("NIFTY")


def test_looking_at_a_chain_elsewhere_keeps_it_alive_at_the_leader_for_as_long_as_somebody_looks(pair: Pair) -> None:
    chains, follower = pair.world.chains, pair.follower
    key = option(25_000, expiry=NEXT).key
    assert follower.chains.view("NIFTY", NEXT).note == ASKED
    follower.chains.looked_at("NIFTY", NEXT)
    assert follower.woken == 1
    pair.pass_(1.0)
    chains.step()
    assert follower.chains.view("NIFTY", NEXT).rows == chains.view("NIFTY", NEXT).rows
    assert key in pair.world.asked("chains.quote") | pair.world.asked("chains.depth")
    for _ in range(4):
        pair.pass_(LOOKED_AT_FOR_S - 1)
        follower.chains.looked_at("NIFTY", NEXT)
    chains.step()
    assert key in pair.world.asked("chains.quote") | pair.world.asked("chains.depth"), "after 80 s it is looked at"
    pair.pass_(LOOKED_AT_FOR_S + 1)
    pair.pass_(61.0)
    chains.step()
    assert key not in pair.world.asked("chains.quote") | pair.world.asked("chains.depth")


def test_what_is_not_listed_is_refused_as_by_the_leader(pair: Pair) -> None:
    chains = pair.follower.chains
    for ask in (
        lambda: chains.view("GOLD"),
        lambda: chains.expiries("GOLD"),
        lambda: chains.view("NIFTY", EXPIRY.replace(day=2)),
        lambda: chains.depth(ContractKey("NFO", "NIFTY01DEC2699999CE")),
    ):
        with pytest.raises(NotFound):
            ask()
    chains.looked_at("NIFTY", EXPIRY.replace(day=2))
    pair.pass_(2.0)
    assert chains.view("NIFTY").told_age_s == 0.0, "the leader passes over it"


def test_depth_of_an_option_is_asked_of_the_leader_and_comes_with_its_age(pair: Pair) -> None:
    chains = pair.follower.chains
    assert chains.depth(CALL) is None
    pair.pass_(1.0)
    told, own = chains.depth(CALL), pair.world.board.depth(CALL)
    assert told is not None
    assert own is not None
    assert (told.bids, told.asks) == (own.bids, own.asks)
    assert told.received == pytest.approx(own.received)


def test_prices_come_with_their_ages_and_the_own_board_goes_before_where_it_is_younger(pair: Pair) -> None:
    prices, clock = pair.follower.prices, pair.world.clock
    spot, own = prices.latest(NIFTY), pair.world.board.latest(NIFTY)
    assert spot is not None
    assert own is not None
    assert spot.received == pytest.approx(own.received, abs=0.001)
    assert spot == replace(own, received=spot.received, touch_received=spot.touch_received, serial=0)
    assert prices.age_s(NIFTY) == pytest.approx(pair.world.board.age_s(NIFTY))
    clock.advance(5.0)
    assert prices.age_s(NIFTY) == pytest.approx(5.0)
    pair.follower.board.put(Tick(NIFTY, 25_100.0, None))
    assert prices.latest(NIFTY) == pair.follower.board.latest(NIFTY)
    assert prices.latest(ContractKey("NFO", "NOTHING")) is None
    assert prices.age_s(ContractKey("NFO", "NOTHING")) is None


def test_only_what_changed_is_told_to_be_new(pair: Pair) -> None:
    prices = pair.follower.prices
    assert NIFTY in prices.take_dirty("pages")
    pair.pass_(1.0)
    assert prices.take_dirty("pages") == set()
    pair.world.put(BANKNIFTY, 57_011.0)
    pair.pass_(1.0)
    assert prices.take_dirty("pages") == {BANKNIFTY}
    latest = prices.latest(BANKNIFTY)
    assert latest is not None
    assert latest.ltp == Decimal("57011.0")


def test_a_process_that_comes_to_lead_shows_its_own_and_counts_as_onlooker_no_more(pair: Pair) -> None:
    follower = pair.follower
    assert pair.rows(Onlooker) == 1
    follower.leads = True
    assert follower.prices.latest(NIFTY) is None, "what was told is nothing to a leader"
    assert "no price of NIFTY" in str(follower.chains.view("NIFTY").note)
    follower.following.step()
    assert pair.rows(Onlooker) == 0
    follower.leads = False
    assert follower.prices.latest(NIFTY) is None, "and nothing of it comes back"


def test_rows_of_processes_that_are_gone_do_not_pile_up(pair: Pair) -> None:
    pair.world.clock.advance(LASTS_S + 1)
    Follower(pair.world.clock, pair.database).following.step()
    assert pair.rows(Onlooker) == 1


def test_while_nobody_serves_pages_elsewhere_nothing_is_told_and_nothing_written(database: Database) -> None:
    pair = Pair(Quoted(), database)
    assert pair.leader.tell() == NOBODY_S
    assert (pair.rows(CacheEntry), pair.leader.cache.get("prices")) == (0, None)
    pair.follower.following.step()
    pair.leader.tell()
    written = pair.rows(CacheEntry)
    assert written == 5, "accounts, prices, and the nearest chain of each index"
    pair.world.clock.advance(LASTS_S + 1)
    assert pair.leader.tell() == NOBODY_S


def test_a_process_that_was_not_started_shows_its_own(database: Database) -> None:
    follower = Follower(World().clock, database)
    assert follower.chains.view("NIFTY") == follower.own.view("NIFTY")
    follower.chains.looked_at("NIFTY", EXPIRY)
    assert follower.chains.depth(CALL) is None
    assert follower.woken == 0


def test_words_of_another_version_are_nothing_told(pair: Pair) -> None:
    pair.world.clock.advance(1.0)
    for place in ("chain:NIFTY", "prices"):
        pair.leader.cache.put(place, b'{"of":"another version"}', 300.0, lasting=True)
    pair.world.clock.advance(1.0)
    pair.leader.cache.step()
    assert pair.follower.chains.view("NIFTY").note == NOTHING_TOLD
    pair.follower.following.step()
    assert pair.follower.prices.latest(NIFTY) is not None, "what was understood before stays, and grows old"


def test_nothing_is_followed_or_written_before_it_is_known_who_leads(database: Database) -> None:
    follower = Follower(World().clock, database, begins=False)
    assert follower.following.step() > 0
    assert not follower.following.is_active
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Onlooker)) == 0


def test_accounts_are_shown_as_the_leader_finds_them_and_unknown_when_it_falls_silent(pair: Pair) -> None:
    pair.leader.health.report(1, state=HealthState.OK, latency_ms=12)
    pair.pass_(1.0)
    shown = pair.follower.health.of(1)
    assert (shown.state, shown.latency_ms) == (HealthState.OK, 12)
    assert pair.follower.health.of(2).state is HealthState.UNKNOWN
    pair.world.clock.advance(6.0)
    silent = pair.follower.health.of(1)
    assert (silent.state, silent.latency_ms) == (HealthState.UNKNOWN, 12)
    assert "told nothing for" in silent.reason
    pair.world.clock.advance(300.0)
    assert "within minutes" in pair.follower.health.of(1).reason
    pair.follower.leads = True
    assert pair.follower.health.of(1).state is HealthState.UNKNOWN


def test_an_option_whose_prices_grow_too_old_on_the_way_has_no_volatility_though_its_neighbours_have(
    pair: Pair,
) -> None:
    world = pair.world
    assert isinstance(world, Quoted)
    world.clock.advance(9.0)
    world.strikes = range(24_000, 25_301, 50)  # what is above is quoted no more
    world.tick()
    world.put(NIFTY, 25_012.4)
    pair.pass_()

    def with_figures(view: ChainView) -> list[Decimal]:
        return [row.strike for row in view.rows if row.ce is not None and row.ce.figures is not None]

    told = with_figures(pair.follower.chains.view("NIFTY"))
    assert max(told) > 25_300
    world.clock.advance(2.0)
    left = with_figures(pair.follower.chains.view("NIFTY"))
    assert left == with_figures(world.chains.view("NIFTY"))
    assert max(left) == 25_300
