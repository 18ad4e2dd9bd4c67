"""Writes down what each run was worth, once in a minute of the market, all runs in one statement."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.market_rules import RuleBook
from app.domain.money import PAISA
from app.persistence.database import Database
from app.persistence.moments import has_clock
from app.persistence.tables import RunMinute
from app.services.run_board import RunBoard, RunView
from app.services.run_charges import Cost, of_runs

UNSEEN = timedelta(minutes=5)
"""After so long without a look at a run nobody knows what it was worth meanwhile: a gap and no line is left there."""
RATES_EACH = 10
"""Charges are reckoned anew when a run's fills change, and each so many minutes, when a rate may be another."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What was written of a run last, and for which minute; `total` None: it was not known."""

    at: datetime
    total: Decimal | None
    net: Decimal | None

    def says(self, other: "Told") -> bool:
        """Whether both say the same."""
        return (self.total, self.net) == (other.total, other.net)


class RunMinutes:
    """For one loop. Only what changed is written: between two points of a curve the first one holds."""

    def __init__(self, database: Database, run_board: RunBoard, rules: Callable[[], RuleBook]) -> None:
        self._database = database
        self._run_board = run_board
        self._rules = rules
        self._told: dict[int, Told] = {}
        self._seen: datetime | None = None
        self._costs: dict[int, tuple[object, Cost]] = {}

    def due(self, views: Collection[RunView], minute: datetime) -> list[tuple[int, Told]]:
        """What is to be written of these runs, in order of time. Nothing counts as written until `written`."""
        self._learn(views)
        costs = self._charges(views, minute)
        found: list[tuple[int, Told]] = []
        for view in views:
            now = _worth(self._run_board.pnl(view).total, costs[view.run_id], minute)
            last = self._told.get(view.run_id)
            if last is None:
                found.append((view.run_id, now))
                continue
            known_until = max(last.at, self._seen or last.at)
            if last.total is not None and minute - known_until > UNSEEN and view.closed_at is None:
                last = Told(known_until + _MINUTE, None, None)
                found.append((view.run_id, last))
            if not now.says(last):
                found.append((view.run_id, now))
        return found

    def written(self, rows: Sequence[tuple[int, Told]], views: Collection[RunView], minute: datetime) -> None:
        """That `write` was committed; runs that are not among `views` any more are forgotten."""
        self._told |= dict(rows)
        living = {view.run_id for view in views}
        self._told = {run_id: told for run_id, told in self._told.items() if run_id in living}
        self._costs = {run_id: cost for run_id, cost in self._costs.items() if run_id in living}
        self._seen = minute

    def _learn(self, views: Collection[RunView]) -> None:
        """What a process before this one wrote last."""
        new = [view.run_id for view in views if view.run_id not in self._told]
        if not new:
            return
        newest = select(func.max(RunMinute.id)).where(RunMinute.run_id.in_(new)).group_by(RunMinute.run_id)
        with self._database.reading() as session:
            for row in session.scalars(select(RunMinute).where(RunMinute.id.in_(newest))):
                self._told[row.run_id] = Told(row.at, row.total, row.net)

    def _charges(self, views: Collection[RunView], minute: datetime) -> Mapping[int, Cost]:
        stands = {view.run_id: _fills(view) for view in views}
        again = minute.minute % RATES_EACH == 0
        old = [run_id for run_id, fills in stands.items() if again or self._costs.get(run_id, (None, None))[0] != fills]
        if old:
            with self._database.reading() as session:
                found = of_runs(session, old, self._rules())
            self._costs |= {run_id: (stands[run_id], cost) for run_id, cost in found.items()}
        return {run_id: self._costs[run_id][1] for run_id in stands}


def write(session: Session, rows: Sequence[tuple[int, Told]]) -> None:
    """All of them in one statement; a minute that is there already stays as it is."""
    insert: Any = postgresql.insert if has_clock(session) else sqlite.insert
    values = [{"run_id": run_id, "at": told.at, "total": told.total, "net": told.net} for run_id, told in rows]
    if values:
        session.execute(insert(RunMinute).values(values).on_conflict_do_nothing())


def _fills(view: RunView) -> object:
    """Another with each fill: what was bought and sold only grows."""
    return tuple((cell.execution_id, cell.entered, cell.net) for cell in view.cells)


def _worth(total: Decimal | None, cost: Cost, minute: datetime) -> Told:
    if total is None:
        return Told(minute, None, None)
    net = cost.net_of(total)
    return Told(minute, total.quantize(PAISA), None if net is None else net.quantize(PAISA))
