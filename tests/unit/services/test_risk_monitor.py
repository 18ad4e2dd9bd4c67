"""A rule and its exit are one fact; a run that cannot be judged keeps no other from being judged."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from app.persistence.tables import FillRow, RiskEvent, RunEvent
from app.services.peaks import FloorsNow
from app.services.risk_monitor import BEHIND_S, LOOK_S
from app.services.run_board import RunBoard, RunView
from tests.unit.services.pretend_broker import HEDGE, PUT
from tests.unit.services.watched_runs import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_rule_that_trips_is_written_with_its_exit_once(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(95)
    watched.monitor.step()
    assert watched.world.rows(RiskEvent) == []
    watched.price(90)
    for _ in range(3):
        watched.monitor.step()
    (event,) = watched.world.rows(RiskEvent)
    assert (event.rule, event.value) == ("max_loss", Decimal(-650))
    assert watched.world.run(run_id).state == "EXITING"


def test_what_is_written_down_is_what_decided_though_a_newer_price_came_meanwhile(watched: Watched) -> None:
    watched.run(500)
    watched.before_exit = lambda: watched.price(89)
    watched.price(90)
    watched.monitor.step()
    (event,) = watched.world.rows(RiskEvent)
    assert (event.value, event.prices[PUT.key.symbol]["ltp"]) == (Decimal(-650), "90")


def test_dying_between_rule_and_exit_leaves_neither(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(90)
    watched.dies_in_exit = True
    with pytest.raises(RuntimeError):
        watched.monitor.step()
    assert watched.world.rows(RiskEvent) == []
    assert watched.world.run(run_id).state == "OPEN"
    watched.dies_in_exit = False
    watched.monitor.step()
    assert watched.world.run(run_id).state == "EXITING"


def test_a_run_that_cannot_be_judged_holds_up_no_other(watched: Watched) -> None:
    first, second = watched.run(500), watched.run(500)
    watched.price(90)
    real = watched.runs.view

    def view(run_id: int, *, behind_s: float) -> Any:
        if run_id == first:
            raise ValueError("a bug")
        return real(run_id)

    watched.runs.view = view  # type: ignore[method-assign, assignment]
    for _ in range(2):
        with pytest.raises(ValueError, match="a bug"):
            watched.monitor.step()
    assert watched.world.run(second).state == "EXITING"


def test_a_long_reason_fits_its_column(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.world.executor.ask_exit(run_id, account_id=None, leg=None, why="no fresh price of " + "X" * 400)
    assert {len(row.exit_wanted or "") for row in watched.world.run(run_id).executions} == {200}


def test_asking_gateways_is_a_loop_of_its_own(watched: Watched) -> None:
    watched.run(500)
    watched.monitor.step()
    assert watched.quotes.asked == 0
    assert watched.monitor.requote_step() > 0
    assert watched.quotes.asked == 1


def test_a_restart_without_a_price_yet_is_no_loss(watched: Watched) -> None:
    run_id = watched.run(500)
    for _ in range(3):
        watched.monitor.step()
        watched.world.clock.advance(3)
    assert watched.world.run(run_id).state == "OPEN", "a long that nobody has priced yet is not worth nothing"
    watched.price(99)
    watched.monitor.step()
    assert watched.world.run(run_id).state == "OPEN"


def test_a_contract_that_no_gateway_prices_is_judged_by_its_worst_in_the_end(watched: Watched) -> None:
    run_id = watched.run(500)
    for _ in range(5):
        watched.monitor.step()
        watched.world.clock.advance(3)
    assert watched.world.run(run_id).state == "EXITING"


def test_row_21_one_bad_print_ends_no_run(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(99)
    watched.monitor.step()
    watched.world.clock.advance(0.2)
    watched.price(1)
    for _ in range(3):
        watched.monitor.step()
    watched.monitor.requote_step()
    assert watched.quotes.asked == 1, "a jump is asked about at once"
    watched.price(98)
    watched.monitor.step()
    assert watched.world.run(run_id).state == "OPEN"
    watched.world.clock.advance(60)
    watched.price(97)
    watched.monitor.step()
    assert watched.world.run(run_id).state == "OPEN"


def test_row_21_a_jump_that_a_second_price_bears_out_is_a_fact(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(99)
    watched.monitor.step()
    watched.price(30)
    watched.monitor.step()
    watched.world.clock.advance(0.2)
    watched.price(29)
    watched.monitor.step()
    assert watched.world.run(run_id).state == "EXITING"


def test_what_changed_a_moment_ago_is_looked_at_before_the_usual_pause(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(99)
    assert watched.monitor.step() == LOOK_S
    watched.runs.changed(run_id)
    assert watched.monitor.step() == BEHIND_S
    watched.world.clock.advance(BEHIND_S)
    assert watched.monitor.step() == LOOK_S


def test_a_tick_judges_the_runs_that_hold_its_contract_and_every_second_all_are_judged(watched: Watched) -> None:
    first, second = watched.run(5000), watched.run(5000, HEDGE)
    watched.price(99)
    watched.price(99, HEDGE)
    assert watched.judged() == [first, second]
    watched.price(98, HEDGE)
    assert watched.judged() == [second]
    assert watched.judged() == []
    watched.runs.changed(first)
    watched.world.clock.advance(BEHIND_S)
    assert watched.judged() == [first], "its fills changed"
    watched.world.clock.advance(LOOK_S)
    assert watched.judged() == [first, second], "marks grow old without a tick"


def test_prices_taken_by_a_turn_that_crashed_are_judged_in_the_next(watched: Watched) -> None:
    first, second = watched.run(500), watched.run(500)
    watched.price(99)
    watched.monitor.step()
    watched.price(90)
    real = watched.peaks.floors

    def floors(view: RunView) -> FloorsNow:
        if view.run_id == first:
            raise ValueError("a bug")
        return real(view)

    watched.peaks.floors = floors  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(ValueError, match="a bug"):
            watched.monitor.step()
    assert watched.world.run(second).state == "EXITING"


def test_row_17_no_exit_is_decided_on_a_price_of_before_the_gap(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(95)
    watched.monitor.step()
    watched.price(90)
    watched.feed.gap = watched.world.clock.monotonic()
    watched.monitor.step()
    assert watched.world.run(run_id).state != "EXITING"
    watched.monitor.requote_step()
    assert watched.quotes.asked == 1, "it is asked for at once"
    for state in ("OPEN", "EXITING"):
        watched.world.clock.advance(0.1)
        watched.price(90)
        watched.monitor.step()
        assert watched.world.run(run_id).state == state, "two ticks of the new feed have to agree"


def test_row_17_a_price_of_before_the_gap_holds_a_stop_no_longer_than_it_is_a_mark(watched: Watched) -> None:
    run_id = watched.run(500)
    watched.price(90)
    watched.feed.gap = watched.world.clock.monotonic()
    watched.monitor.step()
    assert watched.world.run(run_id).state != "EXITING"
    watched.world.clock.advance(11)
    watched.monitor.step()
    assert watched.world.run(run_id).state == "EXITING", "nobody knows a price: the worst is assumed"


BY_1000 = Floors(Trail(TrailKind.AMOUNT, Decimal(1000)))


def test_a_trailing_stop_follows_the_peak_and_leaves_at_its_floor(watched: Watched) -> None:
    watched.trailing(BY_1000)
    assert watched.goes(100, 110, 130, 120) == [Decimal(-1000), Decimal(-350), Decimal(950), Decimal(950)]
    assert watched.world.rows(RiskEvent) == []
    watched.goes(114)
    (event,) = watched.world.rows(RiskEvent)
    assert (event.rule, event.threshold, event.value) == ("trail", Decimal(950), Decimal(910))
    assert watched.world.run(1).state == "EXITING"


def test_a_restart_changes_no_floor(watched: Watched) -> None:
    watched.trailing(BY_1000)
    watched.goes(100, 130)
    watched.runs = RunBoard(watched.world.database, watched.board, watched.world.clock)
    watched.watch()
    assert watched.goes(120) == [Decimal(950)]


def test_a_peak_that_is_not_written_down_yet_counts_for_nothing(watched: Watched) -> None:
    """Else a floor could be lower after a crash than the one that was told."""
    watched.trailing(BY_1000)
    watched.goes(100)
    watched.price(130)
    watched.monitor.step()
    assert watched.peaks.floors(watched.runs.view(1)).trail == Decimal(-1000)
    watched.price(112)
    watched.monitor.step()
    assert watched.world.rows(RiskEvent) == []
    watched.peaks.step()
    watched.monitor.step()
    assert watched.goes(112) == [Decimal(950)]
    assert [event.rule for event in watched.world.rows(RiskEvent)] == ["trail"]


def test_a_bad_print_raises_no_floor(watched: Watched) -> None:
    watched.trailing(BY_1000)
    assert watched.goes(100, 900, 100) == [Decimal(-1000)] * 3
    assert watched.goes(100, 100.5) == [Decimal(-1000), Decimal("-967.50")]
    assert watched.world.rows(RiskEvent) == []


def test_a_share_of_the_premium_is_fixed_when_the_entry_has_settled(watched: Watched) -> None:
    run_id = watched.trailing(Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(20))))
    watched.goes(100)
    assert watched.world.run(run_id).trail_distance == Decimal(1300), "a fifth of 65 x 100 paid"
    assert watched.goes(110) == [Decimal(-650)]


def test_a_premium_of_next_to_nothing_is_not_trailed_by_and_that_is_said(watched: Watched) -> None:
    watched.trailing(Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(20))))
    with watched.world.database.transaction() as session:
        for row in session.query(FillRow):
            row.price = Decimal(10)
    watched.runs.changed(1)
    assert watched.goes(10, 11, 12) == [None] * 3
    told = [event.sentence for event in watched.world.rows(RunEvent) if event.kind == "attention"]
    assert len(told) == 1
    assert "Trail by an amount" in told[0]


def test_locked_profit_leaves_at_what_is_kept(watched: Watched) -> None:
    watched.trailing(Floors(lock=ProfitLock(Decimal(1000), Decimal(400))))
    watched.goes(100, 116, 107)
    assert watched.world.rows(RiskEvent) == []
    watched.goes(106)
    (event,) = watched.world.rows(RiskEvent)
    assert (event.rule, event.threshold, event.value) == ("lock", Decimal(400), Decimal(390))


def test_without_floors_nothing_is_written_for_a_price(watched: Watched) -> None:
    watched.run(50_000)
    watched.goes(100, 130)
    assert watched.world.run(1).peak == 0
