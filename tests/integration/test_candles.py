"""Candles on a running simulator whose minutes pass in a second: a feed is killed in the middle of one of them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.adapters.clock import SystemClock
from app.domain.candles import Origin, Standing
from app.domain.contracts import Kind
from app.domain.strikes import atm
from app.services.candle_history import CandleHistory
from app.services.candle_series import Subject
from app.services.candle_store import CandleStore
from app.services.feed_state import FeedPhase
from tests.integration.market_rig import NIFTY, MarketRig, running_rig
from tests.simulator_process import SimulatorProcess

SPEED = 30
"""A minute of the market in two seconds."""


class Desk:
    """The market services with candles on top."""

    def __init__(self, rig: MarketRig) -> None:
        self.rig = rig
        history = CandleHistory(rig.gateways, lambda: rig.order, rig.market_clock)  # type: ignore[arg-type]
        self.store = CandleStore(rig.board, rig.feed, rig.hours, history, rig.market_clock, SystemClock())


@pytest.fixture
def desk(simulator: SimulatorProcess) -> Iterator[Desk]:
    simulator.post("/speed", speed=SPEED)
    with running_rig(simulator, 1) as rig:
        made = Desk(rig)
        rig._supervisor.add("candles", made.store.step)
        rig._supervisor.add("candle-history", made.store.history_step)
        yield made


def straddle(rig: MarketRig) -> Subject:
    rig.wait(lambda: not rig.contracts.missing() and rig.hours.session("NFO"))
    master = rig.contracts.master()
    expiry = master.expiries("NIFTY")[0]
    strike = atm(master.strikes("NIFTY", expiry, Kind.CE), rig.quotes.spot("NIFTY"))
    return Subject(tuple((master.option("NIFTY", expiry, kind, strike).key, 1.0) for kind in (Kind.CE, Kind.PE)))


def test_candles_are_warmed_grown_marked_where_the_feed_was_lost_and_repaired(
    simulator: SimulatorProcess, desk: Desk
) -> None:
    rig, rings = desk.rig, []
    subject = Subject.of(NIFTY)
    following = desk.store.follow(subject, lambda: rings.append(1))
    premium = desk.store.follow(straddle(rig), lambda: None)
    rig.wait(lambda: following.view(1).trouble == "" and premium.view(1).trouble == "" and rig.live())
    rig.wait(lambda: all(each.prices for each in following.view(1).ended[-20:]))
    warm = following.view(1)
    assert {each.origin for each in warm.ended[-20:-3]} == {Origin.HISTORY}
    assert warm.session is not None
    assert warm.candles[0].opens.date() < warm.session.opens.date(), "the days before are there to begin with"

    rig.wait(lambda: [each.origin for each in following.view(1).ended[-2:]] == [Origin.TICKS] * 2)
    simulator.fault("ws_refuse", account=1)
    simulator.fault("ws_drop", account=1, remaining=1)
    rig.wait(lambda: rig.feed.state().phase is FeedPhase.LOST)
    rig.wait(lambda: following.view(1).ended[-1].standing is Standing.GAPPED)
    assert "The price feed was lost." in following.view(1).trouble
    gap = following.view(1).gaps[-1]
    before = {each.opens: each for each in following.view(1).ended if each.standing is Standing.FINAL}
    simulator.clear_faults()

    rig.wait(lambda: following.view(1).trouble == "")
    rig.wait(lambda: all(not gap[0] <= start < gap[1] for start, _ in following.view(1).gaps), within_s=30)
    after = {each.opens: each for each in following.view(1).ended}
    mended = [each for opens, each in after.items() if gap[0] <= opens < gap[1]]
    assert {(each.standing, each.origin, each.unseen) for each in mended} == {
        (Standing.FINAL, Origin.HISTORY, timedelta())
    }
    assert all(after[opens] == each for opens, each in before.items()), "what was final stayed as it was"
    assert rings

    rig.wait(lambda: any(each.origin is Origin.TICKS and each.prices for each in premium.view(1).ended))
    assert any(each.closes_only for each in premium.view(1).ended)
    five = following.view(5).candles
    assert all((each.opens - warm.session.opens) % timedelta(minutes=5) == timedelta() for each in five)
