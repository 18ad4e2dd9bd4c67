"""What is pushed counts at once, is confirmed by the books, and is never counted twice."""

import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain.books import OrderStatus, OrderUpdate
from app.domain.contracts import Side
from app.domain.money import Units
from app.domain.orders import IntentState
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.persistence.tables import PUSHED, FillRow, Intent, Position
from app.ports.gateway import TimedOut
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PRICE, Standing


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def working(world: OrderWorld, lots: int = 2) -> Standing:
    """One order of ours, acknowledged; nothing of it is in a book yet."""
    world.start((CALL, Side.BUY, lots))
    world.executor.step()
    world.work()
    return world.broker.standing[0]


def state(world: OrderWorld) -> str:
    return world.intents()[0].state


def fills(world: OrderWorld) -> list[tuple[str, int, Decimal]]:
    return [(row.traded_at, row.units, row.price) for row in world.rows(FillRow)]


def test_a_pushed_fill_lets_the_next_wave_go_and_no_book_is_read(world: OrderWorld) -> None:
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.executor.step()
    world.work()
    (hedge,) = world.broker.standing
    world.broker.fill(hedge)
    reads = list(world.book_calls)
    world.push(world.broker.news(hedge))
    world.executor.step()
    world.work()
    assert [order.request.side for order in world.broker.standing] == [Side.BUY, Side.SELL]
    assert world.book_calls == reads, "what a push proves needs no book"
    assert world.net(run_id) == {HEDGE.key.symbol: LOT}


def test_trades_take_the_place_of_what_was_pushed(world: OrderWorld) -> None:
    order = working(world)
    run_id = world.run().id
    world.broker.fill(order, LOT, Decimal(99))
    world.push(replace(world.broker.news(order), average=Decimal(99)))
    assert fills(world) == [(PUSHED, LOT, Decimal(99))]
    world.broker.fill(order, LOT, Decimal(101))
    world.push(replace(world.broker.news(order), average=Decimal(100)))
    assert fills(world) == [(PUSHED, 2 * LOT, Decimal(100))]
    assert state(world) == IntentState.FILLED
    world.broker.trades_hidden = 1
    world.read()
    assert sorted(fills(world)) == [("10:30:01", LOT, Decimal(99)), (PUSHED, LOT, Decimal(101))]
    world.broker.trades_hidden = 0
    world.read()
    assert sorted(fills(world)) == [("10:30:01", LOT, Decimal(99)), ("10:30:01", LOT, Decimal(101))]
    assert world.net(run_id) == {CALL.key.symbol: 2 * LOT}
    assert len(world.said("filled")) == 2


def test_a_fill_that_the_books_had_first_is_not_counted_again(world: OrderWorld) -> None:
    order = working(world)
    world.broker.fill(order)
    world.read()
    before = fills(world)
    world.push(world.broker.news(order))
    assert fills(world) == before


def test_row_26_every_order_of_updates_ends_the_same(tmp_path: Path) -> None:
    dice = random.Random(26)
    ends: set[tuple[object, ...]] = set()
    for number in range(6):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = OrderWorld(folder)
        order = working(world)
        told = [world.broker.news(order)]
        for units in (30, 35, LOT):
            world.broker.fill(order, units)
            told.append(world.broker.news(order))
        told += dice.choices(told, k=3)
        dice.shuffle(told)
        for update in told:
            world.push(update)
        ends.add((state(world), tuple(fills(world))))
        world.turns(2)
        ends.add((state(world), sum(units for _, units, _ in fills(world))))
    assert ends == {(IntentState.FILLED, ((PUSHED, 2 * LOT, PRICE),)), (IntentState.FILLED, 2 * LOT)}


def test_row_27_a_word_without_units_fills_nothing_and_asks_the_books(world: OrderWorld) -> None:
    order = working(world)
    world.push(replace(world.broker.news(order), status=OrderStatus.COMPLETE))
    assert (state(world), fills(world)) == (IntentState.WORKING, [])
    assert world.book_calls == [1]


def test_units_without_a_price_are_filled_and_wait_for_their_trades(world: OrderWorld) -> None:
    order = working(world)
    world.broker.fill(order)
    world.push(replace(world.broker.news(order), average=None))
    assert (state(world), fills(world)) == (IntentState.FILLED, [])
    world.executor.step()
    assert world.run().state == "ENTERING" or world.run().state == "OPEN"
    world.read()
    assert world.net() == {CALL.key.symbol: 2 * LOT}


def test_a_rejection_is_known_with_its_reason(world: OrderWorld) -> None:
    order = working(world)
    order.status = OrderStatus.REJECTED
    world.push(world.broker.news(order, "RMS: margin exceeds"))
    (intent,) = world.intents()
    assert (intent.state, intent.reason) == (IntentState.REJECTED, "RMS: margin exceeds")
    assert "RMS: margin exceeds" in world.said("rejected")[0]


