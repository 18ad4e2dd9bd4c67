"""Every start of the engine, and whether it was stopped or died: one that dies again and again sends no entries."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from app.domain.gate import Code
from app.persistence.database import Database
from app.persistence.tables import EngineStart
from app.ports.clock import Clock
from app.services.activity import Activity
from app.services.entry_locks import EntryLocks

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=10)
LOOK_S = 5.0


class EngineStarts:
    """`began`, `step` and `ended` belong to the engine. Exits are sent however often it dies."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, locks: EntryLocks, *, deaths: int) -> None:
        """`deaths` within ten minutes hold entries."""
        self._database = database
        self._clock = clock
        self._activity = activity
        self._locks = locks
        self._deaths = deaths
        self._mine: int | None = None

    def began(self, epoch: int) -> None:
        """Said by a process that leads from now, before it sends anything."""
        with self._database.transaction() as session:
            row = EngineStart(epoch=epoch, started_at=self._clock.now())
            session.add(row)
            session.flush()
            self._mine = row.id
        self._judge()

    def ended(self) -> None:
        """It is being stopped in good order."""
        mine, self._mine = self._mine, None
        if mine is None:
            return
        ended = update(EngineStart).where(EngineStart.id == mine).values(ended_at=self._clock.now())
        try:
            with self._database.transaction() as session:
                session.execute(ended)
        except SQLAlchemyError:  # then it looks like a death, which errs on the side of caution
            log.exception("the end of the engine is not written down")

    def step(self) -> float:
        self._judge()
        return LOOK_S

    def _judge(self) -> None:
        died = self._died_since(self._clock.now() - WINDOW)
        if len(died) < self._deaths:
            if self._locks.lift(Code.ENGINE_DIES):
                self._say("Ten minutes without another death of the engine: entries are sent again.")
            return
        sentence = (
            f"The engine died {len(died)} times within {WINDOW.seconds // 60} minutes; no entries are sent until "
            f"{WINDOW.seconds // 60} minutes have passed. Exits are sent. See its log."
        )
        if self._locks.hold(Code.ENGINE_DIES, sentence):
            self._say(sentence)

    def _died_since(self, moment: datetime) -> list[int]:
        """Engines before this one that began since then and were never stopped."""
        query = select(EngineStart.id).where(
            EngineStart.started_at >= moment, EngineStart.ended_at.is_(None), EngineStart.id != self._mine
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def _say(self, sentence: str) -> None:
        with self._database.transaction() as session:
            self._activity.record(
                session, user_id=None, actor="engine", action="engine.dies", subject="engine", sentence=sentence
            )
