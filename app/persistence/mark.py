"""The mark outside the database: a small file that says what was committed, so that an older database is recognised."""

import os
import threading
import zlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.domain.errors import Unavailable
from app.domain.setback import Mark
from app.ports.clock import Clock

NEVER = "-"

SIZE = 512
"""Bytes, always: within one sector of a disk, so that a new mark stands there whole or not at all."""

SAME_MOMENT_S = 5.0
"""A file system's time of the last change and ours of the same writing differ by less."""


class UnfitMark(Unavailable):
    """There is a mark and it says nothing: damaged, or copied, so that it may be as old as the database beside it."""


class MarkFile:
    """Thread-safe. Who writes is the engine that leads, and nobody else."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: int | None = None
        self._is_new = False
        self._lock = threading.Lock()

    def read(self) -> Mark | None:
        """None when there is none. Raises UnfitMark.

        Whoever puts a file back, from an archive or with cp, changes it now, whatever times he gives it: its time of
        change is not one that can be set. So a mark that came back together with its database does not vouch for it.
        """
        try:
            text, changed = self._path.read_bytes(), self._path.stat().st_ctime
        except FileNotFoundError:
            return None
        check, _, body = text.rstrip(b" \n").partition(b" ")
        if check != _check(body):
            raise UnfitMark("The mark that the engine keeps beside its database is damaged")
        lineage, epoch, intent_id, sent_at, activity_id, at = body.decode().split(" ")
        if abs(changed - float(at)) > SAME_MOMENT_S:
            raise UnfitMark(
                "The mark that the engine keeps beside its database was put there, or moved, since the engine wrote it"
            )
        if intent_id == NEVER:
            return Mark(lineage, int(epoch), activity_id=int(activity_id))
        return Mark(lineage, int(epoch), int(intent_id), datetime.fromisoformat(sent_at), int(activity_id))

    def begin(self, mark: Mark) -> None:
        """A file of our own from now on, on the disk when this returns. Raises OSError."""
        beside = self._path.with_name(f"{self._path.name}.new")
        self.close()
        with self._lock:
            file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            os.pwrite(file, self._words(mark), 0)
            os.fsync(file)
            beside.replace(self._path)
            _sync(self._path.parent)
            self._file = file

    def write(self, mark: Mark) -> None:
        """In place, and not yet on the disk: what kills this process does not undo it. What the machine forgets when
        its power goes only makes an older mark. Raises OSError.
        """
        with self._lock:
            if self._file is not None:
                os.pwrite(self._file, self._words(mark), 0)
                self._is_new = True

    def keep(self) -> None:
        """Bring what was written to the disk; nobody waits for it to write. Called each second, so that words and time
        of change are of one moment there. Raises OSError.
        """
        with self._lock:
            file, is_new = self._file, self._is_new
            self._is_new = False
        if file is not None and is_new:
            os.fsync(file)

    def close(self) -> None:
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                os.close(file)

    def _words(self, mark: Mark) -> bytes:
        sent_at = NEVER if mark.sent_at is None else mark.sent_at.isoformat()
        claim = f"{NEVER if mark.intent_id is None else mark.intent_id} {sent_at}"
        body = f"{mark.lineage} {mark.epoch} {claim} {mark.activity_id} {self._clock.now().timestamp()}".encode()
        return (_check(body) + b" " + body).ljust(SIZE - 1) + b"\n"


def _check(body: bytes) -> bytes:
    return f"{zlib.crc32(body):08x}".encode()


def _sync(folder: Path) -> None:
    """The new name is on the disk as well."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
