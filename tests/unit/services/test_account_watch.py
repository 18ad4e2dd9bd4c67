"""What is said aloud of an account that cannot be traded, when, and how often."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.contracts import Side
from app.persistence.tables import ActivityLog, RunEvent
from app.ports.gateway import GatewayRefused, LoggedOut, Unreachable, WrongKey
from app.services.account_watch import PATIENCE_S, AccountWatch
from app.services.activity import Activity
from app.services.journal import Journal
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

DEAD = LoggedOut("The gateway gives no funds at all: its broker session has ended.")


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path, accounts=2)


def watch(world: OrderWorld) -> AccountWatch:
    return AccountWatch(
        world.database,
        world.clock,
        Activity(world.database, world.clock),
        Journal(world.clock),
        world.health,
        active=lambda: sorted(world.brokers),
    )


def said(world: OrderWorld) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        return [(row.action, row.sentence) for row in session.scalars(select(ActivityLog).order_by(ActivityLog.id))]


def test_row_29_a_session_that_died_is_said_at_once_in_the_log_and_in_the_runs_it_concerns(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1))
    watching = watch(world)
    world.health.failed(1, DEAD)
    watching.step()
    watching.step()
    ((action, sentence),) = said(world)
    assert action == "account.lost"
    assert "Account 1 takes no entries" in sentence
    assert "its broker session has ended" in sentence
    with world.database.reading() as session:
        told = session.scalars(select(RunEvent).where(RunEvent.kind == "attention")).all()
    assert [(event.run_id, event.account_id) for event in told] == [(run_id, 1)]


def test_a_wrong_key_waits_for_nobody_either(world: OrderWorld) -> None:
    world.health.failed(2, WrongKey("The gateway does not know this API key."))
    watch(world).step()
    assert [action for action, _ in said(world)] == ["account.lost"]


@pytest.mark.parametrize("trouble", [Unreachable("Nobody listens there."), GatewayRefused("HTTP 503")])
def test_row_31_other_trouble_is_said_once_it_has_lasted(world: OrderWorld, trouble: Unreachable) -> None:
    watching = watch(world)
    world.health.failed(1, trouble)
    watching.step()
    assert said(world) == []
    world.clock.advance(PATIENCE_S)
    watching.step()
    assert [action for action, _ in said(world)] == ["account.lost"]


def test_trouble_that_ends_by_itself_is_not_worth_a_word(world: OrderWorld) -> None:
    watching = watch(world)
    for _ in range(4):
        world.health.failed(1, Unreachable("Nobody listens there."))
        watching.step()
        world.clock.advance(PATIENCE_S - 1)
        world.reconciler.step(1)
        watching.step()
    assert said(world) == []


def test_what_was_lost_is_said_to_be_back_and_that_is_good_news(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1))
    watching = watch(world)
    for _ in range(2):
        world.health.failed(1, DEAD)
        watching.step()
        world.clock.advance(60)
        world.reconciler.step(1)
        watching.step()
    assert [action for action, _ in said(world)] == ["account.lost", "account.back"] * 2
    about = RunEvent.run_id == run_id, RunEvent.sentence.like("%Account 1 %")
    with world.database.reading() as session:
        kinds = session.scalars(select(RunEvent.kind).where(*about).order_by(RunEvent.id)).all()
    assert kinds == ["attention", "account_back"] * 2


def test_an_account_nobody_has_heard_of_yet_is_not_lost(world: OrderWorld) -> None:
    watching = watch(world)
    watching.step()
    world.clock.advance(3600)
    watching.step()
    assert said(world) == []
