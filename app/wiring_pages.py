"""Builds what pages read of the market: this process's own, or where another leads what that one told."""

from dataclasses import dataclass
from functools import partial

from app.domain.relief import Relief
from app.engine.page_feed import SLOW_PAGES_S
from app.services.feed_news import DOUBTED_AFTER_S, TELL_EVERY_S, FeedNewsDesk
from app.services.market_news import MarketNews
from app.services.news_follower import NewsFollower
from app.services.onlookers import Onlookers
from app.services.shown_candles import ShownCandles
from app.services.shown_chains import ShownChains
from app.services.shown_health import ShownHealth
from app.services.shown_prices import ShownPrices
from app.wiring import Ground, MarketSide


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSide:
    """`news` tells, `follower` listens: which of the two does anything depends on who leads."""

    feed_news: FeedNewsDesk
    news: MarketNews
    follower: NewsFollower
    prices: ShownPrices
    chains: ShownChains
    candles: ShownCandles
    health: ShownHealth

    def engine_speaks(self) -> bool:
        """Whether an engine that leads elsewhere was heard of within seconds."""
        heard = self.feed_news.of_others() if self.follower.is_active else None
        return heard is not None and heard.age_s <= DOUBTED_AFTER_S


def build_pages(ground: Ground, market: MarketSide) -> PageSide:
    cache, clock = ground.cache, ground.clock
    onlookers = Onlookers(ground.database, clock)
    feed_news = FeedNewsDesk(market.feed, market.board, market.silent, market.guard, cache, clock)

    def leads() -> bool:
        return ground.lease.epoch is not None

    prices = ShownPrices(market.board, clock, leads=leads)
    wake = partial(ground.supervisor.wake, "following")
    follower = NewsFollower(prices, onlookers, cache=cache, clock=clock, leads=leads, wake=wake)
    return PageSide(
        feed_news=feed_news,
        news=MarketNews(
            market.board,
            market.feed,
            market.chains,
            market.candles,
            feed_news,
            onlookers,
            health=market.health,
            cache=cache,
            clock=clock,
            pause_s=lambda: SLOW_PAGES_S if market.guard.state().step >= Relief.SLOW_PAGES else TELL_EVERY_S,
        ),
        follower=follower,
        prices=prices,
        candles=ShownCandles(market.candles, follower, cache, clock),
        chains=ShownChains(market.chains, follower, cache, clock),
        health=ShownHealth(market.health, follower, cache),
    )
