"""A contract that has expired is settled by its exchange: the leg ends without an order, and nothing is made up."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from app.domain.calendar import IST
from app.domain.contracts import Side
from app.domain.errors import InvalidInput
from app.domain.market_rules import DEFAULT_RULES, RuleBook
from app.persistence.tables import ActivityLog, FillRow, RunDay, SettlementPrice
from app.services.activity import Activity
from app.services.expired_legs import ExpiredLegs
from app.services.journal import Journal
from app.services.limit_facts import open_lots
from app.services.run_board import RunBoard
from app.services.run_charges import of_run
from app.services.settlement_prices import SettlementPrices
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT
from tests.unit.services.test_day_limits import Person
from tests.unit.services.test_integrity_watch import kinds

ASHA = Person(1, "asha", is_admin=True)


class _NoPrices:
    def latest(self, _key: object) -> None:
        return None


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return filled(OrderWorld(tmp_path))


def filled(world: OrderWorld) -> OrderWorld:
    for broker in world.brokers.values():
        broker.fills_at_once = True
    return world


def expiries(world: OrderWorld, agreeing: Callable[[], int] | None = None) -> ExpiredLegs:
    """Where nothing else is said the gateway bears the clock out again before each question."""
    made = ExpiredLegs(
        world.database, world.clock, world.clock, Journal(world.clock),
        agreeing=agreeing or count(step=2).__next__, on_change=world.executor.touch,
    )  # fmt: skip
    if agreeing is None:
        made.step()
    return made


def at(world: OrderWorld, days: int, of_day: time) -> None:
    """So many days after the expiry; the exchange has settled what was held from the day after it on."""
    moment = datetime.combine(PUT.expiry + timedelta(days=days), of_day, IST)
    world.clock.advance((moment - world.clock.now()).total_seconds())
    if days > 0:
        for broker in world.brokers.values():
            broker.standing.clear()
            broker.trades.clear()
            broker.foreign.clear()


def held(world: OrderWorld) -> dict[int, int]:
    with world.database.reading() as session:
        return open_lots(session, list(world.brokers))


def test_a_leg_ends_when_the_day_of_its_expiry_is_over_and_not_before(world: OrderWorld) -> None:
    run_id = world.start((PUT, Side.BUY, 1))
    world.turns(3)
    at(world, 0, time(23, 59))
    expiries(world).step()
    assert (world.run(run_id).state, held(world)) == ("OPEN", {1: 1})
    at(world, 1, time(0, 1))
    expiries(world).step()
    world.turns(2)
    run = world.run(run_id)
    assert run.state == "CLOSED"
    assert run.closed_at is not None
    assert run.closed_at.astimezone(IST).date() == PUT.expiry, "it is of no day after"
    assert held(world) == {1: 0}
    (words,) = world.said("expired")
    assert f"expired with +{LOT} units held" in words
    assert "not known here" in words


def test_no_exit_is_sent_for_what_has_expired_and_one_that_waits_is_given_up(world: OrderWorld) -> None:
    run_id = world.start((PUT, Side.BUY, 1))
    world.turns(3)
    at(world, 1, time(0, 1))
    world.hours.now = type(world.hours.now).CLOSED
    world.exit(run_id)
    world.turns(3)
    placed = world.broker.placed
    expiries(world).step()
    world.turns(3)
    assert world.run(run_id).state == "CLOSED"
    assert world.broker.placed == placed
    assert {intent.state for intent in world.intents("EXIT")} <= {"CANCELLED", "DENIED"}
    assert kinds(world) == []


def test_positions_and_cash_stay_those_of_the_fills_and_the_worth_is_unknown(world: OrderWorld) -> None:
    run_id = world.start((PUT, Side.BUY, 1))
    world.turns(3)
    before = [(row.units, row.price) for row in world.rows(FillRow)]
    at(world, 1, time(0, 1))
    expiries(world).step()
    world.turns(2)
    assert [(row.units, row.price) for row in world.rows(FillRow)] == before
    prices: object = _NoPrices()
    board = RunBoard(world.database, prices, world.clock)  # type: ignore[arg-type]
    view = board.view(run_id)
    (cell,) = view.cells
    assert (cell.state, cell.net, cell.position.units) == ("expired", 0, LOT)
    assert view.held == frozenset(), "nobody has to ask for its price"
    worth = board.pnl(view)
    assert (worth.is_complete, worth.total, worth.realised) == (False, None, Decimal(0))


def test_what_was_closed_before_it_expired_is_flat_and_known(world: OrderWorld) -> None:
    run_id = world.start((PUT, Side.BUY, 1), (CALL, Side.BUY, 1))
    world.turns(3)
    world.exit(run_id, leg=2)
    world.turns(3)
    at(world, 1, time(0, 1))
    expiries(world).step()
    world.turns(2)
    assert world.run(run_id).state == "CLOSED"
    (words,) = world.said("expired")
    assert PUT.key.symbol in words


def test_it_is_done_once_in_every_account_and_a_restart_changes_nothing(tmp_path: Path) -> None:
    world = filled(OrderWorld(tmp_path, accounts=5))
    run_id = world.start((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turns(4)
    at(world, 20, time(9, 30))
    for _ in range(2):
        expiries(world).step()
        world.restart()
        world.turns(3)
    assert world.run(run_id).state == "CLOSED"
    assert len(world.said("expired")) == 10
    assert held(world) == dict.fromkeys(range(1, 6), 0)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((0, 0, 0, 0), id="nobody has said anything since the machine started"),
        pytest.param((7, 8, 0, 0), id="it was set, and the next answer says so"),
        pytest.param((7, 8, 0, 1), id="one answer alone may be a mistake"),
    ],
)
def test_a_clock_that_nobody_has_borne_out_ends_nothing(world: OrderWorld, answers: tuple[int, ...]) -> None:
    run_id = world.start((PUT, Side.BUY, 1))
    world.turns(3)
    at(world, 1, time(0, 1))
    said = iter(answers)
    legs = expiries(world, said.__next__)
    for _ in answers:
        legs.step()
    world.turns(2)
    assert world.run(run_id).state == "OPEN"
    assert world.said("expired") == []


def test_a_clock_that_agrees_again_ends_what_has_expired(world: OrderWorld) -> None:
    run_id = world.start((PUT, Side.BUY, 1))
    world.turns(3)
    at(world, 1, time(0, 1))
    said = iter((7, 0, 1, 2))
    legs = expiries(world, said.__next__)
    for _ in range(4):
        legs.step()
    world.turns(2)
    assert world.run(run_id).state == "CLOSED"


def settlements(world: OrderWorld) -> SettlementPrices:
    return SettlementPrices(world.database, world.clock, Activity(world.database, world.clock), world.executor.touch)


def expired_run(world: OrderWorld) -> int:
    """A put bought at 100 and a call sold at 100 that nobody has left before they expired."""
    run_id = world.start((PUT, Side.BUY, 1), (CALL, Side.SELL, 1))
    world.turns(4)
    at(world, 1, time(0, 1))
    expiries(world).step()
    world.turns(2)
    return run_id


def board(world: OrderWorld) -> RunBoard:
    prices: object = _NoPrices()
    return RunBoard(world.database, prices, world.clock)  # type: ignore[arg-type]


def test_a_typed_settlement_completes_the_run_and_its_last_day(world: OrderWorld) -> None:
    run_id = expired_run(world)
    typing = settlements(world)
    listed = typing.listed(ASHA)
    assert {(each.contract.key, each.long, each.short, each.price) for each in listed} == {
        (PUT.key, LOT, 0, None), (CALL.key, 0, LOT, None),
    }  # fmt: skip
    typing.type(ASHA, PUT.key.exchange, PUT.key.symbol, Decimal("12.35"))
    assert board(world).pnl(board(world).view(run_id)).total is None, "the call is not known yet"
    assert world.rows(RunDay) == []
    typing.type(ASHA, CALL.key.exchange, CALL.key.symbol, Decimal(0))
    view = board(world).view(run_id)
    worth = board(world).pnl(view)
    fills = {fill.side: fill.price for fill in world.rows(FillRow)}
    brought = LOT * (Decimal("12.35") - fills["BUY"] + fills["SELL"])
    assert (worth.is_complete, worth.total, worth.realised) == (True, brought, brought)
    assert {cell.state for cell in view.cells} == {"settled"}
    assert "as typed by a person" in (view.cells[0].note or "")
    (day,) = world.rows(RunDay)
    assert (day.trading_date, day.total, day.realised) == (PUT.expiry, brought, brought)
    assert [(each.by, each.price) for each in typing.listed(ASHA)] == [("asha", Decimal(0)), ("asha", Decimal("12.35"))]


def test_a_correction_counts_instead_and_both_stand_in_the_activity(world: OrderWorld) -> None:
    run_id = expired_run(world)
    typing = settlements(world)
    typing.type(ASHA, CALL.key.exchange, CALL.key.symbol, Decimal(0))
    for price in ("12.35", "13.50"):
        typing.type(ASHA, PUT.key.exchange, PUT.key.symbol, Decimal(price))
    fills = {fill.side: fill.price for fill in world.rows(FillRow)}
    brought = LOT * (Decimal("13.50") - fills["BUY"] + fills["SELL"])
    assert board(world).pnl(board(world).view(run_id)).total == brought
    assert [row.total for row in world.rows(RunDay)] == [brought]
    said = [row.sentence for row in world.rows(ActivityLog) if row.action == "settlement.price"]
    assert said[-1] == f"{PUT.key.symbol} was settled at 13.50, instead of 12.35: typed, for 1 run."


def test_a_settlement_that_cannot_be_true_changes_nothing(world: OrderWorld) -> None:
    expired_run(world)
    typing = settlements(world)
    typing.type(ASHA, CALL.key.exchange, CALL.key.symbol, Decimal(40))
    with pytest.raises(InvalidInput, match="both cannot be true"):
        typing.type(ASHA, PUT.key.exchange, PUT.key.symbol, Decimal(900))
    with pytest.raises(InvalidInput, match="No run held"):
        typing.type(ASHA, PUT.key.exchange, "NIFTY", Decimal(1))
    assert [row.price for row in world.rows(SettlementPrice)] == [Decimal(40)]


def test_before_its_day_is_over_no_settlement_is_taken(world: OrderWorld) -> None:
    world.start((PUT, Side.BUY, 1))
    world.turns(3)
    with pytest.raises(InvalidInput, match="No run held"):
        settlements(world).type(ASHA, PUT.key.exchange, PUT.key.symbol, Decimal(1))


def test_a_settled_option_that_was_bought_pays_its_tax(world: OrderWorld) -> None:
    run_id = expired_run(world)
    book = RuleBook(DEFAULT_RULES)
    with world.database.reading() as session:
        before = of_run(session, run_id, book).charges
    typing = settlements(world)
    typing.type(ASHA, CALL.key.exchange, CALL.key.symbol, Decimal(0))
    typing.type(ASHA, PUT.key.exchange, PUT.key.symbol, Decimal(100))
    with world.database.reading() as session:
        after = of_run(session, run_id, book).charges
    assert before is not None
    assert after is not None
    assert after.stt - before.stt == Decimal(10), "0.15 % of 100 x 65, in whole rupees"
    assert after.total - before.total == Decimal(10)
