"""Whose turn it is to write, where a database takes one writer at a time."""

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import count
from time import monotonic


class Turn(Enum):
    """How soon a transaction has to begin; the value is for how many seconds it lets more urgent ones go before."""

    NOW = 0.0
    """An order goes to the wire after it."""
    SOON = 0.1
    """Orders follow from it, or a person waits for it."""
    LATER = 1.0
    """It writes down what was read, and reads again if it comes too late."""


class WriterTurns:
    """One owner at a time, who may take it again while holding it. Thread-safe.

    Those who wait go in order of when their patience ends, so none waits for ever, and the turn is handed to the next
    directly: a lock that is merely set free is taken by whoever runs at that moment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._count = count()
        self._waiting: list[tuple[float, int, int, threading.Lock]] = []

    @contextmanager
    def turn(self, of: Turn) -> Iterator[None]:
        """Waits for as long as it takes."""
        self._take(of)
        try:
            yield
        finally:
            self._leave()

    def _take(self, of: Turn) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._owner in (None, me):
                self._owner = me
                self._depth += 1
                return
            gate = threading.Lock()
            gate.acquire()
            heapq.heappush(self._waiting, (monotonic() + of.value, next(self._count), me, gate))
        came = False
        try:
            came = gate.acquire()  # the one before opens it
        finally:
            if not came:  # Ctrl-C: the turn of who will not come goes to the next
                self._give_up(me)

    def _leave(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._hand_on()

    def _hand_on(self) -> None:
        self._owner = None
        if self._waiting:
            _, _, self._owner, gate = heapq.heappop(self._waiting)
            self._depth = 1
            gate.release()

    def _give_up(self, me: int) -> None:
        with self._lock:
            if self._owner == me:
                self._depth = 0
                self._hand_on()
            else:
                self._waiting = [each for each in self._waiting if each[2] != me]
                heapq.heapify(self._waiting)
