"""The page of a run: what it holds and is worth, what nobody knows, why a rule fired, and what an exit would do."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.persistence.tables import CommandRow, RiskEvent, Run, StrategyExecution
from app.services.account_health import HealthState
from tests.desk_app import MONDAY_1030
from tests.run_maker import KEY, opened, read, requested
from tests.trading_desk import CE, HEDGE, PE, TradingBench, sent, trading_bench

HOSTILE = """<img src=x onerror=alert(1)> O'Brien "quoted" """


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def asked(desk: TradingBench) -> list[dict[str, object]]:
    with desk.bench.database.reading() as session:
        rows = session.scalars(select(CommandRow).where(CommandRow.kind == "EXIT").order_by(CommandRow.id))
        return [{name: value for name, value in row.payload.items() if name != "by"} for row in rows]


def test_before_the_engine_has_it_everything_waits(desk: TradingBench) -> None:
    text = requested(desk).text()
    assert "Starting" in text
    assert text.count("waiting") == 4, "two legs in two accounts"
    assert "26,200 CE" in text
    assert "No orders yet." in text
    assert "Stop the run" in text, "what was only asked for can be called off"
    assert "0 accounts" not in text
    assert "Nothing has been sent yet. The run is given up" in text


def test_a_run_that_was_refused_says_nothing_was_sent(desk: TradingBench) -> None:
    run = requested(desk)
    with desk.bench.database.transaction() as session:
        session.get_one(Run, run.run_id).state = "REFUSED"
        session.get_one(Run, run.run_id).reason = "Prices moved."
    run.event("refused", "Nothing was sent. Prices moved.")
    text = run.done().text()
    assert "Failed" in text
    assert "Nothing was sent. Prices moved." in text
    assert "skipped" in text
    assert "Exit all" not in text


def test_an_open_run_shows_fills_averages_and_worth(desk: TradingBench) -> None:
    run = opened(desk)
    desk.price(CE.key, "120")
    desk.price(PE.key, "131")
    text = run.text()
    assert "Running" in text
    assert text.count("1 / 1") == 4
    assert "128.00" in text
    assert "+910" in text, "2 x 65 x (8 - 1)"
    assert "+455" in text, "each account"
    assert "Max loss" in text
    assert "22,910 away" in text
    assert "SIM" in text


def test_a_missing_price_makes_it_incomplete_never_zero(desk: TradingBench) -> None:
    run = opened(desk)
    desk.price(CE.key, "120")
    text = run.text()
    assert "Run MTM, incomplete unknown" in text
    assert "26,200 PE has had no price yet" in text
    assert "distance unknown" in text
    assert "nobody can say how large the loss may be" in text
    desk.price(PE.key, "131")
    desk.clock.advance(12)
    desk.price(CE.key, "121", MONDAY_1030 + timedelta(seconds=12))
    assert "26,200 PE has had no confirmed price for 12 s" in run.text()


def test_an_unknown_order_is_a_state_of_its_own(desk: TradingBench) -> None:
    run = requested(desk)
    first = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(first, IntentState.UNKNOWN, reason="No answer within 5 s.")
    run.order(run.execution(run.accounts[1], 1, CE, Side.SELL), IntentState.FILLED, filled=65)
    run.state("ENTERING")
    text = run.done().text()
    assert "1 unknown" in text
    assert "1 order is unknown." in text
    assert "Nothing is sent again" in text
    assert "? / 1" in text, "not 0 of 1: nobody knows"
    assert "Nobody knows yet whether this order stands." in text
    assert "No answer within 5 s." in text
    assert "settled from the broker's books before" in text


@pytest.mark.parametrize(
    ("state", "filled", "word"),
    [
        (IntentState.READY, 0, "waiting"),
        (IntentState.SENDING, 0, "working"),
        (IntentState.WORKING, 0, "working"),
        (IntentState.WORKING, 65, "partly filled"),
        (IntentState.CANCELLED, 65, "partly filled"),
        (IntentState.CANCELLED, 0, "cancelled"),
        (IntentState.REJECTED, 0, "rejected"),
        (IntentState.DENIED, 0, "denied"),
        (IntentState.PARKED, 0, "parked"),
        (IntentState.NOT_SENT, 0, "not sent"),
    ],
)
def test_every_state_of_a_leg_is_called_by_its_word(
    desk: TradingBench, state: IntentState, filled: int, word: str
) -> None:
    run = requested(desk)
    run.order(run.execution(run.accounts[0], 1, CE, Side.SELL, lots=2), state, filled=filled)
    run.state("ENTERING")
    page = run.done().page()
    cell = re.search(r'<td class="leg-cell">(.*?)</td>', page, re.DOTALL)
    assert cell
    assert f"{filled // 65} / 2" in read(cell[1])
    assert word in read(cell[1])


