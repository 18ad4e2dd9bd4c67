"""Alarms: raised once for each place while something lasts, cleared when it is over, seen by whoever owns the run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.alarms import AlarmKind, Finding
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.tables import Alarm, Run
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.journal import Journal

MOST_SHOWN = 20

_OPEN = select(Alarm).where(Alarm.run_id == bindparam("run_id"), Alarm.open_key.is_not(None)).order_by(Alarm.id)

_A = Alarm.__table__.c
_IS_OPEN = Question(select(_A.id).where(_A.run_id == bindparam("run_id"), _A.open_key == bindparam("open_key")))


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm that lasts. `raised_at` is real time."""

    id: int
    kind: AlarmKind
    run_id: int
    run_name: str
    account_id: int
    leg: int | None
    sentence: str
    raised_at: datetime


class Alarms:
    """Thread-safe. Raising and clearing join the transaction of whoever watches."""

    def __init__(self, database: Database, clock: Clock, journal: Journal, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._activity = activity

    def standing(self, viewer: Actor) -> list[AlarmLine]:
        """What lasts and concerns this user, the newest first: an admin sees everybody's."""
        query = (
            select(Alarm, Run.name)
            .join(Run, Run.id == Alarm.run_id)
            .where(Alarm.open_key.is_not(None))
            .order_by(Alarm.id.desc())
            .limit(MOST_SHOWN)
        )
        if not viewer.is_admin:
            query = query.where(Run.user_id == viewer.id)
        with self._database.reading() as session:
            return [_line(alarm, name) for alarm, name in session.execute(query)]

    def is_open(self, session: Session, run_id: int, account_id: int, kind: AlarmKind, leg: int | None = None) -> bool:
        """Whether an alarm of this kind stands for that leg, or for the account as a whole."""
        which = {"run_id": run_id, "open_key": _place(run_id, account_id, leg, kind)}
        return _IS_OPEN.first(session, which) is not None

    def settle(self, session: Session, run: Run, findings: Iterable[Finding]) -> tuple[list[Finding], bool]:
        """Make the alarms of this run what was found: the findings that are new or newer, and whether any still lasts.

        What is not found any more is cleared.
        """
        known = {(row.kind, row.account_id, row.leg): row for row in session.scalars(_OPEN, {"run_id": run.id})}
        fresh: list[Finding] = []
        found = {finding.place: finding for finding in findings}
        for place, finding in found.items():
            row = known.get(place)
            if row is None:
                self._raise(session, run, finding)
                fresh.append(finding)
            elif finding.newest > row.newest:
                row.newest, row.sentence = finding.newest, finding.sentence
                fresh.append(finding)
            elif finding.sentence != row.sentence:
                row.sentence = finding.sentence
        for place, row in known.items():
            if place not in found:
                self._clear(session, run, row)
        return fresh, bool(known or found)

    def _raise(self, session: Session, run: Run, finding: Finding) -> None:
        session.add(
            Alarm(
                kind=finding.kind.value,
                run_id=run.id,
                account_id=finding.account_id,
                leg=finding.leg,
                sentence=finding.sentence,
                newest=finding.newest,
                raised_at=self._clock.now(),
                open_key=_place(run.id, finding.account_id, finding.leg, finding.kind),
            )
        )
        self._tell(session, run, "alarm", finding.account_id, finding.sentence)

    def _clear(self, session: Session, run: Run, row: Alarm) -> None:
        row.cleared_at, row.open_key = self._clock.now(), None
        self._tell(session, run, "alarm_over", row.account_id, f"Over: {row.sentence}")

    def _tell(self, session: Session, run: Run, kind: str, account_id: int, sentence: str) -> None:
        self._journal.note(session, run.id, kind, sentence, account_id)
        self._activity.record(
            session,
            user_id=None,
            actor="engine",
            action="alarm.raised" if kind == "alarm" else "alarm.over",
            subject=f"run:{run.id}",
            sentence=sentence,
        )


def _place(run_id: int, account_id: int, leg: int | None, kind: AlarmKind) -> str:
    return f"{run_id}:{account_id}:{leg}:{kind.value}"


def _line(row: Alarm, run_name: str) -> AlarmLine:
    return AlarmLine(
        id=row.id,
        kind=AlarmKind(row.kind),
        run_id=row.run_id,
        run_name=run_name,
        account_id=row.account_id,
        leg=row.leg,
        sentence=row.sentence,
        raised_at=row.raised_at,
    )
