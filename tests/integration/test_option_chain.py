"""Chains on a running simulator: all indices and expiries, live, around the money, with the money moving."""

from collections.abc import Iterator
from datetime import datetime, time

import pytest

from app.domain.calendar import IST
from app.services.chain_view import ChainView
from tests.integration.market_rig import MarketRig, running_rig
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def rig(simulator: SimulatorProcess) -> Iterator[MarketRig]:
    with running_rig(simulator, 1, 2, chains=True) as running:
        running.wait(lambda: not running.contracts.missing())
        yield running


def looked_at(rig: MarketRig, underlying: str, place: int = 0) -> ChainView:
    """The chain once every side near the money has a price and open interest has been quoted."""
    expiry = rig.chains.expiries(underlying)[place]
    rig.chains.looked_at(underlying, expiry)

    def complete() -> bool:
        view = rig.chains.view(underlying, expiry)
        near = [side for row in view.rows for side in (row.ce, row.pe) if side is not None]
        return bool(near) and sum(side.ltp is not None and side.oi is not None for side in near) > len(near) * 0.9

    rig.wait(complete, within_s=15)
    return rig.chains.view(underlying, expiry)


@pytest.mark.parametrize("underlying", ["NIFTY", "BANKNIFTY", "SENSEX"])
def test_every_index_has_expiries_and_a_chain_around_its_money(rig: MarketRig, underlying: str) -> None:
    assert rig.chains.expiries(underlying)
    view = looked_at(rig, underlying)
    assert view.spot is not None
    assert view.atm is not None
    assert view.note is None
    assert 30 <= len(view.rows) <= 41
    assert abs(view.atm - view.spot) == min(abs(row.strike - view.spot) for row in view.rows)
    assert view.totals is not None
    assert view.totals.straddle is not None
    assert view.totals.pcr is not None


def test_the_money_has_a_touch_and_a_future_beside_it_and_keeps_moving(rig: MarketRig) -> None:
    view = looked_at(rig, "NIFTY")
    [row] = [row for row in view.rows if row.is_atm]
    assert row.ce is not None
    assert row.pe is not None
    assert row.ce.bid is not None
    assert row.ce.ask is not None
    assert row.ce.bid <= row.ce.ask
    assert view.future is not None
    assert view.future.basis is not None
    before = (row.ce.ltp, row.pe.ltp)

    def moved() -> bool:
        [now] = [each for each in rig.chains.view("NIFTY", view.expiry).rows if each.strike == row.strike]
        return now.ce is not None and now.pe is not None and (now.ce.ltp, now.pe.ltp) != before

    rig.wait(moved)


def test_volatilities_and_greeks_come_from_quoted_prices_and_the_real_close(rig: MarketRig) -> None:
    looked_at(rig, "NIFTY")

    def reckoned() -> bool:
        totals = rig.chains.view("NIFTY").totals
        return totals is not None and totals.atm_iv is not None

    rig.wait(reckoned)
    view = rig.chains.view("NIFTY")
    assert view.synthetic is not None
    assert abs(view.synthetic.basis) < 100
    assert view.closes is not None
    assert view.expiry is not None
    assert view.closes.astimezone(IST).replace(tzinfo=None) == datetime.combine(view.expiry, time(15, 40))
    [row] = [row for row in view.rows if row.is_atm]
    for side in row.sides:
        assert side is not None
        assert side.figures is not None
        assert 5 < side.figures.iv < 40
        assert 0.3 < abs(side.figures.delta) < 0.7
    figured = [side for row in view.rows for side in row.sides if side is not None and side.figures is not None]
    assert len(figured) > 40, "on the last day what is deep in the money has no time value left"


def test_open_interest_is_told_with_its_change_since_the_last_trading_day(
    rig: MarketRig, simulator: SimulatorProcess
) -> None:
    looked_at(rig, "NIFTY")

    def changes() -> list[int]:
        rows = rig.chains.view("NIFTY").rows
        return [side.oi_change for row in rows for side in row.sides if side is not None and side.oi_change is not None]

    rig.wait(lambda: len(changes()) >= 4)
    simulator.advance(1800)
    rig.wait(lambda: any(changes()))


def test_a_later_expiry_is_shown_while_it_is_looked_at_within_the_budget(rig: MarketRig) -> None:
    view = looked_at(rig, "NIFTY", place=3)
    assert len(view.rows) > 30
    assert rig.feed.state().wanted <= 200
    rig.wait(rig.all_confirmed)


def test_the_window_follows_the_money(rig: MarketRig, simulator: SimulatorProcess) -> None:
    before = looked_at(rig, "NIFTY")
    simulator.move_index("NIFTY", percent=2.0)

    def followed() -> bool:
        view = rig.chains.view("NIFTY", before.expiry)
        if before.atm is None or view.atm is None or view.atm <= before.atm + 300:
            return False
        [row] = [row for row in view.rows if row.is_atm]
        return row.ce is not None and row.ce.staleness == "fresh"

    rig.wait(followed, within_s=15)
    rig.wait(rig.all_confirmed)


def test_without_a_feed_the_figures_grow_old_and_rest_quotes_keep_a_watched_chain_alive(
    rig: MarketRig, simulator: SimulatorProcess
) -> None:
    view = looked_at(rig, "NIFTY")
    for number in (1, 2):
        simulator.fault("ws_refuse", account=number)
        simulator.fault("ws_drop", account=number, remaining=1)
    rig.wait(lambda: rig.feed.state().account_id is None)
    asked = rig.clock.monotonic()

    def quoted_since() -> bool:
        [row] = [row for row in rig.chains.view("NIFTY", view.expiry).rows if row.is_atm]
        price = None if row.ce is None else rig.board.latest(row.ce.key)
        return price is not None and price.received > asked + 1 and price.source.startswith("quote of")

    rig.wait(quoted_since, within_s=15)
