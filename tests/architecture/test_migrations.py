"""The migrations lead from nothing to exactly the tables of the models and back, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, create_engine, inspect

from app import create_app
from app.persistence.database import db
from config import testing_settings
from tests.architecture.sources import ROOT

MIGRATIONS = str(ROOT / "migrations")


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(MIGRATIONS).get_heads()) == 1


def test_up_from_nothing_and_back(database_url: str) -> None:
    app = create_app(testing_settings().with_(database_url=database_url))
    engine = create_engine(database_url)
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        assert _differences(engine) == []
        downgrade(directory=MIGRATIONS, revision="base")
        assert _tables(engine) == set()
        upgrade(directory=MIGRATIONS)
        assert _tables(engine) == set(db.metadata.tables)
        db.engine.dispose()
    engine.dispose()


def _differences(engine: Engine) -> list[object]:
    """What autogenerate would still write into a new migration."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, db.metadata)
        return found


def _tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}
