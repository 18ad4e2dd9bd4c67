"""A tick says when it was true: one that is late is as old as it says, whoever brought it, and decides nothing."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.adapters.openalgo.frames import FrameReader
from app.ports.feed import Drop, Tick
from app.services.candle_sight import FeedSight
from app.services.exchange_time import LATE_AFTER_S, ExchangeTime
from app.services.feed_state import FeedPhase, FeedState
from app.services.price_board import BoardPrice, PriceBoard
from tests.unit.services.market_fakes import FakeClock, quote
from tests.unit.services.pretend_broker import HEDGE, PUT
from tests.unit.services.watched_runs import Watched

KEY = PUT.key


class Late:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.exchange = ExchangeTime(self.clock)
        self.board = PriceBoard(self.clock, self.exchange)

    def put(self, ltp: float, late_s: float) -> bool:
        """A tick that comes now and is so old by its own time."""
        return self.board.put(Tick(KEY, ltp, self.clock.now() - timedelta(seconds=late_s)))

    @property
    def price(self) -> BoardPrice:
        found = self.board.latest(KEY)
        assert found is not None
        return found


@pytest.fixture
def late() -> Late:
    return Late()


def test_row_23_a_feed_that_lags_five_minutes_brings_prices_five_minutes_old(late: Late) -> None:
    for second in range(20):
        assert late.put(90.0 + second, 300)
        assert late.board.age_s(KEY) == pytest.approx(300)
        late.clock.advance(1)
    assert late.price.received_at == late.clock.now() - timedelta(seconds=301)
    assert late.board.late_by_s() == pytest.approx(300), "and that is named"


@pytest.mark.parametrize("late_s", [0.0, 2.0, LATE_AFTER_S, -1.0, -300.0])
def test_a_lag_within_the_limit_and_a_time_that_is_ahead_cost_nothing(late: Late, late_s: float) -> None:
    late.put(100, late_s)
    assert late.board.age_s(KEY) == 0
    assert late.board.late_by_s() == (None if late_s >= -LATE_AFTER_S else -300)


def test_row_23_a_late_tick_takes_the_place_of_no_younger_price_nor_quote(late: Late) -> None:
    asked = late.clock.monotonic()
    late.clock.advance(0.2)
    late.board.seed(KEY, quote("120", bid="119", ask="121"), "quote of A", asked=asked)
    late.clock.advance(0.2)
    assert not late.put(90, 300)
    assert (late.price.ltp, late.price.bid) == (Decimal("120.0"), Decimal("119.0"))
    assert late.board.counts().dropped == {Drop.OLDER: 1}
    late.clock.advance(400)
    assert late.put(91, 300), "of two old prices the younger one"
    assert late.board.age_s(KEY) == pytest.approx(300)


def test_row_23_a_quote_takes_the_place_of_a_late_tick(late: Late) -> None:
    late.put(90, 300)
    asked = late.clock.monotonic()
    late.clock.advance(0.2)
    assert late.board.seed(KEY, quote("120"), "quote of A", asked=asked)
    assert late.board.age_s(KEY) == 0


@pytest.mark.parametrize("ahead_s", [-300.0, 300.0])
def test_a_difference_of_clocks_makes_no_price_late(late: Late, ahead_s: float) -> None:
    """Ours fast, and the gateway's is the exchange's; or the gateway's fast, and ours is."""
    late.exchange.gateway_ahead_s = ahead_s
    late.put(100, max(0.0, -ahead_s))
    assert late.board.age_s(KEY) == 0
    assert late.board.late_by_s() in {None, -300.0}


def test_frames_without_a_time_of_their_own_are_judged_by_when_they_came(late: Late) -> None:
    late.board.put(Tick(KEY, 100, None))
    assert late.board.age_s(KEY) == 0
    traded = int((late.clock.now() - timedelta(hours=1)).timestamp())
    for data in (f'"ltt":{traded}', f'"ltt":{traded},"timestamp":{traded * 1000}'):
        frame = (
            f'{{"type":"market_data","symbol":"{KEY.symbol}","exchange":"{KEY.exchange}","data":{{"ltp":101,{data}}}}}'
        )
        tick = FrameReader().read(frame.encode())
        assert isinstance(tick, Tick)
        assert tick.dated == ("timestamp" in data), "a last trade of an hour ago may be the price of now"
        board = PriceBoard(late.clock, late.exchange)
        board.put(tick)
        assert board.age_s(KEY) == pytest.approx(3600 if tick.dated else 0)


def test_a_market_that_runs_sixty_times_as_fast_is_measured_in_our_seconds() -> None:
    clock = FakeClock()
    board = PriceBoard(clock, ExchangeTime(clock, speed=lambda: 60.0))
    board.put(Tick(KEY, 100, clock.now() - timedelta(seconds=60)))
    assert board.age_s(KEY) == 0
    board.put(Tick(PUT.key, 101, clock.now() - timedelta(seconds=0)))
    assert board.age_s(KEY) == 0


def test_while_the_markets_time_is_not_known_nothing_is_late(late: Late) -> None:
    tick = Tick(KEY, 100, late.clock.now() - timedelta(hours=1))
    unknown = FakeClock()
    unknown.unknown = True
    board = PriceBoard(late.clock, ExchangeTime(unknown))
    assert board.put(tick)
    assert (board.age_s(KEY), board.late_by_s()) == (0, None)


def test_one_late_contract_is_its_own_affair_and_all_of_them_are_the_feeds(late: Late) -> None:
    late.put(100, 300)
    late.board.put(Tick(HEDGE.key, 50, late.clock.now()))
    assert late.board.late_by_s() is None
    late.clock.advance(11)
    assert late.board.late_by_s() is None, "nothing came"
    late.put(100, 300)
    assert late.board.late_by_s() == pytest.approx(300)


def test_row_19_no_rule_decides_on_a_late_price_and_it_is_quoted_instead(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.run(500)
    watched.goes(99)
    for _ in range(4):
        watched.world.clock.advance(1)
        watched.board.put(Tick(KEY, 90.0, watched.world.clock.now() - timedelta(seconds=300)), "feed of B")
        watched.monitor.step()
    assert watched.world.run(1).state == "OPEN", "five minutes ago it was worth that"
    watched.monitor.requote_step()
    assert watched.quotes.asked == 1


def test_a_late_feed_is_none_that_candles_are_made_of() -> None:
    clock = FakeClock()
    state = FeedState(1, "A", FeedPhase.LATE, clock.now(), 0.1, 1, 1, (), 0, "", late_by_s=15.0)
    seen = FeedSight(lambda: state, lambda: None).look(clock.monotonic(), clock.now())
    assert seen.why == "The prices of the feed are 15 s late by their own time."
