"""What happened in a run, written down for the trader in the same transaction as the thing itself."""

from datetime import datetime

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
        session.add(RunEvent(run_id=run_id, account_id=account_id, at=self.now(), kind=kind, sentence=sentence))
