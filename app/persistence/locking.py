"""Making "look, then write" safe where a unique column cannot say the rule."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.persistence.database import Table

SWITCH = 7_310_004
"""The number of the advisory lock between claims and the switch that stops them."""


def watch_switch(session: Session) -> None:
    """What this transaction reads of the trading states stays true until it ends. Many watch at the same time.

    Absent rows cannot be locked, and most of the time there are none: PostgreSQL keeps a lock of its own for them.
    """
    _advisory(session, "pg_advisory_xact_lock_shared")


def turn_switch(session: Session) -> None:
    """Wait for every transaction that watches; those that come later see what this one wrote."""
    _advisory(session, "pg_advisory_xact_lock")


def _advisory(session: Session, function: str) -> None:
    """On SQLite a transaction of `Database` is the only writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT {function}(:number)"), {"number": SWITCH})


def lock_table(session: Session, table: type[Table]) -> None:
    """Let this transaction be the only writer of the table until it ends; readers go on.

    On SQLite a transaction of `Database` is the only writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f'LOCK TABLE "{table.__tablename__}" IN SHARE ROW EXCLUSIVE MODE'))
