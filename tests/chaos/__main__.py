"""`make chaos`: many random schedules on all cores, judged by the checker; prints the seeds of those that failed."""

import argparse
import logging
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence

from tests.chaos.checker import Kind
from tests.chaos.runner import Judged, run_all, run_on_all_cores

SAY_EVERY_S = 5.0
MOST_SHOWN = 20
WIDE = 110


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when any schedule failed."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--count", type=int, default=1000, help="how many schedules, of the seeds 1, 2, 3 ...")
    which.add_argument("--seed", type=int, help="this one alone, with its whole story when it fails")
    asked = parser.parse_args(arguments)
    if asked.seed is None:
        return _sum_up(_run_many(asked.count))
    judged = run_all([asked.seed])
    for failure in judged.failures:
        _say(failure.message)
    return _sum_up(judged)


def _run_many(count: int) -> Judged:
    started = said = time.monotonic()
    judged = Judged()
    for part in run_on_all_cores(count):
        judged.add(part)
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            _say(f"{judged.schedules} of {count} schedules, {len(judged.failures)} failed, {said - started:.0f} s")
    judged.failures.sort(key=lambda failure: failure.seed)
    return judged


def _sum_up(judged: Judged) -> int:
    failures, happened = judged.failures, judged.happened
    _say(f"{happened.total()} events in {judged.schedules} schedules, {judged.long} of them long:")
    for line in textwrap.wrap(", ".join(f"{kind} {count}" for kind, count in happened.most_common()), WIDE):
        _say(f"  {line}")
    _say(f"{judged.cpu_s / judged.schedules:.4f} CPU s per schedule")
    for failure in failures[:MOST_SHOWN]:
        _say(f"seed {failure.seed}: {failure.message.splitlines()[0]} (make chaos SEED={failure.seed})")
    if failures:
        _say(f"seeds of failures: {' '.join(str(failure.seed) for failure in failures)}")
    kinds = Counter(failure.kind for failure in failures)
    _say(f"duplicates {kinds[Kind.DUPLICATE]}, lost {kinds[Kind.LOST]}, over-closed {kinds[Kind.OVER_CLOSED]}")
    _say(f"{judged.schedules - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what goes wrong on purpose would bury what is said here
    sys.exit(main())
