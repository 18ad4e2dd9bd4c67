"""The one way out of a position: cancel what rests, wait until it is settled, close shorts before longs, until flat."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.slicing import slices
from app.persistence.tables import Position, Run
from app.services.entries import drop_unsent, new_intent, rests_too_long
from app.services.journal import Journal
from app.services.run_state import AccountState, ExecutionState

LONGEST_WAIT_S = 30.0


class ExitDesk:
    """Called by the executor, on its thread, inside its transaction. Makes no network calls."""

    def __init__(self, journal: Journal, *, chase_after_s: float) -> None:
        self._journal = journal
        self._chase_after = timedelta(seconds=chase_after_s)

    def advance(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """Decide what this account's exits need now. Executions whose exit nobody wants are left alone."""
        leaving = [e for e in account.executions if e.row.exit_wanted]
        for execution in leaving:
            self._stop_entry(account, execution, now)
            self._chase(account, execution, now)
        shorts_open = any(e.net < 0 or (e.side.sign < 0 and e.is_moving) for e in leaving)
        for execution in leaving:
            if execution.net == 0 or execution.is_moving or (execution.net > 0 and shorts_open):
                continue
            if self._is_due(execution, now):
                self._write(session, run, account, execution, now)

    def _stop_entry(self, account: AccountState, execution: ExecutionState, now: datetime) -> None:
        entry = execution.open_intents(Purpose.ENTRY)
        drop_unsent(entry, now, "Not sent: the exit came first.")
        account.to_cancel += [i for i in entry if rests_too_long(i, now, timedelta(0))]

    def _chase(self, account: AccountState, execution: ExecutionState, now: datetime) -> None:
        for intent in execution.open_intents(Purpose.EXIT):
            if intent.state == IntentState.READY:
                account.to_send.append(intent)
            elif rests_too_long(intent, now, self._chase_after):
                account.to_cancel.append(intent)

    def _is_due(self, execution: ExecutionState, now: datetime) -> bool:
        """At once for the first try and after our own cancel; after a refusal with a growing wait."""
        generation = execution.generation[Purpose.EXIT]
        last = [i for i in execution.of(Purpose.EXIT) if i.generation == generation]
        refused = [i for i in last if i.state in {IntentState.REJECTED, IntentState.NOT_SENT, IntentState.DENIED}]
        if not refused:
            return True
        wait = timedelta(seconds=min(2.0 ** min(generation, 10) / 2, LONGEST_WAIT_S))
        return all(i.settled_at is not None and now - i.settled_at >= wait for i in refused)

    def _write(
        self, session: Session, run: Run, account: AccountState, execution: ExecutionState, now: datetime
    ) -> None:
        row = execution.row
        units = min(abs(execution.net), self._closable(session, execution))
        if units == 0:
            sentence = f"The broker shows no {row.symbol} to close, our fills say {execution.net:+d}. Nothing is sent."
            self._say_once(session, run, account, sentence)
            return
        generation = execution.generation[Purpose.EXIT] + 1
        for number, part in enumerate(slices(Units(units), row.lot_size, Units(row.freeze)), start=1):
            intent = new_intent(row, Purpose.EXIT, generation, number, part, now=now)
            session.add(intent)
            session.flush()
            execution.intents.append(intent)
            account.to_send.append(intent)

    def _closable(self, session: Session, execution: ExecutionState) -> int:
        """Units the broker's net position lets us close without crossing zero.

        The row is written in the same transaction as the fills it was read after, so it is never older than they are.
        """
        row = execution.row
        position = session.scalars(
            select(Position).where(
                Position.account_id == row.account_id,
                Position.exchange == row.exchange,
                Position.symbol == row.symbol,
                Position.product == row.product,
            )
        ).one_or_none()
        if position is None or position.net * execution.net <= 0:
            return 0
        return abs(position.net)

    def _say_once(self, session: Session, run: Run, account: AccountState, sentence: str) -> None:
        if run.reason == sentence:
            return
        run.reason = sentence
        self._journal.note(session, run.id, "attention", sentence, account.account_id)
