"""What admins say of the hours of a date, whatever a gateway says: kept, changed and removed, each written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.calendar_days import Override, Typed, override_of
from app.domain.errors import Conflict, NotFound
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import CalendarOverride
from app.ports.clock import Clock, MarketClock
from app.services.account_types import Actor
from app.services.activity import Activity


@dataclass(frozen=True, slots=True)
class KeptOverride:
    """An override with the number it is changed and removed by."""

    id: int
    said: Override


class CalendarOverrides:
    """Thread-safe. Dates are the market's; what was said counts within a second of being saved."""

    def __init__(self, database: Database, clock: Clock, market_clock: MarketClock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._activity = activity

    def of(self, day: date) -> Mapping[str, Override]:
        """By exchange."""
        with self._database.reading() as session:
            rows = session.scalars(select(CalendarOverride).where(CalendarOverride.day == day))
            return {row.exchange: _said(row) for row in rows}

    def coming(self) -> tuple[KeptOverride, ...]:
        """Those of today and later, by date. Raises Unavailable while the market's date is not known."""
        today = trading_date(self._market_clock.now())
        wanted = select(CalendarOverride).where(CalendarOverride.day >= today)
        with self._database.reading() as session:
            rows = session.scalars(wanted.order_by(CalendarOverride.day, CalendarOverride.exchange.desc()))
            return tuple(KeptOverride(row.id, _said(row)) for row in rows)

    def one(self, override_id: int) -> KeptOverride:
        """Raises NotFound."""
        with self._database.reading() as session:
            return KeptOverride(override_id, _said(_row(session, override_id)))

    def add(self, by: Actor, typed: Typed, exchanges: Sequence[str]) -> tuple[Override, ...]:
        """For each of these exchanges, or for none. Raises InvalidInput; Conflict for a day that has one already."""
        said = [self._checked(by, typed, exchange) for exchange in exchanges]
        with self._database.transaction() as session:
            lock_table(session, CalendarOverride)
            for each in said:
                self._refuse_second(session, each)
                session.add(_filled(CalendarOverride(), each, by))
                self._log(session, by, "calendar.set", each, f"{each.exchange} on {each.day:%d %b %Y} is {each.words}")
        return tuple(said)

    def change(self, by: Actor, override_id: int, typed: Typed, exchange: str) -> Override:
        """Raises NotFound; InvalidInput; Conflict when its new day has another. The same again is not written again."""
        said = self._checked(by, typed, exchange)
        with self._database.transaction() as session:
            lock_table(session, CalendarOverride)
            row = _row(session, override_id)
            before = _said(row)
            if replace(said, by=before.by, at=before.at) == before:
                return before
            if (before.day, before.exchange) != (said.day, said.exchange):
                self._refuse_second(session, said)
            _filled(row, said, by)
            was = f"was {before.exchange} on {before.day:%d %b %Y}: {before.words}"
            words = f"{said.exchange} on {said.day:%d %b %Y} is {said.words} ({was})"
            self._log(session, by, "calendar.change", said, words)
        return said

    def remove(self, by: Actor, override_id: int) -> Override:
        """From now on what a gateway says counts again. Raises NotFound."""
        with self._database.transaction() as session:
            row = _row(session, override_id)
            said = _said(row)
            session.delete(row)
            words = f"{said.exchange} on {said.day:%d %b %Y} is as a gateway says again; it was {said.words}"
            self._log(session, by, "calendar.remove", said, words)
        return said

    def _checked(self, by: Actor, typed: Typed, exchange: str) -> Override:
        today = trading_date(self._market_clock.now())
        return override_of(typed, exchange, today=today, by=by.username, at=self._clock.now())

    def _refuse_second(self, session: Session, said: Override) -> None:
        same = select(CalendarOverride.id).where(
            CalendarOverride.day == said.day, CalendarOverride.exchange == said.exchange
        )
        if session.scalars(same).first() is not None:
            raise Conflict(f"{said.exchange} has an override on {said.day:%d %b %Y} already. Edit or remove that one.")

    def _log(self, session: Session, by: Actor, action: str, said: Override, words: str) -> None:
        self._activity.record(
            session,
            user_id=by.id,
            actor=by.username,
            action=action,
            subject=f"calendar:{said.day}",
            sentence=f"Calendar: {words}. {said.reason}",
            detail={"day": said.day.isoformat(), "exchange": said.exchange, "hours": said.words, "reason": said.reason},
        )


def _row(session: Session, override_id: int) -> CalendarOverride:
    row = session.get(CalendarOverride, override_id)
    if row is None:
        raise NotFound("This override is gone. Somebody removed it.")
    return row


def _filled(row: CalendarOverride, said: Override, by: Actor) -> CalendarOverride:
    row.day, row.exchange, row.reason = said.day, said.exchange, said.reason
    row.opens_minute, row.closes_minute = (None, None) if said.hours is None else map(_minute, said.hours)
    row.user_id, row.actor, row.at = by.id, by.username, said.at
    return row


def _said(row: CalendarOverride) -> Override:
    hours = None
    if row.opens_minute is not None and row.closes_minute is not None:
        hours = (_time(row.opens_minute), _time(row.closes_minute))
    return Override(row.day, row.exchange, hours, row.reason, row.actor, row.at)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _time(minute: int) -> time:
    return time(*divmod(minute, 60))
