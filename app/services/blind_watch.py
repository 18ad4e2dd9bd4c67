"""Looks for runs whose worth nobody can say in an open market, and for holdings that somebody trades against."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.alarms import INCOMPLETE_ALARM_S, OPPOSITE_ALARM_S, AlarmKind, Finding
from app.domain.calendar import Phase
from app.domain.contracts import ContractKey, Side
from app.domain.pnl import HeldLeg, Mark, run_pnl
from app.persistence.tables import FillRow, Run, StrategyExecution
from app.ports.clock import Clock
from app.services.alarms import Alarms
from app.services.run_board import LIVING
from app.services.run_state import AccountState, ExecutionState

LOOK_S = 3.0
"""Between two sums over what all runs of the accounts hold."""

_ACCOUNTS: BindParameter[int] = bindparam("accounts", expanding=True)
_OURS = (
    select(
        StrategyExecution.account_id,
        StrategyExecution.exchange,
        StrategyExecution.symbol,
        StrategyExecution.product,
        FillRow.side,
        func.sum(FillRow.units),
    )
    .join(Run, Run.id == StrategyExecution.run_id)
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .where(StrategyExecution.account_id.in_(_ACCOUNTS), StrategyExecution.expired_at.is_(None), Run.state.in_(LIVING))
    .group_by(
        StrategyExecution.account_id,
        StrategyExecution.exchange,
        StrategyExecution.symbol,
        StrategyExecution.product,
        FillRow.side,
    )
)

_Place = tuple[int, str, str, str]
"""Account, exchange, symbol and product."""


class IncompleteWatch:
    """For one thread. Since when a run is incomplete is kept in memory, as a new engine has no prices at first."""

    def __init__(
        self,
        clock: Clock,
        alarms: Alarms,
        *,
        mark: Callable[[ContractKey], Mark | None],
        phase: Callable[[str], Phase],
    ) -> None:
        self._clock = clock
        self._alarms = alarms
        self._mark = mark
        self._phase = phase
        self._since: dict[int, float] = {}

    def look(self, session: Session, run: Run, accounts: Sequence[AccountState]) -> Iterator[Finding]:
        """One finding for the whole run, said of the first account that holds what has no price."""
        held = [e for account in accounts for e in account.executions if e.net and self._is_open(e.key.exchange)]
        marks = {key: mark for key in {e.key for e in held} if (mark := self._mark(key)) is not None}
        missing = set(run_pnl([HeldLeg(e.key, e.position) for e in held], marks).missing)
        if not missing:
            self._since.pop(run.id, None)
            return
        first = next(e for e in held if e.key in missing).row.account_id
        now = self._clock.monotonic()
        if run.id not in self._since:
            known = self._alarms.is_open(session, run.id, first, AlarmKind.RUN_INCOMPLETE)
            self._since[run.id] = now - INCOMPLETE_ALARM_S if known else now
        if now - self._since[run.id] >= INCOMPLETE_ALARM_S:
            names = ", ".join(sorted(key.symbol for key in missing))
            yield Finding(
                AlarmKind.RUN_INCOMPLETE,
                first,
                None,
                f"{run.name}: no fresh price of {names} for more than {INCOMPLETE_ALARM_S:.0f} s, so its profit and "
                "loss is incomplete. Targets and trailing stops wait; max loss judges the worst it can be. Look at "
                "the feed, and leave by hand if that is too long.",
            )

    def _is_open(self, exchange: str) -> bool:
        return self._phase(exchange) in {Phase.LIVE, Phase.CLOSING}


class OppositeWatch:
    """For one thread. Looks at the account's books as last read; a difference of one moment is none."""

    def __init__(self, clock: Clock, alarms: Alarms) -> None:
        self._clock = clock
        self._alarms = alarms
        self._looked: dict[int, tuple[float, dict[_Place, int]]] = {}
        self._since: dict[tuple[int, _Place], tuple[int, float]] = {}

    def look(
        self, session: Session, run: Run, accounts: Sequence[AccountState], name: Callable[[int], str]
    ) -> Iterator[Finding]:
        """A finding for each leg that was traded against, until it is left. `name` gives an account's."""
        staying = [
            (account, execution)
            for account in accounts
            for execution in account.executions
            if execution.net and not execution.row.exit_wanted
        ]
        if not staying:
            self._looked.pop(run.id, None)
            return
        ours = self._ours(session, run.id, [account.account_id for account, _ in staying])
        for account, execution in staying:
            broker = account.holdings.broker_net(execution.row)
            place = _place(execution)
            against = 0 if broker is None else broker - ours.get(place, 0)
            if account.holdings.leaving_elsewhere(execution.row):
                against = 0  # an exit of another run may be on its way through the books
            if self._lasts(session, (run.id, place), execution, against):
                yield _opposite(execution, against, broker or 0, name(account.account_id))

    def _ours(self, session: Session, run_id: int, accounts: Sequence[int]) -> dict[_Place, int]:
        """Signed units that our fills say, of all runs in these accounts."""
        now = self._clock.monotonic()
        looked = self._looked.get(run_id)
        if looked is not None and now - looked[0] < LOOK_S:
            return looked[1]
        found: dict[_Place, int] = {}
        for *at, side, units in session.execute(_OURS, {"accounts": sorted(set(accounts))}):
            place: _Place = (at[0], at[1], at[2], at[3])
            found[place] = found.get(place, 0) + Side(side).sign * int(units)
        self._looked[run_id] = (now, found)
        return found

    def _lasts(self, session: Session, key: tuple[int, _Place], execution: ExecutionState, against: int) -> bool:
        """Whether so many units stand against it since OPPOSITE_ALARM_S, with nothing of it under way."""
        if against * execution.net >= 0 or execution.is_moving or execution.ahead:
            self._since.pop(key, None)
            return False
        now = self._clock.monotonic()
        units, since = self._since.get(key, (against, None))
        if since is None:
            row = execution.row
            known = self._alarms.is_open(session, row.run_id, row.account_id, AlarmKind.OPPOSITE, row.leg)
            since = now - OPPOSITE_ALARM_S if known else now
        elif units != against:
            since = now
        self._since[key] = (against, since)
        return now - since >= OPPOSITE_ALARM_S


def _place(execution: ExecutionState) -> _Place:
    row = execution.row
    return row.account_id, row.exchange, row.symbol, row.product


def _opposite(execution: ExecutionState, against: int, broker: int, name: str) -> Finding:
    row = execution.row
    return Finding(
        AlarmKind.OPPOSITE,
        row.account_id,
        row.leg,
        f"{name}: {against:+d} units of {row.symbol} were traded at the broker against the {execution.net:+d} of this "
        f"run; the broker shows {broker:+d}. An exit takes no more than the broker shows. If that was meant, exit this "
        "leg here, which sends only what is left; if not, undo that trade at the broker.",
    )
