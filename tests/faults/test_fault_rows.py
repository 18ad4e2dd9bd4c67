"""Rows of the fault matrix, on one running desk and the simulator: one account's gateway misbehaves, no other does."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.contracts import ContractKey, Kind, Side
from app.domain.gate import Code
from app.domain.orders import IntentState
from app.services.account_health import HealthState
from app.services.feed_state import FeedFault, FeedPhase
from tests.live_desk import SIMULATED_QUIET_S, LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess

ONE_BUY = (leg(1, Kind.CE, Side.BUY),)
BROKEN, WELL = 3, 4
"""Accounts, and their numbers in the simulator."""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def running(simulator_process: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    simulator_process.reset()
    folder = tmp_path_factory.mktemp("rows")
    with live_desk(simulator_process, folder, quiet_open_s=SIMULATED_QUIET_S) as made:
        yield made


@pytest.fixture
def desk(running: LiveDesk) -> Iterator[LiveDesk]:
    yield running
    running.simulator.clear_faults()
    health = running.runtime.market.health
    eventually(lambda: health.of(BROKEN).state is HealthState.OK, "the account is well again", 60)


def buy(desk: LiveDesk, *accounts: int) -> int:
    return desk.run(ONE_BUY, name=f"Row {next(_numbers)}", accounts=accounts or (BROKEN,))


TIMED_OUT = "Order request timed out. Please check the order book and confirm before placing again."


def test_row_07_timed_out_check_the_order_book_is_no_refusal(desk: LiveDesk) -> None:
    _an_accepted_order_is_found(desk, "accept_with_error", {"status": 400, "text": TIMED_OUT}, "UNKNOWN_ANSWERED")


@pytest.mark.parametrize(
    ("fault", "parameters"), [("truncated_body", {"bytes": 20}), ("html_error", {"status": 502, "works": True})]
)
def test_row_08_what_is_not_the_gateways_answer_settles_nothing(
    desk: LiveDesk, fault: str, parameters: dict[str, Any]
) -> None:
    _an_accepted_order_is_found(desk, fault, parameters, "UNKNOWN_OPEN")


def _an_accepted_order_is_found(desk: LiveDesk, fault: str, parameters: dict[str, Any], verdict: str) -> None:
    """Unknown, found in the book, never sent again; the trader reads sentences."""
    before = len(desk.orders_at_broker(BROKEN))
    desk.simulator.fault(fault, account=BROKEN, endpoint="placeorder", remaining=1, parameters=parameters)
    run_id = buy(desk)
    desk.until(run_id, "OPEN")
    (intent,) = desk.intents(run_id)
    assert (intent.state, intent.verdict) == (IntentState.FILLED, verdict)
    assert len(desk.orders_at_broker(BROKEN)) == before + 1
    for words in ("Traceback", "<html"):
        assert words not in desk.story(run_id)


def test_row_10_a_lost_order_is_found_in_books_that_lag(desk: LiveDesk) -> None:
    before = len(desk.orders_at_broker(BROKEN))
    desk.simulator.fault("stale_books", account=BROKEN, parameters={"seconds": 4.0})
    desk.simulator.fault("lost_reply", account=BROKEN, endpoint="placeorder", remaining=1)
    run_id = buy(desk)
    desk.until(run_id, "OPEN")
    assert len(desk.orders_at_broker(BROKEN)) == before + 1
    assert len(desk.events(run_id, "found")) == 1


def test_row_27_a_status_of_the_row_before_fills_nothing(desk: LiveDesk) -> None:
    """Its own trades alone make a fill: the row before it is complete, and so this one reads."""
    first = buy(desk)
    desk.until(first, "OPEN")
    desk.simulator.fault("no_fill", account=BROKEN)
    desk.simulator.fault("status_bleed", account=BROKEN)
    run_id = buy(desk)
    reconciler, read = desk.runtime.trade.reconciler, set[float]()

    def five_reads() -> bool:
        known = reconciler.known(BROKEN)
        if known is not None and desk.intents(run_id) and desk.intents(run_id)[0].order_id in known.ids:
            read.add(known.began)
        return len(read) >= 5

    eventually(five_reads, "the book was read again and again")
    assert IntentState.FILLED not in {intent.state for intent in desk.intents(run_id)}
    alive = [row for row in desk.orders_at_broker(BROKEN) if row["order_status"] == "open"]
    assert len(alive) <= 1, "what our cancel has not ended is not sent again"
    assert [cell.entered for cell in desk.view(run_id).cells] == [0]
    desk.simulator.clear_faults()
    desk.until(run_id, "OPEN")


def test_row_29_a_token_that_dies_is_said_within_seconds_and_the_exit_goes_when_it_lives_again(desk: LiveDesk) -> None:
    run_id = buy(desk)
    desk.until(run_id, "OPEN")
    held = desk.net_at_broker(BROKEN)
    desk.simulator.fault("token_dead", account=BROKEN)
    health = desk.runtime.market.health
    eventually(lambda: health.of(BROKEN).state is HealthState.LOGIN_EXPIRED, "the dead session is noticed", 20)
    eventually(lambda: desk.activity("account.lost"), "and said", 10)
    eventually(lambda: [e for e in desk.events(run_id, "attention") if "takes no entries" in e.sentence], "in the run")

    complete = _complete(desk)
    well = buy(desk, WELL)
    desk.until(well, "OPEN")
    desk.exit(run_id)
    eventually(lambda: [i for i in desk.intents(run_id) if i.purpose == "EXIT"], "the exit is asked for")
    desk.until(run_id, "EXITING")
    assert desk.net_at_broker(BROKEN) == held
    assert _complete(desk) == complete
    desk.simulator.clear_faults()
    desk.until(run_id, "CLOSED", within_s=60)
    eventually(lambda: desk.activity("account.back"), "it is said to be back")
    assert sum(held.values()) - sum(desk.net_at_broker(BROKEN).values()) == 65


def test_row_29_prices_leave_an_account_whose_token_dies_and_the_move_is_named_for_it(desk: LiveDesk) -> None:
    """Its socket stays open and answers pings: only the prices stop."""
    feed = desk.runtime.market.feed
    feed.choose(BROKEN, "trader")
    try:
        eventually(lambda: feed.state().account_id == BROKEN and feed.state().phase is FeedPhase.LIVE, "it feeds", 30)
        desk.simulator.fault("token_dead", account=BROKEN)
        eventually(lambda: feed.state().account_id not in {None, BROKEN}, "another account feeds", 30)
        assert feed.state().last_fault is FeedFault.LOGIN_EXPIRED
        named = ("not logged in at its broker", "Its broker session may have been renewed")  # while it still subscribed
        assert any(words in feed.state().last_cause for words in named), feed.state().last_cause
    finally:
        feed.give_back("trader")


def test_row_49_prices_move_to_another_account_and_every_order_stays_with_its_own(desk: LiveDesk) -> None:
    feed = desk.runtime.market.feed
    feed.choose(WELL, "trader")
    try:
        eventually(lambda: feed.state().account_id == WELL and feed.state().phase is FeedPhase.LIVE, "it feeds", 30)
        before = {number: len(desk.filled_at_broker(number)) for number in desk.account_ids}
        run_id = buy(desk, BROKEN, WELL)
        desk.until(run_id, "OPEN")
        desk.simulator.fault("ws_refuse", account=WELL)
        desk.simulator.fault("ws_drop", account=WELL, remaining=1)
        eventually(lambda: feed.state().account_id not in {None, WELL}, "another account feeds", 30)
        eventually(lambda: _is_fed_again(desk, run_id), "what is held has a price of the other feed", 30)
        desk.exit(run_id)
        desk.until(run_id, "CLOSED")
        after = {number: len(desk.filled_at_broker(number)) for number in desk.account_ids}
        assert {number: after[number] - before[number] for number in after if after[number] != before[number]} == {
            BROKEN: 2,
            WELL: 2,
        }, "in and out, where each belongs"
    finally:
        feed.give_back("trader")


def _is_fed_again(desk: LiveDesk, run_id: int) -> bool:
    market = desk.runtime.market
    prices = [market.board.latest(ContractKey(each.exchange, each.symbol)) for each in desk.intents(run_id)]
    gap_from = market.feed.gap_from()
    return gap_from is not None and all(price is not None and price.received > gap_from for price in prices)


def _complete(desk: LiveDesk) -> int:
    return sum(order["order_status"] == "complete" for order in desk.orders_at_broker(BROKEN))


def test_row_30_an_exit_that_the_gateways_limiter_refused_goes_once_more(desk: LiveDesk) -> None:
    run_id = buy(desk)
    desk.until(run_id, "OPEN")
    before = len(desk.orders_at_broker(BROKEN))
    desk.simulator.fault("rate_limited", account=BROKEN, endpoint="placeorder", remaining=1)
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    exits = [intent for intent in desk.intents(run_id) if intent.purpose == "EXIT"]
    assert [intent.state for intent in exits] == [IntentState.NOT_SENT, IntentState.FILLED]
    assert len(desk.orders_at_broker(BROKEN)) == before + 1


def test_row_39_a_machine_whose_clock_is_wrong_by_half_a_minute_sends_no_entries(desk: LiveDesk) -> None:
    desk.simulator.fault("clock_skew", parameters={"seconds": 45.0})
    locks = desk.runtime.market.locks
    held = eventually(lambda: locks.of(WELL), "the gateway's answers to two pings say so")
    assert held is not None
    assert held.code == Code.CLOCK_SKEWED
    desk.simulator.clear_faults()
    eventually(lambda: locks.of(WELL) is None, "entries are sent again")
    eventually(lambda: len(_of_clocks(desk, "no entries are sent")) == 1, "the trouble is said")
    eventually(lambda: len(_of_clocks(desk, "The clocks agree again")) == 1, "its end is said")


def _of_clocks(desk: LiveDesk, words: str) -> list[str]:
    return [row.sentence for row in desk.activity("engine.clock") if words in row.sentence]
