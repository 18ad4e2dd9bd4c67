"""The main job, end to end on the simulator: one strategy in five accounts, in and out again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.calendar import IST
from app.domain.contracts import Kind, Side
from app.domain.entry_times import EntryTimes
from app.domain.errors import Conflict
from app.domain.exit_rules import ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.trailing import Floors, Trail, TrailKind
from app.persistence.tables import Run, ScheduledStart
from app.services.commands import ExitScope
from tests.live_desk import IRON_FLY, STRADDLE, LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    with live_desk(simulator, tmp_path) as made:
        yield made


def test_a_straddle_is_mirrored_in_five_accounts_and_closed_again(desk: LiveDesk) -> None:
    preview = desk.preview(desk.strategy(STRADDLE))
    assert preview.plan.order_count == 10
    run_id = desk.send(preview)
    view = desk.until(run_id, "OPEN")
    planned = {leg.number: leg.contract.key.symbol for leg in preview.plan.legs}
    for number in range(1, 6):
        assert desk.net_at_broker(number) == {planned[1]: -65, planned[2]: -65}, "what was shown is what was sent"
    pnl = desk.runtime.trade.run_board.pnl(view)
    assert pnl.is_complete
    desk.exit(run_id)
    closed = desk.until(run_id, "CLOSED")
    for number in range(1, 6):
        assert desk.net_at_broker(number) == {}
        assert len(desk.filled_at_broker(number)) == 4, "two in, two out, nothing twice"
    assert all(cell.net == 0 for cell in closed.cells)
    assert desk.stored(run_id).closed_at is not None


def test_a_trailing_stop_follows_the_peak_and_leaves_everywhere(desk: LiveDesk) -> None:
    trail = Floors(Trail(TrailKind.AMOUNT, Decimal(5000)))
    run_id = desk.run([leg(1, Kind.CE, Side.BUY)], name="Long call", floors=trail)
    desk.until(run_id, "OPEN")
    desk.simulator.move_index("NIFTY", percent=1.0)
    eventually(lambda: desk.rows(Run, Run.id == run_id)[0].peak > 10_000, "the peak is written down")
    desk.simulator.move_index("NIFTY", percent=-0.8)
    desk.until(run_id, "CLOSED")
    assert [desk.net_at_broker(number) for number in range(1, 6)] == [{}] * 5
    (event,) = desk.risk_events(run_id)
    assert (event.rule, event.threshold) == ("trail", desk.rows(Run, Run.id == run_id)[0].peak - 5000)


def test_a_leg_stops_in_every_account_at_its_own_average_and_the_others_stay(desk: LiveDesk) -> None:
    rules = LegRules((LegRule(1, stop=Level(Measure.PERCENT, Decimal(30))),))
    run_id = desk.run(STRADDLE, name="Stopped", exits=ExitRules(rules))
    call, put = (cell.contract.key.symbol for cell in desk.until(run_id, "OPEN").accounts[0].cells)
    desk.simulator.move_index("NIFTY", percent=1.0)
    eventually(
        lambda: all(desk.net_at_broker(number) == {put: -65} for number in range(1, 6)),
        "the call is out and the put stays",
    )
    averages = {cell.account_id: cell.average for cell in desk.view(run_id).cells if cell.leg == 1}
    events: list[Any] = desk.risk_events(run_id)
    assert {(event.rule, event.account_id) for event in events} == {("leg_stop", each) for each in averages}
    for event in events:
        average = averages[event.account_id]
        assert average is not None
        assert abs(event.threshold - average * Decimal("1.3")) < Decimal("0.01")
        assert event.value >= event.threshold
        assert event.prices[call]["age_s"] <= 10
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")


def test_a_schedule_starts_its_strategy_in_every_account_once_and_a_window_keeps_it_shut(desk: LiveDesk) -> None:
    now = desk.runtime.ground.market_clock.now().astimezone(IST)
    minute = now.time().replace(second=0, microsecond=0)
    shut = desk.preview(desk.strategy(STRADDLE, name="Shut", times=EntryTimes(closes=minute)))
    assert shut.plan.taking_part == ()
    assert all("until" in (account.skipped or "") for account in shut.plan.accounts)
    at = EntryTimes(opens=minute, start=minute, days=(now.weekday(),))
    strategy = desk.strategy(STRADDLE, name="By itself", times=at)
    (run,) = eventually(lambda: desk.rows(Run, Run.strategy_id == strategy), "it starts by itself") or []
    desk.until(run.id, "OPEN")
    assert [len(desk.net_at_broker(number)) for number in range(1, 6)] == [2] * 5
    (start,) = desk.rows(ScheduledStart, ScheduledStart.strategy_id == strategy)
    assert (start.state, start.run_id, run.preview_id is not None) == ("STARTED", run.id, True)
    desk.exit(run.id)
    desk.until(run.id, "CLOSED")


def test_row_47_at_its_time_every_account_is_out_by_the_market_clock(desk: LiveDesk) -> None:
    now = desk.runtime.ground.market_clock.now().astimezone(IST)
    at = (now + timedelta(minutes=5)).time().replace(second=0, microsecond=0)
    run_id = desk.run(STRADDLE, square_off=at)
    desk.until(run_id, "OPEN")
    late = datetime.combine(now.date(), at, IST) - desk.runtime.ground.market_clock.now()
    desk.simulator.advance(late.total_seconds())
    desk.until(run_id, "CLOSED")
    assert all(desk.net_at_broker(number) == {} for number in range(1, 6))
    events = desk.risk_events(run_id)
    assert {(event.rule, event.account_id) for event in events} == {("square_off", n) for n in desk.account_ids}
    assert events[0].action.endswith(f"is left at {at:%H:%M}, as its strategy says.")
    late_one = desk.preview(desk.strategy(STRADDLE, name="Too late", square_off=at)).plan
    assert {account.skipped for account in late_one.accounts} == {
        f"It would be left at once: at {at:%H:%M}, as its strategy says."
    }


def test_the_realised_result_is_what_the_broker_paid(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE)
    desk.until(run_id, "OPEN")
    desk.exit(run_id)
    view = desk.until(run_id, "CLOSED")
    ours = desk.runtime.trade.run_board.pnl(view).realised
    theirs = Decimal(0)
    for number in range(1, 6):
        for fill in desk.simulator.truth(number)["fills"]:
            worth = Decimal(fill["price"]) * int(fill["quantity"])
            theirs += worth if fill["action"] == "SELL" else -worth
    assert ours == theirs


def test_shorts_wait_for_the_hedges_of_their_own_account_only(desk: LiveDesk) -> None:
    slow = 2
    fault = desk.simulator.fault("no_fill", account=slow, parameters={"action": "BUY"})
    run_id = desk.run(IRON_FLY)
    others = [account for account in desk.account_ids if account != slow]

    def others_are_in() -> bool:
        cells = [cell for cell in desk.view(run_id).cells if cell.account_id in others]
        return bool(cells) and all(cell.state == "filled" for cell in cells)

    eventually(others_are_in, "the other four accounts are in")
    sold = [order for order in desk.orders_at_broker(slow) if order["action"] == "SELL"]
    assert sold == [], "nothing is sold where the hedges have not filled"
    desk.simulator.delete(f"/faults/{fault}")
    desk.until(run_id, "OPEN")
    assert len(desk.net_at_broker(slow)) == 4


def test_exits_buy_back_shorts_before_they_sell_hedges(desk: LiveDesk) -> None:
    run_id = desk.run(IRON_FLY, accounts=desk.account_ids[:1])
    desk.until(run_id, "OPEN")
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    exits = desk.orders_at_broker(1)[4:]
    assert [order["action"] for order in exits] == ["BUY", "BUY", "SELL", "SELL"]


def test_one_account_or_one_leg_can_leave_while_the_rest_stays(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE)
    desk.until(run_id, "OPEN")
    desk.exit(run_id, ExitScope(account_id=3), key="exit-account")
    eventually(lambda: desk.net_at_broker(3) == {}, "account 3 is flat")
    desk.exit(run_id, ExitScope(leg=1), key="exit-leg")
    eventually(lambda: all(len(desk.net_at_broker(n)) == 1 for n in (1, 2, 4, 5)), "one leg is left in the others")
    assert desk.view(run_id).state == "OPEN"
    desk.exit(run_id, key="exit-all")
    desk.until(run_id, "CLOSED")


def test_many_clicks_on_send_make_one_run(desk: LiveDesk) -> None:
    preview = desk.preview(desk.strategy(STRADDLE))
    with ThreadPoolExecutor(8) as clicks:
        runs = set(clicks.map(lambda n: desk.send(preview, key=f"click-{n % 3:06d}"), range(24)))
    assert len(runs) == 1
    run_id = runs.pop()
    desk.until(run_id, "OPEN")
    assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [2] * 5
    assert len(desk.activity("run.start")) == 1


def test_many_clicks_on_exit_close_once(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE)
    desk.until(run_id, "OPEN")
    with ThreadPoolExecutor(8) as clicks:
        list(clicks.map(lambda n: desk.click_exit(run_id, f"exit-{n:06d}"), range(16)))
    desk.until(run_id, "CLOSED")
    for number in range(1, 6):
        assert desk.net_at_broker(number) == {}
        assert len(desk.filled_at_broker(number)) == 4, desk.story(run_id)
    first = [intent for intent in desk.intents(run_id) if (intent.purpose, intent.generation) == ("EXIT", 1)]
    assert len(first) == 10, "each leg of each account was asked to leave once"


def test_max_loss_takes_everybody_out_and_says_why(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE, max_loss=10_000)
    desk.until(run_id, "OPEN")
    desk.simulator.move_index("NIFTY", percent=-2.0)
    desk.until(run_id, "CLOSED")
    assert [desk.net_at_broker(number) for number in range(1, 6)] == [{}] * 5
    (event,) = desk.risk_events(run_id)
    assert event.rule == "max_loss"
    assert event.threshold == 10_000
    assert event.value is not None
    assert event.value <= -10_000
    ages = [price["age_s"] for price in event.prices.values() if isinstance(price, dict)]
    assert len(ages) == 2
    assert max(ages) <= 10
    assert "Max loss" in desk.events(run_id, "rule")[0].sentence


def test_max_profit_takes_everybody_out(desk: LiveDesk) -> None:
    calls = (leg(1, Kind.CE, Side.BUY),)
    run_id = desk.run(calls, max_profit=5_000, accounts=desk.account_ids[:2])
    desk.until(run_id, "OPEN")
    desk.simulator.move_index("NIFTY", percent=2.0)
    desk.until(run_id, "CLOSED")
    assert [event.rule for event in desk.risk_events(run_id)] == ["max_profit"]


def test_more_than_a_freeze_goes_out_in_slices_that_add_up(desk: LiveDesk) -> None:
    run_id = desk.run((leg(1, Kind.CE, Side.BUY, 6),), structures=40, accounts=desk.account_ids[:1])
    desk.until(run_id, "OPEN")
    assert [intent.units for intent in desk.intents(run_id) if intent.generation == 1] == [1755, 845]
    assert sum(desk.net_at_broker(1).values()) == 2600


def test_prices_that_left_the_shown_slip_send_nothing(desk: LiveDesk) -> None:
    preview = desk.preview(desk.strategy((leg(1, Kind.CE, Side.BUY),)))
    desk.simulator.move_index("NIFTY", percent=2.0)
    shown = preview.plan.legs[0]
    worst = preview.plan.accounts[0].legs[0].orders[0].worst
    pricing = desk.runtime.market.pricing
    eventually(lambda: pricing.entry(shown.contract, shown.side)[0] > worst, "the move is seen")
    run_id = desk.send(preview)
    view = desk.until(run_id, "REFUSED")
    assert "Preview again" in (view.reason or "")
    assert [desk.orders_at_broker(number) for number in range(1, 6)] == [[]] * 5


def test_an_expired_preview_is_refused(simulator: SimulatorProcess, tmp_path: Path) -> None:
    with live_desk(simulator, tmp_path, preview_life_s=0) as desk:
        preview = desk.preview(desk.strategy(STRADDLE))
        with pytest.raises(Conflict, match="older than a minute"):
            desk.send(preview)


def test_a_paused_account_is_skipped_with_the_reason(desk: LiveDesk) -> None:
    paused = desk.account_ids[1]
    desk.runtime.market.accounts.pause(desk.trader, paused)
    preview = desk.preview(desk.strategy(STRADDLE))
    (skipped,) = [account for account in preview.plan.accounts if account.skipped]
    assert skipped.account_id == paused
    assert "paused" in (skipped.skipped or "")
    assert preview.plan.order_count == 8


def test_the_engine_can_be_replaced_between_entry_and_exit(simulator: SimulatorProcess, tmp_path: Path) -> None:
    with live_desk(simulator, tmp_path) as desk:
        run_id = desk.run(STRADDLE)
        desk.until(run_id, "OPEN")
        desk.exit(run_id)
    with live_desk(simulator, tmp_path) as desk:
        desk.until(run_id, "CLOSED")
        assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [4] * 5


def test_no_entries_while_a_part_of_the_engine_crashes_again_and_again(desk: LiveDesk) -> None:
    def broken() -> float:
        raise ValueError("on purpose")

    preview = desk.preview(desk.strategy(STRADDLE))
    supervisor = desk.runtime.ground.supervisor
    loop = supervisor.add("broken", broken)

    def is_unwell() -> bool:
        loop.wake()
        return bool(supervisor.unwell)

    eventually(is_unwell, "five crashes in a row")
    view = desk.until(desk.send(preview), "REFUSED")
    assert "broken" in (view.reason or "")
    assert [desk.orders_at_broker(number) for number in range(1, 6)] == [[]] * 5
