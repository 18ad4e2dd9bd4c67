"""The lease: one holder at a time, and an epoch that only grows."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from app.engine.lease import Lease
from app.persistence.database import Database, Table, prepare_sqlite


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def _database(folder: Path) -> Database:
    engine = create_engine(f"sqlite:///{folder / 'desk.sqlite3'}")
    prepare_sqlite(engine)
    Table.metadata.create_all(engine)
    return Database(engine)


def test_a_second_holder_has_to_wait_and_then_gets_a_higher_epoch(tmp_path: Path) -> None:
    database, lock = _database(tmp_path), tmp_path / "engine.lock"
    first, second = Lease(database, StillClock(), lock), Lease(database, StillClock(), lock)
    assert first.take()
    assert first.take(), "asking again while leading is fine"
    assert not second.take()
    assert (first.epoch, second.epoch) == (1, None)
    first.give_back()
    assert second.take()
    assert second.epoch == 2
    assert first.epoch is None


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "engine.lock"
    script = f"import fcntl, sys; f = open({str(lock)!r}, 'a+'); fcntl.flock(f, 2); print('held', flush=True)"
    holder = subprocess.Popen(
        [sys.executable, "-c", script + "; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lease = Lease(_database(tmp_path), StillClock(), lock)
        assert not lease.take()
        holder.kill()
        holder.wait()
        assert lease.take()
        lease.give_back()
    finally:
        holder.kill()
        holder.wait()


def test_a_database_that_fails_at_the_start_does_not_keep_the_lock_for_nobody(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    lease = Lease(Database(engine), StillClock(), tmp_path / "engine.lock")
    with pytest.raises(OperationalError):
        lease.take()
    assert lease.epoch is None
    Table.metadata.create_all(engine)
    assert lease.take(), "the same process leads as soon as the database is there"
