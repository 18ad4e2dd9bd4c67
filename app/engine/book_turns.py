"""When each account's books are read next: after their own pause, or sooner because somebody asked."""

import math
import threading
from collections.abc import Callable

from app.ports.clock import Clock

HOLD_S = 0.3
"""How much longer pauses last once orders go out: reading the books of many accounts would delay those that follow."""

LONGEST_HOLD_S = 1.0
"""Beyond its end no pause lasts longer than this, however many orders go out."""


class BookTurns:
    """Thread-safe. `wake` is told which account's loop to call; that loop asks `wait_s` before it reads."""

    def __init__(self, clock: Clock, wake: Callable[[int], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._asked: dict[int, float] = {}
        self._paused: dict[int, float] = {}
        self._held_until = -math.inf
        self._lock = threading.Lock()

    def ask(self, account_id: int, within_s: float = 0.0) -> None:
        """Read this account's books in `within_s` seconds at the latest."""
        due = self._clock.monotonic() + within_s
        with self._lock:
            known = self._asked.get(account_id, math.inf)
            if known <= due:
                return
            self._asked[account_id] = due
            if self._paused.get(account_id, math.inf) <= due and self._held_until <= due:
                return
        self._wake(account_id)

    def hold(self) -> None:
        """Orders go out now: who only wants to look again lets them go first."""
        with self._lock:
            self._held_until = self._clock.monotonic() + HOLD_S

    def wait_s(self, account_id: int) -> float:
        """Seconds until it is this account's turn; 0 takes the turn: what is asked from now on asks for another."""
        with self._lock:
            wait_s = self._due(account_id) - self._clock.monotonic()
            if wait_s <= 0:
                self._asked.pop(account_id, None)
                self._paused.pop(account_id, None)
            return max(wait_s, 0.0)

    def rest(self, account_id: int, pause_s: float) -> float:
        """It was read and rests. Seconds until the next turn, fewer than `pause_s` when somebody asked meanwhile."""
        now = self._clock.monotonic()
        with self._lock:
            self._paused[account_id] = now + pause_s
            return max(min(self._asked.get(account_id, math.inf), now + pause_s) - now, 0.0)

    def _due(self, account_id: int) -> float:
        asked, paused = self._asked.get(account_id, math.inf), self._paused.get(account_id, math.inf)
        if math.isinf(asked) and math.isinf(paused):
            return -math.inf  # it was never read
        return min(asked, max(paused, min(self._held_until, paused + LONGEST_HOLD_S)))
