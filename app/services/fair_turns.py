"""Turns for many things on one loop: one that crashed comes last the next time, so that it stops nobody else.

Among several the one that crashed last comes last, so that a lasting crash keeps no other from its second try.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class FairTurns:
    """For one thread."""

    def __init__(self) -> None:
        self._crashed: dict[int, int] = {}
        self._turns = 0

    def order(self, ids: Iterable[int]) -> list[int]:
        """Ascending, those whose last turn did not end well at the end, the longest ago first."""
        return sorted(ids, key=lambda each: (self._crashed.get(each, 0), each))

    @contextmanager
    def turn(self, one: int) -> Iterator[None]:
        """The turn of one; whatever it raises goes on to the loop's owner."""
        self._turns += 1
        self._crashed[one] = self._turns
        yield
        self._crashed.pop(one, None)
