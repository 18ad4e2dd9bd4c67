"""How long an adoption waits: until the books of its account were read twice since it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.domain.adoption import AdoptCode
from app.domain.errors import Denied, Unavailable
from app.domain.reconcile import CLEAN_READS
from app.ports.clock import Clock

PATIENCE_S = 20.0
"""How long the books may take before nothing is adopted."""

ALONG_PATIENCE_S = 180.0
"""How long what the kill switch takes along waits for books, a price and our own exits in that contract: proving that
an order of unknown outcome is not there takes up to 150 s.
"""


class KeptBooks(Protocol):
    """The reconciler: when (monotonic) the newest read began whose orders and positions our rows show."""

    def kept(self, account_id: int) -> float | None: ...


@dataclass(slots=True)
class _Waiting:
    """A command that waits for books: since when (monotonic), and the reads that began since."""

    since: float
    reads: set[float]


class AdoptionWaits:
    """For one thread. An engine that begins anew waits anew."""

    def __init__(self, clock: Clock, books: KeptBooks, read_soon: Callable[[int], None]) -> None:
        self._clock = clock
        self._books = books
        self._read_soon = read_soon
        self._waiting: dict[int, _Waiting] = {}

    def for_books(self, command_id: int, account_id: int, patience_s: float) -> None:
        """Raises Unavailable until enough reads that began since are kept, Denied when they do not come by then."""
        waiting = self._waiting.setdefault(command_id, _Waiting(self._clock.monotonic(), set()))
        kept = self._books.kept(account_id)
        if kept is not None and kept > waiting.since:
            waiting.reads.add(kept)
        if len(waiting.reads) >= CLEAN_READS:
            return
        if self.lasts_s(command_id) > patience_s:
            words = f"The account's books could not be read for {patience_s:.0f} s, so nothing was adopted."
            raise Denied(AdoptCode.UNREAD, words)
        self._read_soon(account_id)
        raise Unavailable("The account's books are read first.")

    def lasts_s(self, command_id: int) -> float:
        """Seconds since it was first tried; 0 where it was not."""
        waiting = self._waiting.get(command_id)
        return 0.0 if waiting is None else self._clock.monotonic() - waiting.since

    def over(self, command_id: int) -> None:
        """It was done or refused."""
        self._waiting.pop(command_id, None)
