"""Quotes newly subscribed contracts by REST: a subscription brings no snapshot, and some rarely trade."""

import threading
from collections.abc import Callable, Iterable, Sequence

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable

BATCH = 100
TRIES = 3

Snapshot = Callable[[Sequence[ContractKey]], object]
"""Quotes contracts and puts them on the board: `Quotes.fetch`. Raises Unavailable."""


class FeedSnapshots:
    """`ask` is for any thread, `step` for one: it blocks on the network."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._waiting: dict[ContractKey, int] = {}
        self._lock = threading.Lock()

    def ask(self, keys: Iterable[ContractKey]) -> None:
        with self._lock:
            self._waiting |= dict.fromkeys(keys, 0)

    def step(self) -> None:
        """One batch. One that nobody quotes is tried three times; after that its first tick has to do."""
        with self._lock:
            batch = dict(list(self._waiting.items())[:BATCH])
            for key in batch:
                del self._waiting[key]
        if not batch:
            return
        try:
            self._snapshot(list(batch))
        except Unavailable:
            again = {key: tries + 1 for key, tries in batch.items() if tries + 1 < TRIES}
            with self._lock:
                self._waiting = again | self._waiting
