"""What sizes follow from and admins edit: percentages of grades and margin requirements, each change written down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import underlying_named
from app.domain.errors import InvalidInput, NotFound
from app.domain.margin_table import Day, Need, Requirement, RequirementTable
from app.domain.size_words import money
from app.domain.sizing import HUNDRED, Grade
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import MarginRequirement, SettingChange, TradeGrade
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity

GRADES, REQUIREMENTS = "grade", "requirement"
MOST_RUPEES = Decimal(100_000_000)
LONGEST_SOURCE = 200
SHOWN = 100

_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_RUPEES = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Change:
    """Who changed what, and when. `was` None: it is new; `now` None: it was removed."""

    at: datetime
    actor: str
    subject: str
    was: str | None
    now: str | None


class MarginSettings:
    """Thread-safe. What is saved counts for the next preview."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def grades(self) -> Mapping[Grade, Decimal]:
        """Percent of the free margin. A grade that somebody took out of the table is missing."""
        with self._database.reading() as session:
            return {Grade(row.grade): row.percent for row in session.scalars(select(TradeGrade))}

    def requirements(self) -> tuple[Requirement, ...]:
        """By index, then as the page shows them."""
        with self._database.reading() as session:
            rows = session.scalars(select(MarginRequirement).order_by(MarginRequirement.underlying)).all()
        return tuple(_requirement(row) for row in rows)

    def table(self) -> RequirementTable:
        return RequirementTable(self.requirements())

    def changes(self, area: str) -> tuple[Change, ...]:
        """The newest hundred, newest first."""
        wanted = select(SettingChange).where(SettingChange.area == area).order_by(SettingChange.id.desc()).limit(SHOWN)
        with self._database.reading() as session:
            return tuple(Change(row.at, row.actor, row.subject, row.was, row.now) for row in session.scalars(wanted))

    def set_grade(self, by: Actor, grade: str, typed: str) -> bool:
        """Whether it changed. Raises InvalidInput naming `grade` or `percent`."""
        if grade not in set(Grade):
            raise InvalidInput("grade", "There are the grades A, B and C.")
        percent = _number(typed, _PERCENT, HUNDRED, "percent", "a percentage above 0 and at most 100, such as 65")
        with self._database.transaction() as session:
            lock_table(session, TradeGrade)
            row = session.get(TradeGrade, grade)
            was = None if row is None else row.percent
            if was == percent:
                return False
            if row is None:
                session.add(TradeGrade(grade=grade, percent=percent))
            else:
                row.percent = percent
            self._changed(session, by, GRADES, f"Grade {grade}", _percent_words(was), _percent_words(percent))
        return True

    def set_requirement(self, by: Actor, place: tuple[str, str, str], typed: str, source: str) -> Requirement:
        """`place` is index, need and day as they are called in the table. Raises InvalidInput naming the field."""
        underlying, need, day = _placed(place)
        amount = _number(typed, _RUPEES, MOST_RUPEES, "amount", "rupees for one lot above 0, such as 210000")
        said = Requirement(underlying, need, day, amount, _sourced(source))
        with self._database.transaction() as session:
            lock_table(session, MarginRequirement)
            row = _row(session, said)
            was = None if row is None else _requirement(row)
            if was == said:
                return said
            if row is None:
                row = MarginRequirement(underlying=underlying, need=need.value, day=day.value)
                session.add(row)
            row.amount, row.source = said.amount, said.source
            self._changed(session, by, REQUIREMENTS, said.words, _requirement_words(was), _requirement_words(said))
        return said

    def remove_requirement(self, by: Actor, place: tuple[str, str, str]) -> None:
        """From now on nobody is sized by it. Raises InvalidInput, NotFound."""
        underlying, need, day = _placed(place)
        with self._database.transaction() as session:
            row = _row(session, Requirement(underlying, need, day, Decimal(1), ""))
            if row is None:
                raise NotFound("This row is gone. Somebody removed it.")
            was = _requirement(row)
            session.delete(row)
            self._changed(session, by, REQUIREMENTS, was.words, _requirement_words(was), None)

    def _changed(self, session: Session, by: Actor, area: str, subject: str, was: str | None, now: str | None) -> None:
        at = self._clock.now()
        session.add(
            SettingChange(area=area, subject=subject, was=was, now=now, user_id=by.id, actor=by.username, at=at)
        )
        self._activity.record(
            session,
            user_id=by.id,
            actor=by.username,
            action=f"{area}.change",
            subject=f"{area}:{subject}"[:64],
            sentence=f"{subject}: from {was or 'nothing'} to {now or 'nothing'}.",
            detail={"was": was, "now": now},
        )


def _number(text: str, pattern: re.Pattern[str], most: Decimal, field: str, wanted: str) -> Decimal:
    value = Decimal(text) if pattern.fullmatch(text) else None
    if value is None or not 0 < value <= most:
        raise InvalidInput(field, f"Type {wanted}, without commas.")
    return value


def _placed(place: tuple[str, str, str]) -> tuple[str, Need, Day]:
    underlying, need, day = place
    try:
        name = underlying_named(underlying).name
    except NotFound as unknown:
        raise InvalidInput("underlying", f"{unknown} (underlying)") from unknown
    if need not in set(Need):
        raise InvalidInput("need", "Choose what is held from the list (need).")
    if day not in set(Day):
        raise InvalidInput("day", "Choose expiry day or other days (day).")
    return name, Need(need), Day(day)


def _sourced(text: str) -> str:
    source = text.strip()
    if not 3 <= len(source) <= LONGEST_SOURCE or not source.isprintable():
        raise InvalidInput("source", f"Say in 3 to {LONGEST_SOURCE} characters where this was read.")
    return source


def _row(session: Session, said: Requirement) -> MarginRequirement | None:
    wanted = select(MarginRequirement).where(
        MarginRequirement.underlying == said.underlying,
        MarginRequirement.need == said.need.value,
        MarginRequirement.day == said.day.value,
    )
    return session.scalars(wanted).one_or_none()


def _requirement(row: MarginRequirement) -> Requirement:
    return Requirement(row.underlying, Need(row.need), Day(row.day), row.amount, row.source)


def _percent_words(percent: Decimal | None) -> str | None:
    return None if percent is None else f"{percent.normalize():f} %"


def _requirement_words(said: Requirement | None) -> str | None:
    return None if said is None else f"{money(said.amount)} a lot ({said.source})"[:200]
