"""Moments and ages by the database's own clock where it has one: those of several machines are never compared."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, cast, func, literal
from sqlalchemy.orm import Session

from app.persistence.types import Instant


def has_clock(session: Session) -> bool:
    """A server tells the time to all of its clients; a file is used on one machine alone."""
    return session.get_bind().dialect.name == "postgresql"


def moment(session: Session, ours: datetime, in_s: float = 0.0) -> ColumnElement[Any]:
    """So many seconds from now, in SQL; `ours` is what counts as now where the database has no clock."""
    after = timedelta(seconds=in_s)
    return func.clock_timestamp() + after if has_clock(session) else literal(ours + after, Instant)


def age_of(session: Session, written: Any, ours: datetime) -> ColumnElement[float]:
    """Seconds since that moment, in SQL; negative where a clock was set back."""
    if has_clock(session):
        return cast(func.extract("epoch", func.clock_timestamp() - written), Float)
    return (func.julianday(literal(ours, Instant)) - func.julianday(written)) * 86_400.0