def test_a_reason_that_comes_after_the_book_is_kept_too(world: OrderWorld) -> None:
    order = working(world)
    order.status = OrderStatus.REJECTED
    world.turns(3)
    world.push(world.broker.news(order, "RMS: margin exceeds"))
    assert world.intents()[0].reason == "RMS: margin exceeds"


def test_a_pushed_cancel_bears_out_the_book_at_its_first_read(world: OrderWorld) -> None:
    order = working(world)
    order.status = OrderStatus.CANCELLED
    world.push(world.broker.news(order))
    assert state(world) == IntentState.WORKING, "it may have filled: its sender does not say"
    world.read()
    assert state(world) == IntentState.CANCELLED


def test_a_cancel_that_says_what_had_filled_is_the_end(world: OrderWorld) -> None:
    order = working(world)
    world.broker.fill(order, LOT)
    order.status = OrderStatus.CANCELLED
    world.push(world.broker.news(order))
    assert state(world) == IntentState.CANCELLED
    assert world.net() == {CALL.key.symbol: LOT}


def test_a_push_before_its_answer_waits_for_the_order_to_have_an_owner(world: OrderWorld) -> None:
    """The stream is often quicker than the reply of the call."""
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    world.broker.acts = ["lost"]
    world.work()
    with world.database.transaction() as session:
        session.get_one(Intent, 1).state = IntentState.SENDING.value
    (order,) = world.broker.standing
    world.broker.fill(order)
    reads = list(world.book_calls)
    world.push(world.broker.news(order))
    assert (state(world), fills(world)) == (IntentState.SENDING, [])
    assert world.book_calls == reads, "its answer is due any moment"
    world.answers.record({1: Outcome(Verdict.ACK, order.order_id, "", 200)})
    world.pushed.step()
    assert (state(world), fills(world)) == (IntentState.FILLED, [(PUSHED, LOT, PRICE)])


@pytest.mark.parametrize("act", ["lost", "error"])
def test_an_order_whose_answer_was_lost_is_found_by_its_push(world: OrderWorld, act: str) -> None:
    world.broker.acts = [act]
    order = working(world)
    assert state(world) == IntentState.UNKNOWN
    world.broker.broken = TimedOut("no book")
    world.broker.fill(order)
    world.push(world.broker.news(order))
    (intent,) = world.intents()
    assert (intent.state, intent.order_id) == (IntentState.FILLED, order.order_id)
    assert world.broker.placed == 1


def test_two_strangers_alike_are_claimed_by_no_push(world: OrderWorld) -> None:
    world.broker.acts = ["lost"]
    ours = working(world)
    world.broker.accept(ours.request)
    world.push(*(world.broker.news(order) for order in world.broker.standing))
    (intent,) = world.intents()
    assert (intent.state, intent.order_id) == (IntentState.UNKNOWN, None)
    assert world.book_calls[-1] == 1


def test_orders_of_strangers_and_of_the_other_mode_are_nobodys(world: OrderWorld) -> None:
    order = working(world)
    world.broker.by_hand(CALL.key, Side.SELL, 2 * LOT)
    for stranger in world.broker.standing[1:]:
        world.push(world.broker.news(stranger))
    world.push(replace(world.broker.news(order), mode=Mode.PAPER.value, filled=Units(2 * LOT), average=PRICE))
    assert (state(world), fills(world)) == (IntentState.WORKING, [])


def test_an_order_id_of_another_day_is_another_order(world: OrderWorld) -> None:
    order = working(world)
    world.broker.fill(order)
    told = world.broker.news(order)
    world.clock.advance(24 * 3600)
    world.push(told)
    assert fills(world) == []


def test_what_a_push_brought_leaves_when_the_books_show_it(world: OrderWorld) -> None:
    order = working(world)
    run_id = world.run().id
    world.broker.fill(order)
    world.push(world.broker.news(order))
    world.exit(run_id)
    world.executor.step()
    world.work()
    assert len(world.broker.standing) == 1, "the broker's position is not read yet"
    assert world.said("attention") == []
    world.read()
    world.broker.fills_at_once = True
    world.turns(3)
    assert world.broker.net(CALL.key) == 0
    assert world.run(run_id).state == "CLOSED"


def test_units_that_an_exit_took_are_not_counted_on_by_another(world: OrderWorld) -> None:
    """Two runs hold a lot each, somebody sells one by hand: the second exit finds nothing although the row is old."""
    world.broker.fills_at_once = True
    first = world.start((CALL, Side.BUY, 1))
    world.turns(2)
    second = world.start((CALL, Side.BUY, 1))
    world.turns(2)
    world.broker.by_hand(CALL.key, Side.SELL, LOT)
    world.read()
    world.exit(first)
    world.executor.step()
    world.work()
    leaving = world.broker.standing[-1]
    world.push(world.broker.news(leaving))
    assert world.rows(Position)[0].net == 0
    world.exit(second)
    world.executor.step()
    world.work()
    assert world.broker.net(CALL.key) == 0
    assert world.broker.standing[-1] is leaving


