"""A statement given to SQLite's driver does what SQLAlchemy does with it, errors and all."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, event, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.persistence.database import Database
from app.persistence.direct import Addition, Change, Question
from app.persistence.plain import PlainRows, added, columns, table_of
from app.persistence.tables import Intent, User
from tests.empty_database import empty_database

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
_U, _I = User.__table__.c, Intent.__table__.c
IDS: Any = bindparam("ids", expanding=True)
ADD_USER = Change(insert(table_of(User)))
ADD_INTENT = Change(insert(table_of(Intent)))
VALUES = {
    "execution_id": 1,
    "run_id": 1,
    "account_id": 1,
    "purpose": "ENTRY",
    "generation": 1,
    "exchange": "NFO",
    "symbol": "X",
    "product": "MIS",
    "side": "BUY",
    "units": 65,
    "price_type": "LIMIT",
    "price_steps": 0,
    "state": "READY",
    "weak_baseline": False,
    "created_at": NOW,
    "limit_price": Decimal("100.5"),
    "baseline": ["a", "b"],
    "trading_date": date(2026, 11, 23),
    "sent_at": None,
}


def user(name: str) -> dict[str, object]:
    return {"username": name, "password_hash": "none", "role": "admin", "active": True, "created_at": NOW}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Five intents of no run: only their values matter here."""
    made = Database(empty_database(f"sqlite:///{tmp_path / 'desk.sqlite3'}"))
    with made.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with Session(connection) as session, session.begin():
            ADD_INTENT.do(session, [VALUES | {"slice": number} for number in range(1, 6)])
        connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
    yield made
    made.engine.dispose()


QUESTIONS = [
    (select(*columns(Intent)).where(_I.id.in_(IDS)).order_by(_I.id), {"ids": [4, 2, 5]}),
    (select(*columns(Intent)).where(_I.id.in_(IDS)), {"ids": []}),
    (select(_I.id).where(_I.id.in_(IDS), _I.state.in_(["READY", "SENDING"])).with_for_update(), {"ids": [1]}),
    (select(func.sum(_I.units), func.max(_I.limit_price)).where(_I.created_at <= bindparam("at")), {"at": NOW}),
    (select(_I.id).where(_I.limit_price > bindparam("price")), {"price": Decimal(100)}),
    (
        select(_I.slice).where((_I.id.in_(IDS)) | (_I.account_id.in_(IDS))).limit(bindparam("most")),
        {"ids": [1, 3], "most": 2},
    ),
]


@pytest.mark.parametrize(("query", "values"), QUESTIONS)
def test_an_answer_is_that_of_sqlalchemy(query: Any, values: dict[str, object], database: Database) -> None:
    question = Question(query)
    with database.reading() as session:
        expected = [tuple(row) for row in session.execute(query, values)]
        for _ in range(2):
            assert [tuple(row) for row in question.ask(session, values)] == expected


def test_lists_of_each_length_are_asked_for(database: Database) -> None:
    question = Question(select(_I.id).where(_I.id.in_(IDS)).order_by(_I.id))
    with database.reading() as session:
        for ids in ([1], [1, 2, 3], [], [5, 4]):
            assert [row[0] for row in question.ask(session, {"ids": ids})] == sorted(ids)
        assert question.first(session, {"ids": [3]}) == (3,)
        assert question.first(session, {"ids": []}) is None


def test_what_was_changed_in_objects_is_seen(database: Database) -> None:
    question = Question(select(_U.username).order_by(_U.id))
    with database.transaction() as session:
        session.add(User(**user("asha")))
        assert question.ask(session) == [("asha",)]


def test_rows_are_changed_as_sqlalchemy_changes_them(database: Database) -> None:
    change = Change(
        update(table_of(Intent))
        .where(_I.id == bindparam("row_id"), _I.state == "READY")
        .values(limit_price=bindparam("new_price"), sent_at=bindparam("new_sent"), baseline=bindparam("new_ids"))
    )
    new = {"new_price": Decimal("7.25"), "new_sent": NOW, "new_ids": ["c"]}
    rows = [{"row_id": number, **new} for number in (1, 2, 99)]
    with database.transaction() as session:
        assert change.do(session, rows) == 2
    with database.reading() as session:
        intent = session.get_one(Intent, 2)
        assert (intent.limit_price, intent.sent_at, intent.baseline) == (Decimal("7.25"), NOW, ["c"])


def test_a_change_that_is_not_committed_never_was(database: Database) -> None:
    with database.reading() as session:
        ADD_USER.do(session, [user("asha")])
    with database.reading() as session:
        assert session.scalars(select(_U.id)).all() == []


def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    with database.transaction() as session:
        ADD_USER.do(session, [user("asha")])
    with pytest.raises(IntegrityError), database.transaction() as session:
        ADD_USER.do(session, [user("ravi"), user("asha")])
    with database.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE intents")
        with pytest.raises(OperationalError, match="intents"):
            Question(select(_I.id)).ask(session)


def test_a_row_is_added_and_said_which_it_is(database: Database) -> None:
    addition = Addition(table_of(User))
    heard: list[str] = []
    with database.transaction() as session:
        assert [addition.add(session, user(name)) for name in ("asha", "ravi")] == [1, 2]
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: heard.append(statement))
    with database.transaction() as session:
        assert addition.add(session, user("mira")) == 3
        assert session.scalars(select(_U.username).order_by(_U.id)).all() == ["asha", "ravi", "mira"]
    assert any(said.startswith("INSERT") for said in heard)


def test_an_added_row_is_plain_and_is_what_is_read(database: Database) -> None:
    rows = PlainRows(User, lambda query, c: query.order_by(c.id))
    with database.transaction() as session:
        new = added(session, User, user("asha") | {"role": "trader"})
        assert rows.read(session) == [new]
        assert (new.id, new.role) == (1, "trader")


def test_values_that_nobody_gave_are_added_as_ever(database: Database) -> None:
    given = {name: value for name, value in user("asha").items() if name != "active"}
    with database.transaction() as session:
        ADD_USER.do(session, [given])
        assert session.scalars(select(User)).one().active is True


def test_who_listens_to_statements_hears_all(database: Database) -> None:
    heard: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: heard.append(statement))
    with database.transaction() as session:
        Question(select(_U.id)).ask(session)
        ADD_USER.do(session, [user("asha")])
    assert [said.split()[0] for said in heard if said.split()[0] in {"SELECT", "INSERT"}] == ["SELECT", "INSERT"]
