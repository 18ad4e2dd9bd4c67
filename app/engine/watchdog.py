"""Ends a process that leads and of which a loop hangs: it keeps the lease and does nothing, and another could."""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.engine.supervisor import Loop, Supervisor

log = logging.getLogger(__name__)

NAME = "watchdog"
LOOK_S = 0.5

TIGHT_S = 15.0
"""For loops that wait for nothing but the database. A locked one is waited for up to 10 s and then given up."""

ORDERS_S = 60.0
"""A step of the `orders` loop may wait for a locked database four times: once to claim, three times to record answers
that are known in its memory alone.
"""

LIMITS_S: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("lease", "runs", "risk", "peaks", "day-limits", "square-off", "kill"), TIGHT_S)
    | {"orders": ORDERS_S}
)

OTHER_S = 600.0
"""For loops that ask gateways: a call may take 125 s, and a step makes several of them, account after account."""

UNLED = frozenset({"lease"})
"""While another process leads its step may wait for as long as it likes, and what it takes over may be long."""


@dataclass(slots=True)
class _Watched:
    turn: int
    for_s: float = 0.0


class Watchdog:
    """`step` belongs to one loop, which is not watched itself.

    Time counts only while this loop turns as well: a machine that was suspended or is starved ends nothing by that.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        leads: Callable[[], bool],
        end: Callable[[], None],
        limits_s: Mapping[str, float] = LIMITS_S,
    ) -> None:
        """`limits_s` by the name of a loop; any other has OTHER_S. `end` is called while this process leads."""
        self._supervisor = supervisor
        self._leads = leads
        self._end = end
        self._limits_s = limits_s
        self._watched: dict[str, _Watched] = {}
        self._looked_at: float | None = None

    def step(self) -> float:
        """Name the loops that hang, with what every thread is doing. Returns the seconds until the next look."""
        now = time.monotonic()
        passed_s = 0.0 if self._looked_at is None else min(now - self._looked_at, 2 * LOOK_S)
        self._looked_at = now
        leads = self._leads()
        hung = [loop for loop in self._supervisor.loops() if self._hangs(loop, passed_s, leads=leads)]
        fresh = [loop for loop in hung if not loop.is_hung]
        for loop in fresh:
            loop.is_hung = True
            log.critical("thread %s hangs: its step takes more than %.0f s", loop.name, self._limit_s(loop.name))
        if fresh:
            log.critical("what every thread does:\n%s", _stacks(self._supervisor.loops()))
        if hung and leads:
            log.critical("this process ends, so that one leads in which nothing hangs")
            self._end()
        return LOOK_S

    def _hangs(self, loop: Loop, passed_s: float, *, leads: bool) -> bool:
        turn = loop.turn_under_way
        if turn is None or loop.name == NAME or (loop.name in UNLED and not leads):
            self._watched.pop(loop.name, None)
            loop.is_hung = False
            return False
        watched = self._watched.get(loop.name)
        if watched is None or watched.turn != turn:
            self._watched[loop.name] = _Watched(turn)
            loop.is_hung = False
            return False
        watched.for_s += passed_s
        return watched.for_s >= self._limit_s(loop.name)

    def _limit_s(self, name: str) -> float:
        return self._limits_s.get(name, OTHER_S)


def _stacks(loops: list[Loop]) -> str:
    """Every thread of the process with its stack, the innermost call last."""
    names = {loop.ident: loop.name for loop in loops}
    return "\n".join(
        f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the one way to see them
    )
