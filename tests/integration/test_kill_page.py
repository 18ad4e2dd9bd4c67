"""The page of the kill switch: what it would do, one kill for each form, its progress, its release, and who may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.orders import IntentState, Purpose
from app.persistence.tables import ActivityLog, CommandRow, IgnoredPosition, Position, TradingStateRow
from app.services.account_health import HealthState
from app.services.taken_along import write_asks
from tests.desk_app import MONDAY_1030, PASSWORD, Browser
from tests.run_maker import KEY, RunMaker, opened, read
from tests.trading_desk import CE, HEDGE, TradingBench, trading_bench

PAGE = "/trading/kill"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def press(browser: Browser, target: str = "all", key: str = KEY) -> TestResponse:
    return browser.post(PAGE, {"target": target, "idempotency_key": key}, page=PAGE)


def release(browser: Browser, password: str = PASSWORD, target: str = "all") -> TestResponse:
    return browser.post(f"{PAGE}/release", {"target": target, "password": password}, page=PAGE)


def states(desk: TradingBench) -> dict[tuple[str, int], str]:
    with desk.bench.database.reading() as session:
        return {(row.scope, row.scope_id): row.state for row in session.scalars(select(TradingStateRow))}


def taken(desk: TradingBench, run: RunMaker, **more: Any) -> None:
    """As the engine leaves the command of a kill."""
    with desk.bench.database.transaction() as session:
        command = session.scalars(select(CommandRow).where(CommandRow.kind == "KILL")).one()
        command.state = "DONE"
        command.payload = {**command.payload, "parts": [[run.run_id, None]], **more}


def closed(run: RunMaker, account: int) -> None:
    for execution in (row for row in run.desk.desk.run_board.view(run.run_id).cells if row.account_id == account):
        run.order(execution.execution_id, IntentState.FILLED, filled=65, purpose=Purpose.EXIT)
    run.done()


def seen(browser: Browser, part: str = "") -> str:
    answer = browser.get(PAGE + part)
    assert answer.status_code == 200, answer.text[:500]
    return read(answer.text)


def test_it_says_what_will_happen_before_it_is_pressed(desk: TradingBench) -> None:
    opened(desk)
    text = seen(desk.admin())
    assert "Halts new entries, closes 4 positions (260 units) in 2 accounts" in text
    assert "Everything, in all accounts" in text
    assert "Only Simulator 2" in text
    assert "Release" not in text


def test_with_nothing_open_it_says_so(desk: TradingBench) -> None:
    desk.accounts(2)
    text = seen(desk.admin())
    assert "Nothing of ours is open." in text
    assert "2 other accounts hold nothing of ours." in text


def test_every_page_leads_here_in_one_click(desk: TradingBench) -> None:
    opened(desk)
    for path in ("/", "/accounts/", "/strategies/", "/trading/runs", "/trading/orders", "/activity", "/nowhere"):
        page = desk.admin().get(path).text
        assert f'href="{PAGE}"' in page, path
        assert "halt-strip" not in page, path


def test_one_form_is_one_kill_and_every_page_says_it_is_halted(desk: TradingBench) -> None:
    run = opened(desk)
    browser = desk.admin()
    for _ in range(2):
        assert press(browser).status_code == 303
    assert states(desk) == {("ALL", 0): "HALTED"}
    with desk.bench.database.reading() as session:
        assert len(session.scalars(select(CommandRow).where(CommandRow.kind == "KILL")).all()) == 1
    for path in ("/", "/accounts/", "/strategies/", "/trading/runs", f"/trading/runs/{run.run_id}", "/activity", PAGE):
        text = read(browser.get(path).text)
        assert "Trading is halted for everything, by asha: Kill switch." in text, path
        assert "exits go on. Set 10:30:00." in text, path
    assert "the engine is about to cancel and close" in seen(browser)


def test_progress_names_who_is_flat_who_is_not_and_who_does_not_answer(desk: TradingBench) -> None:
    run = opened(desk)
    browser = desk.admin()
    press(browser)
    taken(desk, run)
    closed(run, run.accounts[0])
    desk.bench.health.report(run.accounts[1], state=HealthState.UNREACHABLE, reason="Connection refused.")
    text = seen(browser, "/live")
    assert "Still open: 2 positions and 0 open orders, in 1 account" in text
    assert "Simulator 1 Flat 0 0" in text
    assert "Simulator 2 Closing 0 130" in text
    assert "Takes no orders now: Connection refused. It is closed as soon as it answers" in text
    assert "Not flat 30 s" not in text
    desk.clock.advance(31)
    text = seen(browser, "/live")
    assert "Not flat 30 s after it was pressed. Simulator 2 has 130 units left." in text
    assert "Simulator 2 Not flat" in text
    closed(run, run.accounts[1])
    run.state("CLOSED")
    taken(desk, run, flat_at=desk.clock.now().isoformat())
    text = seen(run.done().desk.admin(), "/live")
    assert "Everything of ours in its scope was flat 31 s later." in text
    assert text.count("Flat 0 0") == 1, "the other still does not answer"
    assert "Simulator 2 No answer" in text


def test_an_account_that_holds_nothing_and_does_not_answer_is_listed(desk: TradingBench) -> None:
    account = desk.accounts(2)[1]
    desk.bench.health.report(account, state=HealthState.LOGIN_EXPIRED, reason="Log in at the broker.")
    assert "Simulator 2 No answer 0 0 units SIM Takes no orders now: Log in at the broker." in seen(desk.admin())


def test_foreign_positions_are_listed(desk: TradingBench) -> None:
    run = opened(desk)
    with desk.bench.database.transaction() as session:
        session.add(
            Position(
                account_id=run.accounts[0], exchange="NFO", symbol=HEDGE.key.symbol, product="MIS", net=65,
                seen_at=MONDAY_1030,
            )
        )  # fmt: skip
    text = seen(desk.admin())
    assert f"Foreign positions, not touched. Simulator 1: +65 units of {HEDGE.key.symbol} MIS." in text


def held_past_us(desk: TradingBench, net: int = -65) -> str:
    """A foreign position in the first account, as the switch names it."""
    account = opened(desk).accounts[0]
    with desk.bench.database.transaction() as session:
        session.add(
            Position(
                account_id=account, exchange="NFO", symbol=HEDGE.key.symbol, product="MIS", net=net, seen_at=MONDAY_1030
            )
        )
    return f"{account}/NFO/{HEDGE.key.symbol}/MIS/{net}"


def test_a_foreign_position_goes_along_only_where_it_is_ticked(desk: TradingBench) -> None:
    name, browser = held_past_us(desk), desk.admin()
    page = browser.get(PAGE).text
    assert f'name="foreign" value="{name}">' in page
    assert "checked" not in page
    fields = {"target": "all", "idempotency_key": KEY, "foreign": name}
    assert browser.post(PAGE, fields, page=PAGE).status_code == 303
    with desk.bench.database.reading() as session:
        command = session.scalars(select(CommandRow).where(CommandRow.kind == "KILL")).one()
    assert command.payload["foreign"] == [[int(name[0]), "NFO", HEDGE.key.symbol, "MIS", -65]]
    text = seen(browser, "/live")
    assert f"Simulator 1: -65 units of {HEDGE.key.symbol} MIS Waits Its account's books are read first." in text
    assert "not touched" not in text


def test_what_stays_says_why(desk: TradingBench) -> None:
    name, browser = held_past_us(desk), desk.admin()
    browser.post(PAGE, {"target": "all", "idempotency_key": KEY, "foreign": name}, page=PAGE)
    with desk.bench.database.transaction() as session:
        kill = session.scalars(select(CommandRow).where(CommandRow.kind == "KILL")).one()
        write_asks(session, kill)
        session.flush()
        ask = session.scalars(select(CommandRow).where(CommandRow.kind == "ADOPT")).one()
        ask.state, ask.answer = "REFUSED", "ADOPT_CHANGED: Shown were -65."
        kill.state, kill.payload = "DONE", {**kill.payload, "parts": [], "flat_at": desk.clock.now().isoformat()}
    text = seen(browser, "/live")
    assert "was flat 0 s later. 1 foreign position that was ticked stays." in text
    assert f"Simulator 1: -65 units of {HEDGE.key.symbol} MIS Stays ADOPT_CHANGED: Shown were -65." in text
    assert f"Foreign positions, not touched. Simulator 1: -65 units of {HEDGE.key.symbol} MIS." in text
    told = desk.bench.app.test_cli_runner().invoke(args=["desk", "states"]).output
    assert f"foreign {name}: ADOPT_CHANGED: Shown were -65." in told


def test_scripts_see_what_is_foreign_and_take_it_along(desk: TradingBench) -> None:
    name, browser = held_past_us(desk), desk.admin()
    seen_ = browser.get("/api/trading/kill").get_json()
    assert (seen_["kills"], [row["foreign"] for row in seen_["foreign"]]) == ([], [name])
    fields = {"target": "all", "idempotency_key": KEY, "foreign": name}
    answer = browser.post("/api/trading/kill", fields, page=PAGE)
    assert answer.status_code == 202
    (used,) = browser.get("/api/trading/kill").get_json()["kills"]
    assert used["command_id"] == answer.get_json()["command_id"]
    assert used["along"] == [{"foreign": name, "run_id": None, "refused": None}]
    bad = browser.post("/api/trading/kill", {**fields, "foreign": name.replace("/MIS/", "/")}, page=PAGE)
    assert (bad.status_code, bad.get_json()["field"]) == (422, "foreign")


def test_the_command_line_names_what_is_foreign_and_takes_it_along(desk: TradingBench) -> None:
    name = held_past_us(desk)
    desk.admin()
    runner = desk.bench.app.test_cli_runner()
    assert (
        f"Foreign in Simulator 1: -65 units of {HEDGE.key.symbol} MIS: {name}"
        in runner.invoke(args=["desk", "states"]).output
    )
    asked = runner.invoke(args=["desk", "kill", "--foreign", name], input="n\n")
    assert f"and the foreign {name}?" in asked.output
    assert states(desk) == {}
    assert runner.invoke(args=["desk", "kill", "--yes", "--foreign", "nothing"]).exit_code == 1
    assert states(desk) == {}
    assert "Halted" in runner.invoke(args=["desk", "kill", "--yes", "--foreign", name]).output
    assert f"foreign {name}: waits for the books" in runner.invoke(args=["desk", "states"]).output


def test_a_position_in_another_product_is_foreign_and_one_that_somebody_ignores_is_not_named(
    desk: TradingBench,
) -> None:
    account = opened(desk).accounts[0]
    symbol, ignored = CE.key.symbol, HEDGE.key.symbol
    place: dict[str, Any] = {"account_id": account, "exchange": "NFO"}
    with desk.bench.database.transaction() as session:
        session.add(Position(**place, symbol=symbol, product="NRML", net=65, seen_at=MONDAY_1030))
        session.add(Position(**place, symbol=ignored, product="MIS", net=-130, seen_at=MONDAY_1030))
        session.add(
            IgnoredPosition(
                **place, symbol=ignored, product="MIS", units=-130, user_id=1, actor="asha", at=MONDAY_1030
            )
        )  # fmt: skip
    text = seen(desk.admin())
    assert f"Simulator 1: +65 units of {symbol} NRML" in text
    assert ignored not in text


def test_release_needs_the_right_password(desk: TradingBench) -> None:
    browser = desk.admin()
    press(browser)
    assert "Still halted. This is not your password." in read(follow(browser, release(browser, "wrong")))
    assert states(desk) == {("ALL", 0): "HALTED"}
    assert "Still halted. Too many wrong passwords." in read(follow(browser, release(browser)))
    desk.clock.advance(2)
    text = read(follow(browser, release(browser)))
    assert "Released: entries are taken again. Nothing was started again." in text
    assert states(desk) == {("ALL", 0): "ACTIVE"}
    assert "halt-strip" not in browser.get("/").text
    with desk.bench.database.reading() as session:
        actions = session.scalars(select(ActivityLog.action).where(ActivityLog.action.like("kill.%"))).all()
    assert actions == ["kill.ask", "kill.release"]


def follow(browser: Browser, answer: TestResponse) -> str:
    assert answer.status_code == 303
    return browser.get(answer.location).text


def test_a_trader_halts_own_runs_only(desk: TradingBench) -> None:
    opened(desk)
    ravi = desk.bench.trader("ravi")
    mine = desk.bench.somebody("ravi").id
    text = seen(ravi)
    assert "My runs" in text
    assert "Everything, in all accounts" not in text
    assert "Simulator 1" not in text
    for target in ("all", "user:1", "account:1", "strategy:1"):
        assert press(ravi, target).status_code == 404, target
    assert press(ravi, f"user:{mine}").status_code == 303
    assert states(desk) == {("USER", mine): "HALTED"}
    assert "Trading is halted for the runs of this user, by ravi" in read(ravi.get("/").text)
    assert "Trading is halted" in read(desk.admin().get("/").text), "an admin sees it too"


def test_a_trader_cannot_lift_an_admins_halt(desk: TradingBench) -> None:
    ravi = desk.bench.trader("ravi")
    press(desk.admin())
    text = seen(ravi)
    assert "An admin set this; an admin releases it." in text
    assert release(ravi).status_code == 404
    assert states(desk) == {("ALL", 0): "HALTED"}


@pytest.mark.parametrize(
    "form",
    [
        {"target": "all"},
        {"target": "all", "idempotency_key": "!"},
        {"target": "", "idempotency_key": KEY},
        {"target": "account:x", "idempotency_key": KEY},
        {"target": "desk:1", "idempotency_key": KEY},
        {"target": "all", "idempotency_key": KEY, "more": "1"},
    ],
)
def test_a_bad_form_halts_nothing(desk: TradingBench, form: dict[str, str]) -> None:
    assert desk.admin().post(PAGE, form, page=PAGE).status_code in {400, 422}
    assert states(desk) == {}


def test_without_the_pages_token_nothing_happens(desk: TradingBench) -> None:
    answer = desk.admin().client.post(PAGE, data={"target": "all", "idempotency_key": KEY})
    assert answer.status_code == 400
    assert states(desk) == {}


def test_scripts_read_the_states_and_press_it(desk: TradingBench) -> None:
    browser = desk.admin()
    assert browser.get("/api/trading/states").json == []
    asked = [browser.post("/api/trading/kill", {"target": "all", "idempotency_key": KEY}, page=PAGE) for _ in range(2)]
    assert [answer.status_code for answer in asked] == [202, 202]
    assert len({answer.get_json()["command_id"] for answer in asked}) == 1
    (state,) = browser.get("/api/trading/states").get_json()
    assert (state["target"], state["state"], state["by"], state["why"]) == ("all", "HALTED", "asha", "Kill switch")
    assert state["at"] == MONDAY_1030.isoformat()


def test_scripts_without_a_token_a_login_or_a_target_halt_nothing(desk: TradingBench) -> None:
    fields = {"target": "all", "idempotency_key": KEY}
    assert desk.admin().client.post("/api/trading/kill", data=fields).status_code == 400
    assert desk.bench.client().client.get("/api/trading/states").status_code == 401
    wrong = desk.admin().post("/api/trading/kill", {**fields, "target": "some"}, page=PAGE)
    assert wrong.get_json()["field"] == "target"
    assert states(desk) == {}


def test_the_command_line_kills_and_tells(desk: TradingBench) -> None:
    desk.admin()
    account = desk.accounts(2)[1]
    runner = desk.bench.app.test_cli_runner()
    assert "Active: entries are taken everywhere." in runner.invoke(args=["desk", "states"]).output
    assert runner.invoke(args=["desk", "kill"], input="n\n").exit_code == 1
    assert states(desk) == {}
    assert "Halted" in runner.invoke(args=["desk", "kill", "--yes", "--account", str(account)]).output
    assert "Halted" in runner.invoke(args=["desk", "kill", "--yes"]).output
    assert states(desk) == {("ACCOUNT", account): "HALTED", ("ALL", 0): "HALTED"}
    told = runner.invoke(args=["desk", "states"]).output
    assert "HALTED desk: Trading is halted for everything, by command line" in told
    assert f"HALTED account:{account}" in told
    assert "not taken yet" in told
    assert runner.invoke(args=["desk", "kill", "--yes", "--account", "99"]).exit_code == 1


def test_without_an_admin_the_command_line_says_so(desk: TradingBench) -> None:
    runner = desk.bench.app.test_cli_runner()
    for command in (["desk", "states"], ["desk", "kill", "--yes"]):
        answer = runner.invoke(args=command)
        assert answer.exit_code == 1
        assert "There is no admin yet." in answer.output
