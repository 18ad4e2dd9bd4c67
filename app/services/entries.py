"""Entries of a run: written from the frozen plan, released wave by wave, re-priced within the slip that was shown."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.errors import Conflict, Denied
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose, move
from app.domain.plan import AccountPlan, Plan, PlannedLeg, PlannedOrder
from app.domain.slicing import slices
from app.domain.waves import WaveItem, releasable
from app.persistence.tables import Intent, Run, StrategyExecution
from app.services.journal import Journal
from app.services.run_state import AccountState, ExecutionState

MOST_GENERATIONS = 5
"""How often an unfilled entry is cancelled and priced again before its leg counts as failed."""

CANCEL_AGAIN_S = 5.0

AccountCheck = Callable[[int], None]
"""Raises Denied when the account may not send entries now."""

SlipCheck = Callable[[Plan], None]
"""Raises Conflict when prices have left the slip that the preview showed."""


class EntryDesk:
    """Called by the executor, on its thread, inside its transaction. Makes no network calls except in `check`."""

    def __init__(
        self, journal: Journal, account_check: AccountCheck, slip_check: SlipCheck, *, chase_after_s: float
    ) -> None:
        self._journal = journal
        self._account_check = account_check
        self._slip_check = slip_check
        self._chase_after = timedelta(seconds=chase_after_s)

    def check(self, plan: Plan) -> None:
        """Raises when the plan may not be sent as it was shown: then nothing of it is written."""
        if not plan.taking_part:
            raise Conflict("No account takes part: every one was skipped, for the reasons the preview shows.")
        for account in plan.taking_part:
            try:
                self._account_check(account.account_id)
            except Denied as denial:
                raise Denied(denial.code, f"{account.account_name}: {denial}") from denial
        self._slip_check(plan)

    def write_first(self, session: Session, execution: StrategyExecution, account: AccountPlan, now: datetime) -> None:
        """The first generation: exactly the slices of the plan."""
        planned = _leg_of(account, execution.leg)
        for order in planned.orders:
            session.add(first_intent(execution, order, now=now))

    def advance(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """Decide what this account's entry needs now."""
        entering = [e for e in account.executions if not e.row.exit_wanted]
        if not any(e.entered < e.row.units for e in entering):
            return
        for execution in entering:
            failure = self._chase(session, account, execution, now)
            if failure is not None:
                self._unwind(session, run, account, execution, failure)
                return
        self._release(account, now)

    def _chase(self, session: Session, account: AccountState, execution: ExecutionState, now: datetime) -> str | None:
        """Cancel what rests too long; write the rest anew once that is settled. Returns why the leg failed, or None."""
        missing = execution.row.units - execution.entered
        if missing <= 0:
            return None
        still_open = execution.open_intents(Purpose.ENTRY)
        if still_open:
            account.to_cancel += [i for i in still_open if rests_too_long(i, now, self._chase_after)]
            return None
        last = [i for i in execution.of(Purpose.ENTRY) if i.generation == execution.generation[Purpose.ENTRY]]
        if any(execution.is_late(intent) for intent in last):
            return None
        # A cancelled order with a reason beside it is one whose end is not quite known: no machine sends it again.
        ours = [i for i in last if _is_our_cancel(i)]
        lost = [i for i in last if i.state != IntentState.FILLED and i not in ours]
        if lost and (lost[0].reason or lost[0].state != IntentState.CANCELLED):
            return f"{lost[0].state.lower().replace('_', ' ')}: {lost[0].reason or 'no reason given'}"
        if lost or not ours:
            return "its order was cancelled at the broker"
        if last[0].generation >= MOST_GENERATIONS:
            return f"not filled after {MOST_GENERATIONS} prices"
        self._write_rest(session, execution, missing, last[0], now)
        return None

    def _write_rest(
        self, session: Session, execution: ExecutionState, missing: int, last: Intent, now: datetime
    ) -> None:
        row = execution.row
        for number, units in enumerate(slices(Units(missing), row.lot_size, Units(row.freeze)), start=1):
            intent = new_intent(row, Purpose.ENTRY, last.generation + 1, number, units, now=now)
            intent.worst_price = last.worst_price
            session.add(intent)
            execution.intents.append(intent)

    def _unwind(self, session: Session, run: Run, account: AccountState, failed: ExecutionState, why: str) -> None:
        """A leg that cannot be had: what waits is never sent, what was filled is closed, shorts first."""
        reason = f"Leg {failed.row.leg}, {failed.row.symbol}, failed: {why.rstrip('.')}"
        for execution in account.executions:
            execution.row.exit_wanted = execution.row.exit_wanted or reason[:200]
        sentence = f"{reason}. The account's other legs are being closed."
        self._journal.note(session, run.id, "leg_failed", sentence, account.account_id)

    def _release(self, account: AccountState, now: datetime) -> None:
        """The newest generation of every leg goes through the waves: sold only when everything bought is filled."""
        items: list[WaveItem] = []
        intents: list[Intent] = []
        hedge_leaving = any(e.row.exit_wanted and e.side is Side.BUY for e in account.executions)
        for execution in account.executions:
            if execution.row.exit_wanted:
                continue
            if hedge_leaving and execution.side is Side.SELL:
                # A short whose hedge is being given up must not be opened any more.
                drop_unsent(execution.of(Purpose.ENTRY), now, "its hedge is being given up")
                continue
            newest = execution.generation[Purpose.ENTRY]
            for intent in (i for i in execution.of(Purpose.ENTRY) if i.generation == newest):
                items.append(_wave_item(execution, intent))
                intents.append(intent)
        account.to_send += [intents[index] for index in sorted(releasable(Purpose.ENTRY, items))]


