"""Templates of one's own: kept of any strategy, used in the builder, renamed, deleted; nobody else's."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.account_groups import Part
from app.domain.contracts import Kind, PriceType, Product, Side
from app.domain.entry_times import EntryTimes, ExpiryDay
from app.domain.exit_rules import AccountRule, ExitRules
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.price_types import PriceTerms
from app.domain.sizing import Profile, Shortfall, SizeRule
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.supertrend import SupertrendExit, TrendTurn
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from app.persistence.tables import ActivityLog, StrategyTemplate
from app.services import recipe_text
from app.services.own_templates import MOST_TEMPLATES, OwnTemplate
from tests.strategy_forms import fields, stored, values
from tests.trading_desk import TradingBench, sent, straddle, trading_bench

EVERYTHING = StrategySpec(
    "Everything there is",
    (
        LegSpec(1, "NIFTY", Kind.PE, date(2026, 12, 29), StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal("50.5")),
                Side.BUY, 2, Product.NRML),
        LegSpec(2, "NIFTY", Kind.PE, ExpiryWord.NEXT_WEEK, StrikeRule(StrikeMethod.ATM), Side.SELL, 1, Product.NRML,
                PriceTerms(PriceType.SL, Decimal("88.05"), Decimal(90))),
        LegSpec(3, "NIFTY", Kind.FUT, ExpiryWord.CURRENT_MONTH, None, Side.BUY, 1, Product.NRML),
    ),
    4, Decimal("22000.50"), Decimal(9000), 3, FailurePolicy(LegPolicy.RETRY, 2, GroupPolicy.STOP), time(15, 5),
    Floors(Trail(TrailKind.PEAK_PCT, Decimal(25), Decimal(1000)), ProfitLock(Decimal(5000), Decimal(1000))),
    ExitRules(
        LegRules((LegRule(2, Level(Measure.PERCENT, Decimal(25))),)),
        (AccountRule(1, max_loss=Decimal(500)),),
        SupertrendExit(TrendTurn.BREAKOUT),
    ),
    SizeRule(Profile.BALANCED, 10, 40, Shortfall.SHRINK),
    EntryTimes(time(9, 20), time(14), ExpiryDay.NEVER, time(9, 30), (0, 4), Part(accounts=(1,))),
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def kept(desk: TradingBench, owner: str = "asha") -> list[OwnTemplate]:
    found: list[OwnTemplate] = desk.desk.templates.all_of(desk.bench.somebody(owner).id)
    return found


def template_of(desk: TradingBench, name: str = "My straddle", **changes: Any) -> int:
    asha = desk.bench.somebody("asha")
    number: int = desk.desk.templates.keep(straddle(**changes), name, asha)
    return number


def test_a_recipe_is_read_as_it_was_written_but_for_single_accounts() -> None:
    text = recipe_text.written(EVERYTHING)
    expected = replace(EVERYTHING, name="Kept", exits=replace(EVERYTHING.exits, accounts=()))
    assert recipe_text.read("Kept", text) == expected
    assert recipe_text.written(recipe_text.read("x", text)) == text


def test_a_recipe_of_an_older_version_has_the_usual_rules() -> None:
    legs = re.sub(r".*?(\"legs\":\[.*?\]).*", r"\1", recipe_text.written(straddle()))
    found = recipe_text.read("Straddle", f'{{{legs},"structures":1}}')
    assert found == straddle(max_loss=None)


def test_a_strategy_is_kept_as_a_template_and_builds_another(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    rules = {"trail_kind": "amount", "trail_size": "5000", "profile": "balanced", "entry_from": "09:20"}
    typed = fields(accounts, start_at="09:30", start_days=["Mon"], **{"loss-1": "900"}, **rules)
    assert sent(browser, "/strategies/new", typed).status_code == 303
    (strategy,) = stored(desk)
    page = browser.get(f"/strategies/{strategy.id}/edit").text
    assert f'action="/strategies/{strategy.id}/template"' in page

    answer = sent(browser, f"/strategies/{strategy.id}/template", {"name": "  Monday straddle "})
    assert (answer.status_code, answer.location) == (303, "/strategies/templates")
    (template,) = kept(desk)
    assert template.name == "Monday straddle"
    listed = browser.get("/strategies/templates").text
    assert "NIFTY current week MIS: sell ATM CE, sell ATM PE" in listed
    assert f"template=own:{template.id}" in html.unescape(listed)

    built = browser.get(f"/strategies/new?template=own:{template.id}").text
    assert values(built, "name") == ["Monday straddle"]
    assert {name: values(built, name) for name in rules} == {name: [text] for name, text in rules.items()}
    assert values(built, "legs-1-kind") == ["PE"]
    assert values(built, "start_at") == [""], "nothing starts by itself of a template"
    assert 'value="Mon" checked' not in built
    assert values(built, "loss-1") == [""], "an account's own limits are no part of it"
    assert f'value="template:own:{template.id}"' in built


def test_in_the_builder_it_replaces_legs_and_rules_and_leaves_what_is_said_of_accounts(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    template = template_of(desk, structures=7, max_profit=Decimal(800))
    typed = fields(
        [accounts[1]], name="Half done", structures="abc", notes="Mine", start_at="09:45", start_days=["Fri"],
        action=f"template:own:{template}", **{f"multiplier-{accounts[1]}": "3", "legs-1-ratio": "9"},
    )  # fmt: skip
    answer = sent(browser, "/strategies/new", typed)
    assert answer.status_code == 200
    found = {
        name: values(answer.text, name) for name in ("name", "structures", "max_profit", "legs-1-ratio", "start_at")
    }
    assert found == {
        "name": ["Half done"], "structures": ["7"], "max_profit": ["800"], "legs-1-ratio": ["1"], "start_at": ["09:45"],
    }  # fmt: skip
    assert values(answer.text, f"multiplier-{accounts[1]}") == ["3"]
    assert ">Mine</textarea>" in answer.text
    assert 'value="Fri" checked' in answer.text
    assert stored(desk) == []


def test_the_same_name_twice_makes_one(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    for _ in range(2):
        assert sent(browser, f"/strategies/{strategy}/template", {"name": "Mine"}).status_code == 303
    assert "You have a template named Mine already" in browser.get(f"/strategies/{strategy}/edit").text
    assert [each.name for each in kept(desk)] == ["Mine"]


def test_renamed_and_deleted_and_strategies_stay_as_they_are(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    first, second = template_of(desk, "First"), template_of(desk, "Second")
    assert sent(browser, f"/strategies/templates/{first}/rename", {"name": "Third"}).status_code == 303
    assert [each.name for each in kept(desk)] == ["Second", "Third"]
    sent(browser, f"/strategies/templates/{first}/rename", {"name": "Second"})
    assert "You have a template named Second already" in browser.get("/strategies/templates").text
    assert sent(browser, f"/strategies/templates/{second}/delete", {}).status_code == 303
    assert [each.name for each in kept(desk)] == ["Third"]
    assert sent(browser, f"/strategies/templates/{second}/delete", {}).status_code == 404
    assert browser.get(f"/strategies/new?template=own:{second}").status_code == 404
    assert [each.id for each in stored(desk)] == [strategy]
    with desk.bench.database.reading() as session:
        told = session.scalars(select(ActivityLog.sentence).where(ActivityLog.action.like("template.%"))).all()
    assert "Renamed the template First to Third." in told
    assert "Deleted the template Second." in told


@pytest.mark.parametrize("names", [[], [""], ["a", "b"], ["x" * 81], ["a\u202eb"]])
def test_a_template_without_one_good_name_is_none(desk: TradingBench, names: list[str]) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    template = template_of(desk)
    for path in (f"/strategies/{strategy}/template", f"/strategies/templates/{template}/rename"):
        assert sent(browser, path, {"name": names}).status_code == 422, path
    assert [each.name for each in kept(desk)] == ["My straddle"]


@pytest.mark.parametrize("key", ["own:", "own:0", "own:x", "own:999", "own:1e3", "own:" + "9" * 40])
def test_a_key_that_names_no_template_is_told(desk: TradingBench, key: str) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    assert browser.get(f"/strategies/new?template={key}").status_code == 404
    answer = sent(browser, "/strategies/new", fields(accounts, action=f"template:{key}"))
    assert answer.status_code == 422
    assert "There is no such template." in answer.text


def test_anothers_template_looks_like_none(desk: TradingBench) -> None:
    accounts = desk.accounts()
    template = template_of(desk, "Secret of asha")
    ravi = desk.bench.trader("ravi")
    assert "Secret of asha" not in ravi.get("/strategies/new").text
    assert "Secret of asha" not in ravi.get("/strategies/templates").text
    assert ravi.get(f"/strategies/new?template=own:{template}").status_code == 404
    assert sent(ravi, "/strategies/new", fields(accounts, action=f"template:own:{template}")).status_code == 422
    for verb, form in (("rename", {"name": "Mine"}), ("delete", {})):
        assert sent(ravi, f"/strategies/templates/{template}/{verb}", form).status_code == 404
    desk.desk.templates.keep(straddle(), "Secret of asha", desk.bench.somebody("ravi"))
    assert [each.name for each in kept(desk)] == [each.name for each in kept(desk, "ravi")] == ["Secret of asha"]


def test_there_are_not_more_than_may_be_offered(desk: TradingBench) -> None:
    strategy, browser = desk.strategy(), desk.admin()
    with desk.bench.database.transaction() as session:
        for number in range(MOST_TEMPLATES):
            recipe = recipe_text.written(straddle())
            session.add(StrategyTemplate(owner_id=1, name=f"T{number}", recipe=recipe, changed_at=desk.clock.now()))
    sent(browser, f"/strategies/{strategy}/template", {"name": "One more"})
    assert "that many may be. Delete some first." in browser.get(f"/strategies/{strategy}/edit").text
    assert len(kept(desk)) == MOST_TEMPLATES
