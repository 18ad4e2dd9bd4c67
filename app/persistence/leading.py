"""The lease in SQL: whether a row is still held, by the clock of the database that keeps it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import Session

from app.persistence.tables import LeaseRow


def until(seconds: float) -> ColumnElement[datetime]:
    """So many seconds from now, on PostgreSQL's clock: those of several machines are never compared."""
    return func.clock_timestamp() + timedelta(seconds=seconds)


def leads(session: Session, epoch: int | None) -> ColumnElement[bool]:
    """Whether that epoch still is the one to act under. A row without an end is held by a file lock."""
    mine = LeaseRow.epoch == epoch
    if session.get_bind().dialect.name != "postgresql":
        return mine
    return and_(mine, or_(LeaseRow.expires_at.is_(None), LeaseRow.expires_at > until(0)))
