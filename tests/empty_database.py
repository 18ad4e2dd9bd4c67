"""Databases with all tables and no rows: made once in a process, and copied from then on."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, event, make_url, text

from app.persistence.database import Table, prepare_sqlite


def empty_database(url: str) -> Engine:
    """An engine on a database with all tables, empty. What was there is gone."""
    if make_url(url).get_backend_name() != "sqlite":
        _with_tables(url)
        engine = create_engine(url)
        _without_rows(engine)
        return engine
    put_tables(url)
    engine = create_engine(url)
    prepare_sqlite(engine)
    never_wait_for_the_disk(engine)
    return engine


def put_tables(url: str) -> None:
    """Put an SQLite file with all tables where this URL says."""
    place = make_url(url).database
    assert place
    for left in (f"{place}-wal", f"{place}-shm"):
        Path(left).unlink(missing_ok=True)
    shutil.copyfile(Path(_template().name) / "desk.sqlite3", place)


@cache
def _with_tables(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    Table.metadata.drop_all(engine)
    Table.metadata.create_all(engine)


def _without_rows(engine: Engine) -> None:
    """Takes milliseconds, where making the tables anew takes a second."""
    tables = [table.name for table in Table.metadata.sorted_tables]
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # in whatever order
        connection.execute(text("; ".join(f"DELETE FROM {name}" for name in tables)))
        connection.execute(text("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"))


def never_wait_for_the_disk(engine: Engine) -> None:
    """In these tests a process may die, never the machine."""
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """Gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="desk-empty-")
    engine = create_engine(f"sqlite:///{folder.name}/desk.sqlite3")
    prepare_sqlite(engine)
    Table.metadata.create_all(engine)
    engine.dispose()  # the last connection takes what is in the log into the file
    return folder
