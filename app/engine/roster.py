"""Keeps two loops for each account from the moment it is added: one reads its books, one hears of its orders."""

from collections.abc import Callable
from functools import partial

from app.engine.book_turns import BookTurns
from app.engine.supervisor import Supervisor
from app.services.order_feeds import OrderFeeds

LOOK_S = 0.5
RESTING_S = 5.0

PUSHED_PAUSE_S = 2.0
"""The shortest pause between two reads of the books of an account whose order updates are pushed, unless asked for."""


class Roster:
    """`step` belongs to the roster loop. The loops of an archived account stay, resting: threads are not taken away."""

    def __init__(
        self,
        supervisor: Supervisor,
        order_feeds: OrderFeeds,
        turns: BookTurns,
        *,
        active: Callable[[], list[int]],
        at_work: Callable[[], frozenset[int]],
        read_books: Callable[[int], float],
        open_lane: Callable[[int], None],
    ) -> None:
        """`at_work` gives the accounts in which something changes hands or is about to: they need pushed updates.

        `open_lane` starts the workers of an account, so that its first order waits for no thread to begin.
        """
        self._supervisor = supervisor
        self._order_feeds = order_feeds
        self._turns = turns
        self._active = active
        self._at_work = at_work
        self._read_books = read_books
        self._open_lane = open_lane
        self._ids: frozenset[int] = frozenset()

    def step(self) -> float:
        self._ids = frozenset(self._active())
        self._order_feeds.need(self._ids & self._at_work())
        for account_id in sorted(self._ids):
            if not self._supervisor.has(loop_of(account_id)):
                self._supervisor.add(loop_of(account_id), partial(self._read, account_id))
                self._supervisor.add(f"orders-{account_id}", partial(self._order_feeds.step, account_id))
                self._open_lane(account_id)
        return LOOK_S

    def _read(self, account_id: int) -> float:
        if account_id not in self._ids:
            return RESTING_S
        wait_s = self._turns.wait_s(account_id)
        if wait_s > 0:
            return wait_s
        pause_s = self._read_books(account_id)
        least_s = PUSHED_PAUSE_S if self._order_feeds.is_open(account_id) else 0.0
        return self._turns.rest(account_id, max(pause_s, least_s))


def loop_of(account_id: int) -> str:
    """The name of the loop that reads this account's books."""
    return f"books-{account_id}"
