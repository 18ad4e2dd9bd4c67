"""The lease in SQL: whether a row is still held, by the clock of the database that keeps it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.persistence.direct import Question
from app.persistence.tables import LeaseRow


def until(seconds: float) -> ColumnElement[datetime]:
    """So many seconds from now, on PostgreSQL's clock: those of several machines are never compared."""
    return func.clock_timestamp() + timedelta(seconds=seconds)


_L = LeaseRow.__table__.c
_MINE = _L.epoch == bindparam("leader")
LEADING: dict[bool, ColumnElement[bool]] = {
    False: _MINE,
    True: and_(_MINE, or_(_L.expires_at.is_(None), _L.expires_at > until(0))),
}
"""The epoch bound as `leader` still is the one to act under, by whether the database's clock ends leases."""

# Made once: every claim and every read of a book asks, and making a query takes longer than asking it.
_LED: dict[bool, Select[tuple[int]]] = {ends: select(_L.id).where(lease) for ends, lease in LEADING.items()}
_LEADS = {ends: Question(query) for ends, query in _LED.items()}
_HOLDS = {ends: Question(query.with_for_update(read=True, key_share=True)) for ends, query in _LED.items()}


def leases_end(session: Session) -> bool:
    """A row without an end is held by a file lock: on SQLite every one is."""
    return session.get_bind().dialect.name == "postgresql"


def leads(session: Session, epoch: int | None) -> bool:
    """Whether that epoch still is the one to act under."""
    return _LEADS[leases_end(session)].first(session, {"leader": epoch}) is not None


def holds_lease(session: Session, epoch: int | None) -> bool:
    """Whether that epoch leads, and goes on to until this transaction ends: who would take over waits for it."""
    return _HOLDS[leases_end(session)].first(session, {"leader": epoch}) is not None
