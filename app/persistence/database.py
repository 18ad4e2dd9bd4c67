"""The one way to open a session, for pages and for engine threads alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from app.persistence.turns import Turn, WriterTurns

ASLEEP_IN_TRANSACTION_MS = 5_000
"""After this PostgreSQL ends a session that does nothing within its transaction: a process that was stopped there
would keep its row locks, and the next leader could neither take the lease nor settle an order."""


STATEMENTS_KEPT = 512
"""What SQLite made of so many statements is kept for each connection; the driver's usual 128 are fewer than we have."""


class Table(DeclarativeBase):
    """Base of all tables. Constraint names are fixed, so that migrations can find them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Table)
"""Owns the engine and the migrations (`flask db`). Sessions come from `Database`, not from `db.session`."""


_DISK_IS_FULL = ("database or disk is full", "No space left on device")
"""What SQLite and PostgreSQL say then."""


class Database:
    """Sessions on one engine. Thread-safe; a session is for one thread and lives as long as its `with` block.

    SQLite takes one writer at a time: writers of this process take turns instead of meeting in SQLite's busy handler,
    and `BEGIN IMMEDIATE` makes a writer of another process wait (up to `busy_timeout`) before it has read anything.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._sqlite = engine.dialect.name == "sqlite"
        self._writing = WriterTurns()
        self.on_full: Callable[[], None] = lambda: None
        """Called when something could not be written because the disk is full."""
        self._pinned: tuple[Callable[[Any], bool], Callable[[], None]] | None = None
        event.listen(engine, "connect", self._on_connect)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads. Whatever it changed is rolled back."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def transaction(self, turn: Turn = Turn.SOON) -> Iterator[Session]:
        """A session that commits when the block ends well and rolls back when it raises.

        Keep network calls out of it: on SQLite it holds the only write lock, and `turn` says who waits for whom.
        """
        try:
            with self._transaction(turn) as session:
                yield session
        except OperationalError as error:
            if any(words in str(error) for words in _DISK_IS_FULL):
                self.on_full()
            raise

    @contextmanager
    def _transaction(self, turn: Turn) -> Iterator[Session]:
        if not self._sqlite:
            with self._sessions.begin() as session:
                yield session
            return
        with self._writing.turn(turn), self._sessions.begin() as session:
            session.connection(execution_options={"immediate": True})
            yield session

    def pin(self, is_same: Callable[[Any], bool], on_other: Callable[[], None]) -> None:
        """From now on a new connection of the driver is used only when `is_same` says so of it; else `on_other` is
        called and OperationalError raised.

        A server that takes over, or a file that is put in the place of another, is reached by new connections alone.
        So nothing is read from it or written to it before that, and nobody else pays for it.
        """
        self._pinned = (is_same, on_other)

    def unpin(self) -> None:
        """Whatever there is is good enough: this process does not lead any more."""
        self._pinned = None

    def _on_connect(self, connection: Any, _record: object) -> None:
        if not self._sqlite:
            _let_nobody_sleep(connection)
        if self._pinned is None:
            return
        is_same, on_other = self._pinned
        same = is_same(connection)
        connection.rollback()
        if not same:
            on_other()
            raise OperationalError("connect", None, Exception("this is another database than before, or an older one"))

    def alive(self) -> None:
        """Raises the driver's error when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))


def _let_nobody_sleep(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {ASLEEP_IN_TRANSACTION_MS}")
    connection.commit()  # else the first rollback takes it back


def prepare_sqlite(engine: Engine) -> None:
    """WAL, full sync (an intent must survive power loss), foreign keys, and our own BEGIN."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not start transactions: _on_begin does
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
