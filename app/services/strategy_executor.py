"""Takes a run from a frozen preview to flat: what is to be sent now, what is to be cancelled, when it is over.

What is decided about a run is decided in a transaction that holds its row, so decisions follow one another: on the
`runs` loop, to which others only say that something changed (`touch`), or, for an exit, by whoever asks for it
(`ask_exit`). What was decided stands in the database before anything acts on it.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, DeskError, NotFound, Refused
from app.domain.plan import Plan
from app.persistence.database import Database
from app.persistence.plain import RowIsPlain, changed
from app.persistence.tables import Intent, Preview, Run
from app.persistence.turns import Turn
from app.ports.clock import Clock
from app.services import trading_states
from app.services.crash_points import reach
from app.services.doubt import Unowned, nothing_unowned
from app.services.entries import EntryDesk
from app.services.exits import ExitDesk
from app.services.fair_turns import FairTurns
from app.services.integrity_watch import IntegrityWatch
from app.services.journal import Journal, flushed
from app.services.overrides import Override, set_aside
from app.services.pending_orders import PendingChange, PendingOrders
from app.services.previews import plan_of
from app.services.run_standing import Part, Standing, closing, entry_words, standing_of, state_of
from app.services.run_start import write_start
from app.services.run_state import AccountState, Rows, load_accounts, plain_first
from app.services.sweeps import Sweeps
from app.services.touches import Touches

log = logging.getLogger(__name__)

START_GRACE = timedelta(seconds=60)
"""How long after its preview expired a run is still started: Send was pressed in time, the engine came late."""

LONGEST_WHY = 200
"""Characters that the column of an execution holds; the journal keeps the whole sentence."""

LIVING = ("ENTERING", "OPEN", "EXITING", "ATTENTION")
_LIVING = select(Run.id).where(Run.state.in_(LIVING))


class LaneGate(Protocol):
    """Where released work goes; the engine's lanes."""

    def send(self, intent: Intent, *, strategy_id: int | None) -> None: ...

    def cancel(self, intent: Intent) -> None: ...

    def modify(self, intent: Intent) -> None: ...


