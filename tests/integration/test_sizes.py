"""Sizing by margin on the simulator: accounts of different funds, sized by their broker's figures, and why."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import Refused
from app.domain.leg_lines import legs_of_lines
from app.domain.plan import AccountPlan
from app.domain.sizing import Basis, Grade, Profile, Shortfall, SizeRule, size_of
from app.domain.strategy import ExpiryWord, StrategySpec
from app.persistence.tables import Preview, TradingAccount
from app.services.previews import plan_of
from app.web.run_sizes import plans_of_run, sizes_json
from tests.live_desk import IRON_FLY, LiveDesk, leg, live_desk
from tests.simulator_process import SimulatorProcess, start_simulator

FUNDS = (5_000_000, 620_000, 1_500_000, 90_000)
BALANCED = SizeRule(Profile.BALANCED)


@pytest.fixture(scope="module")
def unequal() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", "--cash", ",".join(map(str, FUNDS)), accounts=len(FUNDS)) as simulator:
        yield simulator


@pytest.fixture
def desk(unequal: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    unequal.reset()
    with live_desk(unequal, tmp_path) as made:
        yield made


def plans(desk: LiveDesk, rule: SizeRule, legs: tuple[object, ...] = IRON_FLY, name: str = "Fly") -> list[AccountPlan]:
    return list(desk.preview(desk.strategy(legs, name=name, size_rule=rule)).plan.accounts)  # type: ignore[arg-type]


def test_each_account_takes_what_its_funds_carry_and_says_why(desk: LiveDesk) -> None:
    sizes = {}
    for profile, percent in ((Profile.AGGRESSIVE, 95), (Profile.BALANCED, 65), (Profile.CONSERVATIVE, 36)):
        made = plans(desk, SizeRule(profile, max_structures=20), name=profile.value)
        for plan, funds in zip(made, FUNDS, strict=True):
            assert plan.sizing is not None
            assert (plan.sizing.basis, plan.funds_free) == (Basis.BROKER, Decimal(funds))
            assert plan.sizing.usable == Decimal(funds) * percent / 100
            assert plan.structures == size_of(plan.sizing).structures, "the numbers kept give the size again"
            assert plan.margin_needed is None or plan.margin_needed <= plan.sizing.usable
        sizes[profile] = [plan.structures for plan in made]
    assert sizes[Profile.AGGRESSIVE] > sizes[Profile.BALANCED] > sizes[Profile.CONSERVATIVE]
    assert sizes[Profile.AGGRESSIVE][0] == 20, "the strategy's own cap"
    assert sizes[Profile.BALANCED][0] > sizes[Profile.BALANCED][2] > sizes[Profile.BALANCED][1]


def test_what_was_sized_is_what_is_traded_and_stays_with_the_run(desk: LiveDesk) -> None:
    with desk.runtime.ground.database.transaction() as session:
        session.get_one(TradingAccount, desk.account_ids[0]).max_leg_lots = 3
    preview = desk.preview(desk.strategy(size_rule=SizeRule(Profile.CONSERVATIVE)))
    shown = {plan.account_id: plan for plan in preview.plan.accounts}
    assert shown[desk.account_ids[0]].structures == 3
    assert "One structure needs" in (shown[desk.account_ids[3]].skipped or "")
    run_id = desk.send(preview)
    desk.until(run_id, "OPEN")
    for number, account_id in enumerate(desk.account_ids, 1):
        nets = desk.net_at_broker(number)
        assert set(nets.values()) == ({-65 * shown[account_id].structures} if shown[account_id].structures else set())
    (kept,) = desk.rows(Preview, Preview.id == preview.id)
    assert plan_of(kept).accounts == preview.plan.accounts
    again = plans(desk, SizeRule(Profile.CONSERVATIVE), name="Again")
    assert again[2].funds_free is not None
    assert again[2].funds_free < FUNDS[2], "what runs use already is not used twice"


def test_a_shortfall_shrinks_everybody_or_stops_everything(desk: LiveDesk) -> None:
    shrunk = plans(desk, replace(BALANCED, shortfall=Shortfall.SHRINK))
    taking = {plan.structures for plan in shrunk if plan.skipped is None}
    assert len(taking) == 1
    assert "the smallest account" in " ".join(shrunk[0].explanation)
    with pytest.raises(Refused, match="Simulator 4: too little to take part"):
        plans(desk, replace(BALANCED, shortfall=Shortfall.REJECT), (leg(1, Kind.CE, Side.SELL),), "Naked")


def test_buyers_are_sized_by_cash_and_live_premium(desk: LiveDesk) -> None:
    (first, *_) = plans(desk, SizeRule(Profile.BALANCED, max_leg_lots=50), (leg(1, Kind.CE, Side.BUY),), "Long")
    assert first.sizing is not None
    assert first.sizing.basis is Basis.CASH
    assert first.sizing.one is not None
    assert first.sizing.one.source == "live premium and 5 % more"
    assert 0 < first.structures <= 50


def test_a_broker_without_a_figure_leaves_it_to_the_table(desk: LiveDesk) -> None:
    desk.simulator.fault("http_error", endpoint="margin")
    made = plans(desk, BALANCED, (leg(1, Kind.CE, Side.SELL), leg(2, Kind.PE, Side.SELL)), "Straddle")
    first = made[0]
    assert first.sizing is not None
    assert first.sizing.basis is Basis.TABLE
    assert first.sizing.one is not None
    assert first.sizing.one.source == "requirements table: NIFTY, CE and PE sell, other days"
    assert first.structures == 12, "50 lakh x 65 % / 2.6 lakh = 12.5"
    settings = desk.runtime.market.margin_settings
    settings.remove_requirement(desk.trader, ("NIFTY", "ce_and_pe_sell", "other_days"))
    refused = plans(desk, BALANCED, (leg(1, Kind.CE, Side.SELL), leg(2, Kind.PE, Side.SELL)), "Straddle again")
    assert "no row for NIFTY, CE and PE sell, other days" in (refused[0].skipped or "")
    assert settings.set_grade(desk.trader, Grade.B, "50")
    assert settings.grades()[Grade.B] == 50


def test_the_calculator_says_the_same_for_all_accounts_and_sends_nothing(desk: LiveDesk) -> None:
    market = desk.runtime.market
    legs = legs_of_lines(
        "SELL CE ATM\nSELL PE ATM\nBUY CE OTM 4\nBUY PE OTM 4", "NIFTY", ExpiryWord.NEXT_WEEK, Product.MIS
    )
    spec = StrategySpec("Calculator", legs, 1, None, None, size_rule=BALANCED)
    found = market.calculator.reckon(spec, market.accounts.active(), {})
    shown = plans(desk, BALANCED)
    assert [each.structures for each in found.accounts] == [
        plan.structures if plan.skipped is None else 0 for plan in shown
    ]
    assert [each.reason is None for each in found.accounts] == [plan.skipped is None for plan in shown]
    assert all(not desk.orders_at_broker(number) for number in range(1, 5))


def test_scripts_are_told_the_numbers_of_a_run(desk: LiveDesk) -> None:
    run_id = desk.send(desk.preview(desk.strategy(size_rule=SizeRule(Profile.CONSERVATIVE, max_structures=1))))
    with desk.app.app_context():
        told = sizes_json(plans_of_run(desk.app.extensions["desk"], desk.trader, run_id))  # type: ignore[arg-type]
    first, *_, last = told
    assert (first["structures"], last["structures"]) == (1, 0)
    sizing = first["sizing"]
    assert isinstance(sizing, dict)
    assert sizing["free"]["value"] == "5000000.00"
    assert sizing["usable"] == "1800000.00"
    assert sizing["caps"] == [{"structures": 1, "whose": "the strategy"}]
    assert "One structure needs" in str(last["skipped"])
    desk.until(run_id, "OPEN")
