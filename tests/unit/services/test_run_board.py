"""What a run holds and is worth, from its rows alone, and when a view of it is old."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.domain.contracts import Side
from app.ports.feed import Tick
from app.services.price_board import PriceBoard
from app.services.run_board import KEPT_S, LED_KEPT_S, RunBoard, RunView
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT, PUT


class Board:
    def __init__(self, folder: Path) -> None:
        self.world = OrderWorld(folder, accounts=2)
        self.prices = PriceBoard(self.world.clock)
        self.runs = RunBoard(self.world.database, self.prices, self.world.clock)

    def price(self, ltp: float, bid: float | None = None, ask: float | None = None) -> None:
        depth = {"bids": ((bid, LOT),)} if bid else {}
        depth |= {"asks": ((ask, LOT),)} if ask else {}
        for contract in (CALL, PUT):
            self.prices.put(Tick(contract.key, ltp, self.world.clock.now(), **depth))  # type: ignore[arg-type]

    def fill(self) -> None:
        for broker in self.world.brokers.values():
            broker.fills_at_once = True
            broker.fill_all()
        self.world.turns(3)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_run_is_the_sum_of_its_accounts(board: Board) -> None:
    run_id = board.world.start((CALL, Side.SELL, 1), (PUT, Side.BUY, 2))
    board.fill()
    board.price(110)
    board.runs.changed(run_id)
    view = board.runs.view(run_id)
    assert [(cell.account_id, cell.leg, cell.net) for cell in view.cells] == [
        (1, 1, -65), (1, 2, 130), (2, 1, -65), (2, 2, 130)
    ]  # fmt: skip
    whole, parts = board.runs.pnl(view), [board.runs.pnl(view, each).total for each in (1, 2)]
    assert whole.total == Decimal(10) * 65 * 2
    assert parts == [650, 650]
    assert view.held == {CALL.key, PUT.key}


def test_without_a_price_nothing_is_said_but_a_bound(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.fill()
    pnl = board.runs.pnl(board.runs.view(run_id))
    assert (pnl.total, pnl.is_complete) == (None, False)
    assert pnl.pessimistic == -100 * LOT * 2


def test_a_price_that_grew_old_is_not_believed(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.fill()
    board.price(110, bid=108)
    view = board.runs.view(run_id)
    assert board.runs.pnl(view).total == 10 * LOT * 2
    board.world.clock.advance(11)
    assert board.runs.pnl(view).total is None
    assert board.runs.pnl(view).pessimistic == 8 * LOT * 2


def test_a_change_makes_the_next_view_new(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.runs.changed(run_id)
    assert [cell.state for cell in board.runs.view(run_id).cells] == ["waiting", "waiting"]
    board.world.executor.step()
    board.world.work()
    board.runs.changed(run_id)
    assert {cell.state for cell in board.runs.view(run_id).cells} == {"working"}
    board.fill()
    board.runs.changed(run_id)
    assert {cell.state for cell in board.runs.view(run_id).cells} == {"filled"}


def test_a_change_while_a_view_is_read_is_not_lost(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    real = board.runs._load

    def load(number: int, only: set[int] | None) -> RunView:
        view = real(number, only)
        board.runs.changed(number)  # another thread wrote just now
        return view

    board.runs._load = load  # type: ignore[method-assign,assignment]
    first = board.runs.view(run_id)
    board.runs._load = real  # type: ignore[method-assign]
    assert board.runs.view(run_id) is not first


def test_a_change_in_one_account_reads_that_account_alone(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.runs.changed(run_id)
    before = board.runs.view(run_id)
    board.world.executor.step()
    board.world.work()
    board.world.brokers[2].fill_all()
    board.world.turn()
    real, asked = board.runs._load, []

    def load(number: int, only: set[int] | None) -> RunView:
        asked.append(only)
        return real(number, only)

    board.runs._load = load  # type: ignore[method-assign,assignment]
    board.runs.changed(run_id, 2)
    after = board.runs.view(run_id)
    assert asked == [{2}]
    assert [[cell.state for cell in account.cells] for account in after.accounts] == [["waiting"], ["filled"]]
    assert after.accounts[0] is before.accounts[0]
    board.runs.changed(run_id, 1)
    board.runs.changed(run_id)
    assert {cell.state for cell in board.runs.view(run_id).cells} == {"working", "filled"}
    assert asked == [{2}, None]


def test_a_read_that_fails_forgets_no_change(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.runs.view(run_id)
    board.world.executor.step()
    board.world.work()
    board.runs.changed(run_id, 1)
    real = board.runs._load

    def fail(_number: int, _only: set[int] | None) -> RunView:
        raise OperationalError("SELECT", {}, Exception("locked"))

    board.runs._load = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(OperationalError):
        board.runs.view(run_id)
    board.runs._load = real  # type: ignore[method-assign]
    assert board.runs.view(run_id).accounts[0].cells[0].state == "working"


@pytest.mark.parametrize(
    ("act", "word"), [("lost", "unknown"), ("gone", "unknown"), ("park", "parked"), ("ack", "working")]
)
def test_trouble_has_its_own_word(board: Board, act: str, word: str) -> None:
    for broker in board.world.brokers.values():
        broker.acts = [act]
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.world.executor.step()
    board.world.work()
    board.runs.changed(run_id)
    assert {cell.state for cell in board.runs.view(run_id).cells} == {word}


def test_living_runs_and_the_accounts_at_work(board: Board) -> None:
    assert (board.runs.living(), board.runs.accounts_at_work()) == ([], frozenset())
    run_id = board.world.start((PUT, Side.BUY, 1))
    board.runs.changed(run_id)
    assert (board.runs.living(), board.runs.accounts_at_work()) == ([run_id], frozenset({1, 2}))
    board.fill()
    board.world.exit(run_id)
    board.world.turns(4)
    board.runs.changed(run_id)
    assert (board.runs.living(), board.runs.accounts_at_work()) == ([], frozenset())
    assert {cell.state for cell in board.runs.view(run_id).cells} == {"flat"}


def test_beside_the_engine_that_leads_a_view_is_kept_until_a_change_is_told(board: Board) -> None:
    leading = RunBoard(board.world.database, board.prices, board.world.clock, leads=lambda: True)
    run_id = board.world.start((PUT, Side.BUY, 1))
    before = leading.view(run_id)
    board.world.clock.advance(KEPT_S + 1)
    assert leading.view(run_id) is before
    leading.changed(run_id)
    assert leading.view(run_id) is not before
    kept = leading.view(run_id)
    board.world.clock.advance(LED_KEPT_S)
    assert leading.view(run_id) is not kept, "and never for long"


def test_who_may_be_a_moment_behind_is_no_more_than_that_and_pages_see_what_is(board: Board) -> None:
    run_id = board.world.start((PUT, Side.BUY, 1))
    before = board.runs.view(run_id)
    board.runs.changed(run_id)
    assert board.runs.view(run_id, behind_s=0.1) is before
    now = board.runs.view(run_id)
    assert now is not before
    board.runs.changed(run_id)
    assert board.runs.view(run_id, behind_s=0.1) is now
    board.world.clock.advance(0.11)
    assert board.runs.view(run_id, behind_s=0.1) is not now
