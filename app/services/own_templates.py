"""Templates that traders keep of their strategies: each sees, uses, renames and deletes their own."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.copied import unscheduled
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.strategy import StrategySpec
from app.persistence.database import Database
from app.persistence.tables import StrategyTemplate
from app.ports.clock import Clock
from app.services import recipe_text
from app.services.account_types import Actor
from app.services.activity import Activity

MOST_TEMPLATES = 60
"""Of one user: the builder offers all of them."""


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """`spec` has the template's name; no accounts take part and nothing starts by itself."""

    id: int
    name: str
    spec: StrategySpec
    changed_at: datetime


class OwnTemplates:
    """Thread-safe. Every method sees only what belongs to that user: another's looks like none."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def all_of(self, user_id: int) -> list[OwnTemplate]:
        """By name."""
        query = select(StrategyTemplate).where(StrategyTemplate.owner_id == user_id)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(func.lower(StrategyTemplate.name), StrategyTemplate.id))
            return [_template(row) for row in rows]

    def one(self, template_id: int, user_id: int) -> OwnTemplate:
        """Raises NotFound."""
        with self._database.reading() as session:
            return _template(_mine(session, template_id, user_id))

    def keep(self, spec: StrategySpec, name: str, actor: Actor) -> int:
        """Keep a strategy as a template under that name: its legs, sizes and rules, without accounts and schedule.

        Raises InvalidInput naming `name` when it is taken, Conflict when there are as many as may be.
        """
        kept = select(func.count()).where(StrategyTemplate.owner_id == actor.id)
        try:
            with self._database.transaction() as session:
                if session.scalars(kept).one() >= MOST_TEMPLATES:
                    raise Conflict(f"You have {MOST_TEMPLATES} templates, and that many may be. Delete some first.")
                row = StrategyTemplate(
                    owner_id=actor.id,
                    name=name,
                    recipe=recipe_text.written(unscheduled(spec)),
                    changed_at=self._clock.now(),
                )
                session.add(row)
                session.flush()
                self._note(session, actor, row, "keep", f"Kept the template {name}, of the strategy {spec.name}.")
                return row.id
        except IntegrityError as taken:
            raise _taken(name) from taken

    def rename(self, template_id: int, name: str, actor: Actor) -> None:
        """Raises NotFound, and InvalidInput naming `name` when another has it."""
        try:
            with self._database.transaction() as session:
                row = _mine(session, template_id, actor.id)
                if row.name == name:
                    return
                words = f"Renamed the template {row.name} to {name}."
                row.name, row.changed_at = name, self._clock.now()
                session.flush()
                self._note(session, actor, row, "rename", words)
        except IntegrityError as taken:
            raise _taken(name) from taken

    def delete(self, template_id: int, actor: Actor) -> None:
        """Strategies that were made from it stay as they are. Raises NotFound."""
        with self._database.transaction() as session:
            row = _mine(session, template_id, actor.id)
            self._note(session, actor, row, "delete", f"Deleted the template {row.name}.")
            session.delete(row)

    def _note(self, session: Session, actor: Actor, row: StrategyTemplate, verb: str, sentence: str) -> None:
        self._activity.record(
            session,
            user_id=actor.id,
            actor=actor.username,
            action=f"template.{verb}",
            subject=f"template:{row.id}",
            sentence=sentence,
        )


def _mine(session: Session, template_id: int, user_id: int) -> StrategyTemplate:
    row = session.get(StrategyTemplate, template_id)
    if row is None or row.owner_id != user_id:
        raise NotFound("There is no such template.")
    return row


def _template(row: StrategyTemplate) -> OwnTemplate:
    return OwnTemplate(row.id, row.name, recipe_text.read(row.name, row.recipe), row.changed_at)


def _taken(name: str) -> InvalidInput:
    return InvalidInput("name", f"You have a template named {name} already. Choose another name.")
