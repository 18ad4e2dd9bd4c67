"""A disk that fills up: a reserve is given back so that exits can still be written down, and entries stop."""

import logging
import os
import shutil
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.domain.gate import Code
from app.persistence.database import Database
from app.services.activity import Activity
from app.services.entry_locks import EntryLocks

log = logging.getLogger(__name__)

LOOK_S = 2.0
LEAST_FREE = 32 * 1024 * 1024
"""Bytes. Below this the disk counts as full: a write-ahead log needs room to grow before it can be taken in."""

FULL = "The disk is full: no entries are sent, exits go on. Make room on it, then entries are sent again by themselves."


class DiskWatch:
    """`step` belongs to one loop; `is_full` is called by whoever could not write."""

    def __init__(
        self, folder: Path, database: Database, activity: Activity, locks: EntryLocks, *, reserve_bytes: int
    ) -> None:
        """`folder` is that of the database. `reserve_bytes` 0: keep none, watch all the same."""
        self._reserve = folder / "reserve.bin"
        self._folder = folder
        self._database = database
        self._activity = activity
        self._locks = locks
        self._reserve_bytes = reserve_bytes

    def step(self) -> float:
        self._folder.mkdir(parents=True, exist_ok=True)
        free = self.free_bytes()
        if free < LEAST_FREE:
            self.is_full()
        elif free >= 2 * LEAST_FREE + self._reserve_bytes:
            self._keep_reserve()
            if self._locks.lift(Code.DISK_FULL):
                self._say("There is room on the disk again: entries are sent.")
        return LOOK_S

    def is_full(self) -> None:
        """Give the reserve back, at once and before anything else is tried."""
        self._reserve.unlink(missing_ok=True)
        if self._locks.hold(Code.DISK_FULL, FULL):
            log.critical(FULL)
            self._say(FULL)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _keep_reserve(self) -> None:
        if not self._reserve_bytes or self._reserve.exists():
            return
        with self._reserve.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._reserve_bytes)

    def _say(self, sentence: str) -> None:
        """Best effort: on a full disk there may be no room for it, and the log above has it."""
        try:
            with self._database.transaction() as session:
                self._activity.record(
                    session, user_id=None, actor="engine", action="engine.disk", subject="engine", sentence=sentence
                )
        except SQLAlchemyError:
            log.exception("not written down: %s", sentence)