def test_orders_are_listed_with_their_fills_newest_first(desk: TradingBench) -> None:
    run = requested(desk)
    execution = run.execution(run.accounts[0], 1, CE, Side.SELL, lots=2)
    run.order(execution, IntentState.REJECTED, reason="RMS: margin exceeds <b>limit</b>")
    run.order(execution, IntentState.WORKING, filled=65, price="127.5")
    run.state("ENTERING")
    page = run.done().page()
    text = read(page)
    assert text.index("Working") < text.index("RMS: margin exceeds")
    assert "127.50" in text
    assert "<b>limit</b>" not in page


def test_a_rule_that_fired_is_explained_with_the_prices_it_judged_by(desk: TradingBench) -> None:
    run = opened(desk)
    prices = {
        CE.key.symbol: {"ltp": "310.5", "bid": "310", "ask": "311", "age_s": 0.412},
        PE.key.symbol: None,
    }
    with desk.bench.database.transaction() as session:
        session.add(
            RiskEvent(
                run_id=run.run_id,
                at=MONDAY_1030,
                rule="max_loss",
                threshold=Decimal(22000),
                value=Decimal("-22140.50"),
                prices=prices,
                action="Exit of everything. Realised 0.00.",
            )
        )
    run.event("started", "Run started: 4 orders in 2 accounts.")
    run.event("rule", "Max loss of ₹22,000.00 reached: P&L is −₹22,140.50.")
    text = run.done().text()
    assert text.index("Max loss of ₹22,000.00 reached") < text.index("Run started"), "newest first"
    assert "At 10:30:00 the P&L was −₹22,140.50 against −₹22,000.00." in text
    assert f"{CE.key.symbol} 310.5, bid 310, ask 311, 0.412 s old; {PE.key.symbol} had none" in text
    assert "Exit of everything. Realised 0.00." in text
    assert "fired" in text


def test_what_an_exit_would_do_is_counted_before_it_is_pressed(desk: TradingBench) -> None:
    run = opened(desk)
    run.order(run.execution(run.accounts[0], 3, HEDGE, Side.BUY), IntentState.WORKING)
    text = run.done().text()
    assert "Cancels 1 open order and closes 4 positions , 4 lots (260) , in 2 accounts" in text
    assert "buys 1 lot (65) 26,200 CE, buys 1 lot (65) 26,200 PE, cancels 1 order" in text


def test_leaving_a_hedge_alone_warns(desk: TradingBench) -> None:
    run = requested(desk)
    account = run.accounts[0]
    run.order(run.execution(account, 1, CE, Side.SELL), IntentState.FILLED, filled=65)
    run.order(run.execution(account, 2, HEDGE, Side.BUY), IntentState.FILLED, filled=65)
    run.order(run.execution(account, 3, PE, Side.SELL), IntentState.FILLED, filled=65)
    run.state("OPEN")
    page = run.done().page()
    warning = "26,600 CE is the hedge of 26,200 CE: closing it alone leaves 26,200 CE naked."
    found = re.findall(r'<dialog[^>]*id="(exit-[^"]+)"(.*?)</dialog>', page, re.DOTALL)
    dialogs = {name: read(inside) for name, inside in found}
    assert warning in dialogs["exit-leg-2"]
    assert "Close it alone Close with 26,200 CE" in dialogs["exit-leg-2"]
    assert 'name="with_shorts" value="yes"' in dict(found)["exit-leg-2"]
    assert "Close with" not in dialogs["exit-leg-1"]
    assert all(warning not in text for name, text in dialogs.items() if name != "exit-leg-2")


