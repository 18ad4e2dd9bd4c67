"""What the day has come to in each account: its runs at the newest prices, since the day's baseline."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import and_, or_, select

from app.domain.calendar import IST, trading_date
from app.domain.contracts import ContractKey
from app.domain.day_limits import DayPnl
from app.domain.money import ZERO
from app.domain.pnl import HeldLeg, Mark, RunPnl, run_pnl
from app.persistence.database import Database
from app.persistence.tables import Run
from app.ports.clock import MarketClock
from app.services.day_baselines import Baseline, DayBaselines
from app.services.run_board import LIVING, RunBoard, RunView

BEHIND_S = 1.0
"""How far behind its fills a run may be looked at here: a day is judged each second."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """A run's part in one account: worth since it began, and what it was worth when the day began."""

    run_id: int
    pnl: RunPnl
    baseline: Baseline


@dataclass(frozen=True, slots=True)
class AccountDay:
    """One account's day. `marks` are the prices it was reckoned with; a contract without any is not in it."""

    account_id: int
    parts: tuple[RunPart, ...]
    open_lots: int
    held: frozenset[ContractKey]
    marks: Mapping[ContractKey, Mark]

    @property
    def pnl(self) -> DayPnl:
        totals = [None if part.pnl.total is None else part.pnl.total - part.baseline.total for part in self.parts]
        worsts = [
            None if part.pnl.pessimistic is None else part.pnl.pessimistic - part.baseline.total for part in self.parts
        ]
        return DayPnl(_sum(totals), _sum(worsts))

    @property
    def carried(self) -> int:
        """How many of its runs began on an earlier day."""
        return sum(part.baseline.carried for part in self.parts)

    @property
    def baseline(self) -> Decimal | None:
        """Rupees that its carried runs were worth when the day began; None where none was carried."""
        carried = [part.baseline.total for part in self.parts if part.baseline.carried]
        return sum(carried, ZERO) if carried else None


class DayWorth:
    """Thread-safe. A day is the market's, and is counted from the baselines of `DayBaselines`."""

    def __init__(
        self,
        database: Database,
        run_board: RunBoard,
        market_clock: MarketClock,
        *,
        marks_of: Callable[[RunView], Mapping[ContractKey, Mark]] | None = None,
    ) -> None:
        """`marks_of`: the prices of what a run holds; None: the newest, as pages show them."""
        self._database = database
        self._run_board = run_board
        self._market_clock = market_clock
        self._marks_of = marks_of or (lambda view: run_board.marks(view.book))
        self._baselines = DayBaselines(database)

    def today(self) -> date:
        """The market's date. Raises Unavailable while nobody knows it."""
        return trading_date(self._market_clock.now())

    def views(self, today: date) -> list[RunView]:
        """Every run that lives or ended on that date, in order of id."""
        midnight = datetime.combine(today, time(), IST)
        ended = and_(Run.state == "CLOSED", Run.closed_at >= midnight)
        with self._database.reading() as session:
            ids = session.scalars(select(Run.id).where(or_(Run.state.in_(LIVING), ended)).order_by(Run.id)).all()
        return [self._run_board.view(run_id, behind_s=BEHIND_S) for run_id in ids]

    def days(self, views: Collection[RunView], today: date, *, only: Collection[int] | None = None) -> list[AccountDay]:
        """Of the accounts of these runs, `only` some of them where that is given, in order of id."""
        marks: dict[ContractKey, Mark] = {}
        legs: dict[int, list[tuple[RunView, list[HeldLeg]]]] = {}
        lots: dict[int, int] = {}
        for view in views:
            marks |= self._marks_of(view)
            for account in view.accounts:
                if only is not None and account.account_id not in only:
                    continue
                mine = [HeldLeg(cell.contract.key, cell.position) for cell in account.cells]
                legs.setdefault(account.account_id, []).append((view, mine))
                held = sum(abs(cell.net) // cell.contract.lot_size for cell in account.cells)
                lots[account.account_id] = lots.get(account.account_id, 0) + held
        return [self._day(account_id, legs[account_id], lots[account_id], marks, today) for account_id in sorted(legs)]

    def _day(
        self,
        account_id: int,
        runs: list[tuple[RunView, list[HeldLeg]]],
        lots: int,
        marks: Mapping[ContractKey, Mark],
        today: date,
    ) -> AccountDay:
        held = frozenset(leg.contract for _, legs in runs for leg in legs if leg.state.units)
        return AccountDay(
            account_id=account_id,
            parts=tuple(
                RunPart(view.run_id, run_pnl(legs, marks), self._baselines.of(view, account_id, today))
                for view, legs in runs
            ),
            open_lots=lots,
            held=held,
            marks={key: marks[key] for key in held if key in marks},
        )


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    """None as soon as one of them is."""
    return None if any(part is None for part in parts) else sum((part for part in parts if part is not None), ZERO)
