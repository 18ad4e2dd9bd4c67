"""Typed prices and pending orders on the real engine and the simulator: they rest, move, and go on at market once."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Contract, Kind, PriceType, Side
from app.domain.errors import Denied, InvalidInput
from app.domain.plan import AccountPlan
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec
from app.persistence.tables import CommandRow
from app.services.pending_orders import Change, PendingChange
from tests.live_desk import LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess

ONE_BUY = leg(1, Kind.CE, Side.BUY)
ACCOUNT = 1


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    with live_desk(simulator, tmp_path) as made:
        yield made


def contract_of(desk: LiveDesk) -> tuple[Contract, Decimal]:
    """What the leg comes to now, and its last price."""
    plan = desk.preview(desk.strategy((ONE_BUY,), name="Looked at", accounts=[ACCOUNT])).plan
    contract = plan.legs[0].contract
    return contract, desk.runtime.market.quotes.premiums([contract.key])[contract.key]


def part_of(contract: Contract, price: Decimal, share: str) -> Decimal:
    """That share of a price, on the tick."""
    steps = (price * Decimal(share) / contract.tick).quantize(Decimal(1), ROUND_DOWN)
    return steps * contract.tick


def typed(contract: Contract, pricing: PriceTerms) -> LegSpec:
    """The leg in exactly this contract: the money moves meanwhile."""
    assert contract.strike is not None
    assert ONE_BUY.strike is not None
    strike = replace(ONE_BUY.strike, method=type(ONE_BUY.strike.method).STRIKE, value=contract.strike)
    return replace(ONE_BUY, strike=strike, pricing=pricing)


def rests(desk: LiveDesk, run_id: int) -> None:
    eventually(lambda: [cell.state for cell in desk.view(run_id).cells] == ["pending"], "its order rests")


def ask(
    desk: LiveDesk, run_id: int, change: Change, limit: Decimal | None = None, trigger: Decimal | None = None
) -> CommandRow:
    wanted = PendingChange(ACCOUNT, 1, change, limit, trigger)
    command = desk.runtime.trade.commands.change_pending(
        run_id,
        wanted,
        user_id=1,
        username="trader",
        key=f"{change.value}-{run_id}-00",
    )

    def done() -> CommandRow | None:
        row: CommandRow = desk.rows(CommandRow, CommandRow.id == command)[0]
        return None if row.state == "ASKED" else row

    found = eventually(done, "the engine took the wish")
    assert found is not None
    return found


def test_a_limit_rests_takes_another_price_and_fills_there(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    low = part_of(contract, price, "0.75")
    run_id = desk.run((typed(contract, PriceTerms(PriceType.LIMIT, low)),), accounts=[ACCOUNT], structures=2)
    rests(desk, run_id)
    (order,) = desk.orders_at_broker(ACCOUNT)
    assert (order["pricetype"], Decimal(str(order["price"])), order["order_status"]) == ("LIMIT", low, "open")

    high = part_of(contract, price, "1.15")  # now it can be had
    assert ask(desk, run_id, Change.MODIFY, high).state == "DONE"
    desk.until(run_id, "OPEN")
    (order,) = desk.orders_at_broker(ACCOUNT)
    assert (order["order_status"], Decimal(str(order["price"]))) == ("complete", high)
    assert desk.net_at_broker(ACCOUNT) == {contract.key.symbol: 2 * contract.lot_size}


def test_what_rests_goes_on_at_market_and_never_twice(desk: LiveDesk) -> None:
    """The order fills in part and is cut short by its cancel: only what is missing is sent again."""
    contract, price = contract_of(desk)
    run_id = desk.run(
        (typed(contract, PriceTerms(PriceType.LIMIT, part_of(contract, price, "0.75"))),),
        accounts=[ACCOUNT], structures=3,
    )  # fmt: skip
    rests(desk, run_id)
    assert ask(desk, run_id, Change.MARKET).state == "DONE"
    desk.until(run_id, "OPEN")
    assert desk.net_at_broker(ACCOUNT) == {contract.key.symbol: 3 * contract.lot_size}
    first, second = desk.orders_at_broker(ACCOUNT)
    assert (first["order_status"], second["order_status"]) == ("cancelled", "complete")
    assert second["pricetype"] == "LIMIT", "market is never sent for options"


def partly_filled(desk: LiveDesk, contract: Contract, price: Decimal, rest_s: float) -> int:
    """A run of three lots at a price that can be had, of which the first lot fills; the rest waits for `rest_s`."""
    third = {"fraction": 0.34, "rest_s": rest_s}
    desk.simulator.fault("partial_fills", account=ACCOUNT, remaining=1, parameters=third)
    at = PriceTerms(PriceType.LIMIT, part_of(contract, price, "1.15"))
    run_id = desk.run((typed(contract, at),), accounts=[ACCOUNT], structures=3)
    wanted = {contract.key.symbol: contract.lot_size}
    eventually(lambda: desk.net_at_broker(ACCOUNT) == wanted, "a part of it fills at once")
    return run_id


def test_only_what_is_missing_goes_on_at_market(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    run_id = partly_filled(desk, contract, price, rest_s=60)
    ask(desk, run_id, Change.MARKET)
    desk.until(run_id, "OPEN")
    assert desk.net_at_broker(ACCOUNT) == {contract.key.symbol: 3 * contract.lot_size}
    sizes = [int(order["quantity"]) // contract.lot_size for order in desk.orders_at_broker(ACCOUNT)]
    assert sizes == [3, 2]


def test_row_41_a_fill_that_overtakes_its_cancel_is_not_sent_again(desk: LiveDesk) -> None:
    """The gateway says yes to the cancel, and the order fills before it takes effect."""
    contract, price = contract_of(desk)
    desk.simulator.fault("cancel_lags", account=ACCOUNT, parameters={"seconds": 20.0})
    run_id = partly_filled(desk, contract, price, rest_s=3)
    ask(desk, run_id, Change.MARKET)
    eventually(lambda: desk.intents(run_id)[0].cancel_asked_at, "the cancel is asked for")
    desk.until(run_id, "OPEN")
    assert desk.net_at_broker(ACCOUNT) == {contract.key.symbol: 3 * contract.lot_size}
    assert [order["order_status"] for order in desk.orders_at_broker(ACCOUNT)] == ["complete"]


def test_a_stop_waits_for_its_trigger_and_is_cancelled(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    stop = PriceTerms(PriceType.SL, part_of(contract, price, "1.30"), part_of(contract, price, "1.25"))
    run_id = desk.run((typed(contract, stop),), accounts=[ACCOUNT])
    rests(desk, run_id)
    (order,) = desk.orders_at_broker(ACCOUNT)
    assert (order["pricetype"], order["order_status"]) == ("SL", "trigger pending")
    ask(desk, run_id, Change.CANCEL)
    desk.until(run_id, "CLOSED")
    assert desk.orders_at_broker(ACCOUNT)[0]["order_status"] == "cancelled"
    assert desk.net_at_broker(ACCOUNT) == {}


def test_what_cannot_be_sent_as_typed_is_refused_at_the_preview(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    off_tick = PriceTerms(PriceType.LIMIT, part_of(contract, price, "0.9") + contract.tick / 5)
    far = PriceTerms(PriceType.LIMIT, part_of(contract, price, "0.3"))
    reached = PriceTerms(PriceType.SL, part_of(contract, price, "1.1"), part_of(contract, price, "0.8"))
    for name, pricing, error, says in (
        ("Off the tick", off_tick, InvalidInput, "Leg 1: The limit price .* is not on the tick of 0.05"),
        ("Out of the band", far, Denied, "Leg 1: .* is outside the exchange's band"),
        ("Reached", reached, Denied, "Leg 1: .* has been reached already"),
    ):
        strategy = desk.strategy((typed(contract, pricing),), name=name, accounts=[ACCOUNT])
        with pytest.raises(error, match=says):
            desk.preview(strategy)


def test_the_preview_says_what_the_limit_of_calls_slows(desk: LiveDesk) -> None:
    """1,500 lots in slices of at most 27 lots are 56 orders: at 8 in a second the last goes 6 s after the first."""
    strategy = desk.strategy((leg(1, Kind.CE, Side.BUY, 15),), name="Wide", structures=500, accounts=[ACCOUNT])

    def answering_quickly() -> AccountPlan | None:
        """A gateway that takes half a second to answer is slower than the limit, which then slows nothing."""
        (plan,) = desk.preview(strategy).plan.accounts
        return plan if plan.skipped is not None or (plan.pace is not None and plan.pace.slowed) else None

    account = eventually(answering_quickly, "the account's last call was answered quickly")
    assert account is not None
    assert account.skipped is None
    orders = sum(len(part.orders) for part in account.legs)
    assert account.pace is not None
    (slowed,) = account.pace.slowed
    assert (slowed.orders, account.pace.per_second) == (orders, 8)
    assert account.pace.total_s >= (orders - 1) // 8
    assert 0 < slowed.seconds <= account.pace.total_s  # what the limit adds: slow answers take up time of their own
    assert account.pace.words()[0] in account.explanation


def test_a_stop_that_is_triggered_becomes_a_position_at_its_limit_or_better(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    limit, trigger = part_of(contract, price, "1.35"), part_of(contract, price, "1.05")
    run_id = desk.run((typed(contract, PriceTerms(PriceType.SL, limit, trigger)),), accounts=[ACCOUNT])
    rests(desk, run_id)
    desk.simulator.move_index("NIFTY", percent=0.2)
    desk.until(run_id, "OPEN")
    (order,) = desk.orders_at_broker(ACCOUNT)
    assert order["order_status"] == "complete"
    average = desk.view(run_id).cells[0].average
    assert average is not None
    assert average <= limit


def test_a_market_that_moved_past_the_trigger_since_the_preview_starts_nothing(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    stop = PriceTerms(PriceType.SL, part_of(contract, price, "1.35"), part_of(contract, price, "1.05"))
    preview = desk.preview(desk.strategy((typed(contract, stop),), name="Moved", accounts=[ACCOUNT]))
    desk.simulator.move_index("NIFTY", percent=0.5)
    quotes = desk.runtime.market.quotes
    assert stop.trigger is not None
    trigger = stop.trigger
    eventually(lambda: quotes.premiums([contract.key], 0.2)[contract.key] > trigger, "the market is past the trigger")
    run_id = desk.send(preview)
    desk.until(run_id, "REFUSED")
    assert "has been reached already" in (desk.stored(run_id).reason or "")
    assert desk.orders_at_broker(ACCOUNT) == []


def test_an_exit_takes_a_resting_order_with_it(desk: LiveDesk) -> None:
    contract, price = contract_of(desk)
    run_id = desk.run(
        (typed(contract, PriceTerms(PriceType.LIMIT, part_of(contract, price, "0.75"))),), accounts=[ACCOUNT]
    )
    rests(desk, run_id)
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    assert [order["order_status"] for order in desk.orders_at_broker(ACCOUNT)] == ["cancelled"]


def test_a_future_takes_a_stop_at_market(desk: LiveDesk) -> None:
    """What is refused for options: it waits, and goes at whatever price there is."""
    future = replace(ONE_BUY, kind=Kind.FUT, strike=None, expiry=ExpiryWord.CURRENT_MONTH)
    looked = desk.preview(desk.strategy((future,), name="Looked at", accounts=[ACCOUNT])).plan.legs[0].contract
    price = desk.runtime.market.quotes.premiums([looked.key])[looked.key]
    trigger = part_of(looked, price, "1.002")
    run_id = desk.run((replace(future, pricing=PriceTerms(PriceType.SLM, None, trigger)),), accounts=[ACCOUNT])
    rests(desk, run_id)
    (order,) = desk.orders_at_broker(ACCOUNT)
    assert (order["pricetype"], order["order_status"]) == ("SL-M", "trigger pending")
    assert ask(desk, run_id, Change.MODIFY, trigger=part_of(looked, price, "1.003")).state == "DONE"
    eventually(lambda: len(desk.events(run_id, "pending")) == 2, "the book shows the new trigger")
    desk.simulator.move_index("NIFTY", percent=1.0)
    desk.until(run_id, "OPEN")
    assert desk.net_at_broker(ACCOUNT) == {looked.key.symbol: looked.lot_size}
