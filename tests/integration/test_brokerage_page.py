"""The brokerage of an account: typed with its first day, shown with the account, and what is wrong is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.persistence.tables import AccountTariff, ActivityLog
from tests.desk_app import Bench, bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def kept(desk: Bench) -> list[tuple[str, str]]:
    with desk.database.reading() as session:
        rows = session.query(AccountTariff).order_by(AccountTariff.valid_from).all()
        return [(row.valid_from.isoformat(), str(row.flat if row.percent is None else row.percent)) for row in rows]


def test_it_holds_from_its_day_and_stands_with_the_account(desk: Bench) -> None:
    account_id, _ = desk.account()
    admin, page = desk.admin(), f"/accounts/{account_id}/brokerage"
    assert "unknown" in admin.get(f"/accounts/{account_id}").text, "the market rules have none here"
    assert "not known" in admin.get(page).text
    assert admin.post(page, {"percent": "0.03", "cap": "20", "valid_from": "2026-11-01"}).status_code == 303
    assert admin.post(page, {"flat": "0", "valid_from": "2027-01-01"}).status_code == 303
    assert "0.03 % of each order, ₹20.00 at most" in admin.get(f"/accounts/{account_id}").text
    again = admin.post(page, {"flat": "5", "valid_from": "2027-01-01"})
    assert (again.status_code, "There is one of 01 Jan 2027 already" in again.text) == (422, True)
    assert kept(desk) == [("2026-11-01", "0.030000"), ("2027-01-01", "0.00")]
    assert admin.post(f"{page}/2/remove").status_code == 303
    assert admin.post(f"{page}/2/remove").status_code == 404
    assert kept(desk) == [("2026-11-01", "0.030000")]
    with desk.database.reading() as session:
        said = [row.sentence for row in session.query(ActivityLog).filter_by(action="account.brokerage")]
    assert said[0] == "Brokerage of Zerodha 1: 0.03 % of each order, ₹20.00 at most from 01 Nov 2026."


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"valid_from": "2026-11-01"}, "Type rupees for each order, or a percentage"),
        ({"flat": "20", "percent": "1", "valid_from": "2026-11-01"}, "one of the two"),
        ({"flat": "20", "cap": "5", "valid_from": "2026-11-01"}, "Only a percentage is capped"),
        ({"flat": "2,000", "valid_from": "2026-11-01"}, "Type a number without commas"),
        ({"flat": "20"}, "Type the first day"),
        ({"flat": "20", "valid_from": "01-11-2026"}, "Type the first day it holds as"),
        ({"percent": "9", "valid_from": "2026-11-01"}, "5 at most"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_changes(desk: Bench, form: dict[str, str], field: str) -> None:
    account_id, _ = desk.account()
    answer = desk.admin().post(f"/accounts/{account_id}/brokerage", form)
    assert (answer.status_code, field in answer.text) == (422, True)
    assert kept(desk) == []


def test_only_admins_type_it_and_of_an_account_that_is_there(desk: Bench) -> None:
    account_id, _ = desk.account()
    form = {"flat": "20", "valid_from": "2026-11-01"}
    assert desk.trader().post(f"/accounts/{account_id}/brokerage", form).status_code == 403
    assert desk.admin().post("/accounts/987/brokerage", form).status_code == 404
    assert desk.admin().post(f"/accounts/{account_id}/brokerage/1/remove").status_code == 404
    assert kept(desk) == []
