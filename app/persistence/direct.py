"""Statements that are made once and given to SQLite's driver as they are; on other databases SQLAlchemy runs them.

SQLAlchemy takes longer to run a small statement than SQLite does, and an order path is made of small statements: they
stand between a tick and the wire. Types, transactions and errors are SQLAlchemy's all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Insert, Select, TableClause, Update, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

SHAPES_KEPT: Final = 256
"""Texts of one statement that are kept: lists of each length make one of their own."""

NOTHING: Final[Mapping[str, Any]] = {}

_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Given:
    """One parameter: what of the values it is, or what it always is. `at`: its place in a list."""

    name: str | None
    at: int | None
    process: _Process
    always: Any = None


@dataclass(frozen=True, slots=True)
class _Text:
    """What the driver is given, and where its parameters come from."""

    sql: str
    parameters: Sequence[_Given]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        return [_bound(each, values) for each in self.parameters]


class Question:
    """A query of plain columns, without objects. Thread-safe."""

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._compiled: SQLCompiler | None = None
        self._lists: Sequence[str] = ()
        self._processes: Sequence[tuple[int, Callable[[Any], Any]]] = ()
        self._texts: dict[tuple[int, ...], _Text] = {}

    def ask(self, session: Session, values: Mapping[str, Any] = NOTHING) -> Sequence[Sequence[Any]]:
        """The rows. Objects that were changed are written first, as before a query for objects."""
        if session.autoflush:
            session.flush()
        connection = session.connection()
        if not _is_direct(connection):
            return session.execute(self._query, values).all()
        text = self._text(connection.dialect, values)
        rows = _run(connection, text.sql, text.bound(values), lambda cursor: cursor.fetchall())
        if not self._processes:
            found: Sequence[Sequence[Any]] = rows
            return found
        return [self._read(row) for row in rows]

    def first(self, session: Session, values: Mapping[str, Any] = NOTHING) -> Sequence[Any] | None:
        """The first row, None when there is none."""
        return next(iter(self.ask(session, values)), None)

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        read = list(row)
        for at, process in self._processes:
            read[at] = process(read[at])
        return read

    def _text(self, dialect: Dialect, values: Mapping[str, Any]) -> _Text:
        compiled = self._compiled or self._compile(dialect)
        shape = tuple(len(values[name]) for name in self._lists)
        text = self._texts.get(shape)
        if text is None:
            if len(self._texts) >= SHAPES_KEPT:
                self._texts = {}
            text = self._texts[shape] = _expanded(compiled, dialect, values)
        return text

    def _compile(self, dialect: Dialect) -> SQLCompiler:
        compiled: Any = self._query.compile(dialect=dialect)
        self._lists = [name for name, bound in compiled.binds.items() if bound.expanding and bound.value is None]
        processes = [_result_process(column.type, dialect) for column in self._query.selected_columns]
        self._processes = [(at, process) for at, process in enumerate(processes) if process is not None]
        self._compiled = compiled  # last: another thread may ask just now
        found: SQLCompiler = compiled
        return found


class Change:
    """A statement that changes or adds rows, the same for many. Thread-safe."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._texts: dict[tuple[str, ...], _Text | None] = {}

    def do(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many rows it changed in all. Each of `rows` has the same names; `rows` is not empty."""
        connection = session.connection()
        text = self.text(connection.dialect, rows[0]) if _is_direct(connection) else None
        if text is None:
            return connection.execute(self._statement, rows).rowcount
        bound = [text.bound(row) for row in rows]
        changed: int = _run(connection, text.sql, bound, lambda cursor: cursor.rowcount, many=True)
        return changed

    def text(self, dialect: Dialect, row: Mapping[str, Any]) -> _Text | None:
        """For `_run`; None where SQLAlchemy adds values that nobody gave."""
        names = tuple(row)
        if names not in self._texts:
            keys = list(names) if isinstance(self._statement, Insert) else None
            compiled: Any = self._statement.compile(dialect=dialect, column_keys=keys)
            adds = compiled.insert_prefetch or compiled.update_prefetch
            self._texts[names] = None if adds else _expanded(compiled, dialect, row)
        return self._texts[names]


class Addition:
    """Adds one row to a table whose key it makes by itself. Thread-safe."""

    def __init__(self, table: TableClause) -> None:
        statement = insert(table)
        self._change = Change(statement)
        self._returning = statement.returning(table.c.id)

    def add(self, session: Session, values: Mapping[str, Any]) -> int:
        """The id of the new row. Values that have a default have to be said."""
        connection = session.connection()
        text = self._change.text(connection.dialect, values) if _is_direct(connection) else None
        if text is None:
            return int(session.scalars(self._returning, [values]).one())
        made: int = _run(connection, text.sql, text.bound(values), lambda cursor: cursor.lastrowid)
        return made


def _is_direct(connection: Connection) -> bool:
    """Whoever listens to statements hears all of them."""
    told: Any = connection.dispatch
    return not told.before_cursor_execute and connection.dialect.name == "sqlite"


def _run(connection: Connection, sql: str, bound: Any, result: Callable[[Any], Any], *, many: bool = False) -> Any:
    """Raises what SQLAlchemy would."""
    driver: Any = connection.dialect.loaded_dbapi
    try:
        cursor = connection.connection.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, bound)
            return result(cursor)
        finally:
            cursor.close()
    except driver.Error as error:
        raise DBAPIError.instance(sql, bound, error, driver.Error, dialect=connection.dialect, ismulti=many) from error


def _expanded(compiled: Any, dialect: Dialect, values: Mapping[str, Any]) -> _Text:
    """The text for values of this shape."""
    params = compiled.construct_params(values)
    expanded = compiled.construct_expanded_state(params)
    places = {made: (name, at) for name, names in expanded.parameter_expansion.items() for at, made in enumerate(names)}
    return _Text(
        expanded.statement,
        [_given(name, places, compiled, dialect, params, values) for name in expanded.positiontup or ()],
    )


def _given(
    name: str,
    places: Mapping[str, tuple[str, int]],
    compiled: Any,
    dialect: Dialect,
    params: Mapping[str, Any],
    values: Mapping[str, Any],
) -> _Given:
    source, at = places.get(name, (name, None))
    process = _bind_process(compiled.binds[source].type, dialect)
    if source in values:
        return _Given(source, at, process)
    value = params[source] if at is None else params[source][at]
    return _Given(None, None, None, value if process is None else process(value))


def _bound(given: _Given, values: Mapping[str, Any]) -> Any:
    if given.name is None:
        return given.always
    value = values[given.name]
    if given.at is not None:
        value = value[given.at]
    return value if given.process is None else given.process(value)


def _bind_process(kind: Any, dialect: Dialect) -> _Process:
    process: _Process = kind.dialect_impl(dialect).bind_processor(dialect)
    return process


def _result_process(kind: Any, dialect: Dialect) -> _Process:
    process: _Process = kind.dialect_impl(dialect).result_processor(dialect, None)
    return process
