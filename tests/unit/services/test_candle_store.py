"""Candles live while somebody wants them, see what the feed sees, say what nobody saw, and let history repair that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.calendar import Closed, Session
from app.domain.candles import Ohlc, Origin, Standing
from app.domain.contracts import ContractKey
from app.domain.errors import Conflict, InvalidInput
from app.ports.gateway import TimedOut
from app.services import candle_store
from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from tests.unit.services.candle_market import INDEX, OPENS, STRADDLE, TODAY, Market
from tests.unit.services.feed_desk import CALL, PUT
from tests.unit.services.market_fakes import NIFTY


def standings(view: CandleView) -> str:
    return "".join({Standing.FINAL: "F", Standing.GAPPED: "g", Standing.GROWING: "."}[c.standing] for c in view.candles)


def test_candles_grow_from_the_board_and_are_final_when_they_are_over() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(60, (NIFTY, 100.0))
    market.run(60, (NIFTY, 103.0))
    market.run(30, (NIFTY, 101.0))
    assert standings(market.view()) == "FF."
    assert [candle.prices for candle in market.view().candles] == [
        Ohlc(100.0, 103.0, 100.0, 103.0), Ohlc(103.0, 103.0, 101.0, 101.0), Ohlc(101.0, 101.0, 101.0, 101.0),
    ]  # fmt: skip
    assert market.rings == 2
    assert (market.view().trouble, market.view().gaps) == ("", ())
    assert market.view(size=5).growing == market.view(size=5).candles[-1]
    assert market.view(size=3).ended == ()


def test_a_late_start_is_warmed_from_history_and_says_what_is_from_there() -> None:
    market = Market(150)
    market.history(NIFTY, 100.0, 101.0, 102.0)
    market.store.follow(INDEX, market.ring)
    market.run(1, (NIFTY, 102.5))
    assert standings(market.view()) == "gg."
    market.read_history()
    assert standings(market.view()) == "FF."
    assert [candle.origin for candle in market.view().candles] == [Origin.HISTORY, Origin.HISTORY, Origin.TICKS]
    assert market.view().candles[1].prices == Ohlc(100.0, 103.0, 99.0, 101.0)
    assert market.gateways.of(1).calls == ["history NIFTY 2026-11-17 2026-11-23"]
    assert market.rings == 1


def test_the_day_before_is_there_to_begin_with() -> None:
    market = Market(150)
    market.history(NIFTY, 90.0, 91.0, first=-3 * 24 * 60)  # Friday
    market.store.follow(INDEX, market.ring)
    market.run(0.1, (NIFTY, 102.5))
    market.read_history()
    candles = market.view(size=5).candles
    assert candles[0].opens == OPENS - timedelta(days=3)
    assert candles[0].prices == Ohlc(89.0, 93.0, 88.0, 91.0)
    assert (candles[0].standing, candles[1].standing) == (Standing.GAPPED, Standing.GAPPED)


def test_a_feed_killed_in_the_middle_of_a_candle_marks_it_and_history_repairs_it_alone() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(91, (NIFTY, 100.0))
    market.read_history()  # nothing is known yet: it was asked at the start
    market.lose()
    market.run(60)
    assert "The price feed was lost. The gateway hung up." in market.view().trouble
    market.run(60, (NIFTY, 104.0))
    view = market.view()
    assert standings(view) == "Fgg."
    assert [round(candle.unseen.total_seconds()) for candle in view.ended] == [0, 30, 30]
    assert view.gaps == ((OPENS + timedelta(minutes=1), OPENS + timedelta(minutes=3)),)
    market.history(NIFTY, 500.0, 101.0, 102.0)
    market.read_history()
    view = market.view()
    assert standings(view) == "FFF."
    assert view.candles[0].prices == Ohlc.of(100.0), "final: history does not change it"
    assert view.candles[1].prices == Ohlc(100.0, 103.0, 99.0, 101.0)
    assert (view.gaps, view.trouble) == ((), "")


def test_no_candle_is_final_before_a_price_came_after_its_end() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(59, (NIFTY, 100.0))
    market.run(2.5)  # over the end of the minute, and not quiet for long enough to be called a gap
    assert standings(market.view()) == "."
    market.run(2)
    assert standings(market.view()) == "g."
    assert "has brought nothing for" in market.view().trouble


def test_a_combined_premium_is_formed_of_prices_of_one_moment() -> None:
    market = Market(-1)
    market.store.follow(STRADDLE, market.ring)
    market.run(31, (CALL, 100.0), (PUT, 80.0))
    market.run(15, (CALL, 120.0), (PUT, 62.0))
    market.run(20, (CALL, 110.0), (PUT, 75.0))
    assert market.view(STRADDLE).candles[0].prices == Ohlc(180.0, 185.0, 180.0, 185.0), "not 120 + 80"


def test_a_leg_that_grows_stale_or_was_not_seen_since_the_gap_is_named() -> None:
    market = Market(-1)
    market.store.follow(STRADDLE, market.ring)
    market.run(2, (CALL, 100.0))
    assert market.view(STRADDLE).trouble == f"{PUT.symbol} has no price yet."
    market.run(58.9, (CALL, 100.0), (PUT, 80.0))
    market.run(30, (CALL, 100.0))
    assert f"The price of {PUT.symbol} is 30 s old." in market.view(STRADDLE).trouble
    market.run(31, (CALL, 100.0), (PUT, 80.0))
    assert standings(market.view(STRADDLE)) == "gg."
    market.lose()
    market.run(1, (CALL, 100.0))
    assert f"{PUT.symbol} has no price since the feed was lost." in market.view(STRADDLE).trouble


def test_of_history_a_combined_premium_has_its_closes_alone_and_needs_all_legs() -> None:
    market = Market(200)
    market.history(CALL, 100.0, 101.0, 102.0)
    market.history(PUT, 80.0, 81.0)
    market.store.follow(STRADDLE, market.ring)
    market.run(0.1, (CALL, 1.0), (PUT, 1.0))
    market.read_history(1)
    assert standings(market.view(STRADDLE)) == "ggg.", "one leg alone makes no premium"
    market.read_history(1)
    view = market.view(STRADDLE)
    assert standings(view) == "FFg."
    assert [candle.prices and candle.prices.close for candle in view.ended] == [180.0, 182.0, None]
    assert view.candles[0].closes_only


def test_history_that_fails_is_asked_again_ever_later_and_says_why() -> None:
    market = Market(150)
    market.gateways.of(1).broken = TimedOut("Account 1 took too long.")
    market.store.follow(INDEX, market.ring)
    for _ in range(300):
        market.run(0.1, (NIFTY, 100.0))
        market.read_history()
    assert "Account 1 took too long." in market.view().trouble
    assert len(market.gateways.of(1).calls) == 4, "at 0, 4, 12 and 28 s"
    market.gateways.of(1).broken = None
    market.history(NIFTY, 1.0, 2.0, 3.0)
    market.run(40, (NIFTY, 100.0))
    market.read_history()
    assert (market.view().trouble, standings(market.view())) == ("", "FFF.")


def test_what_history_does_not_have_is_not_asked_for_without_end() -> None:
    market = Market(150)
    market.store.follow(INDEX, market.ring)
    for _ in range(200):
        market.run(1, (NIFTY, 100.0))
        market.read_history()
    asked = len(market.gateways.of(1).calls)
    for _ in range(100):
        market.run(1, (NIFTY, 100.0))
        market.read_history()
    assert standings(market.view()).startswith("gggFF")
    assert len(market.gateways.of(1).calls) == asked <= 10


def test_a_restart_begins_with_what_history_has() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(130, (NIFTY, 100.0))
    market.store = market.begin()
    market.history(NIFTY, 100.0, 100.0)
    market.store.follow(INDEX, market.ring)
    market.run(0.1, (NIFTY, 100.0))
    market.read_history()
    assert standings(market.view()) == "FF."


def test_a_series_lives_while_it_is_wanted_and_no_longer() -> None:
    market = Market(10)
    following = market.store.follow(STRADDLE, market.ring)
    market.view(INDEX)
    market.run(0.1)
    assert market.feed.wanted == {CALL, PUT, NIFTY}
    market.run(61)
    assert market.feed.wanted == {CALL, PUT}
    following.close()
    following.close()
    market.run(0.1)
    assert market.feed.wanted == frozenset()


def test_too_many_series_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candle_store, "MOST_SERIES", 1)
    market = Market(10)
    market.view(INDEX)
    with pytest.raises(Conflict, match="1 subjects are kept already"):
        market.view(STRADDLE)


@pytest.mark.parametrize(
    ("hours", "words"), [(None, "hours of NSE are not known. No gateway answers."), (Closed(), "NSE is closed today.")]
)
def test_without_a_session_there_are_no_candles_and_it_is_said_why(hours: Closed | None, words: str) -> None:
    market = Market(10)
    market.hours.known = hours
    market.view()
    market.run(1, (NIFTY, 100.0))
    assert words in market.view().trouble
    assert (market.view().candles, market.view().session) == ((), None)


def test_a_process_that_makes_none_says_so() -> None:
    assert "where the engine runs" in Market(10).view().trouble


def test_a_market_whose_time_is_not_known_is_not_guessed() -> None:
    market = Market(10)
    market.clock.unknown = True
    market.store.step()
    assert "time is not known" in market.view().trouble


def test_hours_that_change_begin_the_day_anew() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(100, (NIFTY, 100.0))
    market.hours.known = replace(TODAY, opens=OPENS - timedelta(minutes=10))
    market.run(0.1, (NIFTY, 100.0))
    assert market.view().candles[0].opens == OPENS - timedelta(minutes=10)
    assert standings(market.view()) == "g" * 11 + "."


def test_a_session_that_is_prolonged_or_cut_short_keeps_its_candles() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(70, (NIFTY, 100.0))
    market.hours.known = replace(TODAY, closes=OPENS + timedelta(minutes=3))
    market.run(60, (NIFTY, 101.0))
    assert standings(market.view()) == "FF."
    assert market.view(size=5).candles[0].closes == OPENS + timedelta(minutes=3)
    market.run(60, (NIFTY, 102.0))
    assert standings(market.view()) == "FFF"
    assert market.view(size=5).candles[0].standing is Standing.FINAL


def test_yesterdays_candles_stay_as_they_were_made_when_a_new_day_is_warmed() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(62, (NIFTY, 100.0))
    market.read_history()
    day = timedelta(days=1)
    market.clock.advance(day.total_seconds() - 60)
    market.hours.known = Session(TODAY.opens + day, TODAY.closes + day)
    market.history(NIFTY, 90.0, 91.0)
    market.run(1, (NIFTY, 101.0))
    market.read_history()
    first, second = market.view().candles[:2]
    assert (first.opens, first.prices, first.origin) == (OPENS, Ohlc.of(100.0), Origin.TICKS)
    assert (second.prices and second.prices.close, second.origin) == (91.0, Origin.HISTORY), "of which much was unseen"


@pytest.mark.parametrize(
    "legs",
    [(), ((CALL, 1.0), (CALL, 1.0)), ((CALL, 0.0),), ((CALL, float("nan")),), ((CALL, 1.0), (NIFTY, 1.0))],
    ids=["none", "twice", "zero", "nan", "two exchanges"],
)
def test_a_subject_that_makes_no_sense_is_refused(legs: tuple[tuple[ContractKey, float], ...]) -> None:
    with pytest.raises(InvalidInput):
        Subject(legs)


def test_sizes_that_are_not_offered_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1, 3, 5, 10, 15"):
        Market(10).view(size=2)
