"""What the state of a run follows from: how each of its accounts stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.contracts import Side
from app.services.run_state import AccountState, ExecutionState


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's part. `moving`: units may still change hands; `leaving`: all of it is to be flat."""

    moving: bool
    flat: bool
    leaving: bool
    entering: bool


def standing_of(account: AccountState) -> Standing:
    executions = account.executions
    return Standing(
        moving=any(execution.is_moving for execution in executions),
        flat=all(execution.net == 0 for execution in executions),
        leaving=all(execution.row.exit_wanted for execution in executions),
        entering=any(execution.entry_open for execution in executions if not execution.row.exit_wanted),
    )


def state_of(standings: Iterable[Standing]) -> str:
    """A run is closed when all is flat and nothing can change hands any more."""
    all_of = list(standings)
    if not any(each.moving for each in all_of) and all(each.flat for each in all_of):
        return "CLOSED"
    if all(each.leaving for each in all_of):
        return "EXITING"
    return "ENTERING" if any(each.entering for each in all_of) else "OPEN"


def entry_words(accounts: Sequence[AccountState]) -> str:
    """What the entry has brought when nothing of it is under way any more."""
    executions = [execution for account in accounts for execution in account.executions]
    filled = sum(1 for execution in executions if execution.entered >= execution.row.units)
    if filled == len(executions):
        return "Every order of the entry is filled."
    return f"The entry is over: {filled} of {len(executions)} positions are filled as planned."


def closing(accounts: Sequence[AccountState], now: datetime) -> tuple[datetime, str]:
    """When a run that is over ended, in the market's time, and that as a sentence.

    What expired ended with its day: a run of which nothing is left alive then is of no day after.
    """
    executions = [execution for account in accounts for execution in account.executions]
    if not any(execution.settled_by_exchange for execution in executions):
        return now, "Every account is flat. The run is closed."
    ends = [execution.row.expired_at for execution in executions if execution.row.expired_at is not None]
    ended = max(ends) if len(ends) == len(executions) else now
    return min(
        ended, now
    ), "What was still held has expired; at what price it is settled no gateway tells. The run is closed."


@dataclass(frozen=True, slots=True)
class Part:
    """One account of a run, one leg or both, None meaning any; `with_shorts`: and the shorts that those legs hedge."""

    account_id: int | None
    leg: int | None
    with_shorts: bool = False

    def of(self, every: Sequence[ExecutionState]) -> list[ExecutionState]:
        """Those of them that are meant."""
        wanted = [e for e in every if self._names(e)]
        if not self.with_shorts:
            return wanted
        hedged = {_place(e) for e in wanted if e.side is Side.BUY}
        return [*wanted, *(e for e in every if e.side is Side.SELL and _place(e) in hedged and not self._names(e))]

    def _names(self, execution: ExecutionState) -> bool:
        row = execution.row
        return self.account_id in {None, row.account_id} and self.leg in {None, row.leg}


def _place(execution: ExecutionState) -> tuple[int, str, str]:
    row = execution.row
    return row.account_id, row.underlying, row.kind
