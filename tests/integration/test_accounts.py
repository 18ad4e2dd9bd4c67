"""Accounts through their pages: tried before they are saved, edited, paused, archived, ordered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.errors import InvalidInput
from app.domain.plan import Mode
from app.persistence.tables import ActivityLog, Preview, Run, Strategy, StrategyExecution, TradingAccount
from app.ports.gateway import GatewayError, GatewayRefused, LoggedOut, NotOpenAlgo, TimedOut, Unreachable, WrongKey
from app.services.account_health import HealthState
from app.services.accounts import AccountForm
from tests.desk_app import Bench, PretendGateway, bench

FORM = {
    "name": "Zerodha 1",
    "host_url": "http://127.0.0.1:5001",
    "websocket_url": "ws://127.0.0.1:8765",
    "api_key": "canary-key-0001",
    "orders_per_second": "",
    "notes": "",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        made.net.at["http://127.0.0.1:5001"] = PretendGateway("zerodha", Mode.PAPER)
        yield made


def stored(desk: Bench) -> list[TradingAccount]:
    with desk.database.reading() as session:
        return list(session.scalars(select(TradingAccount).order_by(TradingAccount.feed_rank)))


def log(desk: Bench) -> list[str]:
    with desk.database.reading() as session:
        return [row.sentence for row in session.scalars(select(ActivityLog).order_by(ActivityLog.id))]


def open_run(desk: Bench, account_id: int, state: str = "OPEN") -> None:
    """A run of that account, as the engine would have left it."""
    now = datetime(2026, 11, 23, 5, tzinfo=UTC)
    with desk.database.transaction() as session:
        strategy = Strategy(owner_id=1, name="Straddle", structures=1, created_at=now, changed_at=now)
        session.add(strategy)
        session.flush()
        preview = Preview(strategy_id=strategy.id, user_id=1, made_at=now, expires_at=now, digest="d", plan="{}")
        session.add(preview)
        session.flush()
        run = Run(
            strategy_id=strategy.id, preview_id=preview.id, user_id=1, name="Straddle", mode="analyze", state=state,
            requested_at=now,
        )  # fmt: skip
        session.add(run)
        session.flush()
        session.add(
            StrategyExecution(
                run_id=run.id, account_id=account_id, leg=1, underlying="NIFTY", exchange="NFO", symbol="X", kind="CE",
                expiry="2026-12-01", strike=Decimal(26400), side="SELL", product="MIS", lots=1, units=65, lot_size=65,
                tick=Decimal("0.05"), freeze=1800,
            )
        )  # fmt: skip


def test_an_account_is_added_when_its_gateway_answered(desk: Bench) -> None:
    browser = desk.admin()
    answer = browser.post("/accounts/new", FORM, page="/accounts/new")
    assert (answer.status_code, answer.location) == (303, "/accounts/1")
    [account] = stored(desk)
    assert (account.name, account.broker, account.expected_mode, account.state) == (
        "Zerodha 1",
        "zerodha",
        "analyze",
        "ACTIVE",
    )
    assert account.locked_key.startswith("test:account:1:")
    page = browser.get("/accounts/1").text
    assert "zerodha" in page
    assert "10,00,000.00" in page, "the funds read by the test are shown"
    assert "Added Zerodha 1 (zerodha, PAPER mode)." in log(desk)


def test_the_key_is_nowhere_but_in_the_vault(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    wrong = browser.post("/accounts/new", FORM | {"name": ""}, page="/accounts/new")
    pages = [wrong.text] + [
        browser.get(path).text for path in ("/accounts/", "/accounts/1", "/accounts/1/edit", "/activity", "/")
    ]
    assert not any("canary-key-0001" in page for page in pages)
    assert "canary-key-0001" not in " ".join(log(desk))
    assert "canary-key-0001" not in repr(AccountForm("n", "h", "w", "canary-key-0001"))


@pytest.mark.parametrize(
    ("failure", "field", "told"),
    [
        (Unreachable("-"), "host_url", "Nothing can be reached at http://127.0.0.1:5001"),
        (TimedOut("-"), "host_url", "did not answer in time"),
        (WrongKey("-"), "api_key", "does not know this API key"),
        (LoggedOut("-"), "host_url", "not logged in to its broker"),
        (NotOpenAlgo("-"), "host_url", "it is not OpenAlgo"),
        (GatewayRefused("the broker is on holiday"), "host_url", "the broker is on holiday"),
    ],
)
def test_each_way_a_gateway_fails_names_the_field_and_saves_nothing(
    desk: Bench, failure: GatewayError, field: str, told: str
) -> None:
    desk.net.at["http://127.0.0.1:5001"].broken = failure
    browser = desk.admin()
    answer = browser.post("/accounts/new", FORM, page="/accounts/new")
    assert answer.status_code == 422
    assert told in answer.text
    assert f'id="{field}-error"' in answer.text
    assert stored(desk) == []
    assert 'value="Zerodha 1"' in answer.text, "what was typed is still there"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Unreachable("-"), "Nothing can be reached at ws://127.0.0.1:8765"),
        (TimedOut("-"), "did not answer in time"),
        (WrongKey("-"), "another gateway"),
        (LoggedOut("-"), "no broker session"),
        (NotOpenAlgo("-"), "not OpenAlgo"),
        (GatewayRefused("full"), "full"),
    ],
)
def test_a_wrong_market_data_address_is_told_as_such(desk: Bench, failure: GatewayError, told: str) -> None:
    desk.net.at["http://127.0.0.1:5001"].broken_feed = failure
    answer = desk.admin().post("/accounts/new", FORM, page="/accounts/new")
    assert answer.status_code == 422
    assert told in answer.text
    assert 'id="websocket_url-error"' in answer.text
    assert stored(desk) == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:5001",
        "ftp://127.0.0.1:5001",
        "http://user:secret@127.0.0.1:5001",
        "http://127.0.0.1:5001/api/v1",
        "http://127.0.0.1:5001?x=1",
        "http://127.0.0.1:5001#x",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:x",
        "http://",
        "http://[::1",
        "http://host name:5001",
        "http://<b>",
        "http://\\evil",
        "http://\u202eevil",
        "x" * 300,
    ],
)
def test_an_address_is_scheme_host_and_port(desk: Bench, address: str) -> None:
    answer = desk.admin().post("/accounts/new", FORM | {"host_url": address}, page="/accounts/new")
    assert answer.status_code == 422
    assert 'id="host_url-error"' in answer.text
    assert stored(desk) == []
    assert desk.net.asked == [], "nothing was called"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("http://127.0.0.1:5001/", "http://127.0.0.1:5001"), ("HTTP://127.0.0.1:5001", "http://127.0.0.1:5001")],
)
def test_one_spelling_of_an_address_is_kept(desk: Bench, typed: str, kept: str) -> None:
    desk.admin().post("/accounts/new", FORM | {"host_url": typed}, page="/accounts/new")
    assert [account.host_url for account in stored(desk)] == [kept]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"host_url": "http://127.0.0.1:5002", "api_key": "other"}, "There is an account"),
        ({"name": "Zerodha 2", "api_key": "other"}, "uses this gateway already"),
        ({"name": "Zerodha 2", "host_url": "http://localhost:5001", "api_key": "other"}, "uses this gateway already"),
        ({"name": "Zerodha 2", "host_url": "http://127.0.0.1:5002"}, "has this key already"),
        ({"name": "ZERODHA 1", "host_url": "http://127.0.0.1:5002", "api_key": "other"}, "There is an account"),
    ],
)
def test_the_same_gateway_twice_would_send_every_order_twice(desk: Bench, changes: dict[str, str], told: str) -> None:
    desk.net.at["http://127.0.0.1:5002"] = PretendGateway()
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    answer = browser.post("/accounts/new", FORM | changes, page="/accounts/new")
    assert answer.status_code == 422
    assert told in answer.text
    assert len(stored(desk)) == 1


def test_only_an_admin_manages_accounts(desk: Bench) -> None:
    desk.admin().post("/accounts/new", FORM, page="/accounts/new")
    trader = desk.trader()
    assert trader.get("/accounts/new").status_code == 403
    assert "Zerodha 1" not in trader.get("/accounts/").text
    assert trader.get("/accounts/1").status_code == 404
    for verb in ("edit", "test", "pause", "resume", "archive", "make_primary", "move"):
        assert trader.post(f"/accounts/1/{verb}", {"direction": "up"}, page="/").status_code == 403, verb
    assert trader.post("/accounts/simulator", page="/").status_code == 403
    assert stored(desk)[0].state == "ACTIVE"


def test_a_name_may_change_without_the_gateway(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    desk.net.at.clear()
    before = len(desk.net.asked)
    answer = browser.post("/accounts/1/edit", FORM | {"name": "Mother", "api_key": ""}, page="/accounts/1/edit")
    assert answer.status_code == 303
    assert stored(desk)[0].name == "Mother"
    assert len(desk.net.asked) == before


@pytest.mark.parametrize("field", ["host_url", "websocket_url"])
def test_a_new_address_asks_for_the_key_again(desk: Bench, field: str) -> None:
    """Else the stored key could be sent to whoever is named."""
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    moved = FORM | {field: FORM[field].replace("127.0.0.1", "evil.example"), "api_key": ""}
    before = len(desk.net.asked)
    answer = browser.post("/accounts/1/edit", moved, page="/accounts/1/edit")
    assert answer.status_code == 422
    assert "type the key again" in answer.text
    assert len(desk.net.asked) == before
    assert stored(desk)[0].host_url == FORM["host_url"]


def test_an_edit_with_the_key_is_tried_and_learns_the_mode_anew(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    old = desk.desk.accounts.active()[0]
    desk.net.at["http://127.0.0.1:5009"] = PretendGateway("dhan", Mode.LIVE)
    moved = FORM | {"host_url": "http://127.0.0.1:5009", "api_key": "new-key"}
    assert browser.post("/accounts/1/edit", moved, page="/accounts/1/edit").status_code == 303
    [account] = desk.desk.accounts.active()
    assert (old.broker, account.broker, account.expected_mode) == ("zerodha", "dhan", Mode.LIVE)
    assert "sending to it is refused" in browser.get("/accounts/1").text
    desk.net.at["http://127.0.0.1:5009"].broken = WrongKey("-")
    again = moved | {"api_key": "bad", "name": "New"}
    assert browser.post("/accounts/1/edit", again, page="/accounts/1/edit").status_code == 422
    assert stored(desk)[0].name == "Zerodha 1"


def test_row_50_the_address_stays_while_a_run_is_open(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    open_run(desk, 1)
    desk.net.at["http://127.0.0.1:5009"] = PretendGateway()
    moved = FORM | {"host_url": "http://127.0.0.1:5009", "api_key": "new-key"}
    answer = browser.post("/accounts/1/edit", moved, page="/accounts/1/edit")
    assert answer.status_code == 409
    assert "Straddle is open in it" in answer.text
    assert stored(desk)[0].host_url == FORM["host_url"]


def test_testing_an_account_says_how_it_is(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    browser.post("/accounts/1/test", page="/accounts/1")
    assert "key good, funds read, PAPER mode" in browser.get("/accounts/1").text
    gateway = desk.net.at["http://127.0.0.1:5001"]
    gateway.in_mode = Mode.LIVE
    browser.post("/accounts/1/test", page="/accounts/1")
    page = browser.get("/accounts/1").text
    assert "another mode" in page
    assert "The gateway is in LIVE mode" in page
    assert stored(desk)[0].expected_mode == "analyze", "looking does not accept the new mode"
    gateway.broken = LoggedOut("-")
    browser.post("/accounts/1/test", page="/accounts/1")
    assert "not logged in to its broker" in browser.get("/accounts/1").text


def test_pausing_and_resuming(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    browser.post("/accounts/1/pause", page="/accounts/1")
    assert desk.desk.accounts.active()[0].state == "PAUSED"
    assert "no entries, exits go on" in browser.get("/accounts/").text
    browser.post("/accounts/1/pause", page="/accounts/1")
    browser.post("/accounts/1/resume", page="/accounts/1")
    assert desk.desk.accounts.active()[0].state == "ACTIVE"
    assert [line for line in log(desk) if "aused" in line] == ["Paused Zerodha 1: no entries, exits go on."]


def test_row_50_an_account_with_an_open_run_is_not_archived(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    open_run(desk, 1, state="ATTENTION")
    browser.post("/accounts/1/archive", page="/accounts/1")
    assert "cannot be archived" in browser.get("/accounts/1").text
    assert stored(desk)[0].state == "ACTIVE"


def test_an_archived_account_is_gone_from_pages_and_its_gateway_is_free(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    open_run(desk, 1, state="CLOSED")
    assert browser.post("/accounts/1/archive", page="/accounts/1").location == "/accounts/"
    assert browser.get("/accounts/1").status_code == 404
    assert desk.desk.accounts.feed_order() == []
    assert browser.post("/accounts/new", FORM, page="/accounts/new").status_code == 303
    assert [account.state for account in stored(desk)] == ["ARCHIVED", "ACTIVE"]


def test_two_adds_at_the_same_moment_make_one_account(database_url: str, tmp_path: Path) -> None:
    """The second finds the first, on a database where both run side by side as well."""
    with bench(tmp_path, database_url) as desk:
        desk.net.at["http://127.0.0.1:5001"] = PretendGateway()
        desk.admin()
        who, form = desk.somebody("asha"), AccountForm("A", "http://127.0.0.1:5001", "ws://127.0.0.1:8765", "k")
        real = desk.desk.accounts._check.try_out
        nested: list[Any] = []

        def overtaken(address: Any) -> Any:
            facts = real(address)
            if not nested:
                nested.append(None)
                nested.append(desk.desk.accounts.add(who, form))
            return facts

        desk.desk.accounts._check.try_out = overtaken  # type: ignore[method-assign]
        with pytest.raises(InvalidInput, match="There is an account A"):
            desk.desk.accounts.add(who, form)
        assert len(stored(desk)) == 1


def test_a_halted_account_is_resumed_when_its_gateway_is_in_its_mode_again(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", FORM, page="/accounts/new")
    with desk.database.transaction() as session:
        session.get_one(TradingAccount, 1).state = "HALTED"
    desk.health.report(1, state=HealthState.HALTED, reason="A reply came in LIVE mode.")
    gateway = desk.net.at["http://127.0.0.1:5001"]
    browser.post("/accounts/1/pause", page="/accounts/1")
    for broken, mode, told in (
        (Unreachable("-"), Mode.PAPER, "Nothing can be reached"),
        (None, Mode.LIVE, "stays halted"),
    ):
        gateway.broken, gateway.in_mode = broken, mode
        browser.post("/accounts/1/resume", page="/accounts/1")
        assert told in browser.get("/accounts/1").text
        assert stored(desk)[0].state == "HALTED"
    gateway.in_mode = Mode.PAPER
    browser.post("/accounts/1/resume", page="/accounts/1")
    assert stored(desk)[0].state == "ACTIVE"
    assert desk.desk.health.of(1).state is HealthState.CATCHING_UP


def test_an_account_has_its_own_limit_of_calls(desk: Bench) -> None:
    browser = desk.admin()
    browser.post("/accounts/new", {**FORM, "orders_per_second": "5"})
    (account,) = stored(desk)
    assert account.orders_per_second == 5
    assert 'value="5"' in browser.get(f"/accounts/{account.id}/edit").text
    browser.post(f"/accounts/{account.id}/edit", {**FORM, "orders_per_second": "", "api_key": ""})
    assert stored(desk)[0].orders_per_second is None


@pytest.mark.parametrize("most", ["0", "11", "1.5", "many", "-3"])
def test_a_limit_that_no_exchange_has_is_refused(desk: Bench, most: str) -> None:
    answer = desk.admin().post("/accounts/new", {**FORM, "orders_per_second": most})
    assert answer.status_code == 422
    assert "whole number from 1 to 10" in answer.text
    assert stored(desk) == []
