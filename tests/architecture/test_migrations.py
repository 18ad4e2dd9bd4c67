"""The migrations lead from nothing to exactly the tables of the models and back, on both databases."""

from datetime import UTC, date, datetime

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    create_engine,
    func,
    inspect,
    select,
    table,
)

from app import create_app
from app.persistence.database import db
from config import testing_settings
from tests.architecture.sources import ROOT

MIGRATIONS = str(ROOT / "migrations")
BEFORE = "0012"
"""A revision that later ones change tables of which others name rows."""


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


def test_an_upgrade_keeps_every_row(database_url: str) -> None:
    """SQLite rebuilds a table to change it; what others name must not go with the old one."""
    app = create_app(testing_settings().with_(database_url=database_url))
    engine = create_engine(database_url)
    with app.app_context():
        upgrade(directory=MIGRATIONS)  # whatever the test before this left
        downgrade(directory=MIGRATIONS, revision=BEFORE)
        filled = _one_row_each(engine)
        upgrade(directory=MIGRATIONS)
        with engine.connect() as connection:
            left = {name: connection.scalar(select(func.count()).select_from(table(name))) for name in filled}
        assert left == dict.fromkeys(filled, 1)
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1, "they hold again"
        db.engine.dispose()
    engine.dispose()


def _one_row_each(engine: Engine) -> list[str]:
    """Put one row into every table that says runs, orders and fills, each naming the first of the others."""
    known = MetaData()
    known.reflect(engine)
    filled = [each for each in known.sorted_tables if each.name not in {"alembic_version", "market_rules"}]
    with engine.begin() as connection:
        for each in filled:
            needed = [column for column in each.columns if not column.nullable]
            connection.execute(each.insert().values({column.name: _value_for(column) for column in needed}))
    return [each.name for each in filled]


def _value_for(column: Column[object]) -> object:
    kind = column.type
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer | Numeric):
        return 1
    if isinstance(kind, DateTime):
        return datetime(2026, 11, 23, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 11, 23)
    return {} if isinstance(kind, JSON) else "1"


def _differences(engine: Engine) -> list[object]:
    """What autogenerate would still write into a new migration."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, db.metadata)
        return found


def _tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}
