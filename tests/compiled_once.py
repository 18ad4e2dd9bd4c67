"""What every test application compiles: statements once in a test process, templates once for all of them."""

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from tools.steps import CACHE

TEMPLATES = CACHE / "templates"
_statements: LRUCache[object, object] = LRUCache(4_000)


def compile_once() -> None:
    _share_statements()
    share_templates()


def share_templates() -> None:
    """By name, place and source, in files: for each worker of the tests and each desk that they start."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(str(TEMPLATES))}


def _share_statements() -> None:
    """What is compiled for one engine serves each later one of the same kind: their servers are of one version."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _same_kind  # type: ignore[method-assign]
        dialect.__hash__ = _kind  # type: ignore[method-assign,assignment]
    event.listen(Engine, "engine_connect", _use_shared)


def _same_kind(one: object, other: object) -> bool:
    return type(one) is type(other)


def _kind(dialect: object) -> int:
    return hash(type(dialect))


def _use_shared(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_statements)
