"""The pages of rules for an adopted position: what each comes to, from which average, and what the form asks for."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.exit_rules import ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.persistence.tables import CommandRow
from app.ports.gateway import TimedOut
from tests.desk_app import CE, Bench, bench
from tests.integration.test_books import fill_of, intent_of, run_of
from tests.integration.test_reconciliation import place, somebodys
from tests.trading_desk import straddle


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


STOP = ExitRules(
    LegRules((LegRule(1, Level(Measure.POINTS, Decimal(20))), LegRule(2, Level(Measure.POINTS, Decimal(9)))))
)


def strategy(desk: Bench, account_id: int) -> int:
    spec = replace(straddle(), max_loss=Decimal(5000), exits=STOP)
    return desk.desk.strategies.save(spec, {account_id: Decimal(1)}, user_id=1, username="asha")


def address(account_id: int, strategy_id: int | None = None, under: str = "/trading") -> str:
    fields = {**place(account_id), **({} if strategy_id is None else {"strategy_id": str(strategy_id)})}
    return f"{under}/reconciliation/rules?" + "&".join(f"{name}={value}" for name, value in fields.items())


def test_each_rule_is_shown_with_what_it_comes_to_and_the_form_carries_just_that(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    strategy_id = strategy(desk, account_id)
    admin = desk.admin()
    assert "Choose a strategy" in admin.get(address(account_id)).text
    page = html.unescape(admin.get(address(account_id, strategy_id)).text)
    assert "Leaves at a loss of ₹5,000.00." in page
    assert "Stop 20 points from its average: at 121.33." in page
    assert "Stop of leg 2" in page
    assert "101.33, the broker's average" in page
    told: Any = admin.get(address(account_id, strategy_id, "/api")).json
    assert f'name="rules" value="{told["digest"]}"' in page
    assert (told["average"], told["can_be_given"], told["misfits"][0][0]) == ("101.3333", True, "Stop of leg 2")
    form = place(account_id, side="short", units="130", average="101.3333", idempotency_key="adopt-0001")
    ruled = {**form, "strategy_id": str(strategy_id), "rules": told["digest"]}
    assert admin.post("/trading/reconciliation/adopt", ruled).status_code == 303
    with desk.database.reading() as session:
        (command,) = session.query(CommandRow).all()
    assert (command.payload["strategy_id"], command.payload["rules"]) == (strategy_id, told["digest"])
    answer = admin.post("/trading/reconciliation/adopt", {**form, "strategy_id": str(strategy_id)})
    assert (answer.status_code, "rules must be" in answer.text) == (422, True), "one goes with the other"


def test_without_the_brokers_average_what_needs_it_is_named_and_not_given(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys(average=None)
    page = html.unescape(desk.admin().get(address(account_id, strategy(desk, account_id))).text)
    assert "None of its rules can watch this position." in page
    assert "it is measured from the average" in page
    assert re.search(r"no average.*the broker tells none", page)
    assert 'name="rules"' not in page


@pytest.mark.parametrize(
    ("units", "broken", "status"), [(0, None, 409), (-100, None, 409), (-130, TimedOut("no book"), 503)]
)
def test_what_cannot_be_adopted_or_read_has_no_page(
    desk: Bench, units: int, broken: TimedOut | None, status: int
) -> None:
    account_id, gateway = desk.account()
    gateway.positions, gateway.broken = somebodys(units) if units else [], broken
    assert desk.admin().get(address(account_id)).status_code == status


def test_a_run_that_a_strategy_entered_is_under_its_rules(desk: Bench) -> None:
    account_id, _ = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    page = desk.admin().get(f"/trading/runs/{ids[0]}/rules")
    assert (page.status_code, "entered by" in page.text) == (409, True)
    assert "Put it under" not in desk.admin().get(f"/trading/runs/{ids[0]}").text


def test_anothers_strategy_gives_no_rules(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    assert CE.exchange
    assert desk.admin().get(address(account_id, 987)).status_code == 404
    assert desk.trader().get(address(account_id, strategy(desk, account_id))).status_code == 404