def test_a_read_that_began_before_the_push_gives_nothing_back(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 1))
    world.turns(2)
    world.broker.fills_at_once = False
    world.exit(run_id)
    world.executor.step()
    world.work()
    leaving = world.broker.standing[-1]
    books = world.reconciler._read(1)
    world.broker.fill(leaving)
    world.push(world.broker.news(leaving))
    world.reconciler._settlement.apply(1, books, world.reconciler._accounts[1].memory)
    assert world.rows(Position)[0].net == 0
    assert state(world) == IntentState.FILLED
    assert world.net(run_id) == {}


def test_a_push_that_no_trade_ever_bears_out_is_said(world: OrderWorld) -> None:
    order = working(world)
    news = replace(world.broker.news(order), status=OrderStatus.COMPLETE, filled=Units(2 * LOT), average=PRICE)
    world.push(news)
    world.turns(3, 10)
    assert any("trade book does not show" in words for words in world.said("attention"))


def test_a_run_closed_by_pushes_stays_closed_when_its_trades_come(world: OrderWorld) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 1))
    world.turns(2)
    world.exit(run_id)
    world.executor.step()
    world.work()
    world.push(world.broker.news(world.broker.standing[-1]))
    world.executor.step()
    assert world.run(run_id).state == "CLOSED"
    world.turns(2)
    assert world.run(run_id).state == "CLOSED"
    assert len(world.said("closed")) == 1
    assert [row for row in world.rows(FillRow) if row.traded_at == PUSHED] == []


def test_pushes_lost_with_a_locked_database_are_taken_up_again(
    world: OrderWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = working(world)
    world.broker.fill(order)

    def locked(*_: object) -> None:
        raise TimeoutError("locked")

    with monkeypatch.context() as broken:
        broken.setattr(world.pushed, "_write", locked)
        with pytest.raises(TimeoutError):
            world.push(world.broker.news(order))
    world.pushed.step()
    assert state(world) == IntentState.FILLED


def test_many_orders_are_remembered_and_the_oldest_let_go(world: OrderWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.pushed_orders.MOST_KEPT", 2)
    order = working(world)
    told: list[OrderUpdate] = [replace(world.broker.news(order), order_id=f"F{each}") for each in range(4)]
    world.push(*told)
    assert list(world.pushed._days[1].orders) == ["F2", "F3"]


def two_accounts(tmp_path: Path) -> OrderWorld:
    """A BUY stands at each of two brokers, both of which number their orders alike."""
    world = OrderWorld(tmp_path, accounts=2)
    world.start((CALL, Side.BUY, 1))
    world.executor.step()
    world.work()
    return world


def both_filled(world: OrderWorld) -> None:
    for account_id, broker in world.brokers.items():
        broker.fill_all()
        for order in broker.standing:
            world.pushed.take(account_id, broker.news(order))


def states(world: OrderWorld) -> dict[int, str]:
    return {intent.account_id: intent.state for intent in world.rows(Intent)}


def test_orders_of_many_accounts_with_the_same_ids_are_written_together(tmp_path: Path) -> None:
    world = two_accounts(tmp_path)
    assert len({intent.order_id for intent in world.rows(Intent)}) == 1, "the ids are the brokers' own"
    both_filled(world)
    world.pushed.step()
    assert states(world) == {1: IntentState.FILLED, 2: IntentState.FILLED}
    assert sorted(row.units for row in world.rows(FillRow)) == [65, 65]


def test_what_cannot_be_written_for_one_account_keeps_nothing_from_the_other(tmp_path: Path) -> None:
    world = two_accounts(tmp_path)
    first = min(intent.id for intent in world.rows(Intent))
    refusing = (
        f"create trigger no before insert on fills when new.intent_id = {first} begin select raise(abort, 'no'); end"
    )
    with world.database.transaction() as session:
        session.execute(text(refusing))
    both_filled(world)
    with pytest.raises(IntegrityError):
        world.pushed.step()
    assert states(world) == {1: IntentState.WORKING, 2: IntentState.FILLED}
    with world.database.transaction() as session:
        session.execute(text("drop trigger no"))
    world.pushed.step()
    assert states(world) == {1: IntentState.FILLED, 2: IntentState.FILLED}, "what failed was kept"


def test_updates_wait_a_moment_for_those_behind_them(tmp_path: Path) -> None:
    world = two_accounts(tmp_path)
    world.pushed._gather_s = 0.004
    both_filled(world)
    assert world.pushed.step() == pytest.approx(0.004)
    assert states(world) == {1: IntentState.WORKING, 2: IntentState.WORKING}
    world.clock.advance(0.004)
    world.pushed.step()
    assert states(world) == {1: IntentState.FILLED, 2: IntentState.FILLED}
