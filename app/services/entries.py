"""Entries of a run: written from the frozen plan, released wave by wave, re-priced within the slip that was shown."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.contracts import PriceType, Side
from app.domain.errors import Conflict, Denied
from app.domain.integrity import Next
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.plan import Plan
from app.domain.slicing import slices
from app.domain.waves import WaveItem, releasable
from app.persistence.tables import Intent, Run, StrategyExecution
from app.services import learnt_sizes, typed_entries
from app.services.journal import Journal
from app.services.leg_failures import LegFailures, priced_generations
from app.services.run_state import AccountState, ExecutionState, drop_unsent

MOST_GENERATIONS = 5
"""How often an unfilled entry is cancelled and priced again before its leg counts as failed."""

CANCEL_AGAIN_S = 5.0

_OF_CONTRACT = ("exchange", "symbol", "product")

Denials = Callable[[Collection[int]], Mapping[int, Denied]]
"""Of these accounts, those that may not send entries now, each with what speaks against it."""

SlipCheck = Callable[[Plan], None]
"""Raises Conflict when prices have left the slip that the preview showed."""


class EntryDesk:
    """Called by the executor, on its thread, inside its transaction. Makes no network calls except in `check`."""

    def __init__(self, journal: Journal, denials: Denials, slip_check: SlipCheck, *, chase_after_s: float) -> None:
        self._journal = journal
        self._denials = denials
        self._slip_check = slip_check
        self._chase_after = timedelta(seconds=chase_after_s)
        self._failures = LegFailures(journal)

    def check(self, plan: Plan) -> None:
        """Raises when the plan may not be sent as it was shown: then nothing of it is written."""
        if not plan.taking_part:
            raise Conflict("No account takes part: every one was skipped, for the reasons the preview shows.")
        denials = self._denials([account.account_id for account in plan.taking_part])
        for account in plan.taking_part:
            if (denial := denials.get(account.account_id)) is not None:
                raise Denied(denial.code, f"{account.account_name}: {denial}")
        self._slip_check(plan)

    def advance(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """Decide what this account's entry needs now."""
        entering = [e for e in account.executions if not e.row.exit_wanted]
        if not any(e.entered < e.row.units for e in entering):
            return
        self._failures.stop_others(session, run, account, now)
        for execution in entering:
            failure = self._chase(session, run, account, execution, now)
            if failure is not None:
                self._failures.give_up(session, run, account, execution, failure, now)
                return
        self._release(account, now)

    def _chase(
        self, session: Session, run: Run, account: AccountState, execution: ExecutionState, now: datetime
    ) -> str | None:
        """Cancel what rests too long; write the rest anew once that is settled. Returns why the leg failed, or None."""
        missing = execution.row.units - execution.entered
        if missing <= 0:
            return None
        still_open = execution.open_intents(Purpose.ENTRY)
        if still_open:
            chased = [i for i in still_open if typed_entries.is_chased(i)]
            account.to_cancel += [i for i in chased if rests_too_long(i, now, self._chase_after)]
            return None
        if execution.row.failed:
            return None
        last = [i for i in execution.of(Purpose.ENTRY) if i.generation == execution.generation(Purpose.ENTRY)]
        if any(execution.is_late(intent) for intent in last) or self._ends_typed(
            session, account, execution, last, now
        ):
            return None
        failure = self._failed(session, run, execution, last)
        if failure is None:
            self._write_rest(session, execution, missing, last[0], now)
        return failure

    def _failed(self, session: Session, run: Run, execution: ExecutionState, last: list[Intent]) -> str | None:
        """Why what is missing is not sent again, or None."""
        # A cancelled order with a reason beside it is one whose end is not quite known: no machine sends it again.
        ours = [i for i in last if _is_our_cancel(i)]
        lost = [i for i in last if i.state != IntentState.FILLED and i not in ours]
        if lost:
            if self._failures.decide(session, run, execution, lost) is Next.SEND_REST:
                return None
            if lost[0].state == IntentState.CANCELLED and not lost[0].reason:
                return "its order was cancelled at the broker"
            return f"{lost[0].state.lower().replace('_', ' ')}: {lost[0].reason or 'no reason given'}"
        if not ours:
            return "its order was cancelled at the broker"
        if priced_generations(execution) >= MOST_GENERATIONS:
            return f"not filled after {MOST_GENERATIONS} prices"
        return None

    def _write_rest(
        self, session: Session, execution: ExecutionState, missing: int, last: Intent, now: datetime
    ) -> None:
        row = execution.row
        largest = learnt_sizes.largest(session, row, trading_date(self._journal.now()))
        for number, units in enumerate(slices(Units(missing), row.lot_size, largest), start=1):
            intent = new_intent(row, Purpose.ENTRY, last.generation + 1, number, units, now=now)
            intent.worst_price = last.worst_price
            typed_entries.priced_as(intent, last)
            session.add(intent)
            execution.intents.append(intent)

    def _ends_typed(
        self, session: Session, account: AccountState, execution: ExecutionState, last: list[Intent], now: datetime
    ) -> bool:
        """What rested as typed, or was given up, has ended: its rest goes as "market", or is not sent at all."""
        ending = typed_entries.ending_of(last)
        if ending is typed_entries.Ending.TO_MARKET:
            asked = next(i for i in last if i.wish == typed_entries.Wish.MARKET)
            self._write_rest(session, execution, execution.row.units - execution.entered, asked, now)
        elif ending is typed_entries.Ending.OVER:
            self._give_up(session, account, execution, now)
        return ending is not None

    def _give_up(self, session: Session, account: AccountState, execution: ExecutionState, now: datetime) -> None:
        """Said once; what waits for its fills waits no longer."""
        row = execution.row
        waiting = typed_entries.waiting_for(account, execution)
        for intent in waiting:
            intent.wish = typed_entries.Wish.CANCEL
        drop_unsent(waiting, now, f"Not sent: its hedge {row.symbol} was given up.")
        sentence = f"Leg {row.leg}, {row.symbol}, is over with {execution.entered} of {row.units} units filled."
        self._journal.note_once(session, row.run_id, "given_up", sentence, row.account_id)

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
            newest = execution.generation(Purpose.ENTRY)
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


