"""The day's curve and what the days before brought, as they were written down each minute."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain.day_curve import Point, RunPoint, Worth, by_day, together
from app.persistence.database import Database
from app.persistence.tables import PnlMinute, RunDay, RunMinute


class DayHistory:
    """Thread-safe; holds nothing of its own. Rupees, gross where nothing else is said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def curve(self, account_ids: Collection[int], day: date) -> list[Point]:
        """That trading date of these accounts together, in order of time; empty when nothing was written."""
        query = select(PnlMinute.account_id, PnlMinute.at, PnlMinute.total).where(
            PnlMinute.trading_date == day, PnlMinute.account_id.in_(account_ids)
        )
        curves: dict[int, list[Point]] = defaultdict(list)
        with self._database.reading() as session:
            for account_id, at, total in session.execute(query.order_by(PnlMinute.at)):
                curves[account_id].append(Point(at, total))
        return together(curves.values())

    def run(self, run_id: int) -> list[RunPoint]:
        """That run since it began, in order of time; empty when nothing was written."""
        query = select(RunMinute.at, RunMinute.total, RunMinute.net).where(RunMinute.run_id == run_id)
        with self._database.reading() as session:
            return [RunPoint(*row) for row in session.execute(query.order_by(RunMinute.at, RunMinute.id))]

    def days(self, account_ids: Collection[int], until: date, count: int) -> dict[date, Decimal]:
        """What each of the last `count` days up to `until` brought these accounts, the oldest first."""
        since = until - timedelta(days=count)
        lately = select(RunDay.run_id).where(RunDay.trading_date > since, RunDay.trading_date <= until)
        query = select(RunDay.run_id, RunDay.account_id, RunDay.trading_date, RunDay.total).where(
            RunDay.run_id.in_(lately), RunDay.account_id.in_(account_ids), RunDay.trading_date <= until
        )
        parts: dict[object, list[Worth]] = defaultdict(list)
        with self._database.reading() as session:
            for run_id, account_id, day, total in session.execute(query):
                parts[run_id, account_id].append(Worth(day, total))
        return {day: total for day, total in by_day(parts).items() if day > since}
