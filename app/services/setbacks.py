"""A database that was set back, as people see it: what was found, and that somebody has looked and goes on with it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.persistence.database import Database
from app.persistence.tables import Setback
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity

HELD = "The database may be older than what the brokers have: entries are held, exits go on."

_STANDING = select(Setback).where(Setback.lifted_on.is_(None)).order_by(Setback.id)


@dataclass(frozen=True, slots=True)
class SetbackLine:
    """One that still holds entries. `at` is real time; `by` None: nobody has acknowledged it."""

    id: int
    sentence: str
    at: datetime
    by: str | None


def standing(session: Session) -> Setback | None:
    """The one that holds entries, if any does: there is never a second."""
    return session.scalars(_STANDING).first()


class Setbacks:
    """Thread-safe."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def standing(self) -> SetbackLine | None:
        with self._database.reading() as session:
            row = standing(session)
        return None if row is None else SetbackLine(row.id, row.sentence, row.found_at, row.actor)

    def acknowledge(self, setback_id: int, *, actor: Actor) -> None:
        """Entries are taken again once the engine has noticed. Raises Conflict when this is not what stands, or the
        actor is no admin. Doing it again changes nothing.
        """
        if not actor.is_admin:
            raise Conflict("Only an admin acknowledges this: it is about the positions of everybody.")
        with self._database.transaction() as session:
            row = standing(session)
            if row is None or row.id != setback_id:
                raise Conflict("This does not stand any more. Reload the page.")
            if row.acknowledged_at is not None:
                return
            row.acknowledged_at, row.user_id, row.actor = self._clock.now(), actor.id, actor.username
            self._activity.record(
                session,
                user_id=actor.id,
                actor=actor.username,
                action="setback.acknowledge",
                subject="desk",
                sentence=f"Acknowledged that the database was set back: {row.sentence}. Entries are taken again.",
            )
