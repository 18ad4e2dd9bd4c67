"""Orders go out now: loops that nobody's order waits for let them go first."""

import math
from collections.abc import Callable

from app.engine.supervisor import Step
from app.ports.clock import Clock

HOLD_S = 0.3
"""How long after a command or a claim: until the answers of its wave, and the claim of the next, have come."""

LONGEST_S = 1.0
"""No loop is kept waiting for longer, however many orders go out."""


class Rush:
    """Thread-safe. All threads share one interpreter, so that each of them delays what goes to the wire."""

    def __init__(self, clock: Clock, *also: Callable[[], None]) -> None:
        """`also` are told as well that orders go out."""
        self._clock = clock
        self._also = also
        self._until = -math.inf

    def hold(self) -> None:
        """Orders were asked for, or claimed, and are going out."""
        self._until = self._clock.monotonic() + HOLD_S
        for tell in self._also:
            tell()

    def before(self, asked: Callable[[], None]) -> Callable[[], None]:
        """`asked`, from which orders follow most often."""

        def hold_and_ask() -> None:
            self.hold()
            asked()

        return hold_and_ask

    def is_on(self) -> bool:
        """Whether orders go out just now."""
        return self._clock.monotonic() < self._until

    def after(self, step: Step) -> Step:
        """That step, once no order goes out or it has waited long enough. For the thread of one loop."""
        waits_from: float | None = None

        def patient() -> float:
            nonlocal waits_from
            now = self._clock.monotonic()
            left_s = self._until - now
            if waits_from is not None:
                left_s = min(left_s, waits_from + LONGEST_S - now)
            if left_s > 0:
                waits_from = now if waits_from is None else waits_from
                return left_s
            waits_from = None
            return step()

        return patient

    def after_all(self, loops: list[tuple[str, Step]], patient: frozenset[str]) -> list[tuple[str, Step]]:
        """These loops, of which those that are named `patient` wait."""
        return [(name, self.after(step) if name in patient else step) for name, step in loops]
