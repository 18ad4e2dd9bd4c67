"""Plain rows look like objects, cannot be changed, and are written many in one statement."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.persistence.database import Database
from app.persistence.plain import PlainRows, RowIsPlain, Writes, changed
from app.persistence.tables import User
from tests.empty_database import empty_database

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
USERS = PlainRows(User, lambda query, c: query.order_by(c.id))


def user(name: str) -> User:
    return User(username=name, password_hash="none", role="admin", created_at=NOW)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(empty_database(f"sqlite:///{tmp_path / 'desk.sqlite3'}"))
    with made.transaction() as session:
        session.add_all([user("asha"), user("ravi")])
    yield made
    made.engine.dispose()


def names(session: Session) -> list[str]:
    return [row.username for row in USERS.read(session)]


def test_a_plain_row_has_the_values_of_the_object(database: Database) -> None:
    with database.reading() as session:
        row, same = USERS.read(session)[0], session.get_one(User, 1)
        assert (row.id, row.username, row.created_at) == (same.id, same.username, same.created_at)


def test_it_is_not_changed_in_place(database: Database) -> None:
    with database.reading() as session, pytest.raises(RowIsPlain):
        USERS.read(session)[0].username = "other"


def test_what_was_changed_in_objects_is_read(database: Database) -> None:
    with database.transaction() as session:
        session.get_one(User, 1).username = "new"
        session.add(user("mira"))
        assert names(session) == ["new", "ravi", "mira"]


def test_many_are_written_in_one_statement(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement))
    with database.transaction() as session:
        rows, writes = USERS.read(session), Writes()
        new = [writes.change(row, role=f"role {row.id}") for row in rows]
        writes.write(session)
    assert [row.role for row in new] == ["role 1", "role 2"]
    assert sum(statement.startswith("UPDATE") for statement in said) == 1
    with database.reading() as session:
        assert [row.role for row in USERS.read(session)] == ["role 1", "role 2"]


def test_a_row_is_changed_whether_it_is_plain_or_an_object(database: Database) -> None:
    with database.transaction() as session:
        plain = changed(session, USERS.read(session)[0], username="plain")
        changed(session, session.get_one(User, 2), username="object")
        assert plain.username == "plain"
    with database.reading() as session:
        assert names(session) == ["plain", "object"]
