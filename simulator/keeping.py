"""What the simulator keeps between two starts: the market's moment and every account's books, in one file.

Without it a desk that is started again meets brokers who have forgotten what it holds.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.rest_gtt_book import GttBook
from simulator.venue import Venue

SAVE_WITHIN_S = 1.0
"""Real seconds from a change of an order until it is on the disk."""
SAVE_EVERY_S = 10.0
"""Real seconds between two saves of the moment alone."""
DRAIN_S = 3600.0
"""What is under way at a broker happens within so many real seconds."""
SOURCES = Path(__file__).parent

UNREADABLE = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError)
"""What pickle raises for bytes it did not write."""


@dataclass(frozen=True)
class Kept:
    """A market with its accounts, and each account's trigger orders."""

    venue: Venue
    gtt: list[GttBook]


class Keeper:
    """Saves and loads. For one simulator at a time; only its loop may call."""

    def __init__(self, path: Path, options: Hashable) -> None:
        """`options` and the simulator's own code must be the same at the next start, else nothing is taken over."""
        self._path = path
        self._stamp = f"{_fingerprint()} {options!r}"
        self._masters: tuple[object, bytes] | None = None
        self._changed = False
        self._since_s = 0.0

    def load(self) -> Kept | None:
        """What was saved; None when there is nothing, or it is of another kind of simulator.

        Raises ValueError for a file that cannot be read.
        """
        try:
            stamp, masters, state = pickle.loads(self._path.read_bytes())  # noqa: S301  our own file, in our own folder
            if stamp != self._stamp:
                return None
            kept: Kept = _Reader(io.BytesIO(state), pickle.loads(masters)).load()  # noqa: S301
        except FileNotFoundError:
            return None
        except UNREADABLE as error:
            raise ValueError(f"{self._path} cannot be read ({error}). Delete it: the market begins anew.") from error
        return kept

    def watch(self, venue: Venue) -> None:
        """From now on a change of any order is noted."""
        for account in venue.accounts:
            account.on_order_update(self._note)

    def pass_real(self, seconds: float, kept: Kept) -> None:
        """Let time pass, and save when it is time. While something is under way at a broker that waits for it."""
        self._since_s += seconds
        if self._since_s >= (SAVE_WITHIN_S if self._changed else SAVE_EVERY_S) and not kept.venue.timers.busy:
            self.save(kept)

    def save(self, kept: Kept) -> None:
        """Write it down, whole or not at all. What is under way at a broker must have happened."""
        self._changed, self._since_s = False, 0.0
        state = io.BytesIO()
        _Writer(state, kept.venue.masters).dump(kept)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(pickle.dumps((self._stamp, self._pickled(kept.venue.masters), state.getvalue())))
        fresh.replace(self._path)

    def _note(self, _view: object) -> None:
        self._changed = True

    def _pickled(self, masters: tuple[Any, ...]) -> bytes:
        """The lists of contracts are large and change once a day, so they are pickled once."""
        if self._masters is None or self._masters[0] is not masters[-1]:
            self._masters = (masters[-1], pickle.dumps(masters))
        return self._masters[1]


class _Writer(pickle.Pickler):
    """Names the lists of contracts instead of writing them."""

    def __init__(self, file: io.BytesIO, masters: tuple[Any, ...]) -> None:
        super().__init__(file, protocol=5)
        self._names = {id(each): place for place, each in enumerate(masters)}

    def persistent_id(self, obj: object) -> int | None:
        return self._names.get(id(obj))


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, masters: tuple[Any, ...]) -> None:
        super().__init__(file)
        self._masters = masters

    def persistent_load(self, pid: Any) -> Any:
        return self._masters[pid]


def _fingerprint() -> str:
    code = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.py")):
        code.update(source.read_bytes())
    return code.hexdigest()
