"""A database file that is damaged is read, never written and never led on; one that was cut short is whole again."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from app import create_app
from app.persistence.damage import damage_of
from app.persistence.database import Database, prepare_sqlite
from app.persistence.tables import ActivityLog, LeaseRow
from config import testing_settings
from tests.live_desk import eventually
from tests.whole_app import ADMIN, Whole, whole_app

SAID = "The database file is damaged"


def spoil(file: Path, table: str) -> None:
    """Overwrite the page that a table begins with, as a dying disk would."""
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
        (size,) = raw.execute("pragma page_size").fetchone()
        (page,) = raw.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()
    with file.open("r+b") as open_file:
        open_file.seek((page - 1) * size)
        open_file.write(b"\xff" * size)


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Whole]:
    """A desk that was started again on a file in which a page has gone bad; its admin is signed in."""
    whole_app(tmp_path).database.engine.dispose()
    file = tmp_path / "desk.sqlite3"
    spoil(file, "learnt_sizes")
    settings = testing_settings().with_(
        database_url=f"sqlite:///{file}", engine="auto", lock_path=str(tmp_path / "engine.lock")
    )
    whole = Whole(create_app(settings), {})
    yield whole
    whole.runtime.stop()


def test_row_38_a_damaged_file_is_shown_and_neither_written_nor_led_on(damaged: Whole) -> None:
    admin = damaged.signed_in(ADMIN)
    token = admin.token("/strategies/new")
    damaged.runtime.start()
    eventually(lambda: damaged.desk.damage() is not None, "the engine has looked at the file")
    before = admin.client.get("/activity")
    assert before.status_code == 200
    assert SAID in before.text
    assert "put the newest backup" in before.text
    answer = admin.client.post("/auth/logout", data={"csrf_token": token})
    assert answer.status_code == 503
    assert SAID in answer.text
    assert admin.client.get("/activity").status_code == 200, "and they are signed in as before"
    assert SAID in str(damaged.stranger().client.get("/readyz").json)
    assert not damaged.runtime.engine.leads
    with damaged.database.reading() as session:
        assert session.scalars(select(LeaseRow.epoch)).first() in {None, 0}, "nobody ever led"


def test_row_38_what_a_cut_wal_had_committed_is_there_and_nothing_of_the_rest(tmp_path: Path) -> None:
    whole = whole_app(tmp_path)
    people = whole.desk.people
    with closing(sqlite3.connect(tmp_path / "desk.sqlite3")) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    people.create("first", "a calm desk in the morning", "trader")
    kept = (tmp_path / "desk.sqlite3-wal").stat().st_size
    people.create("second", "a calm desk in the morning", "trader")
    cut = tmp_path / "cut.sqlite3"
    shutil.copyfile(tmp_path / "desk.sqlite3", cut)
    log = (tmp_path / "desk.sqlite3-wal").read_bytes()
    assert len(log) > kept, "the second user is in the log alone"
    (tmp_path / "cut.sqlite3-wal").write_bytes(log[: kept + (len(log) - kept) // 2])

    engine = create_engine(f"sqlite:///{cut}")
    prepare_sqlite(engine)
    assert damage_of(engine) is None
    with Database(engine).reading() as session:
        said = " ".join(session.scalars(select(ActivityLog.sentence)))
    assert "first" in said
    assert "second" not in said


def test_row_38_what_is_no_database_at_all_is_damaged_too(tmp_path: Path) -> None:
    (tmp_path / "desk.sqlite3").write_bytes(b"not a database, whatever its name says" * 200)
    assert damage_of(create_engine(f"sqlite:///{tmp_path / 'desk.sqlite3'}")) is not None
