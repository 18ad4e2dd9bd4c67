"""Runs schedules by their seeds, in this process or on all cores; what a seed does hangs on nothing but the seed."""

import gc
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import DeskError
from tests.chaos.checker import Kind, Violation
from tests.chaos.schedule import Day
from tests.chaos.world import ChaosWorld

CHUNK = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind` is what it is counted as; `message` begins with the invariant, or with the name of an error."""

    seed: int
    kind: Kind
    message: str


@dataclass(slots=True)
class Judged:
    """How many schedules, which of them failed, what happened in them, and the processor seconds they took."""

    schedules: int = 0
    long: int = 0
    cpu_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Judged") -> None:
        self.schedules += other.schedules
        self.long += other.long
        self.cpu_s += other.cpu_s
        self.failures += other.failures
        self.happened += other.happened


def run(seed: int, *, long: bool | None = None) -> Failure | None:
    """One schedule; None when everything held. Its seed says whether it is long, unless `long` does."""
    return _live(Day(_world(), seed, long=long), seed)


def _live(day: Day, seed: int) -> Failure | None:
    try:
        day.live()
    except Violation as violation:
        return Failure(seed, violation.kind, str(violation))
    except (DeskError, SQLAlchemyError, AssertionError, LookupError, ValueError, TypeError, AttributeError) as error:
        return Failure(seed, Kind.OTHER, day.words(f"{type(error).__name__}: {error}"))
    return None


def run_all(seeds: Sequence[int]) -> Judged:
    judged, began = Judged(), time.process_time()
    for seed in seeds:
        day = Day(_world(), seed)
        failure = _live(day, seed)
        judged.add(Judged(1, int(day.is_long), 0.0, [failure] if failure is not None else [], day.counted))
    gc.collect()
    judged.cpu_s = time.process_time() - began
    return judged


def run_on_all_cores(count: int) -> Iterator[Judged]:
    """Seeds 1 to `count`, in parts as they come."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chunks = [range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK)]
    _world()
    # Where it is safe workers begin with all that is here: to import it again takes them seconds.
    starts = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(cores, mp_context=starts, initializer=_begin_worker) as pool:
        for done in as_completed([pool.submit(run_all, chunk) for chunk in chunks]):
            yield done.result()


@cache
def _world() -> ChaosWorld:
    """One for each process: made once, since that takes as long as many schedules."""
    return ChaosWorld()


def _begin_worker() -> None:
    """Nothing is logged, and garbage is collected between schedules."""
    logging.disable(logging.WARNING)
    _world()
    gc.collect()
    gc.freeze()
    gc.disable()
