"""Runs schedules by their seeds, in this process or on all cores; what a seed does hangs on nothing but the seed."""

import gc
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache

from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import DeskError
from tests.chaos.checker import Kind, Violation
from tests.chaos.schedule import Day
from tests.chaos.world import ChaosWorld

CHUNK = 20
COLLECT_EVERY = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind` is what it is counted as; `message` begins with the invariant, or with the name of an error."""

    seed: int
    kind: Kind
    message: str


def run(seed: int) -> Failure | None:
    """One schedule; None when everything held."""
    day = Day(_world(), seed)
    try:
        day.live()
    except Violation as violation:
        return Failure(seed, violation.kind, str(violation))
    except (DeskError, SQLAlchemyError, AssertionError, LookupError, ValueError, TypeError, AttributeError) as error:
        return Failure(seed, Kind.OTHER, day.words(f"{type(error).__name__}: {error}"))
    return None


def run_all(seeds: Sequence[int]) -> list[Failure]:
    failures = []
    for number, seed in enumerate(seeds):
        failure = run(seed)
        if failure is not None:
            failures.append(failure)
        if number % COLLECT_EVERY == 0:
            gc.collect()
    return failures


def run_on_all_cores(count: int) -> Iterator[tuple[int, list[Failure]]]:
    """Seeds 1 to `count`; gives how many more are done and which of them failed, as they come."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chunks = [range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=spawn, initializer=_begin_worker) as pool:
        sizes: dict[Future[list[Failure]], int] = {pool.submit(run_all, chunk): len(chunk) for chunk in chunks}
        for done in as_completed(sizes):
            yield sizes[done], done.result()


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
