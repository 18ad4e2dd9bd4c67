"""Statements compiled by SQLAlchemy, each once, and run on SQLite's driver; the rows of a query as plain values."""

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Engine, TypeDecorator
from sqlalchemy.engine.interfaces import CacheStats
from sqlalchemy.exc import DBAPIError

from app.persistence.database import Table

Values = Mapping[str, Any]
Row = Sequence[Any]

MOST_KEPT = 5_000
MOST_KNOWN = 1_000

_LIST = re.compile(r"__\[POSTCOMPILE_([^\]~]+)(?:~~[^\]]*~~)?\]")


class Driver:
    """The one connection, and the plan of every statement that was ever run on it.

    What a query gave is kept until one of its tables is written to: an engine asks the same things all day.
    """

    def __init__(self, engine: Engine, raw: sqlite3.Connection) -> None:
        self.engine = engine
        self.raw = raw
        self._by_statement: dict[int, tuple[Any, Plan, Callable[[Values], Values] | None]] = {}
        self._by_compiled: dict[int, Plan] = {}
        self._compiled: dict[Any, Any] = {}
        self._writes: dict[str, int] = dict.fromkeys(Table.metadata.tables, 0)
        self._changes = 0
        self._generation = 0
        self._is_open = False
        self.written: set[str] = set()
        """Tables that this driver wrote to; who makes them as they were before forgets it."""

    def query(self, statement: Any, values: Values) -> "tuple[Plan, Sequence[Row]]":
        known = self._by_statement.get(id(statement))
        if known is None:
            plan, named, is_new = self._plan(statement, values)
            if len(self._by_statement) >= MOST_KNOWN:
                self._by_statement.clear()
            # Most are made once and come again. What the first of its kind says itself is part of its plan.
            known = self._by_statement[id(statement)] = statement, plan, None if is_new else named
        _, plan, fully = known
        return plan, self._rows(plan, values if fully is None else fully(values))

    def _rows(self, plan: "Plan", values: Values) -> Sequence[Row]:
        if self.raw.total_changes != self._changes:
            self.forget()  # somebody wrote past us
        if plan.stamped != self._generation:
            writes = self._writes
            plan.stamp, plan.stamped = sum([writes[table] for table in plan.tables]), self._generation
        text, bound = plan.bound(values)
        place, stamp = (text, *bound), plan.stamp
        kept = plan.kept.get(place)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        try:
            rows = plan.processed(self.raw.execute(text, bound).fetchall())
        except sqlite3.Error as error:
            raise _as_sqlalchemy(error, text) from error
        if plan.keeps:
            if len(plan.kept) >= MOST_KEPT:
                plan.kept.clear()
            plan.kept[place] = (stamp, rows)
        return rows

    def run(self, statement: Any, values: Values | Sequence[Values]) -> int:
        """How many rows it changed."""
        many = [values] if type(values) is dict or isinstance(values, Mapping) else values
        plan, named, _ = self._plan(statement, many[0])
        bound = [plan.bound(named(each)) for each in many]
        return sum(self.write(statement.table.name, text, each).rowcount for text, each in bound)

    def write(self, table: str, text: str, values: Row) -> sqlite3.Cursor:
        self._writes[table] += 1
        self._generation += 1
        self.written.add(table)
        self.begin()
        try:
            cursor = self.raw.execute(text, values)
        except sqlite3.Error as error:
            raise _as_sqlalchemy(error, text) from error
        self._changes = self.raw.total_changes
        return cursor

    def open(self) -> None:
        """A transaction; SQLite hears of it with its first write, since many write nothing."""
        assert not self._is_open, "a transaction within a transaction"
        self._is_open = True

    def begin(self) -> None:
        if self._is_open and not self.raw.in_transaction:
            self.raw.execute("BEGIN")

    def end(self, how: str) -> None:
        """COMMIT or ROLLBACK."""
        self._is_open = False
        if self.raw.in_transaction:
            self.raw.execute(how)

    def forget(self) -> None:
        """Tables may say anything by now."""
        for table in self._writes:
            self._writes[table] += 1
        self._generation += 1
        self._changes = self.raw.total_changes

    def _plan(self, statement: Any, values: Values) -> "tuple[Plan, Callable[[Values], Values], bool]":
        """Its plan, what adds the values written in the statement itself to others, and whether nothing alike came."""
        keys = [] if statement.is_select else sorted(values)
        compiled, written, found = statement._compile_w_cache(
            self.engine.dialect, compiled_cache=self._compiled, column_keys=keys, for_executemany=False
        )
        plan = self._by_compiled.get(id(compiled))
        if plan is None:
            plan = self._by_compiled[id(compiled)] = Plan(compiled, statement)
        return (
            plan,
            lambda these: compiled.construct_params(these, extracted_parameters=written),
            found is CacheStats.CACHE_MISS,
        )


