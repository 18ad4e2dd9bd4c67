"""Takes a run from a frozen preview to flat: what is to be sent now, what is to be cancelled, when it is over.

All decisions about runs are made on one thread (the `runs` loop), so this code needs no locks. Others only say that
something changed (`touch`). What was decided stands in the database before anything acts on it.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, DeskError, NotFound, Refused
from app.domain.plan import AccountPlan, Plan, ResolvedLeg
from app.persistence.database import Database
from app.persistence.tables import Intent, Preview, Run, StrategyExecution
from app.ports.clock import Clock
from app.services import trading_states
from app.services.entries import EntryDesk
from app.services.exits import ExitDesk
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.previews import plan_of
from app.services.run_state import AccountState, load_accounts

log = logging.getLogger(__name__)

START_GRACE = timedelta(seconds=60)
"""How long after its preview expired a run is still started: Send was pressed in time, the engine came late."""

LONGEST_WHY = 200
"""Characters that the column of an execution holds; the journal keeps the whole sentence."""

SWEEP_S = 1.0
"""How often open runs are looked at although nobody said that anything changed."""

LIVING = ("ENTERING", "OPEN", "EXITING", "ATTENTION")


class LaneGate(Protocol):
    """Where released work goes; the engine's lanes."""

    def send(self, account_id: int, intent_id: int, *, is_exit: bool) -> None: ...

    def cancel(self, account_id: int, intent_id: int) -> None: ...


class StrategyExecutor:
    """`touch` is thread-safe; `step` and `start` belong to the runs loop and the intake."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entries: EntryDesk,
        exits: ExitDesk,
        journal: Journal,
        *,
        on_change: Callable[[int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._entries = entries
        self._exits = exits
        self._journal = journal
        self._on_change = on_change
        self._touched: set[int] = set()
        self._touching = threading.Lock()
        self._turns = FairTurns()
        self._swept_at: float | None = None
        self.lanes: LaneGate | None = None
        self.wake: Callable[[], None] = lambda: None

    def touch(self, run_id: int) -> None:
        """Something about this run changed: look at it soon."""
        with self._touching:
            self._touched.add(run_id)
        self.wake()

    def step(self) -> float:
        now = self._clock.monotonic()
        if self._swept_at is None or now - self._swept_at >= SWEEP_S:
            living = self._living()
            self._swept_at = now
            with self._touching:
                self._touched |= living
        # One at a time, so that a run that crashes this step is gone from the set and the others still have their turn.
        while (run_id := self._next()) is not None:
            with self._turns.turn(run_id):
                try:
                    self.advance(run_id)
                except DeskError as trouble:
                    self._needs_attention(run_id, str(trouble))
        return max(0.05, SWEEP_S - (self._clock.monotonic() - self._swept_at))

    def start(self, run_id: int) -> str:
        """Write the executions and entry intents of a requested run. Returns what became of it, as a sentence.

        Doing it again changes nothing. A run that cannot start is REFUSED whole: no order of it is ever written.
        """
        with self._database.reading() as session:
            run = session.get_one(Run, run_id)
            if run.state != "REQUESTED":
                return f"Run {run_id} was started before."
            preview = session.get_one(Preview, run.preview_id)
        try:
            if self._clock.now() - preview.expires_at > START_GRACE:
                raise Conflict("It was asked for too long ago: prices have moved on. Preview again and send.")
            plan = plan_of(preview)
            self._entries.check(plan)
            if not self._write_start(run_id, plan):
                return f"Run {run_id} was started before."
        except DeskError as refusal:
            self._refuse(run_id, str(refusal))
            return str(refusal)
        self.touch(run_id)
        self._on_change(run_id)
        return f"Run {run_id} started: {plan.order_count} orders in {len(plan.taking_part)} accounts."

    def ask_exit(
        self,
        run_id: int,
        *,
        account_id: int | None,
        leg: int | None,
        why: str,
        also: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """Latch the exit of a run, or of a part of it. Asking again changes nothing. Raises NotFound for no such part.

        `also` writes what must stand or fall with it, in the same transaction.
        """
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            also(session)
            if run.state == "REQUESTED":
                run.state, run.reason = "REFUSED", f"{why} before anything was sent."
                run.closed_at = self._journal.now()
            elif run.state != "REFUSED":
                self._latch(session, run, account_id, leg, why)
        self.touch(run_id)
        self._on_change(run_id)

    def _latch(self, session: Session, run: Run, account_id: int | None, leg: int | None, why: str) -> None:
        wanted = [
            execution
            for execution in run.executions
            if account_id in {None, execution.account_id} and leg in {None, execution.leg}
        ]
        if not wanted:
            raise NotFound("This run has no such account or leg.")
        for execution in wanted:
            execution.exit_wanted = execution.exit_wanted or why[:LONGEST_WHY]
        ids = {execution.id for execution in wanted}
        every = [execution for account in load_accounts(session, run.id) for execution in account.executions]
        going = sum(1 for e in every if e.row.id in ids and (e.net or e.is_moving))
        words = f"{why.rstrip('.')}. To be flat: {going} {'position' if going == 1 else 'positions'}."
        self._journal.note(session, run.id, "exit", words, account_id)
        if run.state in LIVING and all(execution.exit_wanted for execution in run.executions):
            run.state = "EXITING"

    def advance(self, run_id: int) -> None:
        """Decide what this run needs next, write it, then hand it to the lanes."""
        now = self._clock.now()
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state in {"REQUESTED", "REFUSED"}:
                return
            accounts = load_accounts(session, run_id, to_write=True)
            before = run.state
            for account in accounts:
                self._advance_account(session, run, account, now)
            written = bool(session.new or session.dirty)
            session.flush()
            self._settle(session, run, accounts)
            changed = written or before != run.state
            sends = [(a.account_id, i, a.is_exit(i)) for a in accounts for i in a.to_send]
            cancels = [(a.account_id, i) for a in accounts for i in a.to_cancel]
        self._hand_over(sends, cancels)
        if changed or sends or cancels:
            self._on_change(run_id)

    def _advance_account(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """What one account's part needs. Trouble with it, or with its entry, keeps nothing else from getting out."""
        for desk in (self._entries, self._exits):
            session.flush()
            sends, cancels = len(account.to_send), len(account.to_cancel)
            try:
                with session.begin_nested():
                    desk.advance(session, run, account, now)
            except DeskError as trouble:
                del account.to_send[sends:], account.to_cancel[cancels:]
                log.warning("run %s, account %s: %s", run.id, account.account_id, trouble)
                if self._journal.note_once(session, run.id, "attention", str(trouble), account.account_id):
                    run.reason = str(trouble)

    def _hand_over(self, sends: list[tuple[int, Intent, bool]], cancels: list[tuple[int, Intent]]) -> None:
        if self.lanes is None:
            return
        for account_id, intent in cancels:
            self.lanes.cancel(account_id, intent.id)
        for account_id, intent, is_exit in sends:
            self.lanes.send(account_id, intent.id, is_exit=is_exit)

    def _next(self) -> int | None:
        with self._touching:
            if not self._touched:
                return None
            first = self._turns.order(self._touched)[0]
            self._touched.discard(first)
            return first

    def _needs_attention(self, run_id: int, reason: str) -> None:
        """Say once, on the run, that it cannot go on without a person; it is still looked at each sweep."""
        log.error("run %s needs attention: %s", run_id, reason)
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id)
            if run.reason == reason:
                return
            run.state, run.reason = "ATTENTION", reason
            self._journal.note(session, run_id, "attention", reason)
        self._on_change(run_id)

    def _living(self) -> set[int]:
        with self._database.reading() as session:
            return set(session.scalars(select(Run.id).where(Run.state.in_(LIVING))))

    def _refuse(self, run_id: int, reason: str) -> None:
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state != "REQUESTED":
                return
            run.state, run.reason, run.closed_at = "REFUSED", reason, self._journal.now()
            self._journal.note(session, run_id, "refused", f"Nothing was sent. {reason}")
        self._on_change(run_id)

    def _write_start(self, run_id: int, plan: Plan) -> bool:
        """False when it was started meanwhile. Raises Denied while the kill switch or reduce-only stops it."""
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state != "REQUESTED":
                return False
            accounts = {account.account_id: account.account_name for account in plan.taking_part}
            trading_states.refuse_start(session, user_id=run.user_id, strategy_id=run.strategy_id, accounts=accounts)
            self._write(session, run, plan)
        return True

    def _write(self, session: Session, run: Run, plan: Plan) -> None:
        run.state, run.started_at = "ENTERING", self._journal.now()
        legs = {leg.number: leg for leg in plan.legs}
        for account in plan.taking_part:
            for execution in _executions(run.id, account, legs):
                session.add(execution)
                session.flush()
                self._entries.write_first(session, execution, account, self._clock.now())
        count = f"{plan.order_count} orders in {len(plan.taking_part)} accounts"
        self._journal.note(session, run.id, "started", f"Run started: {count}.")

    def _settle(self, session: Session, run: Run, accounts: list[AccountState]) -> None:
        state = _state_of(accounts)
        if state == run.state:
            return
        run.state = state
        if state == "CLOSED":
            run.closed_at = self._journal.now()
            self._journal.note(session, run.id, "closed", "Every account is flat. The run is closed.")
        elif state == "OPEN":
            self._journal.note(session, run.id, "open", _entry_words(accounts))


