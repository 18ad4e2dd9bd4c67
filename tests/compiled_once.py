"""What every test application compiles: addresses and statements once in a test process, templates once for all."""

from collections.abc import Callable
from types import CodeType

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from tools.steps import CACHE

Builder = Callable[..., tuple[str, str]]

TEMPLATES = CACHE / "templates"
_statements: LRUCache[object, object] = LRUCache(4_000)


def compile_once() -> None:
    _share_statements()
    _share_builders()
    share_templates()


def share_templates() -> None:
    """By name, place and source, in files: for each worker of the tests and each desk that they start."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": ReadOnce(str(TEMPLATES))}


class ReadOnce(FileSystemBytecodeCache):
    """Reads each of the files once in a process."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self._read: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        known = bucket.key, bucket.checksum
        bucket.code = self._read.get(known)
        if bucket.code is None:
            super().load_bytecode(bucket)
        if bucket.code is not None:
            self._read[known] = bucket.code


def _share_builders() -> None:
    """What makes an address of a rule knows only what the rule says: each application has the same hundred rules."""
    compiled: dict[object, Builder] = {}
    compile_builder = Rule._compile_builder

    def shared(rule: Rule, append_unknown: bool = True) -> Builder:
        kinds = tuple((name, type(converter)) for name, converter in rule._converters.items())
        said = rule.rule, tuple(rule._trace), kinds, repr(rule.defaults), append_unknown
        if said not in compiled:
            compiled[said] = compile_builder(rule, append_unknown)
        return compiled[said]

    Rule._compile_builder = shared  # type: ignore[method-assign,assignment]


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
