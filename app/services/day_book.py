"""Writes down what each account's day has come to, once in a minute of the market: the curve, and tomorrow's baseline.
With them goes what each run was worth, and each figure net of charges.

Only what changed is written, so a night adds nothing: between two points of a curve the first one holds.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.errors import Unavailable
from app.domain.money import PAISA
from app.persistence.database import Database
from app.persistence.tables import PnlMinute, RunDay
from app.ports.clock import MarketClock
from app.services.account_costs import AccountCosts
from app.services.day_worth import AccountDay, DayWorth
from app.services.run_charges import Cost
from app.services.run_minutes import RunMinutes, write

LOOK_S = 1.0

Totals = Mapping[int, tuple[Decimal | None, Decimal | None]]
"""Of an account by its id, gross and net; None where it is not known."""

Worths = Mapping[tuple[int, int], tuple[Decimal, Decimal]]
"""Total and realised of a run in an account, by their ids."""


class DayBook:
    """`step` belongs to one loop."""

    def __init__(
        self, database: Database, worth: DayWorth, costs: AccountCosts, runs: RunMinutes, market_clock: MarketClock
    ) -> None:
        self._database = database
        self._worth = worth
        self._costs = costs
        self._runs = runs
        self._market_clock = market_clock
        self._minute: datetime | None = None
        self._day: date | None = None
        self._totals: dict[int, tuple[Decimal | None, Decimal | None]] = {}
        self._worths: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}

    def step(self) -> float:
        """Write when the market is in another minute than the one that was written last."""
        try:
            minute = self._market_clock.now().replace(second=0, microsecond=0)
        except Unavailable:
            return LOOK_S
        if minute == self._minute:
            return LOOK_S
        today = trading_date(minute)
        if today != self._day:
            self._day, self._totals, self._worths = today, {}, {}
        views = self._worth.views(today)
        days = self._worth.days(views, today)
        costs = self._costs.of(views, today)
        totals = {day.account_id: _figures(day.pnl.total, costs[day.account_id]) for day in days}
        totals = {key: total for key, total in totals.items() if key not in self._totals or self._totals[key] != total}
        worths = {key: worth for key, worth in _worths(days).items() if self._worths.get(key) != worth}
        rows = self._runs.due(views, minute)
        if totals or worths or rows:
            with self._database.transaction() as session:
                _write_minutes(session, totals, today, minute)
                _write_days(session, worths, today, minute)
                write(session, rows)
        self._runs.written(rows, views, minute)
        self._totals |= totals
        self._worths |= worths
        self._minute = minute
        return LOOK_S


def _worths(days: Sequence[AccountDay]) -> Worths:
    """Only what is known: an unknown worth leaves the last known one as the baseline."""
    return {
        (part.run_id, day.account_id): (part.pnl.total.quantize(PAISA), part.pnl.realised.quantize(PAISA))
        for day in days
        for part in day.parts
        if part.pnl.total is not None
    }


def _write_minutes(session: Session, totals: Totals, today: date, minute: datetime) -> None:
    there = set(session.scalars(select(PnlMinute.account_id).where(PnlMinute.at == minute)))
    session.add_all(
        PnlMinute(account_id=account_id, trading_date=today, at=minute, total=total, net=net)
        for account_id, (total, net) in totals.items()
        if account_id not in there  # written before a restart in this minute
    )


def _write_days(session: Session, worths: Worths, today: date, minute: datetime) -> None:
    runs = {run_id for run_id, _ in worths}
    rows = session.scalars(select(RunDay).where(RunDay.trading_date == today, RunDay.run_id.in_(runs)))
    there = {(row.run_id, row.account_id): row for row in rows}
    for (run_id, account_id), (total, realised) in worths.items():
        row = there.get((run_id, account_id))
        if row is None:
            row = RunDay(trading_date=today, run_id=run_id, account_id=account_id)
            session.add(row)
        row.total, row.realised, row.at = total, realised, minute


def _figures(total: Decimal | None, cost: Cost) -> tuple[Decimal | None, Decimal | None]:
    return _rounded(total), _rounded(cost.net_of(total))


def _rounded(total: Decimal | None) -> Decimal | None:
    return None if total is None else total.quantize(PAISA)
