"""Whose turn it is to serve prices: three tries, then the next account, with growing pauses once all have failed."""

from collections.abc import Callable, Sequence

TRIES = 3
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 4.0


class FeedTurns:
    """For one thread. `jitter` gives numbers from 0 to 1."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._at: int | None = None
        self._tries = 0
        self._moves = 0
        self._pauses = 0

    def account(self, order: Sequence[int]) -> int | None:
        """Who is to be tried now; None without accounts. One that left the order is not tried again."""
        if not order:
            return None
        if self._at not in order:
            self._go_to(order[0])
        return self._at

    def served(self, account_id: int) -> None:
        """That account is doing it well: all is forgiven."""
        self._go_to(account_id)
        self._moves = self._pauses = 0

    def take(self, account_id: int) -> None:
        """That account is to serve now."""
        self._go_to(account_id)

    def failed(self, order: Sequence[int], *, hopeless: bool) -> float:
        """A feed was lost, or could not be opened. Returns the seconds to wait before the next try.

        `hopeless` means that trying the same account again is of no use: wrong key, or not logged in at its broker.
        """
        self._tries += 1
        if (hopeless or self._tries > TRIES) and self._at is not None and self._at in order:
            self._go_to(order[(order.index(self._at) + 1) % len(order)])
            self._moves += 1
            if self._moves < len(order):
                return 0.0  # somebody who has not been tried yet: at once
        pause: float = min(FIRST_PAUSE_S * 2.0**self._pauses, LONGEST_PAUSE_S)
        self._pauses += 1
        return pause * (0.5 + 0.5 * self._jitter())

    def _go_to(self, account_id: int) -> None:
        self._at, self._tries = account_id, 0
