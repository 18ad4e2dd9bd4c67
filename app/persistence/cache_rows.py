"""The last tier of the cache: one row for each key, written over."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.persistence.database import Database
from app.persistence.moments import age_of, has_clock, moment
from app.persistence.tables import CacheEntry
from app.persistence.turns import Turn
from app.ports.cache import CacheDown, Kept
from app.ports.clock import Clock


class CacheRows:
    """The LastTier port. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, key: str) -> Kept | None:
        ours = self._clock.now()
        with _down(), self._database.reading() as session:
            columns = (age_of(session, column, ours) for column in (CacheEntry.written_at, CacheEntry.expires_at))
            query = select(CacheEntry.value, *columns).where(CacheEntry.key == key)
            row = session.execute(query).first()
        if row is None or row[2] >= 0:
            return None
        value, age_s, over_s = row
        return Kept(value, max(0.0, age_s), -over_s)

    def put_all(self, kept: Mapping[str, Kept]) -> None:
        """In one transaction that lets everybody else go first.

        In the order of their keys, so that two who write the same do not wait for each other.
        """
        ours = self._clock.now()
        with _down(), self._database.transaction(Turn.LATER) as session:
            insert: Any = postgresql.insert if has_clock(session) else sqlite.insert
            query = insert(CacheEntry).values(
                [
                    {
                        "key": key,
                        "value": each.value,
                        "written_at": moment(session, ours, -each.age_s),
                        "expires_at": moment(session, ours, each.left_s),
                    }
                    for key, each in sorted(kept.items())
                ]
            )
            newer = query.excluded
            columns = {name: newer[name] for name in ("value", "written_at", "expires_at")}
            is_newer = CacheEntry.written_at < newer.written_at  # who slept has an older one to write
            session.execute(query.on_conflict_do_update(index_elements=["key"], set_=columns, where=is_newer))

    def sweep(self) -> None:
        with _down(), self._database.transaction(Turn.LATER) as session:
            session.execute(delete(CacheEntry).where(CacheEntry.expires_at <= moment(session, self._clock.now())))


@contextmanager
def _down() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise CacheDown(str(getattr(error, "orig", None) or error)) from error  # without the bytes of the statement
