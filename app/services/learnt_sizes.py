"""The most units an exchange takes in one order, as its refusals of today have taught; a freeze limit can change."""

from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.integrity import halved
from app.domain.money import Units
from app.persistence.tables import LearntSize, StrategyExecution

_LEARNT = select(LearntSize).where(LearntSize.trading_date == bindparam("day"))

_KEPT = "learnt sizes"


def most(session: Session, day: date, exchange: str, underlying: str) -> Units | None:
    """None while nothing was refused for its size that day."""
    row = _row(session, day, exchange, underlying)
    return None if row is None else Units(row.units)


def largest(session: Session, execution: StrategyExecution, day: date) -> Units:
    """The most units that an order of this execution may have today: its freeze limit, or less since it was learnt."""
    learnt = most(session, day, execution.exchange, execution.underlying)
    known = Units(execution.freeze)
    return known if learnt is None else min(known, max(learnt, Units(execution.lot_size)))


def learn(session: Session, execution: StrategyExecution, day: date, refused: int) -> Units:
    """An order of `refused` units was too large: half of it is tried from now on, in all accounts."""
    units = halved(refused, execution.lot_size)
    row = _row(session, day, execution.exchange, execution.underlying)
    if row is None:
        row = LearntSize(
            trading_date=day, exchange=execution.exchange, underlying=execution.underlying, units=units
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.info.pop(_KEPT)  # a savepoint may take the new row back
    row.units = min(row.units, units)
    return Units(row.units)


def _row(session: Session, day: date, exchange: str, underlying: str) -> LearntSize | None:
    """Read once for a session: it is asked for with every order, and each query would write the one before alone."""
    kept = session.info.setdefault(_KEPT, {})
    if day not in kept:
        kept[day] = {(row.exchange, row.underlying): row for row in session.scalars(_LEARNT, {"day": day})}
    row: LearntSize | None = kept[day].get((exchange, underlying))
    return row
