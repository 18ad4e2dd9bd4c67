"""What a preview foresees: accounts whose limits, or whose group's, have no room for all of their orders."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Side
from app.domain.plan import AccountPlan
from app.persistence.tables import TradingAccount
from app.services.foreseen_limits import foreseen
from tests.unit.services.order_world import plan_of
from tests.unit.services.pretend_broker import FREEZE, HEDGE, LOT, PUT
from tests.unit.services.test_group_limits import Groups

MANY = FREEZE // LOT * 2
"""Lots that need two orders."""


@pytest.fixture
def desk(tmp_path: Path) -> Groups:
    return Groups(tmp_path)


def limit(desk: Groups, account_id: int, **limits: Any) -> None:
    with desk.database.transaction() as session:
        for name, value in limits.items():
            setattr(session.get_one(TradingAccount, account_id), name, value)


def seen(desk: Groups, lots: int = 1) -> tuple[AccountPlan, ...]:
    """A put and its hedge in all three accounts, so many lots each."""
    plan = plan_of(((PUT, Side.BUY, lots), (HEDGE, Side.BUY, lots)), [1, 2, 3], desk.clock)
    with desk.database.reading() as session:
        accounts = [session.get_one(TradingAccount, each.account_id) for each in plan.accounts]
        return foreseen(session, zip(accounts, plan.accounts, strict=True), desk.clock.now().date())


def stopped(plans: tuple[AccountPlan, ...]) -> dict[int, str | None]:
    return {plan.account_id: plan.skip_code for plan in plans if plan.skipped is not None}


def test_nothing_is_changed_where_nothing_limits(desk: Groups) -> None:
    assert stopped(seen(desk)) == {}
    assert all(len(plan.legs) == 2 for plan in seen(desk))


def test_a_plan_that_does_not_fit_whole_is_not_begun_and_says_what_the_claim_would(desk: Groups) -> None:
    limit(desk, 1, max_open_lots=1)
    limit(desk, 2, max_day_orders=1)
    plans = seen(desk)
    assert stopped(plans) == {1: "OPEN_LOTS", 2: "DAY_ORDERS"}
    first = plans[0]
    assert first.skipped == "Account 1 holds or has ordered 0 lots and may hold 1; 2 more is too many."
    assert (first.legs, first.pace, first.explanation[-1]) == ((), None, first.skipped)
    run_id = desk.start((PUT, Side.BUY, 1), (HEDGE, Side.BUY, 1))
    desk.turns(4)
    reasons = [row.reason or "" for row in desk.intents("ENTRY", run_id) if row.account_id == 1 and row.reason]
    assert any(reason.startswith("OPEN_LOTS: ") for reason in reasons)


def test_slices_count_as_the_orders_that_they_are(desk: Groups) -> None:
    limit(desk, 1, max_day_orders=3)
    assert stopped(seen(desk)) == {}
    assert stopped(seen(desk, MANY)) == {1: "DAY_ORDERS"}


def test_accounts_of_a_group_share_its_room_in_their_order(desk: Groups) -> None:
    desk.group("Family", 1, 2, max_open_lots=3)
    plans = seen(desk)
    assert stopped(plans) == {2: "OPEN_LOTS"}
    assert plans[1].skipped == "Group Family holds or has ordered 2 lots and may hold 3; 2 more is too many."


def test_what_runs_hold_already_counts(desk: Groups) -> None:
    desk.group("Family", 1, 3, max_open_lots=4)
    desk.start((PUT, Side.BUY, 1))
    desk.turns(4)
    assert stopped(seen(desk)) == {3: "OPEN_LOTS"}


def test_one_that_takes_no_part_anyway_takes_no_room(desk: Groups) -> None:
    limit(desk, 1, max_open_lots=1)
    desk.group("Family", 1, 2, max_open_lots=2)
    assert stopped(seen(desk)) == {1: "OPEN_LOTS"}
