"""`make chaos`: many random schedules on all cores, judged by the checker; prints the seeds of those that failed."""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.chaos.checker import Kind
from tests.chaos.runner import Failure, run, run_on_all_cores

SAY_EVERY_S = 5.0
MOST_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when any schedule failed."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--count", type=int, default=1000, help="how many schedules, of the seeds 1, 2, 3 ...")
    which.add_argument("--seed", type=int, help="this one alone, with its whole story when it fails")
    asked = parser.parse_args(arguments)
    if asked.seed is None:
        done, failures = _run_many(asked.count)
    else:
        failure = run(asked.seed)
        done, failures = 1, [failure] if failure is not None else []
        for each in failures:
            _say(each.message)
    return _sum_up(done, failures)


def _run_many(count: int) -> tuple[int, list[Failure]]:
    started = said = time.monotonic()
    failures: list[Failure] = []
    done = 0
    for size, found in run_on_all_cores(count):
        done, failures = done + size, failures + found
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            _say(f"{done} of {count} schedules, {len(failures)} failed, {said - started:.0f} s")
    return done, sorted(failures, key=lambda failure: failure.seed)


def _sum_up(done: int, failures: list[Failure]) -> int:
    for failure in failures[:MOST_SHOWN]:
        _say(f"seed {failure.seed}: {failure.message.splitlines()[0]} (make chaos SEED={failure.seed})")
    if failures:
        _say(f"seeds of failures: {' '.join(str(failure.seed) for failure in failures)}")
    kinds = Counter(failure.kind for failure in failures)
    _say(f"duplicates {kinds[Kind.DUPLICATE]}, lost {kinds[Kind.LOST]}, over-closed {kinds[Kind.OVER_CLOSED]}")
    _say(f"{done - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what goes wrong on purpose would bury what is said here
    sys.exit(main())
