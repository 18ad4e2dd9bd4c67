"""The log of what people and the engine did: one row for everything, only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, String, cast, insert, literal, or_, select, true
from sqlalchemy.orm import Session

from app.domain.calendar import IST
from app.persistence.database import Database
from app.persistence.direct import Change
from app.persistence.plain import table_of
from app.persistence.tables import ActivityLog, Run, Strategy, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import Actor

_ADD = Change(insert(table_of(ActivityLog)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. `subject` names what it was done to, as `account:3`."""

    at: datetime
    actor: str
    action: str
    subject: str
    sentence: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log is asked for. None and empty text mean any; `day` is a date in India."""

    text: str = ""
    actor: str = ""
    action: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. `number` counts from 1."""

    entries: tuple[Entry, ...]
    number: int
    has_next: bool


class Activity:
    """Thread-safe. `record` joins the transaction of the thing itself, so that neither is there without the other."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self,
        session: Session,
        *,
        user_id: int | None,
        actor: str,
        action: str,
        subject: str,
        sentence: str,
        detail: Mapping[str, object] | None = None,
        address: str | None = None,
    ) -> None:
        """Add one row. `user_id` is None for the engine; `detail` is JSON and holds no secret."""
        row = {
            "at": self._clock.now(),
            "user_id": user_id,
            "actor": actor,
            "action": action,
            "subject": subject,
            "sentence": sentence,
            "detail": dict(detail or {}),
            "address": address,
        }
        _ADD.do(session, [row])

    def page(self, viewer: Actor, wanted: Wanted, number: int = 1, size: int = 50) -> Page:
        """The asked-for rows of page `number`; a page behind the last one is empty.

        An admin sees the whole log, others what they did and what was done to what is theirs.
        """
        number = max(number, 1)
        query = _narrowed(select(ActivityLog), wanted).where(_seen_by(viewer)).order_by(ActivityLog.id.desc())
        with self._database.reading() as session:
            rows = session.scalars(query.offset((number - 1) * size).limit(size + 1)).all()
        return Page(entries=tuple(_entry(row) for row in rows[:size]), number=number, has_next=len(rows) > size)

    def about(self, subject: str, limit: int = 20) -> tuple[Entry, ...]:
        """The newest rows about one thing."""
        query = select(ActivityLog).where(ActivityLog.subject == subject).order_by(ActivityLog.id.desc()).limit(limit)
        with self._database.reading() as session:
            return tuple(_entry(row) for row in session.scalars(query))

    def names(self, viewer: Actor) -> tuple[list[str], list[str]]:
        """Everybody and every action there is in what this user sees of the log, for the filters."""
        seen = _seen_by(viewer)
        with self._database.reading() as session:
            actors = session.scalars(select(ActivityLog.actor).where(seen).distinct().order_by(ActivityLog.actor)).all()
            actions = session.scalars(
                select(ActivityLog.action).where(seen).distinct().order_by(ActivityLog.action)
            ).all()
        return list(actors), list(actions)


def _seen_by(viewer: Actor) -> ColumnElement[bool]:
    if viewer.is_admin:
        return true()
    owners = (("account", TradingAccount, TradingAccount.owner_id), ("strategy", Strategy, Strategy.owner_id))
    theirs = [
        ActivityLog.subject.in_(select(literal(f"{kind}:") + cast(table.id, String)).where(owner == viewer.id))
        for kind, table, owner in (*owners, ("run", Run, Run.user_id))
    ]
    return or_(ActivityLog.user_id == viewer.id, *theirs)


def _narrowed(query: Select[tuple[ActivityLog]], wanted: Wanted) -> Select[tuple[ActivityLog]]:
    if wanted.text:
        query = query.where(ActivityLog.sentence.icontains(wanted.text, autoescape=True))
    if wanted.actor:
        query = query.where(ActivityLog.actor == wanted.actor)
    if wanted.action:
        query = query.where(ActivityLog.action == wanted.action)
    if wanted.day is not None:
        midnight = datetime.combine(wanted.day, time(), IST)
        query = query.where(ActivityLog.at >= midnight, ActivityLog.at < midnight + timedelta(days=1))
    return query


def _entry(row: ActivityLog) -> Entry:
    return Entry(row.at, row.actor, row.action, row.subject, row.sentence, row.detail)
