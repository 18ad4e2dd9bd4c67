"""When each account's books are read next: after their own pause, or sooner because somebody asked."""

import threading
from collections.abc import Callable

from app.ports.clock import Clock


class BookTurns:
    """Thread-safe. `wake` is told which account's loop to call; that loop asks `wait_s` before it reads."""

    def __init__(self, clock: Clock, wake: Callable[[int], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._due: dict[int, float] = {}
        self._lock = threading.Lock()

    def ask(self, account_id: int, within_s: float = 0.0) -> None:
        """Read this account's books in `within_s` seconds at the latest."""
        due = self._clock.monotonic() + within_s
        with self._lock:
            known = self._due.get(account_id)
            if known is not None and known <= due:
                return
            self._due[account_id] = due
        self._wake(account_id)

    def wait_s(self, account_id: int) -> float:
        """Seconds until it is this account's turn; 0 takes the turn: what is asked from now on asks for another."""
        with self._lock:
            due = self._due.get(account_id)
            wait_s = 0.0 if due is None else due - self._clock.monotonic()
            if wait_s <= 0:
                self._due.pop(account_id, None)
            return max(wait_s, 0.0)

    def rest(self, account_id: int, pause_s: float) -> float:
        """It was read and rests. Seconds until the next turn, fewer than `pause_s` when somebody asked meanwhile."""
        now = self._clock.monotonic()
        with self._lock:
            due = self._due[account_id] = min(self._due.get(account_id, now + pause_s), now + pause_s)
        return max(due - now, 0.0)
