"""The check before the market opens: who it asks, when, and what it says."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.calendar import IST
from app.persistence.tables import ActivityLog
from app.ports.gateway import LoggedOut
from app.services.account_health import HealthState
from app.services.activity import Activity
from app.services.morning_check import MorningCheck
from tests.unit.services.order_world import OrderWorld, _Brokers

MONDAY = datetime(2026, 11, 23, tzinfo=IST)
DEAD = LoggedOut("The gateway gives no funds at all: its broker session has ended.")


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    made = OrderWorld(tmp_path, accounts=3)
    made.clock.at = MONDAY.replace(hour=8, minute=30)
    return made


@pytest.fixture
def readers() -> Iterator[Executor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


def check(world: OrderWorld, readers: Executor) -> MorningCheck:
    gateways: Any = _Brokers(world.brokers)
    return MorningCheck(
        world.database,
        world.clock,
        gateways,
        world.health,
        Activity(world.database, world.clock),
        readers=readers,
        active=lambda: sorted(world.brokers),
    )


def said(world: OrderWorld) -> list[str]:
    with world.database.reading() as session:
        return list(session.scalars(select(ActivityLog.sentence).order_by(ActivityLog.id)))


def at(world: OrderWorld, hour: int, minute: int, day: int = 23) -> None:
    world.clock.at = MONDAY.replace(day=day, hour=hour, minute=minute)


def test_row_28_a_dead_login_is_said_at_each_check_until_somebody_logs_in(world: OrderWorld, readers: Executor) -> None:
    morning = check(world, readers)
    world.brokers[2].broken_funds = DEAD
    morning.step()
    assert said(world) == [], "before a quarter to nine nobody has logged in"
    for minute, count in ((45, 1), (46, 1), (59, 1)):
        at(world, 8, minute)
        morning.step()
        assert len(said(world)) == count
    assert world.health.of(2).state is HealthState.LOGIN_EXPIRED
    at(world, 9, 0)
    morning.step()
    world.brokers[2].broken_funds = None
    at(world, 9, 10)
    morning.step()
    assert [sentence.split("today ")[1][:7] for sentence in said(world)] == ["(08:45)", "(09:00)"]
    assert all(sentence.startswith("Account 2 is not ready") for sentence in said(world))
    assert "its broker session has ended" in said(world)[0]
    assert all(world.health.of(number).funds is not None for number in world.brokers)


def test_row_28_an_engine_that_starts_late_does_the_check_it_missed(world: OrderWorld, readers: Executor) -> None:
    world.brokers[1].broken_funds = DEAD
    at(world, 9, 5)
    check(world, readers).step()
    assert len(said(world)) == 1
    assert "(09:00)" in said(world)[0]


@pytest.mark.parametrize(("hour", "minute", "day"), [(9, 15, 23), (3, 0, 23), (20, 0, 23), (8, 45, 21), (9, 10, 22)])
def test_there_is_nothing_to_check_once_it_is_open_at_night_and_on_weekends(
    world: OrderWorld, readers: Executor, hour: int, minute: int, day: int
) -> None:
    world.brokers[1].broken_funds = DEAD
    at(world, hour, minute, day)
    check(world, readers).step()
    assert said(world) == []


def test_while_the_markets_time_is_unknown_nothing_is_due(world: OrderWorld, readers: Executor) -> None:
    world.clock.unknown = True
    check(world, readers).step()
    world.clock.unknown = False
    assert said(world) == []
