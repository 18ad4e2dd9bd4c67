"""What a trader asks of a resting entry: a cancel races with the fill and nothing goes twice, a change goes once."""

import contextlib
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.books import OrderStatus
from app.domain.calendar import Phase
from app.domain.contracts import PriceType, Side
from app.domain.errors import Conflict, Denied, NoFreshPrice, NotFound
from app.domain.orders import IntentState
from app.domain.price_types import PriceTerms
from app.domain.trading_states import Scope, TradingState
from app.persistence.tables import TradingAccount, TradingStateRow
from app.services.pending_orders import Change, PendingChange
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PRICE

LIMIT = PriceTerms(PriceType.LIMIT, Decimal("95.05"))
STOP = PriceTerms(PriceType.SL, Decimal("111.00"), Decimal("110.00"))


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


def resting(world: OrderWorld, lots: int = 2, typed: PriceTerms = LIMIT) -> int:
    """A run whose one leg rests at a typed price; two lots are one order, more are slices of two."""
    run_id = world.start((CALL, Side.BUY, lots), typed={1: typed})
    world.turns(2)
    return run_id


def asked(world: OrderWorld) -> int:
    """Units of all orders that the broker ever took, less what of them was cancelled unfilled."""
    return sum(order.filled if order.status.is_final else order.request.units for order in world.broker.standing)


# Convert to market: cancel, settle, then the unfilled rest.


@pytest.mark.parametrize("lots", [1, 2, 5])
def test_the_whole_rest_goes_at_market(world: OrderWorld, lots: int) -> None:
    run_id = resting(world, lots)
    world.ask(run_id, Change.MARKET)
    world.turns(3)
    assert asked(world) == lots * LOT
    assert {(o.request.price_type, o.request.price) for o in world.broker.standing if not o.status.is_final} == {
        (PriceType.LIMIT, PRICE)
    }
    world.broker.fill_all()
    world.turns(2)
    assert world.net() == {CALL.key.symbol: lots * LOT}
    assert world.run(run_id).state == "OPEN"


def test_it_waits_until_the_cancel_is_settled(world: OrderWorld) -> None:
    """Row 18 of the failures to make impossible: the full quantity must not go while the first order may fill."""
    run_id = resting(world)
    world.broker.deaf_to_cancels = True
    world.ask(run_id, Change.MARKET)
    world.turns(20)
    assert world.broker.placed == 1
    world.broker.fill_all()
    world.turns(3)
    assert world.broker.placed == 1
    assert world.net() == {CALL.key.symbol: 2 * LOT}
    assert world.run(run_id).state == "OPEN"


@pytest.mark.parametrize(("fills", "goes_on"), [(0, 2 * LOT), (LOT, LOT), (2 * LOT, 0)])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_fill_that_overtakes_the_cancel_is_not_sent_again(
    world: OrderWorld, fills: int, goes_on: int, *, hidden: bool
) -> None:
    """The order fills in the moment of its cancel, and the trade book shows it only later."""
    run_id = resting(world)
    world.broker.fills_before_cancel = fills
    world.broker.trades_hidden = 1 if hidden and fills else 0
    world.ask(run_id, Change.MARKET)
    world.turns(3)
    world.broker.fills_before_cancel = 0
    if world.broker.trades_hidden:
        assert world.broker.placed == 1, "what filled is not known yet"
        world.broker.trades_hidden = 0
        world.turns(3)
    assert asked(world) == 2 * LOT
    assert sum(order.request.units for order in world.broker.standing[1:]) == goes_on
    world.broker.fill_all()
    world.turns(3)
    assert world.net() == {CALL.key.symbol: 2 * LOT}
    assert world.run(run_id).state == "OPEN"


