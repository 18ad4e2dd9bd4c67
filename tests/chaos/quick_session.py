"""Sessions at a fraction of SQLAlchemy's price: a schedule is made of little else, and ten thousand have minutes.

Rows become objects of the mapped classes, and what is changed in them is written as SQLAlchemy writes it: table after
table, updates before inserts, deletes last. It knows what the order path asks of a session, refuses anything else
aloud, and is for one thread and SQLite. `test_quick_session.py` holds it to the real one, row by row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, inspect, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import MultipleResultsFound, NoResultFound
from sqlalchemy.orm.attributes import instance_state

from app.persistence.database import Table
from tests.chaos.quick_statements import Driver, Plan, Row, Values, remembered

_NOTHING: Values = {}
_DIALECT = sqlite.dialect()


class Result:
    """The rows of a query, all of them read."""

    def __init__(self, rows: list[Any], rowcount: int = -1) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def tuples(self) -> "Result":
        return self

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        if len(self._rows) > 1:
            raise MultipleResultsFound("Multiple rows were found when one or none was required")
        return self.first()

    def one(self) -> Any:
        if not self._rows:
            raise NoResultFound("No row was found when one was required")
        return self.one_or_none()


class _Changes:
    """Where SQLAlchemy's instances say that they were changed, as they do to its identity map."""

    def __init__(self, session: "QuickSession") -> None:
        self.session = session
        self._modified: set[Any] = set()

    def states(self) -> set[Any]:
        return self._modified

    def _fast_discard(self, state: Any) -> None:
        """An object of which nobody knows any more."""


@dataclass(frozen=True)
class _Shape:
    """How a mapped class is stored. `columns` are key, column and what binds it; `late` reads what is asked later."""

    of: Any
    name: str
    columns: Sequence[tuple[str, Any, Callable[[Any], Any] | None]]
    late: dict[str, Callable[..., Any]]
    by_id: Any
    new: Callable[[], Any]
    rank: int
    """Tables that others refer to come first."""


def _shape(of: Any) -> _Shape:
    known = _SHAPES.get(of)
    if known is None:
        known = _SHAPES[of] = _shape_of(of)
    return known


def _shape_of(of: Any) -> _Shape:
    mapper, dialect = inspect(of), _DIALECT
    columns = [
        (each.key, column, remembered(column.type, column.type._cached_bind_processor(dialect)))
        for each in mapper.column_attrs
        for column in [each.columns[0]]
    ]
    late = {
        each.key: _late(select(each.class_attribute).where(of.id == bindparam("id")), of_many=False)
        for each in mapper.column_attrs
        if each.deferred
    }
    for each in mapper.relationships:
        ((_, theirs),) = each.local_remote_pairs
        query = select(each.mapper.class_).where(theirs == bindparam("id")).order_by(*each.order_by or ())
        late[each.key] = _late(query, of_many=True)
    by_id = select(of).where(of.id == bindparam("id"))
    rank = Table.metadata.sorted_tables.index(of.__table__)
    return _Shape(of, of.__tablename__, columns, late, by_id, mapper.class_manager.new_instance, rank)


_SHAPES: dict[Any, _Shape] = {}


@cache
def _class_of(table: Any) -> Any:
    return next(mapper.class_ for mapper in Table.registry.mappers if mapper.class_.__tablename__ == table.name)


def _late(query: Any, *, of_many: bool) -> Callable[..., Any]:
    def read(state: Any, _passive: object) -> Any:
        found = state._instance_dict().session.scalars(query, {"id": state.key[1][0]})
        return found.all() if of_many else found.one()

    return read


class _Listens:
    """Statements are not given to a driver past this session: it hears all of them, as a listener of an engine does."""

    before_cursor_execute = (None,)


