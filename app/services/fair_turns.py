"""Turns for many things on one loop: one that crashed comes last the next time, so that it stops nobody else."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class FairTurns:
    """For one thread."""

    def __init__(self) -> None:
        self._crashed: set[int] = set()

    def order(self, ids: Iterable[int]) -> list[int]:
        """Ascending, those whose last turn did not end well at the end."""
        return sorted(ids, key=lambda each: (each in self._crashed, each))

    @contextmanager
    def turn(self, one: int) -> Iterator[None]:
        """The turn of one; whatever it raises goes on to the loop's owner."""
        self._crashed.add(one)
        yield
        self._crashed.discard(one)