def test_what_leaves_already_is_not_offered_again(desk: TradingBench) -> None:
    run = opened(desk)
    with desk.bench.database.transaction() as session:
        for row in session.scalars(select(StrategyExecution).where(StrategyExecution.leg == 1)):
            row.exit_wanted = "You asked for leg 1."
    page = run.done().page()
    assert 'id="exit-leg-1"' not in page
    assert 'id="exit-leg-2"' in page
    assert "Closes <b>2 positions</b>" in page
    assert "0 open orders" not in page, "what does not happen is not announced"


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({"scope": "all"}, {"account_id": None, "leg": None}),
        ({"scope": "leg", "leg_id": "2"}, {"account_id": None, "leg": 2}),
        ({"scope": "leg", "leg_id": "2", "with_shorts": "yes"}, {"account_id": None, "leg": 2, "with_shorts": True}),
        ({"scope": "account", "account_id": "1"}, {"account_id": 1, "leg": None}),
        ({"scope": "cell", "account_id": "1", "leg_id": "2"}, {"account_id": 1, "leg": 2}),
    ],
)
def test_an_exit_is_asked_of_the_engine_once(
    desk: TradingBench, fields: dict[str, str], scope: dict[str, object]
) -> None:
    run = opened(desk)
    browser = desk.admin()
    address = f"/trading/runs/{run.run_id}/exit"
    for _ in range(2):
        answer = sent(browser, address, {**fields, "idempotency_key": KEY})
        assert (answer.status_code, answer.location) == (303, f"/trading/runs/{run.run_id}")
    assert asked(desk) == [scope]
    assert "Asked to exit" in browser.get(answer.location).text


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({}, 422, "scope must be all, leg, account or cell"),
        ({"scope": "everything"}, 422, "scope must be all"),
        ({"scope": "leg"}, 422, "must name its leg_id"),
        ({"scope": "account", "account_id": ""}, 422, "must name its account_id"),
        ({"scope": "leg", "leg_id": "two"}, 422, "leg_id must be a whole number"),
        ({"scope": "leg", "leg_id": "-1"}, 422, "leg_id must be a whole number"),
        ({"scope": "leg", "leg_id": "1e9"}, 422, "leg_id must be a whole number"),
        ({"scope": "leg", "leg_id": "77"}, 404, "no such account or leg"),
        ({"scope": "account", "account_id": "77"}, 404, "no such account or leg"),
        ({"scope": "all", "account_id": "1"}, 422, "account_id does not go with an exit of all"),
        ({"scope": "leg", "leg_id": "1", "account_id": "1"}, 422, "account_id does not go with an exit of leg"),
        ({"scope": ["all", "leg"]}, 422, "scope was sent more than once"),
        ({"scope": "all", "units": "10"}, 422, "no field units"),
        ({"scope": "all", "idempotency_key": ""}, 422, "no valid key"),
        ({"scope": "all", "idempotency_key": "x" * 1000}, 422, "no valid key"),
    ],
)
def test_a_wrong_exit_is_named_and_asks_for_nothing(
    desk: TradingBench, fields: dict[str, Any], code: int, says: str
) -> None:
    run = opened(desk)
    answer = sent(desk.admin(), f"/trading/runs/{run.run_id}/exit", {"idempotency_key": KEY, **fields})
    assert answer.status_code == code
    assert says in html.unescape(answer.text)
    assert asked(desk) == []


def test_a_closed_run_has_nothing_to_exit(desk: TradingBench) -> None:
    run = opened(desk)
    browser = desk.admin()
    run.state("CLOSED")
    assert "exit-all" not in run.done().page()
    sent(browser, f"/trading/runs/{run.run_id}/exit", {"scope": "all", "idempotency_key": KEY})
    assert "closed already" in html.unescape(browser.get(f"/trading/runs/{run.run_id}").text)
    assert asked(desk) == []


def test_anothers_run_is_not_there(desk: TradingBench) -> None:
    run = opened(desk)
    ravi = desk.bench.trader()
    for path in ("", "/live"):
        assert ravi.get(f"/trading/runs/{run.run_id}{path}").status_code == 404
    exit_form = {"scope": "all", "idempotency_key": KEY}
    assert sent(ravi, f"/trading/runs/{run.run_id}/exit", exit_form).status_code == 404
    assert "Straddle" not in ravi.get("/trading/runs").text
    assert asked(desk) == []


