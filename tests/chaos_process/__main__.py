"""`make chaos-process`: real processes killed, suspended and cut off; one line for each scenario, then the sum."""

import argparse
import signal
import statistics
import sys
import time
from collections.abc import Sequence

from tests.chaos_process.runner import Shown, play_all, tasks


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when anything was doubled, lost or left open."""
    parser = argparse.ArgumentParser(prog="make chaos-process", description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="how many scenarios are played")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others follow")
    parser.add_argument("--rigs", type=int, default=2, help="desks under attack at the same time, for each database")
    parser.add_argument("--quick", action="store_true", help="engines that give up lost orders within seconds")
    parser.add_argument("--only", help="scenarios whose name contains this")
    asked = parser.parse_args(arguments)
    wanted = [task for task in tasks(asked.count, asked.seed) if (asked.only or "") in task.scenario]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began, all_shown = time.monotonic(), []
    for number, shown in enumerate(play_all(wanted, asked.rigs, quick=asked.quick), start=1):
        all_shown.append(shown)
        _say(f"{number:3} of {len(wanted)}  {_line(shown)}")
    _sum_up(all_shown, time.monotonic() - began)
    return 1 if any(shown.troubles for shown in all_shown) else 0


def _line(shown: Shown) -> str:
    task = shown.task
    outcome = "FAILED" if shown.troubles else "held"
    what = f"{task.scenario}, {task.phase}, {task.database}, seed {task.seed}"
    return f"{outcome:6} {what:66} led again {_seconds(shown.led_s)}, settled {_seconds(shown.settled_s)}"


def _seconds(seconds: float | None) -> str:
    return "     -" if seconds is None else f"{seconds:5.1f}s"


def _sum_up(all_shown: list[Shown], took_s: float) -> None:
    head = ("scenario", "runs", "orders", "led again (max)", "settled (max)", "duplicates", "lost", "over-closed")
    _say("\n" + "{:28}{:>5}{:>8}{:>18}{:>18}{:>12}{:>6}{:>13}".format(*head))
    for name in sorted({shown.task.scenario for shown in all_shown}):
        _say(_row(name, [shown for shown in all_shown if shown.task.scenario == name]))
    _say(_row("all", all_shown))
    failed = [shown for shown in all_shown if shown.troubles]
    for shown in failed:
        _say(f"\n{_line(shown)}\n" + "\n".join(shown.troubles))
    _say(f"\n{len(all_shown) - len(failed)} passed, {len(failed)} failed in {took_s:.0f} s")


def _row(name: str, rows: list[Shown]) -> str:
    counts = (sum(row.duplicates for row in rows), sum(row.lost for row in rows), sum(row.over_closed for row in rows))
    led, settled = [row.led_s for row in rows], [row.settled_s for row in rows]
    orders = sum(row.orders for row in rows)
    return "{:28}{:5}{:8}{:>18}{:>18}{:12}{:6}{:13}".format(
        name, len(rows), orders, _median_and_max(led), _median_and_max(settled), *counts
    )


def _median_and_max(times: Sequence[float | None]) -> str:
    known = [seconds for seconds in times if seconds is not None]
    return f"{statistics.median(known):.1f}s ({max(known):.1f}s)" if known else "-"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
