"""Trades made past the desk, on the simulator: seen, adopted once by many hands, got out of, and the broker is flat."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Contract
from app.domain.errors import DeskError
from app.persistence.tables import Adoption, CommandRow, Order, Position
from app.services.adoption_commands import Adopt
from app.services.foreign_positions import ForeignPosition, foreign_positions
from app.services.kill_switch import Target
from app.web.desk import EXTENSION, Desk
from tests.live_desk import STRADDLE, LiveDesk, eventually, live_desk
from tests.simulator_process import SimulatorProcess
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT
from tests.unit.services.test_adoption import ask, foreign

NUMBER = 2


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    with live_desk(simulator, tmp_path) as made:
        yield made


def pages(desk: LiveDesk) -> Desk:
    found: Desk = desk.app.extensions[EXTENSION]
    return found


def a_contract(desk: LiveDesk) -> Contract:
    """One that is traded: the call of a straddle at the money."""
    preview = desk.preview(desk.strategy(STRADDLE, accounts=[desk.account_ids[0]]))
    return preview.plan.legs[0].contract


def trade_by_hand(desk: LiveDesk, contract: Contract, action: str, units: int) -> str:
    """Until it has filled at the broker. Gives its order id."""
    before = desk.net_at_broker(NUMBER).get(contract.key.symbol, 0)
    reply = desk.simulator.post(
        "/foreign-order", account=NUMBER, symbol=contract.key.symbol, exchange=contract.key.exchange, action=action,
        quantity=units, product="MIS", pricetype="MARKET",
    )  # fmt: skip
    wanted = before + (units if action == "BUY" else -units)
    eventually(lambda: desk.net_at_broker(NUMBER).get(contract.key.symbol, 0) == wanted, "the hand's trade filled")
    return str(reply["orderid"])


def shown(desk: LiveDesk, contract: Contract) -> Any:
    """Its row on the page of the reconciler, None when there is none."""
    rows = pages(desk).reconciliation.lines(desk.trader).rows
    return next((row for row in rows if row.symbol == contract.key.symbol), None)


def done(desk: LiveDesk, command_id: int) -> CommandRow | None:
    (row,) = desk.rows(CommandRow, CommandRow.id == command_id)
    return None if row.state == "ASKED" else row


def test_row_51_a_trade_by_hand_is_adopted_once_and_got_out_of(desk: LiveDesk) -> None:
    contract = a_contract(desk)
    account_id = desk.account_ids[NUMBER - 1]
    order_id = trade_by_hand(desk, contract, "SELL", 2 * contract.lot_size)
    row = eventually(lambda: shown(desk, contract), "the page shows it")
    assert (row.agreement, row.foreign, row.adopt_no) == ("foreign", -2 * contract.lot_size, None)
    wanted = Adopt(account_id, contract.key, "MIS", row.foreign, row.average)

    with ThreadPoolExecutor(6) as hands:
        asks = [hands.submit(pages(desk).adoptions.ask, wanted, actor=desk.trader, key=f"adopt-{n % 3:04d}")
                for n in range(6)]  # fmt: skip
        ids = {each.result() for each in asks}
    assert len(ids) == 3, "one command for each form that was rendered"
    rows = [eventually(lambda: done(desk, command_id), "it is done") for command_id in sorted(ids)]  # noqa: B023
    assert sorted(row.state for row in rows if row) == ["DONE", "REFUSED", "REFUSED"]

    (adoption,) = desk.rows(Adoption)
    assert (adoption.units, adoption.average, adoption.order_ids) == (-2 * contract.lot_size, row.average, [order_id])
    (order,) = desk.rows(Order, Order.order_id == order_id, Order.account_id == account_id)
    assert (order.intent_id, order.adoption_id) == (None, adoption.id)
    view = desk.until(adoption.run_id, "OPEN")
    assert (view.cells[0].net, view.cells[0].average) == (-2 * contract.lot_size, row.average)
    eventually(lambda: desk.runtime.trade.run_board.pnl(desk.view(adoption.run_id)).is_complete, "it has a price")
    assert shown(desk, contract).agreement == "match"
    assert len(desk.orders_at_broker(NUMBER)) == 1, "nothing was sent for it"
    for book in (pages(desk).book_pages.orders(desk.trader), pages(desk).book_pages.trades(desk.trader)):
        assert {(line.foreign, line.run_id) for line in book.rows} == {(True, adoption.run_id)}

    desk.exit(adoption.run_id)
    desk.until(adoption.run_id, "CLOSED")
    assert desk.net_at_broker(NUMBER) == {}
    assert shown(desk, contract) is None


def test_the_kill_switch_takes_along_what_is_ticked_shorts_before_longs(desk: LiveDesk) -> None:
    """On real gateways; the account has nothing of ours."""
    preview = desk.preview(desk.strategy(STRADDLE, accounts=[desk.account_ids[0]]))
    call, put = (leg.contract for leg in preview.plan.legs)
    trade_by_hand(desk, put, "BUY", put.lot_size)
    trade_by_hand(desk, call, "SELL", 2 * call.lot_size)

    def listed() -> list[ForeignPosition]:
        account = pages(desk).accounts.one(desk.trader, desk.account_ids[NUMBER - 1])
        found = foreign_positions(pages(desk).database, pages(desk).run_board, [account])
        return list(found) if len(found) == 2 else []

    ticked = [each.ticked for each in eventually(listed, "both are listed") if each.ticked]
    assert sorted(each.units for each in ticked) == [-2 * call.lot_size, put.lot_size]
    pages(desk).kill_switch.kill(Target(), actor=desk.trader, key="kill-00051", ticked=ticked)
    eventually(lambda: desk.net_at_broker(NUMBER) == {}, "the broker is flat", 60)
    (flat,) = eventually(lambda: desk.activity("kill.flat"), "it is said that all is flat")
    assert "not taken along" not in flat.sentence
    first, second = desk.rows(Adoption)
    assert (first.symbol, second.symbol) == (call.key.symbol, put.key.symbol)
    for adoption in (first, second):
        desk.until(adoption.run_id, "CLOSED")
        assert {intent.purpose for intent in desk.intents(adoption.run_id)} == {"EXIT"}
    bought = max(intent.settled_at for intent in desk.intents(first.run_id) if intent.settled_at)
    assert bought <= min(intent.created_at for intent in desk.intents(second.run_id))


def test_the_number_that_was_shown_has_to_be_there_still(desk: LiveDesk) -> None:
    contract = a_contract(desk)
    trade_by_hand(desk, contract, "BUY", contract.lot_size)
    row = eventually(lambda: shown(desk, contract), "the page shows it")
    trade_by_hand(desk, contract, "BUY", contract.lot_size)
    wanted = Adopt(desk.account_ids[NUMBER - 1], contract.key, "MIS", row.foreign, row.average)
    command_id = pages(desk).adoptions.ask(wanted, actor=desk.trader, key="adopt-0001")
    refused = eventually(lambda: done(desk, command_id), "it is refused")
    assert refused is not None
    assert (refused.state, (refused.answer or "").split(":")[0]) == ("REFUSED", "ADOPT_CHANGED")
    assert desk.rows(Adoption) == []
    (told,) = pages(desk).adoptions.recent(desk.trader)
    assert told.sentence == refused.answer
    trade_by_hand(desk, contract, "SELL", 2 * contract.lot_size)  # for whoever comes next
    eventually(lambda: not any(row.net for row in desk.rows(Position)), "all is flat again")


@pytest.mark.parametrize("same", [True, False], ids=["one command", "two commands"])
def test_two_engines_and_four_hands_adopt_once(tmp_path: Path, database_url: str, *, same: bool) -> None:
    """On both databases: the command's row, the account's row and the lease decide, whoever comes first."""
    world = OrderWorld(tmp_path, url=database_url)
    foreign(world)
    first = ask(world, -2 * LOT, Decimal("100.3333"))
    second = first if same else ask(world, -2 * LOT, Decimal("100.3333"), key="adopt-0002")
    adopters = [(world.adopter, world.reconciler)]
    world.restart()
    adopters.append((world.adopter, world.reconciler))

    def act(turn: int) -> str:
        adopter, _ = adopters[turn % 2]
        try:
            return adopter.do((first, second)[turn // 2 % 2])
        except DeskError as no:
            return f"no: {no}"

    for _ in range(3):  # until both have read the books often enough since they were asked
        for turn in range(4):
            act(turn)
        world.clock.advance(1.0)
        for _, reconciler in adopters:
            reconciler.step(1)
    with ThreadPoolExecutor(4) as hands:
        list(hands.map(act, [0, 1, 2, 3] * 3))
    (adoption,) = world.rows(Adoption)
    assert world.net(adoption.run_id) == {CALL.key.symbol: -2 * LOT}
    assert len(world.rows(CommandRow)) == (1 if same else 2)
    world.database.engine.dispose()
