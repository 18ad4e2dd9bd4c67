"""Who may send orders: one process at a time, by a file lock, and an epoch in the database that fences the one before.

The lock is freed by the kernel the moment its holder dies. The epoch guards against a holder that only slept: each
claim of an intent names its epoch, and a claim under an old one changes no row.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy import select

from app.persistence.database import Database
from app.persistence.tables import LeaseRow
from app.ports.clock import Clock


class Lease:
    """The lease of this process. `take` and `give_back` are for one owner; `epoch` may be read by any thread."""

    def __init__(self, database: Database, clock: Clock, lock_path: Path) -> None:
        self._database = database
        self._clock = clock
        self._lock_path = lock_path
        self._file: IO[str] | None = None
        self._epoch: int | None = None

    @property
    def epoch(self) -> int | None:
        """None while this process does not lead."""
        return self._epoch

    def take(self) -> bool:
        """True when this process leads, from now or already. Does not wait for another holder."""
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
            epoch = self._next_epoch()
        finally:
            if epoch is None:
                file.close()  # else the lock stays with a file nobody holds, and this process could never lead
        self._file, self._epoch = file, epoch
        return True

    def give_back(self) -> None:
        """Stop leading. Claims under our epoch fail from the moment another process takes over."""
        self._epoch = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next_epoch(self) -> int:
        with self._database.transaction() as session:
            row = session.scalars(select(LeaseRow).with_for_update()).one_or_none()
            if row is None:
                row = LeaseRow(id=1, epoch=0)
                session.add(row)
            row.epoch += 1
            row.owner = f"{os.uname().nodename}:{os.getpid()}"
            row.taken_at = self._clock.now()
            return row.epoch
