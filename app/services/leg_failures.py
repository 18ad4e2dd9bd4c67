"""A leg of an entry that cannot be had: what its run's policy makes of it, in its account and in the others."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import refusals as texts
from app.domain.calendar import trading_date
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.integrity import LostOrder, Next, after, loss_of
from app.domain.orders import IntentState, Purpose
from app.domain.outcomes import Verdict
from app.persistence.tables import Intent, Run, StrategyExecution
from app.services import learnt_sizes
from app.services.journal import Journal
from app.services.run_state import AccountState, ExecutionState, drop_unsent

LONGEST_WHY = 200
"""Characters that the columns of an execution hold; the journal keeps the whole sentence."""


def policy_of(run: Run) -> FailurePolicy:
    return FailurePolicy(LegPolicy(run.leg_failure), run.retries, GroupPolicy(run.group_failure))


class LegFailures:
    """Called by the entry desk, in its transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def decide(self, session: Session, run: Run, execution: ExecutionState, lost: Sequence[Intent]) -> Next:
        """What follows from these orders of its newest generation; learns from a refusal for size."""
        loss = loss_of(
            LostOrder(IntentState(i.state), None if i.verdict is None else Verdict(i.verdict), _about_size(i))
            for i in lost
        )
        too_large = [i.units for i in lost if _about_size(i)]
        can_halve = bool(too_large) and min(too_large) > execution.row.lot_size
        said = after(loss, policy_of(run), retried=len(_rejected(execution)) - 1, can_halve=can_halve)
        if can_halve:
            self._learn(session, execution, min(too_large))
        if said is Next.SEND_REST and not can_halve:
            row = execution.row
            words = (
                f"Leg {row.leg}, {row.symbol}, was rejected and is sent again: {lost[0].reason or 'no reason given'}"
            )
            self._journal.note(session, run.id, "retry", words, row.account_id)
        return said

    def _learn(self, session: Session, execution: ExecutionState, refused: int) -> None:
        row = execution.row
        units = learnt_sizes.learn(session, row, trading_date(self._journal.now()), refused)
        words = f"{refused} units of {row.underlying} in one order are too many today; {units} are tried instead."
        self._journal.note_once(session, row.run_id, "size_learnt", words, row.account_id)

    def give_up(
        self, session: Session, run: Run, account: AccountState, failed: ExecutionState, why: str, now: datetime
    ) -> None:
        """A leg is not had: its account unwinds or keeps what it has, and the others do as the group's policy says.

        A leg that the others have not begun is marked when their turn comes (`stop_others`).
        """
        policy = policy_of(run)
        reason = f"Leg {failed.row.leg}, {failed.row.symbol}, failed: {why.rstrip('.')}"
        failed.row.failed = reason[:LONGEST_WHY]
        if policy.leg is LegPolicy.KEEP:
            _begin_no_more(account, reason, now)
            words = "The account keeps what it has and begins nothing more; look at it."
        else:
            _leave([execution.row for execution in account.executions], reason)
            words = "The account's other legs are being closed."
        self._journal.note(session, run.id, "leg_failed", f"{reason}. {words}", account.account_id)
        others = [row for row in run.executions if row.account_id != account.account_id]
        if policy.group is GroupPolicy.UNWIND and others:
            _leave(others, f"In another account: {reason}")
            self._journal.note(session, run.id, "leg_failed", "The other accounts are being closed as well.")

    def stop_others(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """After a failure in another account this one begins no further leg, where the policy says so."""
        if run.group_failure != GroupPolicy.STOP or not _may_begin(account):
            return
        failed = [row for row in run.executions if row.failed and row.account_id != account.account_id]
        if failed:
            first = min(failed, key=lambda row: row.id)
            if _begin_no_more(account, f"In another account: {first.failed}", now):
                words = "A leg failed in another account: this one begins no further leg."
                self._journal.note(session, run.id, "leg_failed", words, account.account_id)


def _rejected(execution: ExecutionState) -> set[int]:
    """Generations of the entry that were rejected, other than for their size."""
    return {
        i.generation
        for i in execution.of(Purpose.ENTRY)
        if i.state == IntentState.REJECTED and not _about_size(i)
    }  # fmt: skip


def priced_generations(execution: ExecutionState) -> int:
    """How many generations of the entry had their chance in the market."""
    refused = {i.generation for i in execution.of(Purpose.ENTRY) if i.state == IntentState.REJECTED}
    return execution.generation(Purpose.ENTRY) - len(refused)


def _about_size(intent: Intent) -> bool:
    return intent.state == IntentState.REJECTED and texts.is_about_size(intent.reason or "")


def _not_begun(execution: ExecutionState) -> bool:
    sent = any(intent.sent_at is not None for intent in execution.of(Purpose.ENTRY))
    return not (sent or execution.row.exit_wanted or execution.row.failed)


def _may_begin(account: AccountState) -> bool:
    return any(_not_begun(execution) for execution in account.executions)


def _begin_no_more(account: AccountState, reason: str, now: datetime) -> bool:
    """Legs of which nothing was sent are not sent; what was begun is seen through. False when all had been begun."""
    waiting = [execution for execution in account.executions if _not_begun(execution)]
    for execution in waiting:
        execution.row.failed = f"Not begun. {reason}"[:LONGEST_WHY]
        drop_unsent(execution.of(Purpose.ENTRY), now, f"Not sent. {reason}")
    return bool(waiting)


def _leave(rows: Sequence[StrategyExecution], reason: str) -> None:
    for row in rows:
        row.exit_wanted = row.exit_wanted or reason[:LONGEST_WHY]