def new_intent(
    row: StrategyExecution, purpose: Purpose, generation: int, number: int, units: Units, *, now: datetime
) -> Intent:
    """An intent of this execution, not sent. Contract and product come from the execution and from nowhere else."""
    return Intent(**values_of(row, purpose, generation, number, units, now=now))


def values_of(
    row: StrategyExecution, purpose: Purpose, generation: int, number: int, units: Units, *, now: datetime
) -> dict[str, Any]:
    """As `new_intent`, for who needs no object."""
    of = {"run_id": row.run_id, "account_id": row.account_id} | {name: getattr(row, name) for name in _OF_CONTRACT}
    values = intent_values(of, Side(row.side), purpose, generation, number, units=units, now=now)
    return {"execution_id": row.id, **values}


def intent_values(
    of: Mapping[str, Any], side: Side, purpose: Purpose, generation: int, number: int, *, units: Units, now: datetime
) -> dict[str, Any]:
    """Columns of a new intent, all but its execution. `of` has the run, the account and the contract; `side` is that of
    the execution.
    """
    return {
        "run_id": of["run_id"],
        "account_id": of["account_id"],
        "purpose": purpose.value,
        "generation": generation,
        "slice": number,
        **{name: of[name] for name in _OF_CONTRACT},
        "side": (side if purpose is Purpose.ENTRY else side.opposite).value,
        "units": units,
        "price_type": PriceType.MARKET.value,
        "state": IntentState.READY.value,
        "weak_baseline": False,
        "created_at": now,
    }