def test_an_admin_gets_out_of_anothers_run_and_the_log_says_who_did_it(desk: TradingBench) -> None:
    run = opened(desk)
    desk.bench.trader()
    with desk.bench.database.transaction() as session:
        session.get_one(Run, run.run_id).user_id = desk.bench.somebody("ravi").id
    page = run.done().page()
    assert 'id="exit-all"' in page
    assert "run of ravi" in page
    assert f"/strategies/{shown_strategy(page)}" not in page, "the strategy itself stays its owner's"
    browser = desk.admin()
    answer = sent(browser, f"/trading/runs/{run.run_id}/exit", {"scope": "all", "idempotency_key": KEY})
    assert answer.status_code == 303
    assert asked(desk) == [{"account_id": None, "leg": None}]
    assert "Asked to exit everything of Straddle, a run of ravi." in html.unescape(browser.get("/activity").text)
    assert "Straddle 1, ravi" in read(browser.get("/trading/runs").text)


def test_before_orders_are_sent_an_account_that_takes_none_is_named(desk: TradingBench) -> None:
    run = opened(desk)
    desk.bench.health.report(run.accounts[1], state=HealthState.UNREACHABLE, reason="Gone.", latency_ms=4)
    page = html.unescape(run.done().page())
    dialogs = {found[1]: found[0] for found in re.findall(r'(<dialog[^>]*id="([^"]+)".*?</dialog>)', page, re.DOTALL)}
    warning = "(cannot be reached) takes no orders now: its positions stay open until it does"
    assert warning in dialogs["exit-all"]
    assert warning in dialogs[f"exit-account-{run.accounts[1]}"]
    assert warning not in dialogs[f"exit-account-{run.accounts[0]}"]
    assert "(cannot be reached) takes no orders now." in page.split("<dialog")[0]


def test_unknown_orders_settle_soon_only_where_the_books_can_be_read(desk: TradingBench) -> None:
    run = opened(desk)
    run.order(run.execution(run.accounts[0], 3, HEDGE, Side.BUY), state=IntentState.UNKNOWN)
    assert "usually within 16 s" in run.done().text()
    desk.bench.health.report(run.accounts[0], state=HealthState.UNREACHABLE, reason="Gone.")
    text = run.text()
    assert "16 s" not in text
    assert "it stays unknown until the gateway answers" in text


def test_a_run_that_cannot_finish_its_exit_says_why_at_its_top(desk: TradingBench) -> None:
    run = opened(desk)
    with desk.bench.database.transaction() as session:
        session.get_one(Run, run.run_id).state = "EXITING"
        session.get_one(Run, run.run_id).reason = f"The broker shows no {CE.key.symbol} to close."
    assert "This run needs a look. The broker shows no 26,200 CE to close." in run.done().text()


def test_lots_held_are_those_of_the_fills(desk: TradingBench) -> None:
    assert "Lots held 0 of 4" in requested(desk).text()


def test_lots_held_shrink_as_the_exit_goes_on(desk: TradingBench) -> None:
    assert "Lots held 4 of 4 (260)" in opened(desk).text()


def shown_strategy(page: str) -> str:
    found = re.search(r"/strategies/(\d+)", page)
    return found[1] if found else "none"


def test_the_fragment_is_the_page_without_its_frame(desk: TradingBench) -> None:
    run = opened(desk)
    fragment = run.page(part="/live")
    assert "<html" not in fragment
    assert "26,200 CE" in fragment


def test_hostile_names_are_shown_as_text(desk: TradingBench) -> None:
    run = requested(desk, HOSTILE.strip())
    run.event("started", HOSTILE)
    page = run.page()
    assert "<img src=x" not in page
    assert HOSTILE.strip() in html.unescape(page)


def test_the_list_of_runs(desk: TradingBench) -> None:
    browser = desk.admin()
    assert "No runs yet" in browser.get("/trading/runs").text
    run = opened(desk)
    text = read(browser.get("/trading/runs").text)
    assert f"Straddle {run.run_id}" in text
    assert "Running" in text
    assert "unknown" in text, "the MTM, while no price is there"


@pytest.mark.parametrize("path", ["/trading/runs/77", "/trading/runs/77/live", "/trading/runs/x"])
def test_a_run_that_never_was(desk: TradingBench, path: str) -> None:
    assert desk.admin().get(path).status_code == 404


def test_looking_asks_for_nothing(desk: TradingBench) -> None:
    run = opened(desk)
    run.page()
    run.page(part="/live")
    browser = desk.admin()
    assert browser.get(f"/trading/runs/{run.run_id}/exit").status_code == 405
    assert asked(desk) == []
