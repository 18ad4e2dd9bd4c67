"""Notes, copies and charts of strategies: a copy has nothing of the runs and starts nothing by itself."""

import html
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.account_groups import Part
from app.domain.entry_times import EntryTimes
from app.services.strategies import SavedStrategy
from tests.strategy_forms import fields, stored
from tests.trading_desk import CE, NIFTY, PE, TradingBench, sent, straddle, trading_bench

NOTES = "Only while the VIX is below 15.\nNot on days of the RBI <b>."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def saved(desk: TradingBench, accounts: list[int], **changes: Any) -> SavedStrategy:
    number = desk.desk.strategies.save(
        straddle(**changes), {accounts[0]: Decimal(2)}, notes=NOTES, user_id=1, username="asha"
    )
    found: SavedStrategy = desk.desk.strategies.one(number, 1)
    return found


def test_notes_are_saved_line_by_line_shown_again_and_in_the_list_by_their_first(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    typed = fields(accounts, notes=NOTES.replace("\n", "\r\n"))
    assert sent(browser, "/strategies/new", typed).status_code == 303
    (found,) = stored(desk)
    assert found.notes == NOTES
    page = browser.get(f"/strategies/{found.id}/edit").text
    assert f'name="notes" rows="3" aria-describedby="notes-help ">{html.escape(NOTES)}</textarea>' in page
    listed = browser.get("/strategies/").text
    assert ">Only while the VIX is below 15.</div>" in listed
    assert ">Not on days" not in listed
    assert sent(browser, f"/strategies/{found.id}/edit", fields(accounts, notes="")).status_code == 303
    assert stored(desk)[0].notes == ""


@pytest.mark.parametrize(
    ("text", "says"), [("x" * 2001, "2001 characters"), ("a\u202eb", "cannot be seen"), ("a\x00b", "cannot be seen")]
)
def test_notes_that_cannot_be_kept_are_told_and_nothing_is(desk: TradingBench, text: str, says: str) -> None:
    answer = sent(desk.admin(), "/strategies/new", fields(desk.accounts(), notes=text))
    assert answer.status_code == 422
    assert says in answer.text
    assert 'id="notes-error"' in answer.text
    assert stored(desk) == []


def test_a_copy_takes_one_click_and_leaves_schedule_and_arming_behind(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    times = EntryTimes(opens=time(9, 20), start=time(9, 30), days=(0,), part=Part(accounts=(accounts[0],)))
    known = saved(desk, accounts, times=times, max_profit=Decimal(500))
    desk.desk.strategies.arm(known.id, armed=True, user_id=1, username="asha")
    listed = browser.get("/strategies/").text
    assert 'name="name" value="Straddle copy"' in listed
    answer = sent(browser, f"/strategies/{known.id}/duplicate", {"name": "Straddle copy"})
    copy = next(each for each in stored(desk) if each.id != known.id)
    assert (answer.status_code, answer.location) == (303, f"/strategies/{copy.id}/edit")
    assert "its schedule was not copied" in browser.get(answer.location).text
    assert copy.spec.name == "Straddle copy"
    assert (copy.spec.legs, copy.spec.max_profit) == (known.spec.legs, Decimal(500))
    assert (copy.multipliers, copy.groups, copy.notes) == (known.multipliers, known.groups, NOTES)
    assert copy.spec.times == EntryTimes(opens=time(9, 20))
    assert not copy.is_armed
    before = desk.desk.strategies.one(known.id, 1)
    assert (before.spec, before.is_armed) == (known.spec, True), "the first one is as it was"
    assert 'name="name" value="Straddle copy 2"' in browser.get("/strategies/").text


def test_the_same_copy_twice_makes_one(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    for _ in range(2):
        assert sent(browser, f"/strategies/{strategy}/duplicate", {"name": "Straddle copy"}).status_code == 303
    assert "You have a strategy named Straddle copy already" in browser.get("/strategies/").text
    assert len(stored(desk)) == 2


@pytest.mark.parametrize("names", [[], [""], ["a", "b"], ["x" * 81], ["a\u202eb"]])
def test_a_copy_without_one_good_name_is_none(desk: TradingBench, names: list[str]) -> None:
    strategy = desk.strategy()
    answer = sent(desk.admin(), f"/strategies/{strategy}/duplicate", {"name": names})
    assert answer.status_code == 422
    assert len(stored(desk)) == 1


def test_a_copy_is_made_of_ones_own_alone(desk: TradingBench) -> None:
    strategy = desk.strategy()
    ravi = desk.bench.trader("ravi")
    assert sent(ravi, f"/strategies/{strategy}/duplicate", {"name": "Mine"}).status_code == 404
    assert ravi.get(f"/strategies/{strategy}/chart").status_code == 404
    assert stored(desk, "ravi") == []


def test_the_chart_is_of_the_contracts_that_the_legs_are_now(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    assert f"/strategies/{strategy}/chart" in browser.get("/strategies/").text
    desk.price(NIFTY, "26184.35")
    for contract in (CE, PE):
        desk.price(contract.key, "120")
    answer = browser.get(f"/strategies/{strategy}/chart")
    assert answer.status_code == 303
    there = urlsplit(answer.location)
    assert there.path == "/trading/chart"
    assert parse_qs(there.query) == {"leg": [f"NFO:{CE.key.symbol}:+1", f"NFO:{PE.key.symbol}:+1"]}
    assert browser.get(answer.location).status_code == 200


def test_without_a_price_of_the_index_there_is_no_chart_and_it_says_why(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    answer = browser.get(f"/strategies/{strategy}/chart")
    assert (answer.status_code, answer.location) == (303, "/strategies/")
    assert "There is no chart of Straddle now." in browser.get("/strategies/").text
