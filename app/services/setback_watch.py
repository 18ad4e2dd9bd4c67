"""The engine's half: compare the database with the mark outside it before anything is sent, and keep the mark."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.errors import Unavailable
from app.domain.failure_policy import GroupPolicy, LegPolicy
from app.domain.gate import Code
from app.domain.orders import IntentState, Purpose, move
from app.domain.setback import Mark, Shown, setback
from app.persistence.database import Database
from app.persistence.lineage import lineage_of, still_holds
from app.persistence.mark import MarkFile, UnfitMark
from app.persistence.tables import ActivityLog, Intent, LeaseRow, Run, Setback
from app.ports.clock import Clock, MarketClock
from app.services.activity import Activity
from app.services.doubt import Doubt
from app.services.entry_locks import EntryLocks
from app.services.journal import Journal
from app.services.run_state import Rows, load_accounts
from app.services.setbacks import HELD, standing

log = logging.getLogger(__name__)

LOOK_S = 1.0

_ACTIVITY = select(func.coalesce(func.max(ActivityLog.id), 0))
_SENT_AT = select(Intent.sent_at)
_NEWEST = select(Intent.id, Intent.sent_at).where(Intent.sent_at.is_not(None)).order_by(Intent.id.desc()).limit(1)
_ENTERING = select(Run.id).where(Run.state.in_(("ENTERING", "ATTENTION"))).order_by(Run.id)

_OTHER = "The database is another one than before, or an older one: this process ends and looks at it anew."


class SetbackWatch:
    """`began` and `step` belong to the engine; `claimed` to whoever claims."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        file: MarkFile,
        *,
        activity: Activity,
        journal: Journal,
        locks: EntryLocks,
        doubt: Doubt,
        on_other: Callable[[], None],
    ) -> None:
        """`on_other` is called when a new connection of a leader reaches another database: it ends this process."""
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._file = file
        self._activity = activity
        self._journal = journal
        self._locks = locks
        self._doubt = doubt
        self._on_other = on_other
        self._mark: Mark | None = None
        self._lock = threading.Lock()

    def began(self, epoch: int) -> None:
        """Said by a process that leads from now, before it does anything else.

        What was found is committed with the new lineage and before the new mark, so that no crash on the way hides it.
        """
        mark, unfit = self._known()
        with self._database.transaction() as session:
            lease = session.get_one(LeaseRow, 1)
            server = lineage_of(session)
            found = unfit or setback(mark, _shown(session, lease.lineage, server, epoch, mark))
            if found is not None:
                self._found(session, epoch, found)
            lineage = server or (None if found else lease.lineage) or secrets.token_hex(8)
            lease.lineage = lineage
            fresh = _fresh(session, lineage, epoch, mark)
            self._stand(session)
        self._begin(fresh)
        self._database.pin(partial(self._is_same, server), self._is_other)

    def ended(self) -> None:
        """Said by a process that is being stopped: it does not lead any more."""
        self._database.unpin()
        self._file.close()

    def claimed(self, intent_id: int, sent_at: datetime) -> None:
        """The claim of this intent, and of all that were claimed with it, is committed."""
        self._note(intent_id=intent_id, sent_at=sent_at)

    def step(self) -> float:
        """Mark what people did since, and take note of an acknowledgement."""
        with self._database.reading() as session:
            newest = session.scalars(_ACTIVITY).one()
            row = standing(session)
        if self._mark is not None and newest > self._mark.activity_id:
            self._note(activity_id=newest)
        self._try(self._file.keep)
        if row is not None and row.acknowledged_at is not None:
            self._lift(row.id)
        return LOOK_S

    def _known(self) -> tuple[Mark | None, str | None]:
        """The mark, and why it cannot be gone by."""
        try:
            return self._file.read(), None
        except UnfitMark as unfit:
            return None, str(unfit)

    def _found(self, session: Session, epoch: int, sentence: str) -> None:
        log.critical("%s. %s", sentence, HELD)
        row = standing(session)
        if row is None:
            row = Setback()
            session.add(row)
        row.epoch, row.found_at, row.sentence = epoch, self._clock.now(), sentence
        row.acknowledged_at = row.user_id = row.actor = None  # what was looked at then was another state of it
        session.flush()
        for run_id in session.scalars(_ENTERING).all():
            self._leave_as_it_is(session, run_id)
        self._record(session, "setback.found", f"{sentence}. {HELD}")

    def _leave_as_it_is(self, session: Session, run_id: int) -> None:
        """Nothing more is entered in a run whose orders may be further than its rows, nor is anything unwound for that:
        a hedge would be closed whose short the ledger does not know. Its trader gets out of it, or keeps it.
        """
        run = session.get_one(Run, run_id, with_for_update={"key_share": True})
        reason = "The database was set back while this was being entered; nothing more of it is sent"
        stopped = False
        for account in load_accounts(session, run_id, rows=Rows.WRITABLE):
            for execution in account.executions:
                if execution.row.exit_wanted or execution.row.failed or execution.entered >= execution.row.units:
                    continue
                stopped = True
                execution.row.failed = reason
                for intent in execution.of(Purpose.ENTRY):
                    if intent.state == IntentState.READY:
                        intent.state = move(IntentState.READY, IntentState.DENIED).value
                        intent.reason, intent.settled_at = f"{Code.DATABASE_BEHIND}: {HELD}", self._clock.now()
        if stopped:
            run.leg_failure, run.group_failure = LegPolicy.KEEP.value, GroupPolicy.KEEP_GOING.value
            self._journal.note(session, run_id, "attention", f"{reason}. Look at the broker's book, then exit it.")

    def _stand(self, session: Session) -> None:
        newest = session.scalars(select(Setback).order_by(Setback.id.desc()).limit(1)).first()
        if newest is None:
            return
        self._doubt.lifted_on, self._doubt.is_held = newest.lifted_on, newest.lifted_on is None
        if self._doubt.is_held:
            self._locks.hold(Code.DATABASE_BEHIND, f"{newest.sentence}. {HELD}")

    def _lift(self, setback_id: int) -> None:
        try:
            today = trading_date(self._market_clock.now())
        except Unavailable:
            return  # until somebody can say on which day its doubt ends
        with self._database.transaction() as session:
            session.get_one(Setback, setback_id).lifted_on = today
        self._doubt.lifted_on, self._doubt.is_held = today, False
        self._locks.lift(Code.DATABASE_BEHIND)

    def _begin(self, mark: Mark) -> None:
        with self._lock:
            self._mark = mark
            self._try(partial(self._file.begin, mark))

    def _note(self, **changes: object) -> None:
        with self._lock:
            if self._mark is None:
                return
            self._mark = replace(self._mark, **changes)  # type: ignore[arg-type]
            self._try(partial(self._file.write, self._mark))

    @staticmethod
    def _try(write: Callable[[], None]) -> None:
        """Orders do not wait for the mark: without it a database that is set back is not recognised by it."""
        try:
            write()
        except OSError:
            log.exception("the mark beside the database could not be written")

    def _is_same(self, server: str | None, connection: Any) -> bool:
        """What is marked was committed before, so every later connection sees it, or leads to something older."""
        mark = self._mark
        return mark is None or still_holds(connection, server, mark)

    def _is_other(self) -> None:
        log.critical(_OTHER)
        self._on_other()

    def _record(self, session: Session, action: str, sentence: str) -> None:
        self._activity.record(session, user_id=None, actor="engine", action=action, subject="desk", sentence=sentence)


def _shown(session: Session, lineage: str | None, server: str | None, epoch: int, mark: Mark | None) -> Shown:
    marked = None if mark is None else mark.intent_id
    return Shown(
        lineage=lineage,
        server=server,
        epoch=epoch,
        sent_at=None if marked is None else session.scalars(_SENT_AT.where(Intent.id == marked)).first(),
        activity_id=session.scalars(_ACTIVITY).one(),
    )


def _fresh(session: Session, lineage: str, epoch: int, before: Mark | None) -> Mark:
    """The mark of a new leader. In the same lineage, the claim that was marked `before` was the last."""
    session.flush()
    activity_id = session.scalars(_ACTIVITY).one()
    if before is not None and before.lineage == lineage and before.intent_id is not None:
        return replace(before, epoch=epoch, activity_id=activity_id)
    newest = session.execute(_NEWEST).first()
    intent_id, sent_at = (None, None) if newest is None else newest
    return Mark(lineage, epoch, intent_id, sent_at, activity_id)
