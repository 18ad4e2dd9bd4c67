"""The day's curve and what the days before brought, as they were written down each minute."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain.day_curve import NetPoint, Point, Worth, by_day, together
from app.persistence.database import Database
from app.persistence.tables import PnlMinute, RunDay, RunMinute
from app.services.account_costs import AccountCosts
from app.services.run_charges import Cost, costs_together


@dataclass(frozen=True, slots=True)
class Brought:
    """What a day brought: gross rupees, and what it cost."""

    total: Decimal
    cost: Cost


class DayHistory:
    """Thread-safe. Rupees, gross where nothing else is said."""

    def __init__(self, database: Database, costs: AccountCosts) -> None:
        self._database = database
        self._costs = costs

    def curve(self, account_ids: Collection[int], day: date) -> list[NetPoint]:
        """That trading date of these accounts together, in order of time; empty when nothing was written."""
        query = select(PnlMinute.account_id, PnlMinute.at, PnlMinute.total, PnlMinute.net).where(
            PnlMinute.trading_date == day, PnlMinute.account_id.in_(account_ids)
        )
        gross: dict[int, list[Point]] = defaultdict(list)
        left: dict[int, list[Point]] = defaultdict(list)
        with self._database.reading() as session:
            for account_id, at, total, net in session.execute(query.order_by(PnlMinute.at)):
                gross[account_id].append(Point(at, total))
                left[account_id].append(Point(at, net))
        both = zip(together(gross.values()), together(left.values()), strict=True)
        return [NetPoint(total.at, total.total, net.total) for total, net in both]

    def run(self, run_id: int) -> list[NetPoint]:
        """That run since it began, in order of time; empty when nothing was written."""
        query = select(RunMinute.at, RunMinute.total, RunMinute.net).where(RunMinute.run_id == run_id)
        with self._database.reading() as session:
            return [NetPoint(*row) for row in session.execute(query.order_by(RunMinute.at, RunMinute.id))]

    def days(self, account_ids: Collection[int], until: date, count: int, cost: Cost) -> dict[date, Brought]:
        """What each of the last `count` days up to `until` brought these accounts, the oldest first. `cost` is that of
        the last day, which is not over.
        """
        gross = self._gross(account_ids, until, count)
        costs = self._costs.earlier(account_ids, gross.keys() - {until})
        return {
            day: Brought(total, cost if day == until else costs_together(costs[each, day] for each in account_ids))
            for day, total in gross.items()
        }

    def _gross(self, account_ids: Collection[int], until: date, count: int) -> dict[date, Decimal]:
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
