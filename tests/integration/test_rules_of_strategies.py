"""What takes a run out by itself, through the builder: saved as typed, and shown again."""

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.exit_rules import AccountRule
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.supertrend import SupertrendExit, TrendOf, TrendTurn
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from tests.strategy_forms import fields, stored, values
from tests.trading_desk import TradingBench, sent, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_when_to_leave_is_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    rules = {
        "square_off": "15:05", "trail_kind": "peak_pct", "trail_size": "25", "trail_activation": "8000",
        "lock_reach": "10000", "lock_keep": "0", "lock_step": "2000", "lock_more": "1500",
    }  # fmt: skip
    assert sent(browser, "/strategies/new", fields(accounts, **rules)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.square_off == time(15, 5)
    assert saved.spec.floors == Floors(
        Trail(TrailKind.PEAK_PCT, Decimal(25), Decimal(8000)),
        ProfitLock(Decimal(10_000), Decimal(0), Decimal(2000), Decimal(1500)),
    )
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in rules} == {name: [text] for name, text in rules.items()}


def test_stops_and_targets_of_legs_are_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    rules = {
        "legs-0-stop_measure": "percent", "legs-0-stop_size": "25", "legs-0-target_measure": "premium",
        "legs-0-target_size": "20.5", "legs-1-stop_measure": "points", "legs-1-stop_size": "30", "to_cost": "yes",
    }  # fmt: skip
    assert sent(browser, "/strategies/new", fields(accounts, **rules)).status_code == 303
    (saved,) = stored(desk)
    first = LegRule(1, Level(Measure.PERCENT, Decimal(25)), Level(Measure.PREMIUM, Decimal("20.5")))
    assert saved.spec.exits.legs == LegRules((first, LegRule(2, Level(Measure.POINTS, Decimal(30)))), to_cost=True)
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in rules} == {name: [text] for name, text in rules.items()}
    assert values(page, "legs-1-target_measure") == [""]


def test_limits_of_single_accounts_are_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    first, second = accounts[:2]
    limits = {f"loss-{first}": "4000", f"profit-{first}": "9000.5", f"trail-{second}": "2500"}
    assert sent(browser, "/strategies/new", fields(accounts, **limits)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.exits.accounts == (
        AccountRule(first, Decimal(4000), Decimal("9000.5")),
        AccountRule(second, trail=Decimal(2500)),
    )
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in limits} == {name: [text] for name, text in limits.items()}
    refused = sent(browser, "/strategies/new", fields(accounts, name="Other", **{f"trail-{second}": "-1"}))
    assert refused.status_code == 422
    assert "above 0" in refused.text


def test_floors_and_square_off_of_single_accounts_are_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    first, second = accounts[:2]
    limits = {
        f"trail-{first}": "25", f"trailkind-{first}": "peak_pct", f"trailfrom-{first}": "4000", f"off-{first}": "14:30",
        f"reach-{second}": "10000", f"keep-{second}": "4000", f"step-{second}": "2000", f"more-{second}": "1500",
    }  # fmt: skip
    assert sent(browser, "/strategies/new", fields(accounts, **limits)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.exits.accounts == (
        AccountRule(
            first, trail=Decimal(25), trail_kind=TrailKind.PEAK_PCT, trail_activation=Decimal(4000),
            square_off=time(14, 30),
        ),
        AccountRule(second, lock=ProfitLock(Decimal(10000), Decimal(4000), Decimal(2000), Decimal(1500))),
    )  # fmt: skip
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in limits} == {name: [text] for name, text in limits.items()}


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"trail": "25", "trailkind": "peak_pct"}, "trailfrom"),
        ({"trail": "25", "trailkind": "sideways"}, "trailkind"),
        ({"trailfrom": "500"}, "trailfrom"),
        ({"reach": "1000"}, "keep"),
        ({"reach": "1000", "keep": "1000"}, "keep"),
        ({"reach": "1000", "keep": "10", "step": "5"}, "more"),
        ({"off": "25:00"}, "off"),
    ],
)
def test_a_floor_of_an_account_that_cannot_be_is_named(desk: TradingBench, limits: dict[str, str], field: str) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    first = accounts[0]
    typed = {f"{name}-{first}": text for name, text in limits.items()}
    answer = sent(browser, "/strategies/new", fields(accounts, **typed))
    assert answer.status_code == 422
    assert f'id="{field}-{first}-error"' in answer.text
    assert stored(desk) == []


def test_a_supertrend_exit_is_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    rules = {
        "trend_turn": "breakdown", "trend_of": "leg", "trend_leg": "2", "trend_minutes": "15", "trend_period": "7",
        "trend_multiplier": "2.5",
    }  # fmt: skip
    assert sent(browser, "/strategies/new", fields(accounts, **rules)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.exits.supertrend == SupertrendExit(TrendTurn.BREAKDOWN, TrendOf.LEG, 2, 15, 7, 2.5)
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in rules} == {name: [text] for name, text in rules.items()}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trend_minutes": "7"}, "take one of these"),
        ({"trend_period": "1"}, "from 2 to 100"),
        ({"trend_multiplier": "0.1"}, "true ranges"),
        ({"trend_of": "leg"}, "which leg"),
        ({"trend_of": "moon"}, "cannot be used"),
    ],
)
def test_a_supertrend_that_cannot_be_is_named(desk: TradingBench, changes: dict[str, str], says: str) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    answer = sent(browser, "/strategies/new", fields(accounts, **{"trend_turn": "breakout", **changes}))
    assert answer.status_code == 422
    assert says in answer.text
    assert stored(desk) == []
