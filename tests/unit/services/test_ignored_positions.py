"""Foreign positions that somebody chose to live with: only not said again, until they change, end, or become ours."""

from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.persistence.tables import ActivityLog, IgnoredPosition
from app.services.activity import Activity
from app.services.ignored_positions import IgnoredPositions
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT
from tests.unit.services.test_adoption import ask, foreign, settle


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


class Someone:
    id, username, is_admin = 1, "asha", True


def ignoring_in(world: OrderWorld) -> IgnoredPositions:
    return IgnoredPositions(world.database, world.clock, Activity(world.database, world.clock))


def test_what_is_adopted_is_not_ignored_any_more(world: OrderWorld) -> None:
    foreign(world)
    ignoring = ignoring_in(world)
    ignoring.ignore((1, CALL.key, "MIS"), -130, Someone())
    ignoring.ignore((1, CALL.key, "MIS"), -130, Someone())
    assert [row.units for row in world.rows(IgnoredPosition)] == [-130]
    assert [row.action for row in world.rows(ActivityLog)] == ["position.ignore"]
    ask(world, -130)
    settle(world)
    assert world.rows(IgnoredPosition) == []


def test_an_ignored_position_still_caps_exits(world: OrderWorld) -> None:
    """Bought back by hand to less than ours: the exit sends what is there, whatever anybody ignores."""
    run_id = world.start((CALL, Side.SELL, 2))
    world.turns(3)
    ignoring = ignoring_in(world)
    ignoring.ignore((1, CALL.key, "MIS"), LOT, Someone())
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.clock.advance(1.0)
    world.read()
    world.exit(run_id)
    world.turns(4)
    assert [i.units for i in world.intents("EXIT", run_id)] == [LOT]
    assert world.broker.net(CALL.key) == 0


def test_what_is_flat_at_the_broker_is_ignored_no_more(world: OrderWorld) -> None:
    """The same number of units tomorrow is another position."""
    foreign(world)
    ignoring = ignoring_in(world)
    ignoring.ignore((1, CALL.key, "MIS"), -130, Someone())
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.clock.advance(1.0)
    world.read()
    assert len(world.rows(IgnoredPosition)) == 1, "not flat: the number alone speaks up"
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.clock.advance(1.0)
    world.read()
    assert world.rows(IgnoredPosition) == []