def remembered(of: Any, process: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """What stores a value of that type: the same few moments and prices are stored again and again."""
    return lru_cache(MOST_KEPT)(process) if isinstance(of, TypeDecorator) and process is not None else process


def _as_sqlalchemy(error: sqlite3.Error, text: str) -> BaseException:
    return DBAPIError.instance(text, None, error, sqlite3.Error)


class Plan:
    """A compiled statement: its text and what is bound where.

    `parts` are what a query asks for: a mapped class with the keys of its columns, or None for a single value. `row`
    makes a tuple of them all, with names; where all are single values, rows are such tuples already. `stamp` counts the
    writes to its tables, as of the `stamped` write to any.
    """

    def __init__(self, compiled: Any, statement: Any) -> None:
        processors = compiled._bind_processors
        self._binds = [
            (name, each.effective_value, remembered(each.type, processors.get(name)), bool(each.expanding))
            for name in compiled.positiontup
            for each in [compiled.binds[name]]
        ]
        self.stamp, self.stamped = 0, -1
        self._text = compiled.string
        self._texts: dict[tuple[int, ...], str] = {}
        if statement.is_select:
            self._read_columns(compiled._result_columns, statement.column_descriptions, compiled.dialect)

    def _read_columns(self, columns: Sequence[Any], described: Sequence[Any], dialect: Any) -> None:
        processes = [column.type._cached_result_processor(dialect, None) for column in columns]
        self._processes = [(n, process) for n, process in enumerate(processes) if process is not None]
        self._known: dict[Row, Row] = {}
        self.keeps = not any(isinstance(column.type, JSON) for column in columns)  # what that is read as can be changed
        self.kept: dict[Row, tuple[int, Sequence[Row]]] = {}
        words = set(re.findall(r"\w+", self._text))
        self.tables = [name for name in Table.metadata.tables if name in words]
        classes: list[Any] = [each["expr"] if isinstance(each["expr"], type) else None for each in described]
        named: Any = namedtuple("named", [str(each["name"]) for each in described], rename=True)  # type: ignore[misc] # noqa: PYI024 - names are known by now
        self.row = named._make
        self.parts: list[tuple[Any, list[str], slice]] = []
        at = 0
        for of in classes:
            names = [] if of is None else [each.key for each in of.__mapper__.column_attrs if not each.deferred]
            wide = len(names) or 1
            stored = [each.columns[0] for each in of.__mapper__.column_attrs if not each.deferred] if of else []
            same = all(column.type is mine.type for column, mine in zip(columns[at:], stored, strict=False))
            assert same, f"not understood: {self._text}"
            assert names[:1] in ([], ["id"]), f"an object begins with its id: {self._text}"
            self.parts.append((of, names, slice(at, at + wide)))
            at += wide
        assert at == len(columns), f"not understood: {self._text}"
        self.is_plain = not any(classes)

    def bound(self, values: Values) -> tuple[str, list[Any]]:
        """The text and what stands for its question marks."""
        flat: list[Any] = []
        sizes: list[int] = []
        for name, otherwise, process, is_list in self._binds:
            value = values[name] if name in values else otherwise  # noqa: SIM401 - get() is the slower one
            if is_list:
                sizes.append(len(value))
                flat += value if process is None else map(process, value)
            else:
                flat.append(value if process is None else process(value))
        return (self._with_lists(tuple(sizes)) if sizes else self._text), flat

    def _with_lists(self, sizes: tuple[int, ...]) -> str:
        """The text with as many question marks as each list has values."""
        text = self._texts.get(sizes)
        if text is None:
            left = iter(sizes)
            text = self._texts[sizes] = _LIST.sub(lambda _found: ",".join("?" * next(left)), self._text)
        return text

    def processed(self, rows: Sequence[Row]) -> Sequence[Row]:
        """As Python values. Most rows were read before, and mean what they meant."""
        if not self.keeps:
            return [self._meaning(row) for row in rows]
        known, done = self._known, []
        for row in rows:
            meaning = known.get(row)
            if meaning is None:
                if len(known) >= MOST_KEPT:
                    known.clear()
                meaning = known[row] = self._meaning(row)
            done.append(meaning)
        return done

    def _meaning(self, row: Row) -> Row:
        values = list(row)
        for n, process in self._processes:
            if values[n] is not None:
                values[n] = process(values[n])
        return self.row(values) if self.is_plain else values
