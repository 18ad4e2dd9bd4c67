"""Which runs, and which of their accounts, are to be looked at: noted by any thread, taken by the executor's loop."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from app.ports.clock import Clock

SOON_S: Final = 0.05
"""How long a run waits for more to happen when what did asks for nothing by itself."""

_NEVER: Final = float("inf")


class Touches:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now: dict[int, set[int] | None] = {}
        self._soon: dict[int, dict[int, float]] = {}
        self._lock = threading.Lock()

    def add(self, run_id: int, account_id: int | None = None) -> None:
        """Something changed in that account of the run, or (None) who knows where."""
        with self._lock:
            self._add(run_id, account_id)

    def add_all(self, run_ids: Iterable[int]) -> None:
        with self._lock:
            self._now |= dict.fromkeys(run_ids)

    def add_soon(self, run_id: int, account_id: int) -> None:
        """As `add`, for what hardly ever asks for anything: it is taken with the next thing, or when SOON_S is over."""
        with self._lock:
            self._soon.setdefault(run_id, {}).setdefault(account_id, self._clock.monotonic() + SOON_S)

    def take(self, order: Callable[[Iterable[int]], Sequence[int]]) -> tuple[int, set[int] | None] | None:
        """The run that `order` puts first, with the accounts to look at, None meaning all; None when there is none."""
        with self._lock:
            now = self._clock.monotonic()
            for run_id, accounts in self._soon.items():
                for account_id in [each for each, due in accounts.items() if due <= now]:
                    self._add(run_id, account_id)
            if not self._now:
                return None
            run_id = order(self._now)[0]
            touched, soon = self._now.pop(run_id), self._soon.pop(run_id, {})
            return run_id, None if touched is None else touched | soon.keys()

    def wait_s(self) -> float:
        """Seconds until something that was added for soon is due; endless when nothing was."""
        with self._lock:
            due = min((min(accounts.values()) for accounts in self._soon.values()), default=_NEVER)
        return max(0.0, due - self._clock.monotonic())

    def _add(self, run_id: int, account_id: int | None) -> None:
        if account_id is None:
            self._now[run_id] = None
        elif (accounts := self._now.setdefault(run_id, set())) is not None:
            accounts.add(account_id)
