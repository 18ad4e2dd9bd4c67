"""A foreign position made a run: once, as it was shown, without an order, and then got out of like any other."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.errors import Unavailable
from app.domain.money import Units
from app.domain.orders import IntentState, OrderRequest
from app.engine.intake import Intake
from app.persistence.tables import (
    ActivityLog,
    Adoption,
    Alarm,
    CommandRow,
    FillRow,
    Intent,
    LeaseRow,
    Order,
    Run,
    StrategyExecution,
)
from app.ports.gateway import TimedOut
from app.services.adoption_commands import Adopt
from tests.unit.services.order_world import OrderWorld, no_feed
from tests.unit.services.pretend_broker import BY_HAND, CALL, LOT, PRICE

AVERAGE = Decimal("100.3333")
"""What the pretend broker says of every position, as it is kept."""


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


def foreign(world: OrderWorld, side: Side = Side.SELL, lots: int = 2) -> None:
    """Somebody trades at the broker, and the desk has seen it."""
    world.broker.by_hand(CALL.key, side, lots * LOT)
    world.clock.advance(1.0)
    world.read()


def ask(world: OrderWorld, units: int, average: Decimal | None = None, *, key: str = "adopt-0001", **more: str) -> int:
    """As the page stores it."""
    wanted = Adopt(1, ContractKey(CALL.key.exchange, more.get("symbol", CALL.key.symbol)), "MIS", units, average)
    with world.database.transaction() as session:
        command = CommandRow(
            user_id=1, key=key, kind="ADOPT", run_id=None, payload={**wanted.payload(), "by": "asha"}, state="ASKED",
            asked_at=world.clock.now(),
        )  # fmt: skip
        session.add(command)
        session.flush()
        return command.id


def settle(world: OrderWorld, *, reads: int = 3) -> None:
    """The intake has its turns, and the books are read between them."""
    intake = Intake(world.database, world.clock, world.executor, world.adopter, no_feed)
    for _ in range(reads):
        intake.step()
        world.clock.advance(1.0)
        world.read()
    intake.step()


def command(world: OrderWorld, command_id: int) -> CommandRow:
    found: CommandRow = next(row for row in world.rows(CommandRow) if row.id == command_id)
    return found


def adopted(world: OrderWorld, units: int = -2 * LOT) -> Run:
    foreign(world, Side.SELL if units < 0 else Side.BUY, abs(units) // LOT)
    ask(world, units)
    settle(world)
    (run,) = world.rows(Run)
    assert isinstance(run, Run)
    return run


def refused(world: OrderWorld, command_id: int) -> str:
    """Its answer; and that nothing of it was written."""
    row = command(world, command_id)
    assert row.state == "REFUSED"
    assert world.rows(Adoption) == []
    return row.answer or ""


def test_it_becomes_a_run_with_one_fill_of_its_own_and_no_order(world: OrderWorld) -> None:
    run = adopted(world)
    assert (run.state, run.name, run.strategy_id, run.preview_id) == (
        "OPEN",
        "Adopted NIFTY 01 DEC 26 25,000 CE",
        None,
        None,
    )
    (execution,) = world.rows(StrategyExecution)
    assert (execution.side, execution.lots, execution.units, execution.product) == ("SELL", 2, 2 * LOT, "MIS")
    (fill,) = world.rows(FillRow)
    assert (fill.intent_id, fill.side, fill.units, fill.price) == (None, "SELL", 2 * LOT, AVERAGE)
    (adoption,) = world.rows(Adoption)
    assert (adoption.units, adoption.average, adoption.average_from, adoption.run_id) == (-130, AVERAGE, "broker", 1)
    assert world.net(run.id) == {CALL.key.symbol: -2 * LOT}
    world.turns(5)
    assert (world.rows(Intent), world.broker.placed) == ([], 0), "nothing is sent for it"
    assert world.run(run.id).state == "OPEN"
    assert world.rows(Alarm) == []


def test_the_orders_that_brought_it_about_are_tied_and_stay_foreign(world: OrderWorld) -> None:
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.broker.by_hand(CALL.key, Side.SELL, LOT)  # closed again: of no adoption
    adopted(world)
    (adoption,) = world.rows(Adoption)
    orders = world.rows(Order)
    assert adoption.order_ids == [order.order_id for order in orders[4:]]
    assert [order.adoption_id for order in orders] == [None] * 4 + [adoption.id] * 2
    assert all(order.intent_id is None for order in orders)
    (said,) = [row.sentence for row in world.rows(ActivityLog) if row.action == "position.adopted"]
    assert "asha adopted -130" in said
    assert "orders 000005, 000006" in said
    assert world.said("adopted") == [said]


def test_its_exit_goes_as_any_other_and_leaves_the_broker_flat(world: OrderWorld) -> None:
    run = adopted(world)
    world.exit(run.id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0
    assert [(i.purpose, i.side, i.units, i.state) for i in world.rows(Intent)] == [("EXIT", "BUY", 130, "FILLED")]
    assert world.run(run.id).state == "CLOSED"
    assert world.account().state == "ACTIVE", "an exit of what no order of ours opened crosses nothing"
    assert world.said("attention") == []


def test_a_long_is_adopted_too(world: OrderWorld) -> None:
    run = adopted(world, 3 * LOT)
    assert world.net(run.id) == {CALL.key.symbol: 3 * LOT}
    world.exit(run.id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0


def test_what_is_beyond_ours_is_adopted_at_a_typed_average_and_both_runs_get_out(world: OrderWorld) -> None:
    first = world.start((CALL, Side.SELL, 1))
    world.turns(3)
    foreign(world, lots=2)
    world.clock.advance(20.0)
    no_average = ask(world, -2 * LOT)
    settle(world)
    assert refused(world, no_average).startswith("ADOPT_NO_AVERAGE: ")
    ask(world, -2 * LOT, Decimal("98.5"), key="adopt-0002")
    settle(world)
    (adoption,) = world.rows(Adoption)
    assert (adoption.average, adoption.average_from) == (Decimal("98.5"), "typed")
    for run_id in (first, adoption.run_id):
        world.exit(run_id)
    world.turns(8)
    assert world.broker.net(CALL.key) == 0
    assert {world.run(first).state, world.run(adoption.run_id).state} == {"CLOSED"}


def test_an_exit_of_our_own_run_leaves_the_adopted_units(world: OrderWorld) -> None:
    first = world.start((CALL, Side.SELL, 1))
    world.turns(3)
    foreign(world)
    world.clock.advance(20.0)
    ask(world, -2 * LOT, Decimal(100))
    settle(world)
    world.exit(first)
    world.turns(4)
    assert world.broker.net(CALL.key) == -2 * LOT
    assert world.run(first).state == "CLOSED"


@pytest.mark.parametrize("shown", [-LOT, -3 * LOT, 2 * LOT])
def test_what_is_not_what_was_shown_is_refused_and_told(world: OrderWorld, shown: int) -> None:
    foreign(world)
    asked = ask(world, shown)
    settle(world)
    assert refused(world, asked).startswith("ADOPT_CHANGED: ")
    assert [row.action for row in world.rows(ActivityLog)] == ["position.refused"]


def test_a_trade_between_the_page_and_the_act_is_seen(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -2 * LOT)
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    settle(world)
    assert "there are -65 now" in refused(world, asked)


def test_two_people_at_once_adopt_once(world: OrderWorld) -> None:
    foreign(world)
    first, second = ask(world, -130, key="adopt-0001"), ask(world, -130, key="adopt-0002")
    settle(world, reads=8)
    assert (command(world, first).state, command(world, second).state) == ("DONE", "REFUSED")
    assert (command(world, second).answer or "").startswith("ADOPT_NOT_FOREIGN: ")
    assert len(world.rows(Adoption)) == len(world.rows(Run)) == 1


def test_doing_it_again_after_a_crash_is_the_same_adoption(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130)
    settle(world)
    with world.database.transaction() as session:
        assert session.get_one(CommandRow, asked).state == "DONE", "in the transaction of the run itself"
    assert world.adopter.do(asked) == command(world, asked).answer
    world.restart()
    settle(world)
    assert len(world.rows(Adoption)) == 1


def test_a_death_in_the_middle_leaves_nothing_and_the_next_engine_adopts(
    world: OrderWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign(world)
    asked = ask(world, -130)

    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("app.services.adoption._words", die)
        with pytest.raises(Died):
            settle(world)
    assert (world.rows(Run), world.rows(FillRow), world.rows(Adoption)) == ([], [], [])
    assert [order.adoption_id for order in world.rows(Order)] == [None, None]
    world.restart()
    settle(world)
    assert command(world, asked).state == "DONE"
    assert len(world.rows(Adoption)) == 1


def test_an_engine_that_does_not_lead_any_more_adopts_nothing(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130)
    for _ in range(2):
        with pytest.raises(Unavailable, match="are read first"):
            world.adopter.do(asked)
        world.clock.advance(1.0)
        world.read()
    with world.database.transaction() as session:
        session.get_one(LeaseRow, 1).epoch = world.epoch + 1
    with pytest.raises(Unavailable, match="Another engine"):
        world.adopter.do(asked)
    assert (command(world, asked).state, world.rows(Adoption)) == ("ASKED", [])


def test_two_reads_that_began_since_are_awaited(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130)
    for _ in range(2):
        with pytest.raises(Unavailable):
            world.adopter.do(asked)
        assert world.book_calls, "the books are asked for"
        world.clock.advance(1.0)
        world.read()
    assert "adopted -130" in world.adopter.do(asked)


def test_books_that_cannot_be_read_adopt_nothing(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130)
    world.broker.broken = TimedOut("no answer")
    settle(world, reads=23)
    assert refused(world, asked).startswith("ADOPT_UNREAD: ")


@pytest.mark.parametrize("act", ["gone", "lost", "ack"])
def test_while_an_order_of_ours_there_is_not_settled_nothing_is_adopted(world: OrderWorld, act: str) -> None:
    """The units may be its own."""
    world.broker.fills_at_once = False
    world.broker.acts = [act]
    world.start((CALL, Side.SELL, 2))
    world.turn()
    foreign(world)
    asked = ask(world, -130)
    settle(world)
    assert refused(world, asked).startswith("ADOPT_UNSETTLED: ")


def test_moments_after_an_exit_the_books_may_lag_so_its_units_are_not_foreign(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1))
    world.turns(3)
    foreign(world)
    world.exit(run_id)
    world.turns(2)
    assert world.run(run_id).state == "CLOSED"
    asked = ask(world, -130, Decimal(100))
    settle(world)
    assert refused(world, asked).startswith("ADOPT_UNSETTLED: ")
    world.clock.advance(15.0)
    ask(world, -130, Decimal(100), key="adopt-0002")
    settle(world)
    assert len(world.rows(Adoption)) == 1


def test_an_order_given_up_that_turns_up_late_is_ours_and_not_foreign(world: OrderWorld) -> None:
    world.broker.acts = ["late"]
    run_id = world.start((CALL, Side.SELL, 2))
    world.turns(40, 5.0)
    assert [i.state for i in world.intents("ENTRY", run_id)] == [IntentState.NOT_SENT]
    asked = ask(world, -130, Decimal(100))
    world.broker.arrive()
    settle(world)
    assert refused(world, asked)
    assert [i.state for i in world.intents("ENTRY", run_id)] == [IntentState.FILLED], "claimed in the same read"


def test_what_is_not_listed_today_is_refused(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130, symbol="NIFTY26NOV2625000CE")
    settle(world)
    assert refused(world, asked).startswith("ADOPT_CONTRACT: ")


def test_an_archived_account_adopts_nothing(world: OrderWorld) -> None:
    foreign(world)
    asked = ask(world, -130)
    with world.database.transaction() as session:
        session.get_one(type(world.account()), 1).state = "ARCHIVED"
    settle(world)
    assert refused(world, asked).startswith("ADOPT_ACCOUNT: ")


def test_an_account_that_is_paused_can_adopt_what_it_has_to_get_out_of(world: OrderWorld) -> None:
    with world.database.transaction() as session:
        session.get_one(type(world.account()), 1).state = "PAUSED"
    run = adopted(world)
    world.exit(run.id)
    world.turns(4)
    assert world.broker.net(CALL.key) == 0


def test_the_kill_switch_closes_what_was_adopted(world: OrderWorld) -> None:
    run = adopted(world)
    world.executor.ask_exit(run.id, account_id=None, leg=None, why="Kill switch")
    world.turns(4)
    assert world.broker.net(CALL.key) == 0


def test_a_close_at_the_broker_is_followed_by_no_order(world: OrderWorld) -> None:
    """Adopted units are no more than our fills of other runs: an exit never sends more than the broker holds."""
    run = adopted(world)
    world.broker.by_hand(CALL.key, Side.BUY, 2 * LOT)
    world.clock.advance(1.0)
    world.read()
    world.exit(run.id)
    world.turns(4)
    assert (world.broker.placed, world.broker.net(CALL.key)) == (0, 0)
    assert any("The broker shows no" in words for words in world.said("attention"))


def test_an_order_whose_units_were_adopted_is_not_found_again_as_a_lost_one(world: OrderWorld) -> None:
    """A stranger's order just like ours, and an order of ours that got lost without a book to compare with."""
    twin = OrderRequest(
        CALL.key, Side.SELL, Units(2 * LOT), Product.MIS, PriceType.LIMIT, PRICE, Decimal(0), BY_HAND
    )  # fmt: skip
    world.broker.accept(twin)
    world.read()
    ask(world, -130)
    settle(world)
    assert len(world.rows(Adoption)) == 1
    world.clock.advance(20.0)
    world.broker.acts = ["gone"]
    run_id = world.start((CALL, Side.SELL, 2))
    world.executor.step()
    world.work()
    with world.database.transaction() as session:
        session.get_one(Intent, world.intents("ENTRY", run_id)[0].id).baseline = []
    world.turns(40, 5.0)
    assert [i.state for i in world.intents("ENTRY", run_id)] == ["NOT_SENT"]
    assert world.net(run_id) == {}
