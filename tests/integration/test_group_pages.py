"""Groups of accounts through their pages: made, changed, deleted, and who may."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.account_groups import Group
from app.domain.day_limits import DayLimits
from app.persistence.tables import ActivityLog, TradingAccount
from tests.desk_app import Browser
from tests.run_maker import read
from tests.trading_desk import TradingBench, trading_bench

PAGE = "/accounts/groups"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        made.accounts(3)
        yield made


def make(browser: Browser, *accounts: int, at: str = "new", **fields: Any) -> Any:
    form = {"name": "Family", "multiplier": "0.5", "accounts": [str(each) for each in accounts], **fields}
    return browser.post(f"{PAGE}/{at}", form, page=f"{PAGE}/{at}")


def kept(desk: TradingBench) -> list[Group]:
    return desk.desk.groups.shown_to(desk.bench.somebody("asha"))


def test_a_group_is_made_changed_and_deleted_and_each_is_written_down(desk: TradingBench) -> None:
    admin = desk.admin()
    assert "No groups yet" in read(admin.get(PAGE).text)
    limits = {"max_day_loss": "5000", "max_open_lots": "12", "max_day_orders": "300", "leaves_at_limit": "yes"}
    answer = make(admin, 1, 2, max_leg_lots="4", **limits)
    assert answer.status_code == 303, answer.text[:800]
    (group,) = kept(desk)
    assert group == Group(
        1, "Family", Decimal("0.5"), frozenset({1, 2}), 4, DayLimits(Decimal(5000), None, 12, 300, leaves=True)
    )
    text = read(admin.get(PAGE).text)
    assert "Simulator 1, Simulator 2" in text
    assert "₹5,000" in text
    page = admin.get(f"{PAGE}/1/edit").text
    assert 'name="max_day_loss" type="text"' in page
    assert 'value="5000.00"' in page
    assert make(admin, 2, 3, at="1/edit", name="Kin", multiplier="2").status_code == 303
    (group,) = kept(desk)
    assert (group.name, group.members, group.multiplier, group.limits.loss) == ("Kin", {2, 3}, 2, None)
    assert admin.post(f"{PAGE}/1/delete", {}, page=PAGE).status_code == 303
    assert kept(desk) == []
    assert make(admin, 1, name="Kin").status_code == 303, "its name is free again"
    with desk.bench.database.reading() as session:
        actions = [row.action for row in session.scalars(select(ActivityLog).order_by(ActivityLog.id))]
    assert [action for action in actions if action.startswith("group.")] == [
        "group.add", "group.edit", "group.delete", "group.add",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"accounts": []}, "Choose at least one account"),
        ({"accounts": ["1", "77"]}, "not there any more"),
        ({"accounts": ["1", "one"]}, "accounts must be ids"),
        ({"accounts": ["1", "1"]}, "accounts must be ids"),
        ({"multiplier": "0"}, "A multiplier is above 0"),
        ({"multiplier": "-1"}, "Type a number above zero"),
        ({"max_open_lots": "0"}, "Type a whole number above zero"),
        ({"name": ""}, "Give the group a name"),
    ],
)
def test_what_is_refused_is_said_beside_its_field_and_changes_nothing(
    desk: TradingBench, fields: dict[str, Any], words: str
) -> None:
    answer = make(desk.admin(), 1, **fields)
    assert answer.status_code == 422
    assert words in read(answer.text)
    assert kept(desk) == []


def test_a_name_is_taken_once(desk: TradingBench) -> None:
    admin = desk.admin()
    make(admin, 1)
    answer = make(admin, 2)
    assert answer.status_code == 422
    assert "There is a group Family already" in read(answer.text)


def test_a_group_belongs_to_the_owner_of_its_accounts_who_sees_it_and_changes_nothing(desk: TradingBench) -> None:
    admin, ravi = desk.admin(), desk.bench.trader("ravi")
    with desk.bench.database.transaction() as session:
        session.get_one(TradingAccount, 3).owner_id = desk.bench.somebody("ravi").id
    answer = make(admin, 1, 3)
    assert "belong to several people" in read(answer.text)
    make(admin, 3, name="Of Ravi")
    make(admin, 1, name="Of Asha")
    text = read(ravi.get(PAGE).text)
    assert "Of Ravi" in text
    assert "Of Asha" not in text
    assert ravi.get(f"{PAGE}/1/edit").status_code == 403
    assert ravi.post(f"{PAGE}/1/delete", {}, page=PAGE).status_code == 403
    assert len(kept(desk)) == 2


def test_an_archived_account_leaves_its_groups(desk: TradingBench) -> None:
    admin = desk.admin()
    make(admin, 1, 2)
    admin.post("/accounts/1/archive", {}, page="/accounts/")
    (group,) = kept(desk)
    assert group.members == {2}


def test_the_multiplier_of_an_account_is_typed_with_it_and_comes_back(desk: TradingBench) -> None:
    admin = desk.admin()
    page = "/accounts/1/edit"
    with desk.bench.database.reading() as session:
        row = session.get_one(TradingAccount, 1)
        form = {"name": row.name, "host_url": row.host_url, "websocket_url": row.websocket_url, "multiplier": "2.5"}
    assert admin.post(page, form, page=page).status_code == 303
    assert 'value="2.5"' in admin.get(page).text
    refused = admin.post(page, {**form, "multiplier": "0"}, page=page)
    assert refused.status_code == 422
    with desk.bench.database.reading() as session:
        assert session.get_one(TradingAccount, 1).multiplier == Decimal("2.5")
