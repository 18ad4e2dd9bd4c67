"""Who wants which contracts in what depth, and what has to be said to a gateway to make it so."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.contracts import ContractKey
from app.ports.feed import FeedMode

BATCH = 100
"""Contracts in one frame: a gateway subscribes one by one and serves nobody meanwhile."""

Wanted = Mapping[ContractKey, FeedMode]


class Wants:
    """The wishes of all consumers, joined. Thread-safe; `joined` is a mapping that is replaced, never changed."""

    def __init__(self) -> None:
        self._by_consumer: dict[str, dict[ContractKey, FeedMode]] = {}
        self._joined: Wanted = {}
        self._lock = threading.Lock()

    def put(self, consumer: str, keys: Iterable[ContractKey], mode: FeedMode) -> None:
        """From now on this consumer wants exactly these, in that mode."""
        wanted = dict.fromkeys(keys, mode)
        with self._lock:
            if self._by_consumer.get(consumer, {}) == wanted:
                return
            self._by_consumer[consumer] = wanted
            self._join()

    def drop(self, consumer: str) -> None:
        with self._lock:
            self._by_consumer.pop(consumer, None)
            self._join()

    def joined(self) -> Wanted:
        """Each contract once, in the deepest mode that anybody wants."""
        return self._joined

    def of_others(self, consumers: Iterable[str]) -> frozenset[ContractKey]:
        """What anybody but these consumers wants."""
        mine = frozenset(consumers)
        with self._lock:
            return frozenset(key for name, keys in self._by_consumer.items() if name not in mine for key in keys)

    def _join(self) -> None:
        joined: dict[ContractKey, FeedMode] = {}
        for wanted in self._by_consumer.values():
            for key, mode in wanted.items():
                joined[key] = max(mode, joined.get(key, mode))
        self._joined = joined


@dataclass(frozen=True, slots=True)
class Batch:
    """One frame: contracts of one mode."""

    mode: FeedMode
    keys: tuple[ContractKey, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What to say to get from what was asked for to what is wanted. `drops` go first: a contract has one mode only."""

    drops: tuple[Batch, ...]
    adds: tuple[Batch, ...]


def change(asked: Wanted, wanted: Wanted) -> Change:
    """The frames between two states, deepest mode first, each of at most BATCH contracts."""
    drops = {key: mode for key, mode in asked.items() if wanted.get(key) is not mode}
    adds = {key: mode for key, mode in wanted.items() if asked.get(key) is not mode}
    return Change(batches(drops), batches(adds))


def batches(wanted: Wanted) -> tuple[Batch, ...]:
    found: list[Batch] = []
    for mode in sorted(FeedMode, reverse=True):
        keys = [key for key, each in wanted.items() if each is mode]
        found += [Batch(mode, tuple(keys[start : start + BATCH])) for start in range(0, len(keys), BATCH)]
    return tuple(found)