def _entry_words(accounts: list[AccountState]) -> str:
    """What the entry has brought when nothing of it is under way any more."""
    executions = [execution for account in accounts for execution in account.executions]
    filled = sum(1 for execution in executions if execution.entered >= execution.row.units)
    if filled == len(executions):
        return "Every order of the entry is filled."
    return f"The entry is over: {filled} of {len(executions)} positions are filled as planned."


def _executions(run_id: int, account: AccountPlan, legs: dict[int, ResolvedLeg]) -> list[StrategyExecution]:
    rows = []
    for planned in account.legs:
        leg = legs[planned.leg]
        contract = leg.contract
        if contract.freeze is None:
            raise Refused(f"The freeze limit of {contract.key.symbol} is unknown; nothing was sent.")
        rows.append(
            StrategyExecution(
                run_id=run_id,
                account_id=account.account_id,
                leg=leg.number,
                underlying=contract.underlying,
                exchange=contract.key.exchange,
                symbol=contract.key.symbol,
                kind=contract.kind.value,
                expiry=contract.expiry.isoformat(),
                strike=contract.strike,
                side=leg.side.value,
                product=leg.product.value,
                lots=planned.lots,
                units=planned.units,
                lot_size=contract.lot_size,
                tick=contract.tick,
                freeze=contract.freeze,
            )
        )
    return rows


def _state_of(accounts: list[AccountState]) -> str:
    """What the run's state follows from. A run is closed when all is flat and nothing can change hands any more."""
    executions = [execution for account in accounts for execution in account.executions]
    moving = any(execution.is_moving for execution in executions)
    if not moving and all(execution.net == 0 for execution in executions):
        return "CLOSED"
    if all(execution.row.exit_wanted for execution in executions):
        return "EXITING"
    entering = any(execution.entry_open for execution in executions if not execution.row.exit_wanted)
    return "ENTERING" if entering else "OPEN"
