"""What happened in a run, written down for the trader in the same transaction as the thing itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.persistence.tables import RunEvent
from app.ports.clock import MarketClock


class Journal:
    """Writes run events at the market's time, which is the time that pages show. Thread-safe."""

    def __init__(self, market_clock: MarketClock) -> None:
        self._market_clock = market_clock

    def now(self) -> datetime:
        """The market's time, for the columns of a run that are only ever shown."""
        return self._market_clock.now()

    def note(self, session: Session, run_id: int, kind: str, sentence: str, account_id: int | None = None) -> None:
        """Add one event to the run. `kind` is stable: icons and filters go by it."""
        session.add(RunEvent(**self.event(run_id, kind, sentence, account_id)))

    def event(self, run_id: int, kind: str, sentence: str, account_id: int | None) -> dict[str, Any]:
        """The row of a note, for who writes many."""
        return {"run_id": run_id, "account_id": account_id, "at": self.now(), "kind": kind, "sentence": sentence}

    def note_once(self, session: Session, run_id: int, kind: str, sentence: str, account_id: int | None = None) -> bool:
        """As `note`, unless the run's events have it already. True when it is new."""
        known = session.scalars(
            select(RunEvent.id)
            .where(
                RunEvent.run_id == run_id,
                RunEvent.account_id == account_id,
                RunEvent.kind == kind,
                RunEvent.sentence == sentence,
            )
            .limit(1)
        ).first()
        if known is None:
            self.note(session, run_id, kind, sentence, account_id)
        return known is None
