"""What the order path does when gateways and brokers misbehave: never twice, never lost, never a guess."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Delete, delete, select

from app.domain.contracts import Kind, Side
from app.domain.orders import IntentState
from app.persistence.tables import FillRow, Intent, Position
from tests.live_desk import IRON_FLY, STRADDLE, LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess

ONE_BUY = (leg(1, Kind.CE, Side.BUY),)
BROKEN = 3
"""The account, and its number in the simulator, that misbehaves in these tests."""

SHORT_QUIET_S = 6.0
"""Instead of 20 s: that nothing is decided before the window ends is seen in a short one as well."""


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    with live_desk(simulator, tmp_path) as made:
        yield made


def others(desk: LiveDesk) -> list[int]:
    return [account for account in desk.account_ids if account != BROKEN]


def test_row_04_an_order_whose_reply_was_lost_is_unknown_then_found_and_never_sent_again(desk: LiveDesk) -> None:
    desk.simulator.fault("lost_reply", account=BROKEN, endpoint="placeorder", remaining=1)
    run_id = desk.run(ONE_BUY)
    desk.until(run_id, "OPEN")
    assert len(desk.orders_at_broker(BROKEN)) == 1
    (intent,) = desk.intents(run_id, BROKEN)
    assert intent.verdict == "UNKNOWN_OPEN"
    assert intent.state == IntentState.FILLED
    assert len(desk.events(run_id, "unknown")) == 1
    assert len(desk.events(run_id, "found")) == 1


def test_row_06_an_error_that_hides_an_accepted_order_is_found_in_the_book(desk: LiveDesk) -> None:
    desk.simulator.fault("accept_with_error", account=BROKEN, remaining=1)
    run_id = desk.run(ONE_BUY)
    desk.until(run_id, "OPEN")
    assert len(desk.orders_at_broker(BROKEN)) == 1
    assert desk.intents(run_id, BROKEN)[0].verdict == "UNKNOWN_ANSWERED"


def test_row_05_an_order_accepted_seconds_after_the_call_was_cut_is_claimed(desk: LiveDesk) -> None:
    desk.simulator.fault("late_accept", account=BROKEN, remaining=1, parameters={"seconds": 5.0})
    run_id = desk.run(ONE_BUY)
    eventually(lambda: desk.events(run_id, "unknown"), "the cut call is shown as unknown")
    assert desk.view(run_id).state == "ENTERING"
    desk.until(run_id, "OPEN")
    assert len(desk.orders_at_broker(BROKEN)) == 1


def test_an_unknown_order_that_never_arrived_is_not_sent_again_and_its_account_unwinds(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with live_desk(simulator, tmp_path, quiet_answered_s=SHORT_QUIET_S) as desk:
        _is_given_up_after_its_quiet_window(desk)


def _is_given_up_after_its_quiet_window(desk: LiveDesk) -> None:
    desk.simulator.fault("http_error", account=BROKEN, endpoint="placeorder", remaining=1, parameters={"status": 500})
    run_id = desk.run(STRADDLE)
    eventually(lambda: desk.events(run_id, "leg_failed"), "the leg is given up after the quiet window")
    eventually(lambda: not desk.net_at_broker(BROKEN), "the other leg of that account is closed again")
    lost = [intent for intent in desk.intents(run_id, BROKEN) if intent.state == IntentState.NOT_SENT]
    assert len(lost) == 1
    assert lost[0].answered_at is not None
    assert lost[0].settled_at is not None
    assert (lost[0].settled_at - lost[0].answered_at).total_seconds() >= SHORT_QUIET_S - 1
    assert len(desk.orders_at_broker(BROKEN)) == 2, "one leg in and out; the lost one never again"
    assert all(len(desk.net_at_broker(account)) == 2 for account in others(desk)), "nobody else is touched"


def test_row_42_a_rejected_short_unwinds_its_own_account_and_no_other(desk: LiveDesk) -> None:
    desk.simulator.fault("reject_order", account=BROKEN, parameters={"action": "SELL"})
    run_id = desk.run(IRON_FLY)
    eventually(lambda: desk.events(run_id, "leg_failed"), "the rejection fails the leg")
    eventually(lambda: desk.view(run_id).state == "OPEN", "the others are in")
    sold = [order for order in desk.orders_at_broker(BROKEN) if order["action"] == "SELL"]
    desk.simulator.clear_faults()
    eventually(lambda: not desk.net_at_broker(BROKEN), "the hedges are sold again")
    assert sold == [] or all(order["status"] == "rejected" for order in sold)
    assert [len(desk.net_at_broker(account)) for account in others(desk)] == [4] * 4


def test_an_order_accepted_and_rejected_a_moment_later_is_rejected(desk: LiveDesk) -> None:
    desk.simulator.fault("late_reject", account=BROKEN, remaining=1)
    run_id = desk.run(ONE_BUY)
    eventually(lambda: desk.events(run_id, "leg_failed"), "the late rejection fails the leg")
    (intent,) = desk.intents(run_id, BROKEN)
    assert (intent.state, intent.verdict) == (IntentState.REJECTED, "ACK")


def test_row_40_partial_fills_are_positions_and_the_rest_is_priced_again(desk: LiveDesk) -> None:
    fault = desk.simulator.fault("partial_fills", account=BROKEN, parameters={"fraction": 0.5})
    run_id = desk.run(ONE_BUY, structures=4, accounts=[BROKEN])

    def half_in() -> bool:
        cells = desk.view(run_id).cells
        return bool(cells) and cells[0].entered == 130

    eventually(half_in, "half of the units are a position")
    desk.simulator.delete(f"/faults/{fault}")
    desk.until(run_id, "OPEN")
    assert sum(desk.net_at_broker(BROKEN).values()) == 260, "exactly what was planned, not one unit more"


def test_row_32_a_gateway_that_hangs_delays_nobody_else(desk: LiveDesk) -> None:
    desk.simulator.fault("hang", account=BROKEN, endpoint="placeorder", parameters={"works": False})
    run_id = desk.run(STRADDLE)

    def others_are_in() -> bool:
        cells = [cell for cell in desk.view(run_id).cells if cell.account_id != BROKEN]
        return bool(cells) and all(cell.state == "filled" for cell in cells)

    eventually(others_are_in, "four accounts are in while the fifth hangs")
    assert desk.orders_at_broker(BROKEN) == []


def test_row_48_a_reply_in_the_other_mode_halts_the_account(desk: LiveDesk) -> None:
    desk.simulator.fault("mode_switch", account=BROKEN, endpoint="placeorder", remaining=1)
    run_id = desk.run(ONE_BUY)
    halted = eventually(
        lambda: [row for row in desk.runtime.market.accounts.active() if row.state == "HALTED"], "the account is halted"
    )
    assert [row.id for row in halted] == [BROKEN]
    intents = desk.intents(run_id, BROKEN)
    assert intents
    assert all(intent.state != IntentState.READY for intent in intents)


def test_row_48_an_order_parked_in_the_gateway_is_shown_as_parked(desk: LiveDesk) -> None:
    desk.simulator.fault("semi_auto", account=BROKEN)
    run_id = desk.run(ONE_BUY)
    eventually(lambda: desk.events(run_id, "parked"), "the trader is told")
    assert desk.intents(run_id, BROKEN)[0].state == IntentState.PARKED
    assert desk.orders_at_broker(BROKEN) == []
    assert "parked" in [cell.state for cell in desk.view(run_id).cells]


def test_row_09_a_book_that_cannot_be_read_changes_no_position(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE)
    before = desk.until(run_id, "OPEN")
    desk.simulator.fault("http_error", account=BROKEN, endpoint="positionbook", parameters={"status": 500})
    desk.simulator.fault("http_error", account=BROKEN, endpoint="tradebook", parameters={"status": 500})
    health = desk.runtime.market.health
    eventually(lambda: health.of(BROKEN).state.value != "ok", "the account is shown as not well")
    assert [cell.net for cell in desk.view(run_id).cells] == [cell.net for cell in before.cells]
    assert desk.view(run_id).state == "OPEN"


def test_row_09_an_empty_book_with_success_does_not_settle_an_unknown_order(desk: LiveDesk) -> None:
    desk.simulator.fault("accept_with_error", account=BROKEN, remaining=1)
    hidden = desk.simulator.fault("book_empty", account=BROKEN)
    run_id = desk.run(ONE_BUY)
    eventually(lambda: desk.events(run_id, "unknown"), "the order is unknown")
    desk.simulator.delete(f"/faults/{hidden}")
    desk.until(run_id, "OPEN")
    assert len(desk.orders_at_broker(BROKEN)) == 1


def test_row_04_an_exit_whose_reply_was_lost_is_not_repeated(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE)
    desk.until(run_id, "OPEN")
    desk.simulator.fault("lost_reply", account=BROKEN, endpoint="placeorder", remaining=2)
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [4] * 5
    assert desk.net_at_broker(BROKEN) == {}


def test_a_rejected_exit_is_tried_again_until_flat(desk: LiveDesk) -> None:
    run_id = desk.run(ONE_BUY)
    desk.until(run_id, "OPEN")
    fault = desk.simulator.fault("reject_order", account=BROKEN, parameters={"action": "SELL"})
    desk.exit(run_id)
    eventually(lambda: len(desk.intents(run_id, BROKEN)) >= 3, "a rejected exit gets a new generation")
    assert desk.view(run_id).state == "EXITING"
    assert sum(desk.net_at_broker(BROKEN).values()) == 65
    desk.simulator.delete(f"/faults/{fault}")
    desk.until(run_id, "CLOSED")
    assert desk.net_at_broker(BROKEN) == {}


def test_row_51_an_exit_never_sends_more_than_the_broker_holds(desk: LiveDesk) -> None:
    run_id = desk.run(ONE_BUY, structures=2, accounts=[BROKEN])
    view = desk.until(run_id, "OPEN")
    contract = view.cells[0].contract.key
    desk.simulator.post(
        "/foreign-order",
        account=BROKEN,
        symbol=contract.symbol,
        exchange=contract.exchange,
        action="SELL",
        quantity=65,
        product="MIS",
        pricetype="MARKET",
    )
    eventually(lambda: sum(desk.net_at_broker(BROKEN).values()) == 65, "half was sold by hand")
    eventually(
        lambda: desk.runtime.trade.reconciler.known(BROKEN) is not None and _net_row(desk) == 65, "the book was read"
    )
    desk.exit(run_id)
    eventually(lambda: not desk.net_at_broker(BROKEN), "the rest is closed")
    sold = [intent for intent in desk.intents(run_id) if intent.purpose == "EXIT"]
    assert [intent.units for intent in sold] == [65], "not the 130 that our fills say"
    eventually(lambda: desk.events(run_id, "attention"), "the trader is told of the difference")


def _net_row(desk: LiveDesk) -> int:
    return sum(row.net for row in desk.rows(Position, Position.account_id == BROKEN))


def test_row_02_orders_under_way_when_the_engine_died_are_unknown_at_start_and_found(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with live_desk(simulator, tmp_path) as desk:
        run_id = desk.run(ONE_BUY)
        desk.until(run_id, "OPEN")
        database = desk.runtime.ground.database
    with database.transaction() as session:  # as if the process had died between the broker's yes and our commit
        for intent in session.query(Intent).filter(Intent.run_id == run_id):
            intent.state, intent.order_id, intent.answered_at = IntentState.SENDING.value, None, None
            intent.verdict, intent.settled_at = None, None
        session.execute(_no_fills(run_id))
    with live_desk(simulator, tmp_path) as desk:
        assert len(desk.events(run_id, "unknown")) == 5
        eventually(lambda: all(i.state == IntentState.FILLED for i in desk.intents(run_id)), "all are found")
        assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [1] * 5


def _no_fills(run_id: int) -> Delete:
    return delete(FillRow).where(FillRow.intent_id.in_(select(Intent.id).where(Intent.run_id == run_id)))


def test_row_33_without_redis_orders_go_all_the_same(simulator: SimulatorProcess, tmp_path: Path) -> None:
    with live_desk(simulator, tmp_path, redis_url="redis://127.0.0.1:1/0") as desk:
        run_id = desk.run(ONE_BUY, accounts=[BROKEN, 4])
        desk.until(run_id, "OPEN")
        desk.exit(run_id)
        desk.until(run_id, "CLOSED")
        assert [desk.net_at_broker(number) for number in (BROKEN, 4)] == [{}, {}]
