"""Spares a gateway that keeps failing: one reader goes on asking for its books at growing pauses, nobody else does."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.ports.clock import Clock
from app.ports.gateway import Resting

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 15.0
JITTER = 0.2
"""The share of a pause that is random, so that accounts which failed together do not ask together."""

FAILURES_THAT_OPEN = 2
"""Failed reads in a row after which everybody else keeps away: a single one is a hiccup."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    failures: int
    until: float
    reason: str


class ReadBreaker:
    """Thread-safe. Each account has its own: trouble of one says nothing about the others."""

    def __init__(self, clock: Clock, dice: Callable[[], float] = random.random) -> None:
        """`dice` gives numbers from 0 up to 1."""
        self._clock = clock
        self._dice = dice
        self._troubles: dict[int, _Trouble] = {}
        self._lock = threading.Lock()

    def failed(self, account_id: int, error: Exception) -> float:
        """Its one reader failed. Returns the seconds after which it is to try again, which is when others may too."""
        with self._lock:
            known = self._troubles.get(account_id)
            failures = 1 if known is None else known.failures + 1
            whole = min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S)
            pause_s = whole * (1 - JITTER * self._dice())
            self._troubles[account_id] = _Trouble(failures, self._clock.monotonic() + pause_s, str(error))
        return pause_s

    def worked(self, account_id: int) -> None:
        """Its books were read: anybody may ask again."""
        with self._lock:
            self._troubles.pop(account_id, None)

    def ask(self, account_id: int) -> None:
        """Raises Resting while only the one reader is to ask this account's gateway."""
        with self._lock:
            trouble = self._troubles.get(account_id)
        if trouble is None or trouble.failures < FAILURES_THAT_OPEN or self._clock.monotonic() >= trouble.until:
            return
        raise Resting(f"Not asked, as its books could not be read {trouble.failures} times: {trouble.reason}")
