"""Keeps one loop that reads the books of each account, from the moment the account is added."""

from collections.abc import Callable
from functools import partial

from app.engine.supervisor import Supervisor

LOOK_S = 1.0
RESTING_S = 5.0


class Roster:
    """`step` belongs to the roster loop. The loop of an archived account stays, resting: threads are not taken away."""

    def __init__(
        self, supervisor: Supervisor, active: Callable[[], list[int]], read_books: Callable[[int], float]
    ) -> None:
        self._supervisor = supervisor
        self._active = active
        self._read_books = read_books
        self._ids: frozenset[int] = frozenset()

    def step(self) -> float:
        self._ids = frozenset(self._active())
        for account_id in sorted(self._ids):
            if not self._supervisor.has(loop_of(account_id)):
                self._supervisor.add(loop_of(account_id), partial(self._read, account_id))
        return LOOK_S

    def _read(self, account_id: int) -> float:
        return self._read_books(account_id) if account_id in self._ids else RESTING_S


def loop_of(account_id: int) -> str:
    """The name of the loop that reads this account's books."""
    return f"books-{account_id}"