class QuickSession:
    """For one `with` block, as the real one."""

    dispatch = _Listens()

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._objects: dict[tuple[Any, int], Any] = {}
        self._changes = _Changes(self)
        self._changed = self._changes.states()
        self._gone: list[Any] = []
        self.new: list[Any] = []
        self.info: dict[Any, Any] = {}
        self._flushes = True

    def _tell(self) -> _Changes:
        return self._changes

    @property
    def dirty(self) -> set[Any]:
        return self._changed

    def close(self) -> None:
        """Who has an object keeps it; we hold none, so that none waits for the garbage collector."""
        self._objects = {}
        del self._changes.session

    def get_bind(self) -> Any:
        return self._driver.engine

    def connection(self) -> "QuickSession":
        return self

    def add(self, row: Any) -> None:
        if instance_state(row).key is None and not any(row is each for each in self.new):
            self.new.append(row)

    def add_all(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.add(row)

    def delete(self, row: Any) -> None:
        self._gone.append(row)

    def get_one(self, of: Any, ident: int, *, with_for_update: Any = None, populate_existing: bool = False) -> Any:
        found = self.get(of, ident, with_for_update=with_for_update or populate_existing or None)
        if found is None:
            raise NoResultFound("No row was found when one was required")
        return found

    def get(self, of: Any, ident: int, *, with_for_update: Any = None) -> Any:
        known = self._objects.get((of, ident)) if with_for_update is None else None
        return self.scalars(_shape(of).by_id, {"id": ident}).one_or_none() if known is None else known

    def scalar(self, statement: Any, values: Values = _NOTHING) -> Any:
        return self.scalars(statement, values).first()

    def scalars(self, statement: Any, values: Values | Sequence[Values] = _NOTHING) -> Result:
        if statement.is_insert:
            return Result([row.id for row in self._inserted(statement, values)])
        self._autoflush()
        plan, rows = self._driver.query(statement, values)  # type: ignore[arg-type] # only inserts have many
        of, names, _ = plan.parts[0]
        if of is None:
            return Result([row[0] for row in rows])
        shape = _shape(of)
        return Result([self._object(shape, names, row) for row in rows])

    def execute(self, statement: Any, values: Values | Sequence[Values] = _NOTHING) -> Result:
        if statement.is_insert:
            return Result([], len(self._inserted(statement, values)))
        self._autoflush()
        if not statement.is_select:
            return self._written(statement, self._driver.run(statement, values))
        plan, rows = self._driver.query(statement, values)  # type: ignore[arg-type] # only writes have many
        return Result(list(rows) if plan.is_plain else [self._row(plan, row) for row in rows])

    def _inserted(self, statement: Any, values: Values | Sequence[Values]) -> list[Any]:
        """Rows of a mapped class that a statement inserts, in their order."""
        self.flush()
        of = _class_of(statement.table)
        rows = [of(**each) for each in ([values] if isinstance(values, Mapping) else values)]
        for row in rows:
            self._insert(row)
        return rows

    def _row(self, plan: Plan, row: Row) -> Any:
        return plan.row([
            row[part][0] if of is None else self._object(_shape(of), names, row[part])
            for of, names, part in plan.parts
        ])  # fmt: skip

    def _written(self, statement: Any, rowcount: int) -> Result:
        """What a statement changed is read again where we hold it."""
        table = statement.table
        for (of, ident), row in list(self._objects.items()):
            if of.__table__ is table and self.scalars(_shape(of).by_id, {"id": ident}).first() is None:
                del self._objects[of, ident]
                instance_state(row)._instance_dict = lambda: None
        return Result([], rowcount)

    def _object(self, shape: _Shape, names: Sequence[str], row: Row) -> Any:
        """The object of a row, which begins with its id."""
        place = (shape.of, row[0])
        known = self._objects.get(place)
        if known is not None:
            if not instance_state(known).modified:
                known.__dict__.update(zip(names, row, strict=True))
            return known
        made = self._objects[place] = shape.new()
        values = made.__dict__
        values.update(zip(names, row, strict=True))
        state = values["_sa_instance_state"]
        state.key = (shape.of, (row[0],), None)
        state._instance_dict = self._tell
        state.callables = shape.late.copy()
        return made

    def _stored(self, row: Any, shape: _Shape) -> None:
        """It has a row by now."""
        state: Any = instance_state(row)
        state.key = (shape.of, (row.id,), None)
        state._instance_dict = self._tell
        state.callables = shape.late.copy()
        _forget_changes_of(state)
        self._objects[shape.of, row.id] = row

    @property
    @contextmanager
    def no_autoflush(self) -> Iterator[None]:
        """Until the block ends a question writes nothing down first."""
        self._flushes = False
        try:
            yield
        finally:
            self._flushes = True

    @property
    def autoflush(self) -> bool:
        return self._flushes

    def _autoflush(self) -> None:
        if self._flushes and (self.new or self._gone or self._changed):
            self.flush()

    def flush(self) -> None:
        if not (self.new or self._gone or self._changed):
            return
        gone = {id(row) for row in self._gone}
        changed = [row for state in self._changed if id(row := state.obj()) not in gone]
        work = [(_shape(type(row)).rank, 0, row.id, self._update, row) for row in changed]
        work += [(_shape(type(row)).rank, 1, n, self._insert, row) for n, row in enumerate(self.new)]
        self.new = []
        self._changed.clear()
        for *_, write, row in sorted(work, key=lambda each: each[:3]):
            write(row)
        for row in self._gone:
            self._driver.write(row.__table__.name, f"DELETE FROM {row.__table__.name} WHERE id = ?", [row.id])
            self._objects.pop((type(row), row.id), None)
        self._gone = []

    def _update(self, row: Any) -> None:
        state, shape = instance_state(row), _shape(type(row))
        values = row.__dict__
        names, bound = [], []
        for key, column, process in shape.columns:
            if key in state.committed_state and state.committed_state[key] != values[key]:
                names.append(f"{column.name} = ?")
                bound.append(values[key] if process is None else process(values[key]))
        _forget_changes_of(state)
        if names:
            self._driver.write(shape.name, f"UPDATE {shape.name} SET {', '.join(names)} WHERE id = ?", [*bound, row.id])

    def _insert(self, row: Any) -> None:
        shape, values = _shape(type(row)), row.__dict__
        names, bound = [], []
        for key, column, process in shape.columns:
            if key not in values and column.default is not None:
                values[key] = column.default.arg(None) if column.default.is_callable else column.default.arg
            if values.get(key) is None and (key not in values or not column.type.should_evaluate_none):
                continue  # the database puts NULL, or the next number
            names.append(column.name)
            bound.append(values[key] if process is None else process(values[key]))
        cursor = self._driver.write(shape.name, _insertion(shape.name, tuple(names)), bound)
        for key, _, _ in shape.columns:
            values.setdefault(key, None)
        values["id"] = cursor.lastrowid if values["id"] is None else values["id"]
        self._stored(row, shape)

    @contextmanager
    def begin_nested(self) -> Iterator[None]:
        """A savepoint: when the block raises, what we hold is as it was before."""
        self.flush()
        self._driver.begin()
        self._driver.raw.execute("SAVEPOINT part")
        try:
            yield
            self.flush()
        except BaseException:
            self._driver.raw.execute("ROLLBACK TO part")
            self._driver.raw.execute("RELEASE part")
            self._driver.forget()
            self._forget_changes()
            raise
        self._driver.raw.execute("RELEASE part")

    def _forget_changes(self) -> None:
        self.new, self._gone = [], []
        self._changed.clear()
        for (of, ident), row in list(self._objects.items()):
            _forget_changes_of(instance_state(row))
            if self.scalars(_shape(of).by_id, {"id": ident}).first() is None:
                del self._objects[of, ident]


@cache
def _insertion(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _forget_changes_of(state: Any) -> None:
    state.modified = False
    state.committed_state.clear()
