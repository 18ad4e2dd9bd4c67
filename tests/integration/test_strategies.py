"""Strategies through their pages: built, saved, changed, archived; wrong input changes nothing."""

import html
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.errors import NoFreshPrice
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.sizing import Profile, Shortfall, SizeRule
from app.domain.structures import STRUCTURES
from app.persistence.tables import ActivityLog, Preview, Run, Strategy
from tests.strategy_forms import fields, stored, values
from tests.trading_desk import CE, NIFTY, TradingBench, sent, trading_bench

HOSTILE = """O'Brien "<script>alert(1)</script> 😀 مرحبا"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_a_straddle_from_the_template_is_saved_and_listed(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    assert "No strategies yet" in browser.get("/strategies/").text

    page = browser.get("/strategies/new?template=straddle").text
    assert values(page, "name") == ["Short straddle NIFTY"]
    assert values(page, "legs-1-expiry") == ["current_week"], "NIFTY has weeklies"
    assert page.count("checked") == 2, "simulator accounts take part from the start"

    answer = sent(browser, "/strategies/new", fields(accounts, name="Short straddle NIFTY"))
    assert (answer.status_code, answer.location) == (303, "/strategies/")
    (saved,) = stored(desk)
    assert saved.spec.structures == 2
    assert saved.multipliers == {accounts[0]: Decimal(1), accounts[1]: Decimal(1)}
    listed = browser.get("/strategies/").text
    assert "Short straddle NIFTY" in listed
    assert "NIFTY current week MIS: sell ATM CE, sell ATM PE" in listed


def test_a_typed_price_is_saved_and_shown_again(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    policy = {"leg_failure": "retry", "retries": "3", "group_failure": "stop"}
    stop = {"legs-1-price_type": "SL", "legs-1-limit_price": "88.05", "legs-1-trigger_price": "90"}
    assert sent(browser, "/strategies/new", fields(accounts, max_workers="2", **policy, **stop)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.max_workers == 2
    assert saved.spec.failure == FailurePolicy(LegPolicy.RETRY, 3, GroupPolicy.STOP)
    assert [leg.pricing.words() for leg in saved.spec.legs] == ["MARKET", "SL 88.05, trigger 90.00"]
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert [values(page, name) for name in policy] == [["retry"], ["3"], ["stop"]]
    assert values(page, "legs-0-price_type") == ["MARKET"]
    assert [values(page, name) for name in stop] == [["SL"], ["88.05"], ["90"]]


def test_how_to_size_is_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    rules = {"profile": "conservative", "max_structures": "10", "max_leg_lots": "40", "shortfall": "reject"}
    assert sent(browser, "/strategies/new", fields(accounts, **rules)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.size_rule == SizeRule(Profile.CONSERVATIVE, 10, 40, Shortfall.REJECT)
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in rules} == {name: [text] for name, text in rules.items()}


@pytest.mark.parametrize(
    ("asked", "expiries"),
    [
        ("underlying=NIFTY", ["next_week", "current_week"]),
        ("underlying=BANKNIFTY", ["next_month", "current_month"]),
        ("underlying=NIFTY&expiry=2026-12-01", ["2026-12-08", "2026-12-01"]),
        ("underlying=NIFTY&expiry=next_week", ["2026-12-29", "next_week"]),
    ],
)
def test_a_calendar_is_bought_in_the_expiry_after_the_one_that_is_sold(
    desk: TradingBench, asked: str, expiries: list[str]
) -> None:
    page = desk.admin().get(f"/strategies/new?template=call_calendar&{asked}").text
    assert [values(page, f"legs-{number}-expiry")[0] for number in range(2)] == expiries
    assert [values(page, f"legs-{number}-side")[0] for number in range(2)] == ["BUY", "SELL"]
    assert [values(page, f"legs-{number}-product")[0] for number in range(2)] == ["NRML", "NRML"]


@pytest.mark.parametrize("expiry", ["2026-12-29", "2026-11-24"])
def test_a_calendar_without_a_later_expiry_is_refused(desk: TradingBench, expiry: str) -> None:
    answer = desk.admin().get(f"/strategies/new?template=put_calendar&expiry={expiry}")
    assert answer.status_code == 409
    assert "Put calendar needs a second, later expiry" in html.unescape(answer.text)


def test_every_template_fills_the_builder_and_may_be_saved_as_it_is(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    page = browser.get("/strategies/new").text
    for structure in STRUCTURES:
        assert f'value="template:{structure.key}"' in page
    typed = fields(accounts, action="template:broken_wing_put", name="")
    filled = sent(browser, "/strategies/new", typed).text
    assert values(filled, "name") == ["Broken wing, puts NIFTY"]
    assert [values(filled, f"legs-{number}-ratio")[0] for number in range(3)] == ["1", "1", "2"]
    butterfly = browser.get("/strategies/new?template=butterfly").text
    assert values(butterfly, "legs-0-strike_method") == ["ITM"]
    assert values(butterfly, "legs-0-strike_value") == ["4"]


def test_picked_options_become_legs(desk: TradingBench) -> None:
    page = (
        desk.admin().get("/strategies/new?underlying=NIFTY&expiry=2026-12-01&leg=CE:26400:SELL&leg=PE:25900:BUY").text
    )
    assert values(page, "legs-0-strike_value") == ["26400"]
    assert values(page, "legs-0-expiry") == ["2026-12-01"]
    assert values(page, "legs-1-side") == ["BUY"]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("leg=CE:26400", 422, "Write it as CE:26400:SELL"),
        ("leg=XX:26400:SELL", 422, "Write it as CE:26400:SELL"),
        ("leg=CE:1e9:SELL", 422, "The strike of a leg"),
        ("leg=CE:NaN:SELL", 422, "The strike of a leg"),
        ("expiry=tomorrow&leg=CE:26400:SELL", 422, "is not an expiry"),
        ("underlying=DOW", 404, "NIFTY, BANKNIFTY, SENSEX"),
        ("template=moon_rocket", 404, "There is no template"),
        ("underlying=NIFTY&underlying=SENSEX", 422, "more than once"),
        ("&".join(["leg=CE:26400:SELL"] * 21), 422, "At most 20 legs"),
    ],
)
def test_a_link_that_cannot_be_followed_says_why(desk: TradingBench, query: str, code: int, says: str) -> None:
    answer = desk.admin().get(f"/strategies/new?{query}")
    assert answer.status_code == code
    assert says in html.unescape(answer.text)


def test_legs_are_added_removed_and_replaced_without_saving(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    typed = fields(accounts, name="Half done", structures="abc", **{"legs-1-ratio": "3"})

    added = sent(browser, "/strategies/new", {**typed, "action": "add_leg"})
    assert added.status_code == 200
    assert values(added.text, "legs-2-kind") == ["CE"]
    removed = sent(browser, "/strategies/new", {**typed, "action": "remove_leg:0"}).text
    assert values(removed, "legs-0-ratio") == []
    assert values(removed, "legs-1-ratio") == ["3"]
    condor = sent(
        browser, "/strategies/new", {**typed, "action": "template:iron_condor", "template_underlying": "BANKNIFTY"}
    ).text
    assert values(condor, "legs-3-strike_value") == ["4"]
    assert values(condor, "legs-3-expiry") == ["current_month"], "BANKNIFTY has no weeklies"
    for page in (added.text, removed, condor):
        assert values(page, "name") == ["Half done"], "what was typed is kept"
        assert values(page, "structures") == ["abc"]
    assert stored(desk) == []


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "needs a name"),
        ({"structures": "-2"}, "structures", "from 1 to 500"),
        ({"max_loss": "1e99"}, "max_loss", "without commas"),
        ({"square_off": "25:00"}, "square_off", "not a time of the day"),
        ({"square_off": "09:00"}, "square_off", "no exchange has opened"),
        ({"trail_kind": "moon"}, "trail_kind", "no kind of trailing stop"),
        ({"trail_kind": "amount"}, "trail_size", "needed too"),
        ({"trail_size": "5000"}, "trail_size", "Choose its kind"),
        ({"trail_kind": "peak_pct", "trail_size": "25"}, "trail_activation", "say which"),
        ({"trail_kind": "premium_pct", "trail_size": "100"}, "trail_size", "less than 100"),
        ({"lock_reach": "5000"}, "lock_keep", "needed too"),
        ({"lock_reach": "5000", "lock_keep": "5000"}, "lock_keep", "less than the"),
        ({"lock_reach": "5000", "lock_keep": "1", "lock_step": "9"}, "lock_more", "give both or neither"),
        ({"legs-0-ratio": "0"}, "legs-0-ratio", "from 1 to 50"),
        ({"legs-0-stop_measure": "percent"}, "legs-0-stop_size", "How far off is the stop"),
        ({"legs-0-target_size": "20"}, "legs-0-target_size", "Say how the target is measured"),
        ({"legs-0-stop_measure": "moon", "legs-0-stop_size": "1"}, "legs-0-stop_measure", "no way to measure"),
        ({"legs-0-target_measure": "percent", "legs-0-target_size": "100"}, "legs-0-target_size", "less than 100"),
        ({"to_cost": "yes"}, "to_cost", "at least two legs a stop"),
        ({"to_cost": "maybe"}, "to_cost", "cannot be used"),
        ({"legs-1-expiry": None}, "legs-1-expiry", "is not an expiry"),
        ({"accounts": ["77"]}, "accounts", "no account “77”"),
        ({"accounts": []}, "accounts", "Tick at least one"),
        ({"multiplier-1": "Infinity"}, "multiplier-1", "above 0"),
        ({"legs-1-kind": "CE", "legs-1-side": "BUY"}, "legs-1-side", "the opposite of leg 1"),
        (
            {"legs-0-kind": "FUT", "legs-0-strike_method": None},
            "legs-0-expiry",
            "futures expire monthly",
        ),
        ({"legs-1-price_type": "SL-M", "legs-1-trigger_price": "90"}, "legs-1-price_type", "Choose SL"),
        ({"legs-1-price_type": "LIMIT"}, "legs-1-limit_price", "needs a limit price"),
        (
            {"legs-1-price_type": "SL", "legs-1-limit_price": "91", "legs-1-trigger_price": "90"},
            "legs-1-limit_price",
            "must be at or below its trigger of 90.00",
        ),
        ({"action": "explode"}, None, "This button is not known"),
        ({"action": None}, None, "This button is not known"),
        ({"action": "template:moon"}, "legs", "no template of that name"),
        ({"action": "template:straddle", "template_underlying": "DOW"}, "legs", "not an index"),
        ({"owner_id": "2"}, None, "no field “owner_id”"),
    ],
)
def test_wrong_input_is_named_kept_and_changes_nothing(
    desk: TradingBench, changes: dict[str, Any], field: str | None, says: str
) -> None:
    accounts = desk.accounts()
    answer = sent(desk.admin(), "/strategies/new", fields(accounts, **changes))
    text = html.unescape(answer.text)
    assert answer.status_code == 422
    assert says in text
    if field is not None:
        assert f'id="{field}-error"' in text
    assert values(answer.text, "max_loss") == [changes.get("max_loss", "22000")], "what was typed is still there"
    assert stored(desk) == []


def test_the_same_form_twice_makes_one_strategy(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    assert sent(browser, "/strategies/new", fields(accounts)).status_code == 303
    second = sent(browser, "/strategies/new", fields(accounts))
    assert second.status_code == 422
    assert "You have a strategy named Straddle already" in second.text
    assert len(stored(desk)) == 1


def test_hostile_names_are_shown_as_text(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    sent(browser, "/strategies/new", fields(accounts, name=HOSTILE))
    (saved,) = stored(desk)
    for page in ("/strategies/", f"/strategies/{saved.id}/edit"):
        text = browser.get(page).text
        assert "<script>alert" not in text
        assert HOSTILE in html.unescape(text)


def test_a_strategy_is_edited_in_place(desk: TradingBench) -> None:
    accounts = desk.accounts()
    strategy = desk.strategy(accounts=accounts)
    browser = desk.admin()
    page = browser.get(f"/strategies/{strategy}/edit").text
    assert values(page, "name") == ["Straddle", "Straddle"], "its own, and that of the template it may be kept as"
    assert values(page, "max_loss") == ["22000"]
    assert values(page, "legs-1-kind") == ["PE"]

    changed = fields([accounts[0]], name="Renamed", max_loss="", **{f"multiplier-{accounts[0]}": "2.5"})
    assert sent(browser, f"/strategies/{strategy}/edit", changed).status_code == 303
    (saved,) = stored(desk)
    assert (saved.id, saved.spec.name, saved.spec.max_loss) == (strategy, "Renamed", None)
    assert saved.multipliers == {accounts[0]: Decimal("2.5")}

    wrong = sent(browser, f"/strategies/{strategy}/edit", {**changed, "structures": "0"})
    assert wrong.status_code == 422
    assert stored(desk) == [saved]


def test_anothers_strategy_is_not_there(desk: TradingBench) -> None:
    strategy = desk.strategy()
    ravi = desk.bench.trader()
    before = stored(desk)
    assert ravi.get(f"/strategies/{strategy}/edit").status_code == 404
    assert sent(ravi, f"/strategies/{strategy}/edit", fields([1])).status_code == 404
    assert sent(ravi, f"/strategies/{strategy}/archive", {}).status_code == 404
    assert sent(ravi, f"/strategies/{strategy}/preview", {}).status_code == 404
    assert "Straddle" not in ravi.get("/strategies/").text
    assert stored(desk) == before


def test_anothers_account_cannot_be_chosen(desk: TradingBench) -> None:
    accounts = desk.accounts()
    answer = sent(desk.bench.trader(), "/strategies/new", fields(accounts))
    assert answer.status_code == 422
    assert "no account" in answer.text
    assert stored(desk, "ravi") == []


def test_row_50_archiving_takes_it_off_the_list_unless_it_runs(desk: TradingBench) -> None:
    strategy = desk.strategy()
    browser = desk.admin()
    preview = desk.preview(strategy)
    digest = desk.previews.one(preview, 1).digest
    desk.desk.commands.start_run(preview, digest, user_id=1, username="asha", key="12345678")
    answer = sent(browser, f"/strategies/{strategy}/archive", {})
    assert answer.status_code == 303
    assert "still open" in browser.get("/strategies/").text
    assert len(stored(desk)) == 1

    with desk.bench.database.transaction() as session:
        session.scalars(select(Run)).one().state = "CLOSED"
    desk.desk.run_board.changed(1)
    sent(browser, f"/strategies/{strategy}/archive", {})
    assert "is archived" in browser.get("/strategies/").text
    assert stored(desk) == []


def test_the_list_shows_the_run_it_is_in(desk: TradingBench) -> None:
    strategy = desk.strategy()
    preview = desk.preview(strategy)
    digest = desk.previews.one(preview, 1).digest
    run = desk.desk.commands.start_run(preview, digest, user_id=1, username="asha", key="12345678")
    page = desk.admin().get("/strategies/").text
    assert f"/trading/runs/{run}" in page
    assert "Starting" in page


def test_the_builder_says_what_a_leg_would_be_now(desk: TradingBench) -> None:
    strategy = desk.strategy()
    browser = desk.admin()
    assert "26,200 CE" not in browser.get(f"/strategies/{strategy}/edit").text, "without a spot nobody can say"
    desk.price(NIFTY, "26184.35")
    assert "26,200 CE" in browser.get(f"/strategies/{strategy}/edit").text
    desk.price(CE.key, "128.20")
    assert "26,200 CE at 128.20" in browser.get(f"/strategies/{strategy}/edit").text
    desk.clock.advance(11)
    assert "26,200 CE" not in browser.get(f"/strategies/{strategy}/edit").text, "an old spot is no spot"


def test_the_builder_works_without_a_contract_list(desk: TradingBench) -> None:
    desk.desk.contract_list._master = None
    desk.accounts()
    page = desk.admin().get("/strategies/new?template=strangle")
    assert page.status_code == 200
    assert values(page.text, "legs-0-expiry") == ["current_month"]


def test_real_money_is_not_ticked_from_the_start(desk: TradingBench) -> None:
    live, _ = desk.bench.account("Zerodha", 5050, broker="zerodha")
    page = desk.admin().get("/strategies/new").text
    assert f'value="{live}"' in page
    assert "checked" not in page


def test_save_and_preview(desk: TradingBench) -> None:
    accounts = desk.accounts()
    browser = desk.admin()
    answer = sent(browser, "/strategies/new", fields(accounts, action="preview"))
    assert (answer.status_code, answer.location) == (303, "/strategies/previews/1")

    desk.previews.refuses = NoFreshPrice("NIFTY has no price younger than 3 s.")
    again = sent(browser, "/strategies/1/edit", fields(accounts, name="Later", action="preview"))
    assert (again.status_code, again.location) == (303, "/strategies/1/edit")
    page = browser.get("/strategies/1/edit").text
    assert "NIFTY has no price younger than 3 s." in page
    assert [saved.spec.name for saved in stored(desk)] == ["Later"]
    assert counted(desk, Preview) == 1


def test_looking_writes_nothing(desk: TradingBench) -> None:
    strategy = desk.strategy()
    preview = desk.preview(strategy)
    browser = desk.admin()
    before = (counted(desk, Strategy), counted(desk, Preview), counted(desk, ActivityLog), stored(desk))
    for path in ("/", "/new?template=straddle", f"/{strategy}/edit", f"/previews/{preview}"):
        assert browser.get(f"/strategies{path}").status_code == 200, path
    for path in (f"/{strategy}/archive", f"/{strategy}/preview"):
        assert browser.get(f"/strategies{path}").status_code == 405, path
    assert (counted(desk, Strategy), counted(desk, Preview), counted(desk, ActivityLog), stored(desk)) == before


def counted(desk: TradingBench, table: type[Any]) -> int:
    with desk.bench.database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()
