"""Runs the migrations on the engine of the application; `flask db` calls it."""

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

with current_app.extensions["migrate"].db.engine.connect() as connection:
    run_on(connection)
    connection.commit()
