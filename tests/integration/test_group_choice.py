"""Groups where accounts are shown or chosen: profit and loss, risk, margin, and what is not known of one of them."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.main.dashboard import dashboard_page
from app.persistence.tables import AccountGroup, DayLock, GroupMember
from app.ports.feed import Tick
from tests.desk_app import MONDAY_1030, PASSWORD
from tests.integration.test_kill_page import states
from tests.run_maker import opened, read
from tests.trading_desk import CE, PE, TradingBench, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    """A straddle sold in two accounts, each in a group of its own and both in a third."""
    with trading_bench(tmp_path) as made:
        opened(made)
        group(made, "First", 1)
        group(made, "Second", 2)
        group(made, "Both", 1, 2, max_day_loss=Decimal(5000), max_open_lots=4)
        yield made


def group(desk: TradingBench, name: str, *members: int, **limits: Any) -> None:
    with desk.bench.database.transaction() as session:
        row = AccountGroup(owner_id=1, name=name, created_at=MONDAY_1030, changed_at=MONDAY_1030, **limits)
        row.members = [GroupMember(account_id=each) for each in members]
        session.add(row)


def price(desk: TradingBench) -> None:
    """65 x (8 - 3) in each of the accounts."""
    for contract, ltp in ((CE, 120), (PE, 133)):
        desk.bench.board.put(Tick(contract.key, ltp, desk.bench.clock.now()))


def test_the_day_of_each_group_is_the_sum_of_its_accounts(desk: TradingBench) -> None:
    price(desk)
    found = desk.admin().get("/api/pnl").get_json()
    assert {line["name"]: (Decimal(line["today"]), line["accounts"]) for line in found["groups"]} == {
        "First": (Decimal(325), 1), "Second": (Decimal(325), 1), "Both": (Decimal(650), 2),
    }  # fmt: skip
    assert "Groups today" in read(desk.admin().get("/trading/pnl").text)


def test_a_group_of_which_one_account_is_not_known_is_not_known_and_says_of_whom(desk: TradingBench) -> None:
    found = desk.admin().get("/api/pnl").get_json()
    both = next(line for line in found["groups"] if line["name"] == "Both")
    assert (both["today"], both["missing"]) == (None, ["Simulator 1", "Simulator 2"])
    text = read(desk.admin().get("/trading/risk").text)
    assert "Decides nothing: Simulator 1, Simulator 2 not known." in text
    assert "4 of 4" in text


def test_profit_and_loss_of_a_group_alone(desk: TradingBench) -> None:
    price(desk)
    admin = desk.admin()
    found = admin.get("/api/pnl?accounts=group:2").get_json()
    assert [line["name"] for line in found["accounts"]] == ["Simulator 2"]
    assert Decimal(found["total"]) == 325
    assert {line["name"]: Decimal(line["today"]) for line in found["groups"]} == {
        "Second": Decimal(325), "Both": Decimal(650),
    }  # fmt: skip
    page = admin.get("/trading/pnl?accounts=group:2").text
    assert '<option value="group:2" selected>' in page
    assert "accounts=group:2" in page.replace("%3A", ":"), "it is refreshed as it is shown"


@pytest.mark.parametrize("text", ["group:9", "account:9", "group:1 ", "group:0", "all", "group:99999999999"])
@pytest.mark.parametrize("page", ["/api/pnl", "/trading/pnl", "/margin/"])
def test_accounts_that_are_not_there_are_refused_by_name(desk: TradingBench, page: str, text: str) -> None:
    answer = desk.admin().get(f"{page}?accounts={text}")
    assert answer.status_code == 422
    assert "accounts" in answer.text


def test_margin_of_a_group_alone(desk: TradingBench) -> None:
    text = read(desk.admin().get("/margin/?accounts=account:1").text)
    assert "Only Simulator 2" in text, "it can be chosen"
    assert text.count("Simulator 1") > text.count("Simulator 2")


def test_nobody_sees_groups_of_others(desk: TradingBench) -> None:
    ravi = desk.bench.trader("ravi")
    assert ravi.get("/api/pnl").get_json()["groups"] == []
    assert ravi.get("/api/pnl?accounts=group:1").status_code == 422
    assert "Both" not in ravi.get("/trading/risk").text


def test_the_lock_of_a_group_stands_once_and_goes_with_one_password(desk: TradingBench) -> None:
    admin = desk.admin()
    with desk.bench.database.transaction() as session:
        for account_id in (1, 2):
            session.add(
                DayLock(
                    account_id=account_id, group_id=3, trading_date=MONDAY_1030.date(), rule="day_loss",
                    threshold=Decimal(5000), value=Decimal(-5200), leaves=False, prices={}, at=MONDAY_1030,
                    sentence="Group Both: Day loss of ₹5,000.00 reached: today stands at −₹5,200.00.",
                )
            )  # fmt: skip
    page = admin.get("/trading/risk").text
    assert read(page).count("Locked: group Both (Simulator 1, Simulator 2)") == 1
    assert "Some locked" not in read(page)
    admin.post("/trading/risk/locks/2/lift", {"password": PASSWORD}, page="/trading/risk")
    assert "Locked: group Both" not in read(admin.get("/trading/risk").text)
    assert desk.desk.days.locks.shown_to(desk.bench.somebody("asha"))[0].accounts == (1, 2)


def desk_of(desk: TradingBench, asked: str = "") -> dict[str, Any]:
    with desk.bench.app.test_request_context():
        return dashboard_page(desk.bench.desk, desk.bench.somebody("asha"), asked)


def test_the_dashboard_of_a_group_has_its_accounts_and_their_sums(desk: TradingBench) -> None:
    price(desk)
    admin = desk.admin()
    every, one, both = desk_of(desk), desk_of(desk, "group:2"), desk_of(desk, "group:3")
    assert [line.name for line in one["accounts"]] == ["Simulator 2"]
    for page, count in ((every, 2), (one, 1), (both, 2)):
        banner, summary, (run,) = page["banner"], page["accounts_summary"], page["runs"]
        assert (banner.total, banner.accounts_total, summary.mtm) == (325 * count, count, 325 * count)
        assert (run.mtm, run.accounts, run.lots) == (325 * count, count, 2 * count)
        assert run.nearest_rule == every["runs"][0].nearest_rule, "rules judge the whole run"
    assert banner.trades == 2 * one["banner"].trades == every["banner"].trades
    text = admin.get("/?accounts=group:2").text
    assert '<option value="group:2" selected>' in text
    assert "/live?accounts=group:2" in text.replace("%3A", ":"), "it is refreshed as it is shown"
    fragment = admin.get("/live?accounts=group:2").text
    assert "Simulator 2" in fragment
    assert "Simulator 1" not in fragment
    assert admin.get("/?accounts=group:9").status_code == 422


def test_without_a_group_the_dashboard_asks_for_none(tmp_path: Path) -> None:
    with trading_bench(tmp_path) as made:
        made.accounts(1)
        assert "All accounts" not in made.admin().get("/").text


def test_the_command_line_kills_a_group_by_name_or_number(desk: TradingBench) -> None:
    runner = desk.bench.app.test_cli_runner()
    asked = runner.invoke(args=["desk", "kill", "--group", "Both"], input="n\n")
    assert (asked.exit_code, "the 2 accounts of the group Both" in asked.output) == (1, True)
    assert states(desk) == {}
    assert "Halted" in runner.invoke(args=["desk", "kill", "--yes", "--group", "Both"]).output
    assert "Halted" in runner.invoke(args=["desk", "kill", "--yes", "--group", "1"]).output
    assert states(desk) == {("GROUP", 3): "HALTED", ("GROUP", 1): "HALTED"}
    unknown = runner.invoke(args=["desk", "kill", "--yes", "--group", "Third"])
    assert (unknown.exit_code, "Groups: Both (3), First (1), Second (2)" in unknown.output) == (1, True)
    both = runner.invoke(args=["desk", "kill", "--yes", "--group", "1", "--account", "1"])
    assert (both.exit_code, "not both" in both.output) == (2, True)
