"""Rows as plain tuples with the names of their class, for who reads many and hardly ever changes one.

An object of SQLAlchemy costs several times as much to make and to ask, and an order path is made of rows.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, Select, TableClause, bindparam, insert, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.persistence.database import Table
from app.persistence.direct import NOTHING, Addition, Change, Question

T = TypeVar("T", bound=Table)

Columns = ReadOnlyColumnCollection[str, Any]


class RowIsPlain(Exception):
    """A plain row was to be changed: read it as an object, and do all of that again."""


class _Plain:
    __slots__ = ()
    of: type[Table]

    def __setattr__(self, name: str, value: object) -> None:
        raise RowIsPlain(f"{type(self).__name__}.{name}")


def columns(of: type[Table]) -> list[ColumnElement[Any]]:
    """All of a class but those that are loaded when asked for: a plain row has no such attribute."""
    return [of.__table__.c[key] for key in _keys(of)]


def table_of(of: type[Table]) -> TableClause:
    """For statements that make and change no objects."""
    return cast("TableClause", of.__table__)


@cache
def maker(of: type[T]) -> Callable[[Sequence[Any]], T]:
    """Makes a plain row of this class from the values of its `columns`."""
    base: Any = namedtuple(of.__name__, _keys(of))  # type: ignore[misc]  # noqa: PYI024 - the class names the types
    plain: Any = type(of.__name__, (_Plain, base), {"__slots__": (), "of": of})
    made: Callable[[Sequence[Any]], T] = plain._make
    return made


class PlainRows(Generic[T]):
    """A query for plain rows of one class. They look like its objects; RowIsPlain is raised when one is changed."""

    def __init__(self, of: type[T], narrow: Callable[[Select[Any], Columns], Select[Any]]) -> None:
        """`narrow` says which rows and in which order, by columns of the table: a word of the class in it would make
        it a query for objects. It is made once, and asked often.
        """
        self._question = Question(narrow(select(*columns(of)), of.__table__.c))
        self._make = maker(of)

    def read(self, session: Session, values: Mapping[str, Any] = NOTHING) -> list[T]:
        return list(map(self._make, self._question.ask(session, values)))


def makers(*classes: type[Table]) -> list[tuple[Callable[[Sequence[Any]], Any], slice]]:
    """For rows that have the `columns` of one class after those of the other: what makes each, from which part."""
    ends = list(accumulate(len(columns(of)) for of in classes))
    return [(maker(of), slice(end - len(columns(of)), end)) for of, end in zip(classes, ends, strict=True)]


class Writes:
    """What is to be written of plain rows: kept until `write` puts it down, many rows in one statement."""

    def __init__(self) -> None:
        self._new: dict[type[Table], list[dict[str, Any]]] = {}
        self._changed: dict[tuple[type[Table], tuple[str, ...]], list[dict[str, Any]]] = {}

    def add(self, of: type[Table], values: dict[str, Any]) -> None:
        """A new row. Columns that have a default have to be said."""
        self._new.setdefault(of, []).append(values)

    def change(self, row: T, **values: object) -> T:
        """The row as it is then. A row is changed once at most: nobody says which change comes first."""
        plain: Any = row
        bound = {"row_id": plain.id} | {f"new_{name}": value for name, value in values.items()}
        self._changed.setdefault((plain.of, tuple(values)), []).append(bound)
        new: T = plain._replace(**values)
        return new

    def write(self, session: Session) -> None:
        """Changes before what refers to them. Raises what the database says; then nothing of it counts."""
        for (of, names), rows in self._changed.items():
            _change(of, names).do(session, rows)
        for of, rows in self._new.items():
            _insert(of).do(session, rows)


def added(session: Session, of: type[T], values: Mapping[str, Any]) -> T:
    """A new row, written at once and given as a plain one. Columns that have a default have to be said."""
    row = {"id": _addition(of).add(session, values), **values}
    new: T = maker(of)([row.get(key) for key in _keys(of)])
    return new


def changed(session: Session, row: T, **values: object) -> T:
    """The same row with these values, written at once where it is plain; an object is changed."""
    known: Any = row
    if not isinstance(known, _Plain):
        for name, value in values.items():
            setattr(row, name, value)
        return row
    writes = Writes()
    new = writes.change(row, **values)
    writes.write(session)
    return new


@cache
def _addition(of: type[Table]) -> Addition:
    return Addition(table_of(of))


@cache
def _insert(of: Any) -> Change:
    return Change(insert(of.__table__))


@cache
def _change(of: Any, names: Sequence[str]) -> Change:
    table = of.__table__
    return Change(
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


def _keys(of: type[Table]) -> list[str]:
    return [each.key for each in inspect(of).column_attrs if not each.deferred]
