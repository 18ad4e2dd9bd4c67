"""What a run has cost, from its fills, and what a plan would cost in and out."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.market_rules import DEFAULT_RULES, MarketRule, RuleBook, RuleKind
from app.domain.tariffs import Tariff
from app.persistence.tables import AccountTariff, Preview, Run
from app.services.previews import plan_of
from app.services.run_charges import Cost, of_plans, of_run
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT, PRICE, PUT

BOOK = RuleBook(DEFAULT_RULES)
NO_GST = RuleBook(rule for rule in DEFAULT_RULES if rule.kind is not RuleKind.GST)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    made = OrderWorld(tmp_path, accounts=2)
    for broker in made.brokers.values():
        broker.fills_at_once = True
    return made


def cost(world: OrderWorld, run_id: int, book: RuleBook = BOOK) -> Cost:
    with world.database.reading() as session:
        return of_run(session, run_id, book)


def test_fills_cost_by_account_and_a_missing_rate_makes_all_of_it_unknown(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
    assert cost(world, run_id).charges is not None
    assert cost(world, run_id).charges.total == 0  # type: ignore[union-attr]
    world.turns(3)
    entered = cost(world, run_id).charges
    assert entered is not None
    worth = PRICE * LOT * 2
    assert entered.brokerage == 80, "two orders in each of two accounts"
    assert entered.stt == 2 * (worth * Decimal("0.0015")).quantize(Decimal(1))
    assert entered.stamp == 0
    world.exit(run_id)
    world.turns(4)
    left = cost(world, run_id).charges
    assert left is not None
    assert left.brokerage == 160
    assert left.exchange > entered.exchange
    missing = cost(world, run_id, NO_GST)
    assert missing.charges is None
    assert "no gst valid on" in (missing.note or "")


def test_each_account_goes_by_its_own_brokerage_from_its_day_on(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
    world.turns(3)

    def tariff(account_id: int, day: date, **terms: Decimal) -> None:
        with world.database.transaction() as session:
            session.add(
                AccountTariff(
                    account_id=account_id, valid_from=day, user_id=1, actor="asha", at=world.clock.now(), **terms
                )
            )  # fmt: skip

    tariff(1, date(2026, 11, 24), flat=Decimal(500))  # of days to come
    usual = cost(world, run_id).charges
    assert usual is not None
    assert usual.brokerage == 80
    tariff(1, date(2026, 11, 1), flat=Decimal(0))
    tariff(2, date(2026, 11, 1), percent=Decimal("0.1"), cap=Decimal(5))
    own = cost(world, run_id).charges
    assert own is not None
    assert own.brokerage == 10, "nothing in the first, two orders of 5 in the second: 0.1 % of 6,500 is 6.50"
    assert usual.gst - own.gst == Decimal("12.60"), "18 % of the 70 that it is less"
    no_rule = RuleBook(rule for rule in DEFAULT_RULES if rule.kind is not RuleKind.BROKERAGE)
    assert cost(world, run_id, no_rule).charges == own, "the market rules are not asked"
    tariff(2, date(2026, 11, 23), percent=Decimal("0.02"))
    assert cost(world, run_id).charges.brokerage == Decimal("2.60")  # type: ignore[union-attr]


def test_a_plan_costs_its_way_in_and_out(world: OrderWorld) -> None:
    run_id = world.request((CALL, Side.SELL, 1))
    with world.database.reading() as session:
        plan = plan_of(session.get_one(Preview, session.get_one(Run, run_id).preview_id))
    found = of_plans(plan.taking_part, plan.legs, date(2026, 11, 23), BOOK, {}).charges
    assert found is not None
    assert found.brokerage == 80, "in and out in two accounts"
    free = MarketRule(RuleKind.BROKERAGE, None, Decimal(0), date(2026, 11, 1), "a discount")
    without = of_plans(plan.taking_part, plan.legs, date(2026, 11, 23), RuleBook([*DEFAULT_RULES, free]), {}).charges
    assert without is not None
    assert without.brokerage == 0
    assert without.stt == found.stt > 0
    mine = of_plans(plan.taking_part, plan.legs, date(2026, 11, 23), BOOK, {2: Tariff(Decimal(7))}).charges
    assert mine is not None
    assert mine.brokerage == 54, "in and out for 20 in the one, for 7 in the other"
    assert of_plans(plan.taking_part, plan.legs, date(2026, 11, 23), NO_GST, {}).charges is None
