"""What the page of a run says in words: trouble once, fills together, contracts by name, times a trader can read."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import Order, Run, StrategyExecution
from app.trading.run_page import RunPage, run_page
from tests.desk_app import MONDAY_1030
from tests.run_maker import RunMaker, opened, requested
from tests.trading_desk import CE, PE, TradingBench, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def shown(run: RunMaker) -> RunPage:
    bench = run.desk.bench
    with bench.app.test_request_context():
        page = run_page(bench.desk, bench.somebody("asha"), run.run_id)["run"]
    assert isinstance(page, RunPage)
    return page


def test_only_cells_in_trouble_have_notes_one_for_each_reason(desk: TradingBench) -> None:
    run = requested(desk)
    first, second = run.accounts
    for leg, contract in ((1, CE), (2, PE)):
        run.order(run.execution(first, leg, contract, Side.SELL), IntentState.REJECTED, reason="No funds.")
    run.order(run.execution(second, 1, CE, Side.SELL), IntentState.PARKED, reason="Queued for approval.")
    run.order(run.execution(second, 2, PE, Side.SELL), IntentState.FILLED, filled=65, reason="Was slow.")
    run.state("ENTERING")
    notes = shown(run.done()).notes
    assert [(note.state, note.about.split(", ", 1)[1], note.text) for note in notes] == [
        ("rejected", "26,200 CE and 26,200 PE", "No funds."),
        ("parked", "26,200 CE", "Queued for approval."),
    ]


def test_flat_cells_say_nothing_of_what_went_before(desk: TradingBench) -> None:
    run = requested(desk)
    execution = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(execution, IntentState.REJECTED, reason="No funds.")
    with desk.bench.database.transaction() as session:
        session.get_one(StrategyExecution, execution).exit_wanted = "Leg 2 failed."
    run.state("EXITING")
    page = shown(run.done())
    assert [cell.state for account in page.accounts for cell in account.cells if cell] == ["flat"]
    assert page.notes == []


def test_an_exit_that_is_rejected_is_trouble(desk: TradingBench) -> None:
    run = requested(desk)
    execution = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(execution, IntentState.FILLED, filled=65)
    run.order(execution, IntentState.REJECTED, purpose=Purpose.EXIT, reason="No funds.")
    with desk.bench.database.transaction() as session:
        session.get_one(StrategyExecution, execution).exit_wanted = "You asked."
    run.state("EXITING")
    assert [(note.state, note.text) for note in shown(run.done()).notes] == [("exiting", "No funds.")]


def test_fills_are_told_together_by_the_name_of_the_contract(desk: TradingBench) -> None:
    run = opened(desk)
    run.event("filled", f"Filled 65 of sell 65 {CE.key.symbol} at 128.00.", run.accounts[0])
    titles = [(event.title, event.tone) for event in shown(run).events]
    assert titles.count(("Sold 2 lots (130) 26,200 CE at 128.00", "ok")) == 1
    assert not any("Filled 65" in title for title, _ in titles)


def test_a_sentence_of_several_accounts_is_told_once_without_symbols(desk: TradingBench) -> None:
    run = requested(desk)
    for account in run.accounts:
        run.execution(account, 1, CE, Side.SELL)
        run.event("rejected", f"Rejected: sell 65 {CE.key.symbol}. No funds.", account)
    events = [event for event in shown(run.done()).events if event.tone == "bad"]
    names = ", ".join(account.name for account in shown(run).accounts)
    said = "Rejected: sell 65 units of 26,200 CE. No funds."
    assert [(event.title, event.detail) for event in events] == [(said, names)]


def test_what_an_account_with_an_unknown_order_is_worth_is_unknown(desk: TradingBench) -> None:
    run = requested(desk)
    first, second = run.accounts
    run.order(run.execution(first, 1, CE, Side.SELL), IntentState.UNKNOWN)
    run.order(run.execution(second, 1, CE, Side.SELL), IntentState.FILLED, filled=65, price="128")
    run.state("ENTERING")
    desk.price(CE.key, "120")
    page = shown(run.done())
    assert {account.id: account.mtm for account in page.accounts} == {first: None, second: 520}
    assert "Run MTM, known fills only" in run.text()


def test_what_entered_is_known_while_the_exit_is_not(desk: TradingBench) -> None:
    run = requested(desk)
    execution = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(execution, IntentState.FILLED, filled=65)
    run.order(execution, IntentState.UNKNOWN, purpose=Purpose.EXIT)
    run.state("EXITING")
    cells = [cell for account in shown(run.done()).accounts for cell in account.cells if cell]
    assert [(cell.state, cell.filled_lots, cell.wanted_lots) for cell in cells] == [("unknown", 1, 1)]


def test_an_orders_time_is_the_time_of_day(desk: TradingBench) -> None:
    run = requested(desk)
    intent = run.order(run.execution(run.accounts[0], 1, CE, Side.SELL), IntentState.WORKING)
    run.state("ENTERING")
    assert " 10:30:00 " in run.done().text()
    with desk.bench.database.transaction() as session:
        session.add(
            Order(
                account_id=run.accounts[0], trading_date=MONDAY_1030.date(), order_id="B11", intent_id=intent,
                side="SELL", units=65, product="MIS", price_type="LIMIT", price=CE.tick, status="open", filled=0,
                placed_at="2026-11-23 09:15:11", seen_at=MONDAY_1030,
            )
        )  # fmt: skip
    text = run.done().text()
    assert "09:15:11" in text
    assert "2026-11-23" not in text


def test_our_own_moment_is_an_age_while_the_market_lives_on_another_date(desk: TradingBench) -> None:
    run = requested(desk)
    run.order(run.execution(run.accounts[0], 1, CE, Side.SELL), IntentState.REJECTED)
    run.state("ENTERING")
    desk.bench.clock.advance(34)
    services = desk.bench.desk

    class Elsewhere:
        def now(self) -> object:
            return MONDAY_1030 - timedelta(days=3)

    object.__setattr__(services, "market_clock", Elsewhere())
    assert [order.at for order in shown(run.done()).orders] == ["34 s ago"]


@pytest.mark.parametrize(
    ("state", "words"),
    [("REFUSED", "Nothing was sent. Prices moved."), ("ATTENTION", "This run needs a look. Prices moved.")],
)
def test_a_run_that_went_wrong_says_why_first(desk: TradingBench, state: str, words: str) -> None:
    run = requested(desk)
    run.state(state)
    with desk.bench.database.transaction() as session:
        session.get_one(Run, run.run_id).reason = "Prices moved."
    text = run.done().text()
    assert words in text
    assert text.index(words) < text.index("No orders")
    assert ("Back to the strategy" in text) is (state == "REFUSED")
    assert ("Preview again" in text) is (state == "REFUSED")
