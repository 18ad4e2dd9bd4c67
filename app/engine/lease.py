"""Who may send orders: one process at a time, and an epoch in the database that fences the one before.

A claim of an intent names the epoch it is made under; under an old one it changes no row. So a holder that only slept
can do no harm, whichever way the lease itself is kept: by a file lock on one machine, or by a row that is renewed.
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.errors import Misconfigured
from app.persistence.database import Database
from app.persistence.leading import until
from app.persistence.tables import LeaseRow
from app.ports.clock import Clock

log = logging.getLogger(__name__)

TTL_S = 5.0
"""How long a holder that cannot renew its row still has it."""

SURE_S = 3.0
"""How long after its last renewal a holder still sends: it stops before anybody else can begin."""

GUARD = 0x414D4C45
"""The number of the advisory lock that a holder's connection keeps: free the moment its process dies."""


@dataclass(frozen=True, slots=True)
class Build:
    """What this process is. `schema` gives the newest migration it knows; None: not to be compared."""

    version: tuple[int, ...]
    schema: Callable[[], str | None] = lambda: None

    def written(self) -> str:
        return ".".join(str(part) for part in self.version)


class Lease(Protocol):
    """`take`, `renew` and `give_back` are for one owner; `epoch` may be read by any thread."""

    @property
    def epoch(self) -> int | None:
        """The epoch to claim under; None while this process does not lead, or cannot be sure that it does."""

    def take(self) -> bool:
        """True when this process leads, from now or already. Does not wait for another holder.

        Raises Misconfigured for a process that must never lead: an older build, or one made for other tables.
        """

    def renew(self) -> bool:
        """Say that this process still leads; False when another one took over."""

    def give_back(self) -> None:
        """Stop leading: another process may, at once."""


class FileLease:
    """By a lock on a file, which the kernel frees the moment its holder dies. For processes of one machine."""

    def __init__(self, database: Database, clock: Clock, lock_path: Path, build: Build) -> None:
        self._database = database
        self._clock = clock
        self._lock_path = lock_path
        self._build = build
        self._file: IO[str] | None = None
        self._epoch: int | None = None

    @property
    def epoch(self) -> int | None:
        return self._epoch

    def take(self) -> bool:
        if self._epoch is not None:
            return True
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        file = self._lock_path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        epoch = None
        try:
            with self._database.transaction() as session:
                epoch = _next_epoch(session, self._build, self._clock, _owner()).epoch
        finally:
            if epoch is None:
                file.close()  # else the lock stays with a file nobody holds, and this process could never lead
        self._file, self._epoch = file, epoch
        return True

    def renew(self) -> bool:
        return self._epoch is not None

    def give_back(self) -> None:
        self._epoch = None
        if self._file is not None:
            self._file.close()
            self._file = None


class DatabaseLease:
    """By a row with an end that the database's own clock measures. For processes on any machine, on PostgreSQL.

    A holder whose process died is known by its connection, which kept an advisory lock: nobody waits for its end. That
    connection may be cut while its process lives, so it is asked with every renewal and made anew.
    """

    def __init__(
        self, database: Database, clock: Clock, build: Build, *, ttl_s: float = TTL_S, sure_s: float = SURE_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._build = build
        self._ttl_s, self._sure_s = ttl_s, sure_s
        self._owner = f"{_owner()}:{secrets.token_hex(4)}"
        self._epoch: int | None = None
        self._renewed = 0.0
        self._guard: Connection | None = None

    @property
    def epoch(self) -> int | None:
        sure = self._clock.monotonic() - self._renewed <= self._sure_s
        return self._epoch if sure else None

    def take(self) -> bool:
        if self._epoch is not None:
            return self.renew()
        self._guard = self._guarded()
        asked = self._clock.monotonic()
        with self._database.transaction() as session:
            if self._guard is None and not _has_ended(session):
                return False
            row = _next_epoch(session, self._build, self._clock, self._owner)
            session.flush()
            session.execute(update(LeaseRow).values(expires_at=until(self._ttl_s)))
            epoch = row.epoch
        # Counted from before the database was asked, so that we are never surer than its clock is.
        self._epoch, self._renewed = epoch, asked
        return True

    def renew(self) -> bool:
        asked = self._clock.monotonic()
        mine = update(LeaseRow).where(LeaseRow.epoch == self._epoch, LeaseRow.owner == self._owner)
        with self._database.transaction() as session:
            renewed = session.execute(mine.values(expires_at=until(self._ttl_s)))
            kept: bool = renewed.rowcount == 1  # type: ignore[attr-defined]
        if kept:
            self._renewed = asked
            self._guard_again()
        else:
            self._epoch = None
        return kept

    def give_back(self) -> None:
        epoch, self._epoch = self._epoch, None
        try:
            if epoch is not None:
                with self._database.transaction() as session:
                    session.execute(update(LeaseRow).where(LeaseRow.epoch == epoch).values(expires_at=until(0)))
        finally:
            guard, self._guard = self._guard, None
            if guard is not None:
                guard.invalidate()  # closed alone, a pool would keep it open, and the lock with it
                guard.close()

    def _guard_again(self) -> None:
        """Without a guard this process would be taken for dead by whoever comes next. The row is renewed either way."""
        try:
            self._guard = self._guarded()
        except SQLAlchemyError as error:
            self._guard = None
            log.warning("the connection that shows that this process lives could not be made anew: %s", error)

    def _guarded(self) -> Connection | None:
        """A connection of its own with the advisory lock, the one we have while it lives; None when another process
        has the lock.
        """
        known, self._guard = self._guard, None
        if known is not None and _is_alive(known):
            return known
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": GUARD}):
                return connection
        except SQLAlchemyError:
            connection.close()
            raise
        connection.close()
        return None


def _is_alive(connection: Connection) -> bool:
    try:
        connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        connection.close()  # it would connect again by itself, and without the lock
        return False
    return True


def _has_ended(session: Session) -> bool:
    """Whether nobody holds the row any more, by the clock of the database."""
    row = select(LeaseRow.epoch).where(LeaseRow.expires_at > until(0))
    return session.scalars(row).first() is None


def _next_epoch(session: Session, build: Build, clock: Clock, owner: str) -> LeaseRow:
    """The row, under a new epoch and our name. Raises Misconfigured when this build must not lead."""
    row = session.scalars(select(LeaseRow).with_for_update()).one_or_none()
    if row is None:
        row = LeaseRow(id=1, epoch=0)
        session.add(row)
    schema = build.schema()
    _fits(session, schema)
    _is_newest(build, row)
    row.epoch += 1
    row.owner, row.build, row.schema = owner, build.written(), schema
    row.taken_at = clock.now()
    return row


def _fits(session: Session, schema: str | None) -> None:
    if schema is None:
        return
    found = session.scalar(text("SELECT version_num FROM alembic_version"))
    if found != schema:
        raise Misconfigured(
            f"The database has the tables of migration {found} and this version needs {schema}: run `flask db upgrade`."
        )


def _is_newest(build: Build, row: LeaseRow) -> None:
    before = tuple(int(part) for part in row.build.split(".")) if row.build else ()
    if before > build.version:
        raise Misconfigured(
            f"Version {row.build} has sent orders on this database; version {build.written()} is older and will not."
        )


def _owner() -> str:
    return f"{os.uname().nodename}:{os.getpid()}"
