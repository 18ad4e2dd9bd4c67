"""Alarms of what is held: nobody can say what it is worth, or somebody trades against it past us."""

from pathlib import Path

import pytest

from app.domain.alarms import AlarmKind
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.pnl import Mark
from app.ports.gateway import Unreachable
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, LOT, PRICE, PUT
from tests.unit.services.test_book_rows import unnamed
from tests.unit.services.test_exit_alarms import raised_after_s, sentence, short
from tests.unit.services.test_integrity_watch import kinds


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    return world


def test_a_run_without_a_fresh_price_for_ten_seconds_is_an_alarm_until_one_comes(world: OrderWorld) -> None:
    run_id = short(world)
    world.turns(4)
    assert kinds(world) == []
    world.pricing.mark = Mark(PRICE, 11.0)
    assert 10 <= raised_after_s(world, run_id, AlarmKind.RUN_INCOMPLETE) <= 14
    assert PUT.key.symbol in sentence(world)
    assert "max loss judges the worst it can be" in sentence(world)
    world.pricing.mark = Mark(PRICE, 0.2)
    world.turns(4)
    assert kinds(world) == []


def test_a_run_that_never_had_a_price_is_incomplete_too(world: OrderWorld) -> None:
    world.pricing.mark = None
    run_id = short(world)
    raised_after_s(world, run_id, AlarmKind.RUN_INCOMPLETE, 14)


def test_a_closed_market_brings_no_prices_and_no_alarm(world: OrderWorld) -> None:
    short(world)
    world.pricing.mark = Mark(PRICE, 3600.0)
    world.hours.now = Phase.CLOSED
    world.turns(30)
    assert kinds(world) == []


def test_a_foreign_trade_against_a_run_is_an_alarm_that_says_what_to_do(world: OrderWorld) -> None:
    run_id = short(world)
    world.broker.by_hand(PUT.key, Side.BUY, LOT)
    assert 5 <= raised_after_s(world, run_id, AlarmKind.OPPOSITE) <= 14
    world.restart()
    world.turns(2)
    assert kinds(world) == [AlarmKind.OPPOSITE], "an engine that starts anew knows it still"
    assert f"+{LOT} units of {PUT.key.symbol} were traded at the broker against the -{LOT}" in sentence(world)
    world.broker.by_hand(PUT.key, Side.SELL, LOT)
    world.turns(8)
    assert kinds(world) == [], "undone"


def test_leaving_the_run_answers_it(world: OrderWorld) -> None:
    run_id = short(world)
    world.broker.by_hand(PUT.key, Side.BUY, LOT)
    raised_after_s(world, run_id, AlarmKind.OPPOSITE)
    placed = world.broker.placed
    world.exit(run_id)
    world.turns(3)
    assert kinds(world) == []
    assert world.broker.placed == placed, "nothing is left to close"


def test_it_is_seen_though_another_run_holds_the_same(world: OrderWorld) -> None:
    first, second = short(world), world.start((PUT, Side.SELL, 1))
    world.turns(4)
    world.broker.by_hand(PUT.key, Side.BUY, LOT)
    world.turns(14)
    assert world.broker.net(PUT.key) == -LOT, "as much as either run holds"
    assert kinds(world) == [AlarmKind.OPPOSITE] * 2
    assert {alarm.run_id for alarm in world.alarms.standing(_Owner())} == {first, second}


def test_a_position_that_the_gateway_cannot_name_is_an_alarm_until_it_can(world: OrderWorld) -> None:
    run_id = short(world)
    world.turns(3)
    named = world.broker.position_book
    unnamed(world, PUT.key)
    raised_after_s(world, run_id, AlarmKind.UNNAMED, 6)
    assert "cannot name" in sentence(world)
    world.broker.broken = Unreachable("The gateway does not answer.")
    world.restart()
    world.turns(2)
    assert kinds(world) == [AlarmKind.UNNAMED], "an engine that has read nothing yet goes by what stood"
    world.broker.broken = None
    world.broker.position_book = named  # type: ignore[method-assign]
    world.turns(3)
    assert kinds(world) == []


def test_a_flat_row_without_a_name_is_none(world: OrderWorld) -> None:
    run_id = short(world)
    world.turns(3)
    unnamed(world, PUT.key)
    world.exit(run_id)
    world.turns(4)
    assert world.broker.net(PUT.key) == 0
    assert kinds(world) == []


def test_foreign_units_on_the_same_side_or_elsewhere_are_none(world: OrderWorld) -> None:
    short(world)
    world.broker.by_hand(PUT.key, Side.SELL, LOT)
    world.broker.by_hand(CALL.key, Side.BUY, LOT)
    world.turns(16)
    assert kinds(world) == []


class _Owner:
    id, username, is_admin = 1, "asha", False