def _wave_item(execution: ExecutionState, intent: Intent) -> WaveItem:
    return WaveItem(
        leg=execution.row.leg,
        side=Side(intent.side),
        state=IntentState(intent.state),
        units=Units(intent.units),
        filled=Units(execution.filled_by_intent.get(intent.id, 0)),
    )


def rests_too_long(intent: Intent, now: datetime, chase_after: timedelta) -> bool:
    """A working order that had its time and whose cancel is not already asked for."""
    if intent.state != IntentState.WORKING or intent.sent_at is None or is_within(now, intent.sent_at, chase_after):
        return False
    asked = intent.cancel_asked_at
    return asked is None or not is_within(now, asked, timedelta(seconds=CANCEL_AGAIN_S))


def is_within(now: datetime, since: datetime, span: timedelta) -> bool:
    """A moment that is yet to come, since the clock was set back, is not recent: waiting for it could take hours."""
    return timedelta(0) <= now - since < span


def _is_our_cancel(intent: Intent) -> bool:
    return intent.state == IntentState.CANCELLED and intent.cancel_asked_at is not None and intent.reason is None


def first_intent(execution: StrategyExecution, order: PlannedOrder, *, now: datetime) -> Intent:
    intent = new_intent(execution, Purpose.ENTRY, 1, order.slice, order.units, now=now)
    intent.limit_price, intent.worst_price = order.limit, order.worst
    return intent


def new_intent(
    row: StrategyExecution, purpose: Purpose, generation: int, number: int, units: Units, *, now: datetime
) -> Intent:
    """An intent of this execution, not sent. Contract and product come from the execution and from nowhere else."""
    side = Side(row.side)
    return Intent(
        execution_id=row.id,
        run_id=row.run_id,
        account_id=row.account_id,
        purpose=purpose.value,
        generation=generation,
        slice=number,
        exchange=row.exchange,
        symbol=row.symbol,
        product=row.product,
        side=(side if purpose is Purpose.ENTRY else side.opposite).value,
        units=units,
        state=IntentState.READY.value,
        weak_baseline=False,
        created_at=now,
    )


def drop_unsent(intents: list[Intent], now: datetime, why: str) -> None:
    """Intents that were never sent are cancelled here, without a word to the broker."""
    for intent in intents:
        if intent.state == IntentState.READY:
            intent.state = move(IntentState.READY, IntentState.CANCELLED).value
            intent.reason, intent.settled_at = why, now


def _leg_of(account: AccountPlan, number: int) -> PlannedLeg:
    return next(leg for leg in account.legs if leg.leg == number)
