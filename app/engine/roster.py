"""Keeps two loops for each account from the moment it is added: one reads its books, one hears of its orders."""

from collections.abc import Callable
from functools import partial

from app.engine.supervisor import Supervisor
from app.services.order_feeds import OrderFeeds

LOOK_S = 1.0
RESTING_S = 5.0


class Roster:
    """`step` belongs to the roster loop. The loops of an archived account stay, resting: threads are not taken away."""

    def __init__(
        self,
        supervisor: Supervisor,
        order_feeds: OrderFeeds,
        *,
        active: Callable[[], list[int]],
        at_work: Callable[[], frozenset[int]],
        read_books: Callable[[int], float],
    ) -> None:
        """`at_work` gives the accounts in which something may change hands: they need pushed order updates."""
        self._supervisor = supervisor
        self._order_feeds = order_feeds
        self._active = active
        self._at_work = at_work
        self._read_books = read_books
        self._ids: frozenset[int] = frozenset()

    def step(self) -> float:
        self._ids = frozenset(self._active())
        self._order_feeds.need(self._ids & self._at_work())
        for account_id in sorted(self._ids):
            if not self._supervisor.has(loop_of(account_id)):
                self._supervisor.add(loop_of(account_id), partial(self._read, account_id))
                self._supervisor.add(f"orders-{account_id}", partial(self._order_feeds.step, account_id))
        return LOOK_S

    def _read(self, account_id: int) -> float:
        return self._read_books(account_id) if account_id in self._ids else RESTING_S


def loop_of(account_id: int) -> str:
    """The name of the loop that reads this account's books."""
    return f"books-{account_id}"
