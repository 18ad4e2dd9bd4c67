"""The quick session of the schedules leaves the same rows as SQLAlchemy's own, whatever the schedule does."""

from functools import cache
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.persistence.database import Table
from app.persistence.tables import Run, RunEvent, TradingAccount
from tests.chaos.checker import Checker
from tests.chaos.schedule import Day
from tests.chaos.world import ChaosWorld


@cache
def world(*, quick: bool) -> ChaosWorld:
    return ChaosWorld(quick=quick)


def left_by(seed: int, *, long: bool | None = None, quick: bool) -> dict[str, list[Any]]:
    there = world(quick=quick)
    Day(there, seed, long=long).live()
    tables = [table.name for table in Table.metadata.sorted_tables]
    return {name: there.connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_schedule_leaves_the_same_rows_with_either_session(seed: int) -> None:
    assert left_by(seed, quick=True) == left_by(seed, quick=False)


def test_a_long_one_too() -> None:
    assert left_by(3, long=True, quick=True) == left_by(3, long=True, quick=False)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many_do(seed: int) -> None:
    assert left_by(seed, quick=True) == left_by(seed, quick=False)


def _fail_in_a_savepoint(session: Any, account: TradingAccount) -> None:
    with session.begin_nested():
        account.notes = "in it"
        session.add(Run())
        raise ValueError("stop")


def _tell_of_no_run(there: ChaosWorld) -> None:
    with there.database.transaction() as session:
        session.get_one(TradingAccount, 1).notes = "lost"
        session.add(RunEvent(run_id=99, at=there.clock.now(), kind="started", sentence="Of no run."))


@pytest.mark.parametrize("quick", [True, False])
def test_what_fails_in_a_savepoint_is_undone_in_what_is_held(quick: bool) -> None:
    there = world(quick=quick)
    there.begin(Checker(there, [], str))
    with there.database.transaction() as session:
        account = session.get_one(TradingAccount, 1)
        account.notes = "before"
        with pytest.raises(ValueError, match="stop"):
            _fail_in_a_savepoint(session, account)
        assert account.notes == "before"
        account.feed_rank = 7
    with there.database.reading() as session:
        account = session.get_one(TradingAccount, 1)
        assert (account.notes, account.feed_rank) == ("before", 7)
        assert session.scalars(select(Run)).all() == []


@pytest.mark.parametrize("quick", [True, False])
def test_what_the_database_refuses_is_refused_and_the_transaction_is_undone(quick: bool) -> None:
    there = world(quick=quick)
    there.begin(Checker(there, [], str))
    with pytest.raises(IntegrityError):
        _tell_of_no_run(there)
    with there.database.reading() as session:
        assert session.get_one(TradingAccount, 1).notes == ""
