"""A note is written with what it is about, and once where it is to be said once."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.persistence.tables import Run, RunEvent
from app.services.journal import Journal, flushed
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

JOURNAL = Journal(FakeClock())


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    made = OrderWorld(tmp_path)
    made.request((CALL, Side.BUY, 1))
    return made


def told(session: Session) -> list[tuple[str, int | None]]:
    rows = session.execute(select(RunEvent.sentence, RunEvent.account_id).order_by(RunEvent.id))
    return [(sentence, account_id) for sentence, account_id in rows]


def test_a_note_is_something_that_was_written(world: OrderWorld) -> None:
    with world.database.transaction() as session:
        run_id = session.scalars(select(Run.id)).one()
        assert not flushed(session)
        JOURNAL.note(session, run_id, "attention", "Look.")
        assert flushed(session)
    with world.database.reading() as session:
        assert ("Look.", None) in told(session)


def test_a_note_stands_and_falls_with_its_transaction(world: OrderWorld) -> None:
    with world.database.reading() as session:
        JOURNAL.note(session, session.scalars(select(Run.id)).one(), "attention", "Look.")
    with world.database.reading() as session:
        assert told(session) == []


def test_what_is_said_once_is_said_once_for_each_account_and_for_all(world: OrderWorld) -> None:
    with world.database.transaction() as session:
        run_id = session.scalars(select(Run.id)).one()
        said = [
            JOURNAL.note_once(session, run_id, "attention", "Look.", account_id) for account_id in (None, 1, None, 1)
        ]
        assert said == [True, True, False, False]
        assert told(session) == [("Look.", None), ("Look.", 1)]
