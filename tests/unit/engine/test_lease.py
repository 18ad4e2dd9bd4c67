"""The lease: one holder at a time, and an epoch that only grows."""

import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import OperationalError

from app.domain.errors import Misconfigured
from app.engine.lease import Build, FileLease
from app.persistence.database import Database, Table, prepare_sqlite
from app.persistence.tables import LeaseRow

BUILD = Build((1, 2, 0))


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
    first, second = (FileLease(database, StillClock(), lock, BUILD) for _ in range(2))
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
        lease = FileLease(_database(tmp_path), StillClock(), lock, BUILD)
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
    lease = FileLease(Database(engine), StillClock(), tmp_path / "engine.lock", BUILD)
    with pytest.raises(OperationalError):
        lease.take()
    assert lease.epoch is None
    Table.metadata.create_all(engine)
    assert lease.take(), "the same process leads as soon as the database is there"


def _led_by(folder: Path, build: Build) -> Database:
    """A database on which that build has led and stopped."""
    database = _database(folder)
    lease = FileLease(database, StillClock(), folder / "engine.lock", build)
    assert lease.take()
    lease.give_back()
    return database


@pytest.mark.parametrize("version", [(1, 2, 0), (1, 2, 1), (1, 10, 0), (2, 0, 0)])
def test_the_same_build_or_a_newer_one_leads_next(tmp_path: Path, version: tuple[int, ...]) -> None:
    database = _led_by(tmp_path, BUILD)
    assert FileLease(database, StillClock(), tmp_path / "engine.lock", Build(version)).take()


@pytest.mark.parametrize("version", [(1, 1, 9), (1, 1, 10), (0, 9, 0), (1, 2)])
def test_row_54_an_older_build_never_leads_after_a_newer_one(tmp_path: Path, version: tuple[int, ...]) -> None:
    database = _led_by(tmp_path, BUILD)
    older = FileLease(database, StillClock(), tmp_path / "engine.lock", Build(version))
    with pytest.raises(Misconfigured, match=r"1\.2\.0 has sent orders"):
        older.take()
    with database.reading() as session:
        assert session.scalars(select(LeaseRow.epoch)).one() == 1
    assert FileLease(database, StillClock(), tmp_path / "engine.lock", BUILD).take(), "the lock was let go"


def test_row_54_a_build_that_knows_other_tables_never_leads(tmp_path: Path) -> None:
    database = _database(tmp_path)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        session.execute(text("INSERT INTO alembic_version VALUES ('0002')"))
    knows = {"0002": True, "0003": False}
    for schema, may in knows.items():
        lease = FileLease(database, StillClock(), tmp_path / "engine.lock", Build((1, 0), partial(str, schema)))
        if may:
            assert lease.take()
            lease.give_back()
        else:
            with pytest.raises(Misconfigured, match="flask db upgrade"):
                lease.take()
