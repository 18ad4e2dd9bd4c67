"""Groups in strategies: chosen in the builder, resolved at each preview, and named by a schedule."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.account_groups import Part
from app.persistence.tables import AccountGroup, GroupMember, TradingAccount
from app.strategies.list_page import list_page
from tests.desk_app import MONDAY_1030, PASSWORD
from tests.run_maker import read
from tests.strategy_forms import fields, stored
from tests.trading_desk import TradingBench, account_plan, sent, trading_bench

NEW = "/strategies/new"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        made.accounts(3)
        made.admin()
        group(made, "Family", 1, 2, multiplier=Decimal("0.5"))
        group(made, "Fast", 2, 3, multiplier=Decimal(2))
        yield made


def group(desk: TradingBench, name: str, *members: int, **changes: Any) -> None:
    with desk.bench.database.transaction() as session:
        row = AccountGroup(owner_id=1, name=name, created_at=MONDAY_1030, changed_at=MONDAY_1030, **changes)
        row.members = [GroupMember(account_id=each) for each in members]
        session.add(row)


def taking(desk: TradingBench) -> dict[int, str]:
    (saved,) = stored(desk)
    return {
        account: f"{share.multiplier.normalize():f}" for account, share in desk.desk.strategies.shares(saved).items()
    }


def test_a_strategy_of_groups_alone_is_saved_shown_and_follows_who_is_in_them(desk: TradingBench) -> None:
    browser = desk.admin()
    assert sent(browser, NEW, fields([], groups=["1", "2"])).status_code == 303
    assert taking(desk) == {1: "0.5", 2: "0.5", 3: "2"}
    page = browser.get("/strategies/1/edit").text
    assert 'name="groups" value="1" checked' in page
    assert 'name="accounts" value="1" checked' not in page
    with desk.bench.database.transaction() as session:
        session.get_one(AccountGroup, 1).members = [GroupMember(account_id=3)]
        session.get_one(TradingAccount, 3).multiplier = Decimal("1.5")
    assert taking(desk) == {2: "2", 3: "0.75"}
    lines: Any = list_page(desk.desk, desk.bench.somebody("asha"))["strategies"]
    assert [line.accounts for line in lines] == [2]


def test_an_account_that_is_ticked_itself_goes_by_what_stands_beside_it(desk: TradingBench) -> None:
    form = fields([1], groups=["1"]) | {"multiplier-1": "3"}
    assert sent(desk.admin(), NEW, form).status_code == 303
    assert taking(desk) == {1: "3", 2: "0.5"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"groups": ["9"]}, "There is no group “9” that you may use"),
        ({"groups": ["x"]}, "There is no group “x” that you may use"),
        ({"groups": []}, "Tick at least one, or a group"),
        ({"groups": ["1"], "start_with": ["group:9"], "start_at": "09:30", "start_days": "Mon"}, "no “group:9”"),
        ({"groups": ["1"], "start_with": ["account:1"]}, "Accounts to start with are of use with a time"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(desk: TradingBench, changes: dict[str, Any], words: str) -> None:
    answer = sent(desk.admin(), NEW, fields([], **changes))
    assert answer.status_code == 422
    assert words in read(answer.text)
    assert stored(desk) == []


def test_a_group_of_somebody_else_cannot_be_chosen(desk: TradingBench) -> None:
    ravi = desk.bench.trader("ravi")
    answer = sent(ravi, NEW, fields([], groups=["1"]))
    assert "There is no group" in read(answer.text)
    assert "The group Family" not in read(ravi.get(NEW).text)


def test_a_group_that_a_strategy_or_its_schedule_names_is_not_deleted(desk: TradingBench) -> None:
    browser = desk.admin()
    timed = {"start_at": "09:30", "start_days": "Mon", "start_with": ["group:2", "account:1"]}
    assert sent(browser, NEW, fields([1, 2, 3], **timed)).status_code == 303
    assert stored(desk)[0].spec.times.part == Part((1,), (2,))
    page = browser.get("/strategies/1/edit").text
    assert 'name="start_with" value="group:2" checked' in page
    assert 'name="start_with" value="account:1" checked' in page
    browser.post("/accounts/groups/2/delete", {}, page="/accounts/groups")
    assert "named by Straddle" in read(browser.get("/accounts/groups").text)
    browser.post("/accounts/groups/1/delete", {}, page="/accounts/groups")
    assert [each.name for each in desk.desk.groups.shown_to(desk.bench.somebody("asha"))] == ["Fast"]


def test_a_schedule_takes_its_part_with_the_multipliers_of_the_strategy(desk: TradingBench) -> None:
    assert sent(desk.admin(), NEW, fields([1], groups=["2"])).status_code == 303
    (saved,) = stored(desk)
    for part, expected in (
        (Part((1,)), {1}),
        (Part((), (1,)), {1, 2}),
        (Part((3,), (1,)), {1, 2, 3}),
        (Part(), {1, 2, 3}),
    ):
        assert desk.desk.strategies.shares(replace(saved, part=part)).keys() == expected
    some = desk.desk.strategies.shares(replace(saved, part=Part((), (1,))))
    assert some[2].multiplier == 2, "by the group that the strategy names, not by the one of the schedule"


def test_who_is_stopped_by_a_limit_stands_in_the_preview_with_the_code_of_the_claim(desk: TradingBench) -> None:
    strategy = desk.strategy(accounts=[1])
    why = "Group Family holds or has ordered 2 lots and may hold 3; 2 more is too many."
    desk.previews.planned = (account_plan(1, "Simulator 1", skipped=why, skip_code="OPEN_LOTS"),)
    admin, preview = desk.admin(), desk.preview(strategy)
    text = read(admin.get(f"/strategies/previews/{preview}").text)
    assert f"{why} OPEN_LOTS" in text
    assert admin.get(f"/api/previews/{preview}/sizes").get_json()[0]["skip_code"] == "OPEN_LOTS"


def test_what_a_run_was_made_with_stays_when_its_group_changes(desk: TradingBench) -> None:
    strategy = desk.strategy(accounts=[1, 2])
    preview = desk.preview(strategy)
    before = desk.desk.previews.one(preview, 1)
    admin = desk.admin()
    admin.post("/accounts/groups/1/delete", {}, page="/accounts/groups")
    form = {"name": "Fast", "multiplier": "9", "accounts": ["3"], "password": PASSWORD}
    admin.post("/accounts/groups/2/edit", form, page="/accounts/groups/2/edit")
    assert desk.desk.previews.one(preview, 1) == before
