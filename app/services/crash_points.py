"""Named points of the order path at which tests have this process die or stall; without being armed they do nothing.

`CRASH_AT=after_send` ends the process as `kill -9` does when it first gets there, `CRASH_AT=after_send:3` the third
time; `STOP_AT` stops it instead, as a machine that is suspended, until somebody continues it. Only on the simulator.
"""

import os
import signal
import threading
from typing import Literal, get_args

from app.domain.errors import Misconfigured

Point = Literal[
    "after_start",  # a run's intents are stored, nobody has been told
    "before_claim_commit",
    "after_claim",  # committed as being sent; the call has not begun
    "after_send",  # the gateway has answered; nobody wrote it down
    "before_ack_commit",
    "after_ack_commit",
    "during_reconcile",  # what a book taught is written, not committed
    "after_reconcile",
    "after_cancel",  # the gateway was asked to cancel, and answered
]

POINTS: tuple[Point, ...] = get_args(Point)


class _Armed:
    """Thread-safe."""

    def __init__(self, point: str, turn: int, number: signal.Signals) -> None:
        self._point = point
        self._left = turn
        self._number = number
        self._lock = threading.Lock()

    def reach(self, point: Point) -> None:
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._number)


_armed: list[_Armed] = []


def arm(*, crash_at: str | None, stop_at: str | None, simulated: bool) -> None:
    """Once, at the start of a process. Raises Misconfigured for an unknown point, and wherever orders may be real."""
    _armed.clear()
    wanted = [("CRASH_AT", crash_at, signal.SIGKILL), ("STOP_AT", stop_at, signal.SIGSTOP)]
    for name, given, number in wanted:
        if given:
            if not simulated:
                raise Misconfigured(f"{name} is for tests on the simulator; without SIMULATOR_URL nothing starts.")
            _armed.append(_Armed(*_parsed(name, given), number))


def reach(point: Point) -> None:
    """Said by the product when it is there."""
    for each in _armed:
        each.reach(point)


def _parsed(name: str, given: str) -> tuple[str, int]:
    point, _, turn = given.partition(":")
    if point not in POINTS or not (turn or "1").isdecimal() or int(turn or 1) < 1:
        raise Misconfigured(f"{name} is {given!r}; it can be one of {', '.join(POINTS)}, with :3 for the third time.")
    return point, int(turn or 1)
