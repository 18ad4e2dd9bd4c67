"""An exit of unknown outcome that a person sends again at their own risk: the unknown order is set aside, by name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.alarms import UNKNOWN_ALARM_S
from app.domain.errors import Conflict, NotFound
from app.domain.orders import Purpose
from app.persistence.tables import Intent, Run
from app.services.integrity_watch import unknown_exits
from app.services.journal import Journal
from app.services.run_state import ExecutionState, load_accounts


@dataclass(frozen=True, slots=True)
class Override:
    """Which exit is sent again: one leg in one account."""

    account_id: int
    leg: int


def set_aside(session: Session, run: Run, wanted: Override, by: str, journal: Journal, *, now: datetime) -> str:
    """Set the unknown exits of that leg aside, so that a new generation may go. Returns what is risked, as a sentence.

    Each of them is set aside once, however often it is asked. Their units may have been closed: for all other exits
    in the contract they stay counted as on their way out until the books tell. Raises NotFound, and Conflict when
    there is nothing that may be sent again.
    """
    execution = _execution(session, run, wanted)
    unknown = unknown_exits(execution, now)
    if not unknown:
        raise Conflict(_why_not(execution))
    units = sum(intent.units for intent in unknown)
    for intent in unknown:
        intent.set_aside_at = now
    row = execution.row
    words = (
        f"{by} sends the exit of {units} {row.symbol} again although its outcome is unknown, and accepts that it may "
        "be closed twice."
    )
    journal.note(session, run.id, "override", words, row.account_id)
    return words


def _execution(session: Session, run: Run, wanted: Override) -> ExecutionState:
    for account in load_accounts(session, run.id, only=[wanted.account_id], to_write=True):
        for execution in account.executions:
            if execution.row.leg == wanted.leg:
                return execution
    raise NotFound("This run has no such account or leg.")


def _why_not(execution: ExecutionState) -> str:
    waiting: list[Intent] = execution.open_intents(Purpose.EXIT)
    if any(intent.set_aside_at for intent in waiting):
        return "This exit was sent again already; nothing was sent once more."
    if waiting:
        return f"An exit may be sent again when its outcome has been unknown for {UNKNOWN_ALARM_S:.0f} s, not before."
    return "The outcome of this exit is known meanwhile; nothing was sent again."
