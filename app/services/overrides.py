"""An exit of unknown outcome that a person sends again at their own risk: the unknown order is set aside, by name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.domain.orders import Purpose
from app.domain.stuck_exits import UNKNOWN_ALARM_S, Stuck
from app.persistence.tables import Intent, Run
from app.services.exit_watch import exits_to_override, stuck_exits
from app.services.journal import Journal
from app.services.run_state import ExecutionState, Rows, load_accounts

_ALTHOUGH = {
    Stuck.UNKNOWN: "although its outcome is unknown",
    Stuck.PARKED: "although the gateway holds it for approval",
    Stuck.UNSEEN: "although the broker acknowledged it and no book that was read shows it",
}


@dataclass(frozen=True, slots=True)
class Override:
    """Which exit is sent again: one leg in one account."""

    account_id: int
    leg: int


def set_aside(session: Session, run: Run, wanted: Override, by: str, journal: Journal, *, now: datetime) -> str:
    """Set the exits of that leg aside of which nobody can say whether they will fill, so that a new generation may go.

    Returns what is risked, as a sentence.

    Each of them is set aside once, however often it is asked. Their units may have been closed: for all other exits
    in the contract they stay counted as on their way out until the books tell. Raises NotFound, and Conflict when
    there is nothing that may be sent again.
    """
    execution = _execution(session, run, wanted)
    found = exits_to_override(session, execution, now)
    if not found:
        raise Conflict(_why_not(session, execution, now))
    doubtful = [intent for intents in found.values() for intent in intents]
    units = sum(intent.units for intent in doubtful)
    for intent in doubtful:
        intent.set_aside_at = now
    row = execution.row
    words = (
        f"{by} sends the exit of {units} {row.symbol} again {' and '.join(_ALTHOUGH[how] for how in found)}, and "
        "accepts that it may be closed twice."
    )
    journal.note(session, run.id, "override", words, row.account_id)
    return words


def _execution(session: Session, run: Run, wanted: Override) -> ExecutionState:
    for account in load_accounts(session, run.id, only=[wanted.account_id], rows=Rows.WRITABLE):
        for execution in account.executions:
            if execution.row.leg == wanted.leg:
                return execution
    raise NotFound("This run has no such account or leg.")


def _why_not(session: Session, execution: ExecutionState, now: datetime) -> str:
    stuck = stuck_exits(session, execution, now)
    if Stuck.RESTS in stuck:
        return "This exit stands in the broker's book. Cancel it there: a new one then goes by itself."
    if Stuck.WAITS in stuck:
        return "This exit has not been sent yet; it goes as soon as it may, and nothing was sent beside it."
    waiting: list[Intent] = execution.open_intents(Purpose.EXIT)
    if any(intent.set_aside_at for intent in waiting):
        return "This exit was sent again already; nothing was sent once more."
    if waiting:
        return f"An exit may be sent again when its outcome has been unknown for {UNKNOWN_ALARM_S:.0f} s, not before."
    return "The outcome of this exit is known meanwhile; nothing was sent again."