@settings(max_examples=settings().max_examples // 6, deadline=None)
@given(
    lots=st.integers(1, 5),
    typed=st.sampled_from([LIMIT, STOP]),
    before=st.integers(0, 5),
    racing=st.integers(0, 5),
    deaf=st.integers(0, 4),
    presses=st.integers(1, 3),
    lost=st.sampled_from(["ack", "lost", "error"]),
)
def test_however_it_races_never_more_than_planned(  # noqa: PLR0917 - one schedule has as many parts
    lots: int, typed: PriceTerms, before: int, racing: int, deaf: int, presses: int, lost: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = OrderWorld(Path(folder))
        world.broker.acts = [lost]
        run_id = resting(world, lots, typed)
        for order in world.broker.standing[:before]:
            world.broker.trigger(order)
            world.broker.fill(order, LOT)
        world.broker.fills_before_cancel = racing * LOT
        world.broker.deaf_to_cancels = deaf > 0
        for _ in range(presses):
            with contextlib.suppress(Conflict):  # it may have filled meanwhile
                world.ask(run_id, Change.MARKET)
            world.turn()
        world.turns(deaf)
        world.broker.deaf_to_cancels = False
        for _ in range(30):
            world.broker.fill_all()
            world.turn()
        assert world.net() == {CALL.key.symbol: lots * LOT}
        assert world.broker.ours(CALL.key) == lots * LOT
        assert world.run(run_id).state == "OPEN"
        world.database.engine.dispose()


def test_a_crash_after_the_wish_goes_on_where_it_was(world: OrderWorld) -> None:
    run_id = resting(world)
    world.ask(run_id, Change.MARKET)
    world.restart()
    world.read()
    world.turns(4)
    assert asked(world) == 2 * LOT
    assert world.broker.placed == 2


def test_a_rest_keeps_to_the_slip_of_the_moment_it_was_asked_in(world: OrderWorld) -> None:
    run_id = resting(world)
    world.ask(run_id, Change.MARKET)
    world.turns(3)
    (rest,) = [intent for intent in world.intents() if intent.generation == 2]
    assert (rest.price_type, rest.worst_price) == ("MARKET", PRICE + 5)


def test_without_a_price_the_order_rests_as_it_is(world: OrderWorld) -> None:
    run_id = resting(world)
    world.pricing.trouble = NoFreshPrice("no price")
    with pytest.raises(Conflict, match="the order rests as it is"):
        world.ask(run_id, Change.MARKET)
    world.turns(3)
    assert [order.status for order in world.broker.standing] == [OrderStatus.OPEN]
    assert "Not changed. no price" in world.said("denied")[0]


def test_in_a_paused_account_what_rests_is_left_to_rest(world: OrderWorld) -> None:
    run_id = resting(world)
    with world.database.transaction() as session:
        session.get_one(TradingAccount, 1).state = "PAUSED"
    with pytest.raises(Denied, match="entries are not sent"):
        world.ask(run_id, Change.MARKET)
    world.turns(2)
    assert world.broker.standing[0].status is OrderStatus.OPEN


def test_minutes_before_the_close_what_rests_is_left_to_rest(world: OrderWorld) -> None:
    """Its rest would be denied, and a denied leg takes the others out."""
    run_id = resting(world)
    world.hours.now = Phase.CLOSING
    with pytest.raises(Denied, match="nothing new is begun"):
        world.ask(run_id, Change.MARKET)
    world.turns(2)
    assert world.broker.standing[0].status is OrderStatus.OPEN


def test_while_halted_nothing_new_is_sent_and_a_cancel_still_is(world: OrderWorld) -> None:
    run_id = resting(world)
    with world.database.transaction() as session:
        session.add(
            TradingStateRow(
                scope=Scope.ALL.value, scope_id=0, state=TradingState.HALTED.value, actor="asha",
                at=world.clock.now(), why="test",
            )
        )  # fmt: skip
    for change in (Change.MARKET, Change.MODIFY):
        with pytest.raises(Denied):
            world.ask(run_id, change, "96" if change is Change.MODIFY else None)
    world.ask(run_id, Change.CANCEL)
    world.turns(3)
    assert world.broker.standing[0].status is OrderStatus.CANCELLED
    assert world.broker.placed == 1


# Cancel: the rest is given up, what filled is kept.


def test_a_cancelled_order_gives_up_the_rest_and_fails_nothing(world: OrderWorld) -> None:
    run_id = resting(world)
    world.broker.fill(world.broker.standing[0], LOT)
    world.turn()
    world.ask(run_id, Change.CANCEL)
    world.turns(4)
    assert world.net() == {CALL.key.symbol: LOT}
    assert world.run(run_id).state == "OPEN"
    assert (world.said("leg_failed"), world.intents("EXIT")) == ([], [])
    assert world.broker.placed == 1


def test_one_that_was_never_sent_is_cancelled_without_a_word_to_the_broker(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (HEDGE, Side.BUY, 1), typed={1: PriceTerms(PriceType.LIMIT, PRICE)})
    world.turn()
    world.ask(run_id, Change.CANCEL)
    world.broker.fill_all()
    world.turns(3)
    assert [order.request.contract for order in world.broker.standing] == [HEDGE.key]
    assert world.run(run_id).state == "OPEN"


def test_one_whose_outcome_is_unknown_is_cancelled_when_it_turns_up(world: OrderWorld) -> None:
    world.broker.acts = ["late"]
    run_id = world.start((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.turn()
    world.ask(run_id, Change.CANCEL)
    world.turn()
    world.broker.arrive()
    world.turns(4)
    assert world.broker.standing[0].status is OrderStatus.CANCELLED
    assert world.run(run_id).state == "CLOSED"


def test_one_that_never_arrived_and_was_to_be_cancelled_fails_nothing(world: OrderWorld) -> None:
    world.broker.acts = ["gone"]
    run_id = world.start((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.turn()
    world.ask(run_id, Change.CANCEL)
    world.turns(80, 2.5)
    assert world.intents()[0].state == IntentState.NOT_SENT
    assert (world.said("leg_failed"), world.run(run_id).state) == ([], "CLOSED")


def test_one_that_never_arrived_is_not_sent_at_market_by_a_machine(world: OrderWorld) -> None:
    world.broker.acts = ["gone"]
    run_id = world.start((CALL, Side.BUY, 1), typed={1: LIMIT})
    world.turn()
    world.ask(run_id, Change.MARKET)
    world.turns(80, 2.5)
    assert world.broker.placed == 1
    assert len(world.said("leg_failed")) == 1


def test_what_is_over_cannot_be_changed(world: OrderWorld) -> None:
    run_id = resting(world)
    world.ask(run_id, Change.MODIFY, "96.05")
    with pytest.raises(Conflict, match="does not show the last change"):
        world.ask(run_id, Change.MODIFY, "97.05")
    world.turns(3)
    world.ask(run_id, Change.CANCEL)
    with pytest.raises(Conflict, match="is being cancelled"):
        world.ask(run_id, Change.MODIFY, "98.05")
    world.turns(3)
    for change in Change:
        with pytest.raises(Conflict, match="is pending any more"):
            world.ask(run_id, change)


def test_what_is_on_its_way_out_is_left_to_the_exit(world: OrderWorld) -> None:
    run_id = resting(world)
    world.exit(run_id)
    with pytest.raises(Conflict, match="on its way out"):
        world.ask(run_id, Change.MARKET)
    with pytest.raises(NotFound):
        world.executor.ask_pending(run_id, PendingChange(1, 9, Change.CANCEL), "asha")


def test_an_exit_takes_away_what_was_to_go_at_market(world: OrderWorld) -> None:
    run_id = resting(world)
    world.ask(run_id, Change.MARKET)
    world.exit(run_id)
    world.turns(6)
    assert world.broker.placed == 1
    assert world.run(run_id).state == "CLOSED"
    assert {intent.state for intent in world.intents()} == {IntentState.CANCELLED.value}
