"""What today has brought: the runs that live or ended today, and their profit and loss, from the one calculation."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, or_, select

from app.domain.calendar import IST, trading_date
from app.domain.errors import Unavailable
from app.domain.money import ZERO
from app.persistence.database import Database
from app.persistence.tables import FillRow, Run, RunEvent, StrategyExecution, User
from app.ports.clock import MarketClock
from app.services.accounts import Actor
from app.services.day_baselines import Baseline, DayBaselines
from app.services.run_board import LIVING, CellView, RunBoard, RunView


@dataclass(frozen=True, slots=True)
class Worth:
    """Gross rupees since the day's baseline. `unrealised` and `total` are None while any held contract has no fresh
    price, and `realised` too while nobody knows the market's date. `baseline` is what `carried` runs of earlier days
    were worth when the day began.
    """

    realised: Decimal | None
    unrealised: Decimal | None
    total: Decimal | None
    baseline: Decimal = ZERO
    carried: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened in a run."""

    at: datetime
    run_id: int
    run_name: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Viewer:
    id: int
    username: str
    is_admin: bool


class Today:
    """Thread-safe; holds nothing of its own. A day is a day in India on the market's time."""

    def __init__(self, database: Database, runs: RunBoard, clock: MarketClock) -> None:
        self._database = database
        self._runs = runs
        self._clock = clock
        self._baselines = DayBaselines(database)

    def runs(self, viewer: Actor) -> list[RunView]:
        """Runs of this user (an admin sees all) that live or ended today; newest first.

        While the market's time is not known, those that live: nobody can say which of the others ended today.
        """
        alive, midnight = Run.state.in_((*LIVING, "REQUESTED")), self._midnight()
        wanted = select(Run.id).where(alive if midnight is None else or_(alive, Run.closed_at >= midnight))
        if not viewer.is_admin:
            wanted = wanted.where(Run.user_id == viewer.id)
        with self._database.reading() as session:
            ids = session.scalars(wanted.order_by(Run.id.desc())).all()
        return [self._runs.view(run_id) for run_id in ids]

    def worth(self, runs: list[RunView], account_id: int | None = None) -> Worth:
        """Of these runs together, or of one account in them, on the market's date."""
        meant = [
            run for run in runs if account_id is None or any(each.account_id == account_id for each in run.accounts)
        ]
        if not meant:
            return Worth(ZERO, ZERO, ZERO)
        today = self.market_date()
        if today is None:
            return Worth(None, None, None)
        cells: list[CellView] = [
            cell for run in meant for cell in run.cells if account_id is None or cell.account_id == account_id
        ]
        pnl = self._runs.worth(cells)
        found = [self._since(run, account_id, today) for run in meant]
        total, realised = sum((each.total for each in found), ZERO), sum((each.realised for each in found), ZERO)
        return Worth(
            pnl.realised - realised,
            None if pnl.unrealised is None else pnl.unrealised - (total - realised),
            None if pnl.total is None else pnl.total - total,
            total,
            sum(each.carried for each in found),
        )

    def market_date(self) -> date | None:
        """The market's; None while nobody knows it."""
        try:
            return trading_date(self._clock.now())
        except Unavailable:
            return None

    def _since(self, run: RunView, account_id: int | None, today: date) -> Baseline:
        parts = [
            self._baselines.of(run, each.account_id, today)
            for each in run.accounts
            if account_id is None or each.account_id == account_id
        ]
        total, realised = sum((each.total for each in parts), ZERO), sum((each.realised for each in parts), ZERO)
        return Baseline(total, realised, carried=any(each.carried for each in parts))

    def since_begun(self, run: RunView) -> Decimal | None:
        """What a run has made since it began, as its rules count; None while a held contract has no fresh price."""
        return self._runs.worth(list(run.cells)).total

    def mtm_of(self, user_id: int) -> Decimal | None:
        """Today's total of what this user sees, as on their pages; None while it is not known. Raises NoResultFound."""
        with self._database.reading() as session:
            user = session.get_one(User, user_id)
        return self.worth(self.runs(_Viewer(user.id, user.username, user.role == "admin"))).total

    def fills(self, viewer: Actor, account_ids: Collection[int] | None = None) -> int | None:
        """Fills today in runs of this user, an admin sees all; of these accounts, None for any.

        None while the market's time is not known.
        """
        midnight = self._midnight()
        if midnight is None:
            return None
        wanted = select(func.count()).select_from(FillRow).where(FillRow.at >= midnight, FillRow.intent_id.is_not(None))
        if not viewer.is_admin or account_ids is not None:
            wanted = wanted.join(StrategyExecution, StrategyExecution.id == FillRow.execution_id)
        if account_ids is not None:
            wanted = wanted.where(StrategyExecution.account_id.in_(account_ids))
        if not viewer.is_admin:
            wanted = wanted.join(Run, Run.id == StrategyExecution.run_id).where(Run.user_id == viewer.id)
        with self._database.reading() as session:
            return session.scalars(wanted).one()

    def happenings(self, viewer: Actor, limit: int = 12) -> list[Happening]:
        """The newest events of this user's runs."""
        query = select(RunEvent, Run).join(Run, Run.id == RunEvent.run_id)
        if not viewer.is_admin:
            query = query.where(Run.user_id == viewer.id)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(RunEvent.id.desc()).limit(limit)).all()
        return [Happening(event.at, run.id, run.name, event.kind, event.sentence) for event, run in rows]

    def _midnight(self) -> datetime | None:
        """None while the market's time is not known: a page, and the exits on it, are shown all the same."""
        try:
            now = self._clock.now().astimezone(IST)
        except Unavailable:
            return None
        return now - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
