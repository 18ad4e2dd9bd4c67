"""A price that jumped, or that nothing came before, counts for no rule until it is borne out; a crash still does."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.pnl import MARK_MAX_AGE_S
from app.domain.trailing import Floors, Trail, TrailKind
from app.persistence.tables import RiskEvent, Run
from app.ports.feed import Tick
from app.services.risk_monitor import LOOK_S
from tests.unit.services.market_fakes import quote
from tests.unit.services.pretend_broker import CALL, PUT
from tests.unit.services.watched_runs import Parts, Watched

BY_1000 = Floors(Trail(TrailKind.AMOUNT, Decimal(1000)))
FLOOR = Decimal(-1000)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def waits(watched: Watched, seconds: float) -> None:
    """Nothing comes; all runs are looked at each second."""
    for _ in range(int(seconds / LOOK_S)):
        watched.world.clock.advance(LOOK_S)
        watched.monitor.step()
        watched.peaks.step()


def quoted(watched: Watched, ltp: str, bid: str | None = None, ask: str | None = None) -> None:
    """A gateway answers a moment after it was asked, and the run is looked at."""
    asked = watched.world.clock.monotonic()
    watched.world.clock.advance(0.2)
    watched.board.seed(PUT.key, quote(ltp, bid, ask), "quote of A", asked=asked)
    watched.monitor.step()
    watched.peaks.step()


def touched(watched: Watched, ltp: float, bid: float, ask: float) -> None:
    """A tick with its best bid and ask, and a look."""
    at = watched.world.clock.now()
    watched.board.put(Tick(PUT.key, ltp, at, bids=((bid, 65),), asks=((ask, 65),)))
    watched.monitor.step()
    watched.peaks.step()


def long_after_the_entry(watched: Watched) -> None:
    """Nothing is remembered, and what it was bought at is of another hour."""
    watched.world.clock.advance(3600)
    watched.watch()


def state(watched: Watched) -> str:
    return watched.world.run(1).state


def floor(watched: Watched) -> Decimal | None:
    return watched.peaks.floors(watched.runs.view(1)).trail


def test_row_21_a_bad_print_is_one_at_the_second_look_and_at_every_other(watched: Watched) -> None:
    watched.trailing(BY_1000)
    assert watched.goes(100, 900) == [FLOOR, FLOOR]
    waits(watched, 9)
    assert floor(watched) == FLOOR
    watched.goes(100, 100.05)
    assert (floor(watched), state(watched)) == (Decimal("-996.75"), "OPEN")
    assert watched.world.rows(RiskEvent) == []


def test_row_21_a_bad_print_of_one_leg_decides_nothing_when_another_leg_ticks(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    run_id = parts.enter((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
    with parts.world.database.transaction() as session:
        session.get_one(Run, run_id).max_loss = Decimal(10_000)
    parts.runs.changed(run_id)
    parts.at(call=100, put=100)
    parts.at(call=170)
    parts.at(put=108)
    parts.at(put=108.05)
    assert parts.leaving() == set(), "9,100 of it would be of the bad print"
    parts.at(call=100)
    parts.at(put=170)
    parts.at(put=171)
    parts.at(call=108)
    assert len(parts.leaving()) == 4, "and this is a loss that two prices of the put bear out"


@pytest.mark.parametrize("restarted", [False, True])
def test_row_21_a_first_price_far_from_the_entry_raises_no_floor(watched: Watched, *, restarted: bool) -> None:
    watched.trailing(BY_1000)
    if restarted:
        long_after_the_entry(watched)
    assert watched.goes(900) == [FLOOR]
    waits(watched, 2)
    watched.goes(100, 100.05)
    waits(watched, 2)
    assert (state(watched), watched.world.rows(RiskEvent)) == ("OPEN", [])


def test_row_21_a_first_price_that_is_bad_ends_no_run(watched: Watched) -> None:
    watched.run(500)
    watched.price(1)
    watched.monitor.step()
    waits(watched, 8)
    assert state(watched) == "OPEN"
    watched.goes(99)
    assert state(watched) == "OPEN"


def test_a_first_price_near_what_was_just_paid_counts_at_once_and_long_after_a_second_is_waited_for(
    watched: Watched,
) -> None:
    watched.run(500)
    long_after_the_entry(watched)
    watched.goes(90)
    assert state(watched) == "OPEN", "what was paid an hour ago says nothing of now"
    watched.goes(90.05)
    assert state(watched) == "EXITING"


def test_row_21_a_crash_is_left_with_the_next_tick(watched: Watched) -> None:
    watched.run(500)
    watched.goes(99)
    began = watched.world.clock.monotonic()
    while state(watched) == "OPEN":
        watched.goes(30)
        watched.world.clock.advance(0.25)
    assert watched.world.clock.monotonic() - began <= 0.5


def test_row_21_a_crash_that_bids_and_offers_bear_out_is_left_at_once(watched: Watched) -> None:
    watched.run(500)
    watched.goes(99)
    touched(watched, 30, 29.9, 30.1)
    assert state(watched) == "EXITING"


def test_row_21_a_crash_in_one_print_is_asked_about_at_once_and_left_with_the_answer(watched: Watched) -> None:
    woken: list[float] = []
    watched.proven.ask = lambda: woken.append(watched.world.clock.monotonic())
    watched.run(500)
    watched.goes(99)
    watched.goes(30)
    assert woken == [watched.world.clock.monotonic()], "its loop is woken, and waits for no turn"
    watched.monitor.requote_step()
    assert watched.quotes.asked == 1
    quoted(watched, "30.5")
    assert state(watched) == "EXITING"
    assert watched.world.clock.monotonic() - woken[0] == pytest.approx(0.2)


def test_row_21_the_same_tick_brought_twice_bears_nothing_out(watched: Watched) -> None:
    watched.run(500)
    watched.goes(99)
    bad = Tick(PUT.key, 1.0, watched.world.clock.now())
    for _ in range(5):
        watched.board.put(bad)
        watched.monitor.step()
        watched.world.clock.advance(0.3)
    assert state(watched) == "OPEN"


def test_row_21_a_last_price_that_bids_and_offers_contradict_is_borne_out_by_no_repetition(watched: Watched) -> None:
    """A trade at a mad price is the last price until the next trade: each frame and each quote says it again."""
    watched.run(500)
    watched.goes(99)
    for _ in range(5):
        watched.world.clock.advance(0.3)
        touched(watched, 1, 98.9, 99.1)
    quoted(watched, "1", "98.9", "99.1")
    assert state(watched) == "OPEN"
    touched(watched, 1, 0.9, 1.1)
    assert state(watched) == "EXITING", "now they are there as well"


def test_a_doubt_that_nobody_settles_is_a_missing_price_in_the_end(watched: Watched) -> None:
    watched.run(500)
    watched.goes(99)
    watched.world.clock.advance(1)
    watched.goes(30)
    waits(watched, MARK_MAX_AGE_S - 1)
    assert state(watched) == "OPEN"
    waits(watched, 1)
    assert state(watched) == "EXITING", "a long without a bid, of whose price nobody knows anything, at its worst"


def test_row_17_one_tick_of_a_new_feed_counts_for_nothing_and_a_quote_does(watched: Watched) -> None:
    watched.trailing(BY_1000)
    watched.goes(100)
    watched.feed.gap = watched.world.clock.monotonic()
    watched.world.clock.advance(0.1)
    touched(watched, 120, 119.9, 120.1)
    assert floor(watched) == FLOOR, "what a gateway sends first may be the last of an hour ago, bid and ask too"
    quoted(watched, "110")
    assert floor(watched) == Decimal(-350)


def test_row_17_two_ticks_of_a_new_feed_that_differ_too_far_are_none_that_agree(watched: Watched) -> None:
    watched.trailing(BY_1000)
    watched.goes(100)
    watched.feed.gap = watched.world.clock.monotonic()
    watched.world.clock.advance(0.1)
    assert watched.goes(100, 200) == [FLOOR, FLOOR]
    assert watched.goes(201) == [Decimal(201 - 100) * 65 - 1000]
