"""Prices move to the next account when one dies, and back when it is well; orders never notice."""

import pytest

from app.domain.contracts import Kind
from app.domain.strikes import atm
from app.ports.feed import FeedMode
from app.services import websocket_manager
from app.services.feed_state import FeedFault, FeedPhase, MoveKind
from tests.integration.market_rig import NIFTY, MarketRig, hurry, running_rig
from tests.simulator_process import SimulatorProcess


def want_many(rig: MarketRig) -> None:
    """The index, and sixty options around the money."""
    rig.wait(lambda: not rig.contracts.missing() and rig.hours.session("NFO"))
    master = rig.contracts.master()
    expiry = master.expiries("NIFTY")[0]
    strikes = master.strikes("NIFTY", expiry, Kind.CE)
    place = strikes.index(atm(strikes, rig.quotes.spot("NIFTY")))
    near = strikes[place - 15 : place + 15]
    options = [master.option("NIFTY", expiry, kind, strike).key for strike in near for kind in (Kind.CE, Kind.PE)]
    rig.feed.want("test", [NIFTY, *options], FeedMode.QUOTE)


def test_row_49_when_the_primary_goes_away_the_backup_serves_everything_within_seconds(
    simulator: SimulatorProcess,
) -> None:
    with running_rig(simulator, 1, 2, 3) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.all_confirmed())
        simulator.fault("ws_refuse", account=1)
        simulator.fault("ws_drop", account=1, remaining=1)
        rig.wait(lambda: rig.serving == 2)
        assert rig.wait(lambda: rig.all_confirmed() and rig.fresh(NIFTY, 0.5)) < 2
        rig.wait(lambda: rig.moves)
        [move] = rig.moves
        assert (move.kind, move.from_account, move.to_account) == (MoveKind.FAILOVER, 1, 2)
        assert (move.confirmed, move.took_s <= 2) == (move.wanted, True)
        assert 0 < move.lost_s < 5
        assert rig.feed.source_order() == [2, 1, 3]
        assert rig.feed.state().failovers == 1


def test_an_account_whose_login_has_expired_is_passed_over(simulator: SimulatorProcess) -> None:
    with running_rig(simulator, 1, 2) as rig:
        rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
        rig.wait(lambda: rig.serving == 1 and rig.live())
        simulator.post("/accounts/1/logout")
        simulator.fault("ws_drop", account=1, remaining=1)
        rig.wait(lambda: rig.serving == 2 and rig.fresh(NIFTY, 0.5), within_s=15)
        rig.wait(lambda: rig.moves)
        assert rig.moves[0].fault is FeedFault.LOGIN_EXPIRED


def warm(rig: MarketRig) -> set[int]:
    return {each.account_id for each in rig.feed.connections() if each.role == "warm"}


def test_row_49_a_warm_backup_takes_over_within_two_seconds_of_the_decision(simulator: SimulatorProcess) -> None:
    with running_rig(simulator, 1, 2, 3) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.all_confirmed() and warm(rig) == {2})
        simulator.fault("ws_refuse", account=2)
        simulator.fault("ws_drop", account=2, remaining=1)
        rig.wait(lambda: warm(rig) == {3})
        simulator.post("/accounts/1/logout")
        rig.wait(lambda: rig.serving == 3 and rig.all_confirmed(), within_s=15)
        rig.wait(lambda: rig.moves)
        [move] = rig.moves
        assert move.took_s <= 2
        assert move.confirmed == move.wanted == 61
        assert move.fault is FeedFault.LOGIN_EXPIRED, "told from a second login"


def test_row_25_the_new_feed_subscribes_before_the_old_one_leaves(simulator: SimulatorProcess) -> None:
    with running_rig(simulator, 1, 2, 3) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.all_confirmed() and rig.live())
        rig.feed.choose(3, "asha")
        rig.wait(lambda: rig.serving == 3)
        rig.wait(rig.all_confirmed, within_s=2)
        assert rig.fresh(NIFTY, 3), "no moment without prices"
        rig.feed.give_back("asha")
        rig.wait(lambda: rig.serving == 1)
        rig.wait(rig.all_confirmed, within_s=2)
        rig.wait(lambda: len(rig.moves) == 2)
        assert [(move.kind, move.lost_s) for move in rig.moves] == [(MoveKind.MANUAL, 0), (MoveKind.RETURN, 0)]
        assert rig.fresh(NIFTY, 3)


def test_a_feed_that_stays_silent_after_reconnecting_is_left_for_the_backup(
    simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with running_rig(simulator, 1, 2) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.live())
        simulator.fault("ws_silent", account=1)
        rig.wait(lambda: rig.serving == 2 and rig.fresh(NIFTY, 0.5), within_s=25)
        rig.wait(lambda: rig.moves)
        assert "silent feed" in rig.moves[0].cause


def test_row_19_a_feed_whose_prices_are_late_is_left_for_the_backup_and_not_gone_back_to(
    simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_manager, "WELL_AFTER_S", 2.0)
    simulator.fault("ws_late", account=1, parameters={"seconds": 300})
    with running_rig(simulator, 1, 2) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.feed.state().late_by_s)
        assert rig.feed.state().phase is FeedPhase.LATE
        rig.wait(lambda: rig.serving == 2 and rig.all_confirmed() and rig.fresh(NIFTY, 0.5), within_s=15)
        rig.wait(lambda: rig.moves)
        [move] = rig.moves
        assert (move.fault, move.took_s <= 2, move.confirmed) == (FeedFault.LATE, True, move.wanted)
        rig.wait(lambda: "late by their own time" in rig.feed.not_ready().get(1, ""))
        assert rig.serving == 2


def test_prices_go_back_to_the_primary_without_a_gap(
    simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_manager, "WELL_AFTER_S", 2.0)
    with running_rig(simulator, 1, 2) as rig:
        want_many(rig)
        rig.wait(lambda: rig.serving == 1 and rig.all_confirmed())
        refused = simulator.fault("ws_refuse", account=1)
        simulator.fault("ws_drop", account=1, remaining=1)
        rig.wait(lambda: rig.serving == 2 and rig.all_confirmed())
        simulator.delete(f"/faults/{refused}")
        rig.wait(lambda: rig.serving == 1, within_s=25)
        rig.wait(rig.all_confirmed, within_s=3)
        rig.wait(lambda: rig.moves[-1].to_account == 1)
        assert rig.moves[-1].lost_s == 0
        assert rig.fresh(NIFTY)


def test_a_new_primary_serves_at_once(simulator: SimulatorProcess) -> None:
    with running_rig(simulator, 1, 2, 3) as rig:
        rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
        rig.wait(lambda: rig.serving == 1 and rig.live())
        rig.order = [3, 1, 2]
        rig.wait(lambda: rig.serving == 3 and rig.all_confirmed())
        rig.wait(lambda: rig.moves)
        assert rig.moves[-1].lost_s == 0


def test_row_17_with_everybody_away_it_says_lost_and_comes_back_within_five_seconds_of_them(
    simulator: SimulatorProcess,
) -> None:
    with running_rig(simulator, 1, 2) as rig:
        rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
        rig.wait(lambda: rig.fresh(NIFTY))
        for number in (1, 2):
            simulator.fault("ws_refuse", account=number)
            simulator.fault("ws_drop", account=number, remaining=1)
        rig.wait(lambda: rig.feed.state().phase is FeedPhase.LOST and not rig.fresh(NIFTY, 5), within_s=15)
        simulator.clear_faults()
        took_s = rig.wait(lambda: rig.fresh(NIFTY, 0.5) and rig.all_confirmed())
        assert took_s <= 5
