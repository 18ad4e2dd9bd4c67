"""Runs the migrations on the engine of the application; `flask db` calls it."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.persistence import tables
from app.persistence.database import Table

METADATA = Table.metadata
KNOWN = tables.__all__
"""Importing the tables is what makes autogenerate see them."""


def run_on(connection: Connection) -> None:
    """Migrate over an open connection, in one transaction where the database can."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="app.persistence.types.",
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a database; there is no offline mode.")


@contextmanager
def rebuilding(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by dropping it after it was copied, and would take that for the loss of every row that
    others name. So the keys are looked at once, when all is done and nothing is committed.
    """
    raw = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")  # outside of any transaction, or it says nothing
    try:
        yield
        if lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            raise SystemExit(f"Rows would name others that are not there, so nothing was changed: {lost[:5]}")
        connection.commit()
    finally:
        connection.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


with current_app.extensions["migrate"].db.engine.connect() as connection:
    with rebuilding(connection):
        run_on(connection)
    connection.commit()
