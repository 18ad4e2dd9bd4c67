"""Margin that runs which are just being entered will still take."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.persistence.tables import Preview, Run
from app.services.previews import freeze, plan_of
from app.services.reserved_margin import Reserved, reserved
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path, accounts=2)


def needing(world: OrderWorld, amount: Decimal | None) -> int:
    """A run that was sent, whose plan says that each account needs so much."""
    run_id = world.request((CALL, Side.SELL, 1))
    with world.database.transaction() as session:
        preview = session.get_one(Preview, session.get_one(Run, run_id).preview_id)
        plan = plan_of(preview)
        accounts = tuple(replace(account, margin_needed=amount) for account in plan.accounts)
        preview.plan, preview.digest = freeze(replace(plan, accounts=accounts))
    return run_id


def held(world: OrderWorld) -> dict[int, Reserved]:
    with world.database.reading() as session:
        return dict(reserved(session))


def test_a_run_reserves_from_when_it_is_sent_until_its_entries_have_reached_the_broker(world: OrderWorld) -> None:
    assert held(world) == {}
    first = needing(world, Decimal(94_000))
    assert held(world) == {1: Reserved(Decimal(94_000), (first,)), 2: Reserved(Decimal(94_000), (first,))}
    second = needing(world, Decimal(6_000))
    assert held(world)[1] == Reserved(Decimal(100_000), (first, second))
    world.read()
    world.executor.start(first)
    assert held(world)[1].runs == (first, second), "being entered"
    world.turns(2)
    assert first not in held(world).get(1, Reserved()).runs, "it rests at the broker, who counts it"


def test_a_run_of_unknown_margin_is_unknown_and_not_nothing(world: OrderWorld) -> None:
    run_id = needing(world, None)
    assert held(world)[1] == Reserved(Decimal(0), (), (run_id,))


def test_unsent_previews_reserve_nothing(world: OrderWorld) -> None:
    run_id = needing(world, Decimal(94_000))
    with world.database.transaction() as session:
        session.get_one(Run, run_id).state = "REFUSED"
    assert held(world) == {}
