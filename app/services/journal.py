"""What happened in a run, written down for the trader in the same transaction as the thing itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from app.persistence.direct import Change, Question
from app.persistence.plain import table_of
from app.persistence.tables import RunEvent
from app.ports.clock import MarketClock

_E = RunEvent.__table__.c
_ADD = Change(insert(table_of(RunEvent)))
_ALIKE = select(_E.id).where(*(_E[name] == bindparam(name) for name in ("run_id", "kind", "sentence"))).limit(1)
_KNOWN = {
    True: Question(_ALIKE.where(_E.account_id.is_(None))),
    False: Question(_ALIKE.where(_E.account_id == bindparam("account_id"))),
}
_NOTED = "noted"


def flushed(session: Session) -> bool:
    """Write what changed in objects. Whether there was anything, or anything was noted in this session."""
    written = bool(session.new or session.dirty) or _NOTED in session.info
    session.flush()
    return written


class Journal:
    """Writes run events at the market's time, which is the time that pages show. Thread-safe."""

    def __init__(self, market_clock: MarketClock) -> None:
        self._market_clock = market_clock

    def now(self) -> datetime:
        """The market's time, for the columns of a run that are only ever shown."""
        return self._market_clock.now()

    def note(self, session: Session, run_id: int, kind: str, sentence: str, account_id: int | None = None) -> None:
        """Add one event to the run. `kind` is stable: icons and filters go by it."""
        _ADD.do(session, [self.event(run_id, kind, sentence, account_id)])
        session.info[_NOTED] = True

    def event(self, run_id: int, kind: str, sentence: str, account_id: int | None) -> dict[str, Any]:
        """The row of a note, for who writes many."""
        return {"run_id": run_id, "account_id": account_id, "at": self.now(), "kind": kind, "sentence": sentence}

    def note_once(self, session: Session, run_id: int, kind: str, sentence: str, account_id: int | None = None) -> bool:
        """As `note`, unless the run's events have it already. True when it is new."""
        event = {"run_id": run_id, "account_id": account_id, "kind": kind, "sentence": sentence}
        known = _KNOWN[account_id is None].first(session, event)
        if known is None:
            self.note(session, run_id, kind, sentence, account_id)
        return known is None
