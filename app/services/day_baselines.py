"""What carried runs were worth when the day began: what their day is counted from."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from app.domain.calendar import trading_date
from app.domain.money import ZERO
from app.persistence.database import Database
from app.persistence.tables import RunDay
from app.services.run_board import RunView


@dataclass(frozen=True, slots=True)
class Baseline:
    """Gross rupees of a run in one account, since it began. `carried`: it began on an earlier day."""

    total: Decimal = ZERO
    realised: Decimal = ZERO
    carried: bool = False


AT_ZERO = Baseline()
"""Of a run that began today."""


class DayBaselines:
    """Thread-safe. On the day a run began it is 0; later what it was worth when it was last known on an earlier day, 0
    again where that was never written down.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[date | None, dict[int, dict[int, Baseline]]] = (None, {})

    def of(self, view: RunView, account_id: int, today: date) -> Baseline:
        if trading_date(view.started_at or view.requested_at) >= today:
            return AT_ZERO
        of_day, known = self._known
        if of_day != today:
            known = {}
            self._known = (today, known)
        found = known.get(view.run_id)
        if found is None:
            found = known[view.run_id] = self._read(view.run_id, today)
        return found.get(account_id, Baseline(carried=True))

    def _read(self, run_id: int, today: date) -> dict[int, Baseline]:
        """By account, of the newest earlier day on which the run was known."""
        newest = (
            select(RunDay.account_id, func.max(RunDay.trading_date).label("day"))
            .where(RunDay.run_id == run_id, RunDay.trading_date < today)
            .group_by(RunDay.account_id)
            .subquery()
        )
        rows = select(RunDay.account_id, RunDay.total, RunDay.realised).join(
            newest, (newest.c.account_id == RunDay.account_id) & (newest.c.day == RunDay.trading_date)
        )
        with self._database.reading() as session:
            found = session.execute(rows.where(RunDay.run_id == run_id)).all()
        return {row.account_id: Baseline(row.total, row.realised, carried=True) for row in found}