class StrategyExecutor:
    """`touch` and `ask_exit` are thread-safe; `step` and `start` belong to the runs loop and the intake."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entries: EntryDesk,
        exits: ExitDesk,
        journal: Journal,
        *,
        pending: PendingOrders,
        watch: IntegrityWatch,
        on_change: Callable[[int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._entries = entries
        self._exits = exits
        self._pending = pending
        self._watch = watch
        self._journal = journal
        self._on_change = on_change
        self._touches = Touches(clock)
        self._standings: dict[int, dict[int, Standing]] = {}
        self._turns = FairTurns()
        self._sweeps = Sweeps(clock, self._living)
        self.lanes: LaneGate | None = None
        self.wake: Callable[[], None] = lambda: None
        self.unowned: Unowned = nothing_unowned

    def touch(self, run_id: int, account_id: int | None = None) -> None:
        """Something about this run changed, in that account or who knows where: look at it soon."""
        self._touches.add(run_id, account_id)
        self.wake()

    def touch_soon(self, run_id: int, account_id: int) -> None:
        """As `touch`, for what hardly ever asks for anything; see `Touches`."""
        self._touches.add_soon(run_id, account_id)
        self.wake()

    def step(self) -> float:
        self._touches.add_all(self._sweeps.due())
        # One at a time, so that a run that crashes this step is gone from the set and the others still have their turn.
        while (touched := self._touches.take(self._turns.order)) is not None:
            run_id, accounts = touched
            with self._turns.turn(run_id):
                try:
                    self.advance(run_id, self._part(run_id, accounts))
                except DeskError as trouble:
                    self._needs_attention(run_id, str(trouble))
        return min(self._sweeps.wait_s(), self._touches.wait_s())

    def _part(self, run_id: int, accounts: set[int] | None) -> frozenset[int] | None:
        """None, the whole, until every account of the run has been seen once."""
        return None if accounts is None or run_id not in self._standings else frozenset(accounts)

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
            if not self._begin(run_id, plan):
                return f"Run {run_id} was started before."
        except DeskError as refusal:
            self._refuse(run_id, str(refusal))
            return str(refusal)
        self._on_change(run_id)
        return f"Run {run_id} started: {plan.order_count} orders in {len(plan.taking_part)} accounts."

    def ask_exit(
        self,
        run_id: int,
        *,
        account_id: int | None,
        leg: int | None,
        why: str,
        with_shorts: bool = False,
        also: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """As `ask_exits` of one part; `with_shorts` takes the shorts along that those legs hedge."""
        self.ask_exits(run_id, [(Part(account_id, leg, with_shorts=with_shorts), why)], also)

    def ask_exits(
        self,
        run_id: int,
        wanted: Sequence[tuple[Part, str]],
        also: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """Latch the exit of a run, or of parts of it, each with its reason. Asking again changes nothing.

        `also` writes, first, what must stand or fall with it. Raises NotFound for no such part: nothing is written.
        """
        try:
            plain_first(lambda rows: self._leave(run_id, wanted, also, rows))
        except NotFound:
            raise
        except DeskError:
            # The wish stands whatever speaks against acting on it here and now; the loop finds out what that was.
            self._leave(run_id, wanted, also, Rows.LOCKED, at_once=False)
            self.touch(run_id)

    def _leave(
        self,
        run_id: int,
        wanted: Sequence[tuple[Part, str]],
        also: Callable[[Session], None],
        rows: Rows,
        *,
        at_once: bool = True,
    ) -> None:
        """Latch the exit; `at_once` decides in the same transaction what is sent for it: a stop waits for no turn."""
        accounts: list[AccountState] = []
        with self._database.transaction(Turn.NOW) as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            also(session)
            if run.state == "REQUESTED":
                run.state, run.reason = "REFUSED", f"{wanted[0][1]} before anything was sent."
                run.closed_at = self._journal.now()
            elif run.state != "REFUSED":
                accounts = load_accounts(session, run_id, rows=rows, unowned=self.unowned)
                for part, why in wanted:
                    self._latch(session, run, accounts, part, why)
                if at_once:
                    self._decide(session, run, accounts, whole=True, look=False)
        if at_once:
            self._hand_over(accounts, run.strategy_id)
        self._on_change(run_id)

    def ask_pending(self, run_id: int, wanted: PendingChange, by: str) -> str:
        """What became of a wish about entries that rest at a typed price. Raises Refused; the run's events say why."""
        try:
            said = self._pending.ask(run_id, wanted, by, self._clock.now())
        except NotFound:
            raise
        except Refused as no:
            self._pending.refused(run_id, wanted.account_id, str(no))
            raise
        finally:
            self.touch(run_id)
            self._on_change(run_id)
        return said

    def ask_override(self, run_id: int, wanted: Override, by: str) -> str:
        """Send an exit of unknown outcome again, once for each unknown order. Raises NotFound, Conflict."""
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            said = set_aside(session, run, wanted, by, self._journal, now=self._clock.now())
        self.touch(run_id)
        self._on_change(run_id)
        return said

    def _latch(
        self,
        session: Session,
        run: Run,
        accounts: list[AccountState],
        part: Part,
        why: str,
    ) -> None:
        every = [execution for account in accounts for execution in account.executions]
        wanted = part.of(every)
        if not wanted:
            raise NotFound("This run has no such account or leg.")
        for execution in wanted:
            if not execution.row.exit_wanted:
                execution.row = changed(session, execution.row, exit_wanted=why[:LONGEST_WHY])
        going = sum(1 for e in wanted if e.net or e.is_moving)
        words = f"{why.rstrip('.')}. To be flat: {going} {'position' if going == 1 else 'positions'}."
        self._journal.note(session, run.id, "exit", words, part.account_id)
        if run.state in LIVING and all(execution.row.exit_wanted for execution in every):
            run.state = "EXITING"

    def advance(self, run_id: int, only: frozenset[int] | None = None) -> None:
        """Decide what this run needs next, in all its accounts or in these, write it, then hand it to the lanes."""
        if only is None:
            self._sweeps.seen(run_id)
        try:
            plain_first(lambda rows: self._advance(run_id, only, rows))
        except DeskError:
            # Written anew with each desk on its own, so that the trouble of one account stays in that account.
            self._advance(run_id, only, Rows.WRITABLE, careful=True)

    def _advance(self, run_id: int, only: frozenset[int] | None, rows: Rows, *, careful: bool = False) -> None:
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state in {"REQUESTED", "REFUSED"}:
                return
            accounts = load_accounts(session, run_id, only=only, rows=rows, unowned=self.unowned)
            before = run.state
            state, written = self._decide(session, run, accounts, whole=only is None, careful=careful)
            changed = written or before != run.state
        self._hand_over(accounts, run.strategy_id)
        if changed or any(a.to_send or a.to_cancel or a.to_modify for a in accounts):
            self._on_change(run_id)
        if state != run.state:
            self._advance(run_id, None, rows, careful=careful)  # a part alone never changes the state of the whole

    def _decide(
        self, session: Session, run: Run, accounts: list[AccountState],
        *, whole: bool, look: bool = True, careful: bool = False,
    ) -> tuple[str, bool]:  # fmt: skip
        """The state that follows, and whether anything was written. Without `look` alarms wait for the next sweep."""
        now = self._clock.now()
        for account in accounts:
            self._advance_account(session, run, account, now, careful=careful)
        written = flushed(session)
        if whole and look:
            self._watch.look(session, run, accounts, now)
            written = flushed(session) or written
        state = self._stand(run, accounts, whole=whole)
        if whole:
            self._settle(session, run, accounts, state)
        return state, written

    def _stand(self, run: Run, accounts: list[AccountState], *, whole: bool) -> str:
        """The state that follows from how all accounts stand: these now, the others as last seen."""
        known = {} if whole else self._standings.get(run.id, {})
        known.update({account.account_id: standing_of(account) for account in accounts})
        state = state_of(known.values())
        if state == "CLOSED" and whole:
            self._standings.pop(run.id, None)
        else:
            self._standings[run.id] = known
        calm = state == "OPEN" and not any(each.moving or each.leaving for each in known.values())
        self._sweeps.rests(run.id, calm=calm)
        return state

    def _advance_account(
        self, session: Session, run: Run, account: AccountState, now: datetime, *, careful: bool
    ) -> None:
        """What one account's part needs. Trouble with it, or with its entry, keeps nothing else from getting out.

        Raises that trouble unless `careful`, which takes a savepoint for each desk.
        """
        for desk in (self._pending, self._entries, self._exits):
            if not careful:
                desk.advance(session, run, account, now)
                continue
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

    def _hand_over(self, accounts: list[AccountState], strategy_id: int | None) -> None:
        if self.lanes is None:
            return
        for account in accounts:
            for intent in account.to_cancel:
                self.lanes.cancel(intent)
            for intent in account.to_modify:
                self.lanes.modify(intent)
            for intent in account.to_send:
                self.lanes.send(intent, strategy_id=strategy_id)

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
            return set(session.scalars(_LIVING))

    def _refuse(self, run_id: int, reason: str) -> None:
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state != "REQUESTED":
                return
            run.state, run.reason, run.closed_at = "REFUSED", reason, self._journal.now()
            self._journal.note(session, run_id, "refused", f"Nothing was sent. {reason}")
        self._on_change(run_id)

    def _begin(self, run_id: int, plan: Plan) -> bool:
        """False when it was started meanwhile. Raises Denied while the kill switch or reduce-only stops it."""
        try:
            return self._write_start(run_id, plan, at_once=True)
        except (DeskError, RowIsPlain):
            # What speaks against acting here and now keeps no run from its start; what speaks against that comes again.
            if written := self._write_start(run_id, plan, at_once=False):
                self.touch(run_id)
            return written

    def _write_start(self, run_id: int, plan: Plan, *, at_once: bool) -> bool:
        """`at_once` decides in the same transaction what is sent first."""
        accounts: list[AccountState] = []
        with self._database.transaction(Turn.NOW) as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            if run.state != "REQUESTED":
                return False
            names = {account.account_id: account.account_name for account in plan.taking_part}
            trading_states.refuse_start(session, user_id=run.user_id, strategy_id=run.strategy_id, accounts=names)
            self._write(session, run, plan)
            if at_once:
                accounts = load_accounts(session, run_id, rows=Rows.LOCKED, unowned=self.unowned)
                self._decide(session, run, accounts, whole=True)
        reach("after_start")
        self._hand_over(accounts, run.strategy_id)
        return True

    def _write(self, session: Session, run: Run, plan: Plan) -> None:
        run.state, run.started_at = "ENTERING", self._journal.now()
        write_start(session, run, plan, self._clock.now())
        count = f"{plan.order_count} orders in {len(plan.taking_part)} accounts"
        self._journal.note(session, run.id, "started", f"Run started: {count}.")

    def _settle(self, session: Session, run: Run, accounts: list[AccountState], state: str) -> None:
        if state == run.state:
            return
        run.state = state
        if state == "CLOSED":
            run.closed_at, words = closing(accounts, self._journal.now())
            self._journal.note(session, run.id, "closed", words)
        elif state == "OPEN":
            self._journal.note(session, run.id, "open", entry_words(accounts))
