"""Owns every thread of the product: names them, feels their pulse, restarts them after a crash, stops them together."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

Step = Callable[[], float]
"""Does one small thing and returns the seconds to wait before it is called again (0: at once)."""

CRASHES_THAT_HALT: Final = 5
LONGEST_WAIT_AFTER_CRASH_S: Final = 5.0
"""A loop serves many runs, of which one may crash it for hours: the others' exits do not wait longer than this."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a thread is doing. `age_s` is the time since its step last returned; `crashes` counts those in a row."""

    name: str
    age_s: float
    crashes: int
    last_error: str | None


class Loop:
    """One thread that calls a step again and again. `wake()` ends its wait early. `crashes` counts those in a row."""

    def __init__(self, name: str, step: Step, stopping: threading.Event) -> None:
        self.name = name
        self._step = step
        self._stopping = stopping
        self._wake = threading.Event()
        self._beat = time.monotonic()
        self.crashes = 0
        self.is_hung = False
        """Set by the watchdog, while a step takes longer than it ever should."""
        self._turns = 0
        self._is_at_work = False
        self._last_error: str | None = None
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)  # noqa: TID251 - their one home

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Call the step as soon as it is free. Any thread may say so; many wakes make one call."""
        self._wake.set()

    def pulse(self) -> Pulse:
        return Pulse(self.name, time.monotonic() - self._beat, self.crashes, self._last_error)

    @property
    def turn_under_way(self) -> int | None:
        """Which call of the step is under way, by its number; None while the loop waits."""
        return self._turns if self._is_at_work else None

    @property
    def ident(self) -> int | None:
        """Of its thread; None before the start."""
        return self._thread.ident

    def join(self, timeout_s: float) -> bool:
        """True when the thread has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _live(self) -> None:
        while not self._stopping.is_set():
            wait_s = self._beat_once()
            if wait_s > 0:
                self._wake.wait(wait_s)
            self._wake.clear()

    def _beat_once(self) -> float:
        self._turns += 1
        self._is_at_work = True
        try:
            wait_s = self._step()
        except Exception as error:  # the outer edge of a thread: nothing above could act on it
            self.crashes += 1
            self._last_error = f"{type(error).__name__}: {error}"
            log.exception("thread %s crashed, %d in a row", self.name, self.crashes)
            wait_s = min(0.5 * 2**self.crashes, LONGEST_WAIT_AFTER_CRASH_S)
        else:
            self.crashes = 0
        self._is_at_work = False
        self._beat = time.monotonic()
        return wait_s


class Supervisor:
    """All loops of this process. `start` and `stop` are for one owner; the rest is thread-safe."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._loops: dict[str, Loop] = {}
        self._lock = threading.Lock()
        self._started = False

    def add(self, name: str, step: Step) -> Loop:
        """A loop of that name; started at once when the supervisor already runs. Names are unique."""
        with self._lock:
            if name in self._loops:
                raise ValueError(f"There is a thread named {name} already.")
            loop = Loop(name, step, self._stopping)
            self._loops[name] = loop
            if self._started:
                loop.start()
        return loop

    def has(self, name: str) -> bool:
        with self._lock:
            return name in self._loops

    def start(self) -> None:
        with self._lock:
            self._started = True
            for loop in self._loops.values():
                loop.start()

    def stop(self, deadline_s: float = 5.0) -> list[str]:
        """Stop in reverse order of adding, all within one deadline. Returns the names of those still running."""
        with self._lock:
            loops = list(reversed(self._loops.values())) if self._started else []
            self._started = False
        self._stopping.set()
        for loop in loops:
            loop.wake()
        end = time.monotonic() + deadline_s
        return [loop.name for loop in loops if not loop.join(max(0.0, end - time.monotonic()))]

    def pulses(self) -> list[Pulse]:
        with self._lock:
            return [loop.pulse() for loop in self._loops.values()]

    def loops(self) -> list[Loop]:
        """All of them, in the order of adding."""
        with self._lock:
            return list(self._loops.values())

    def wake(self, name: str) -> None:
        """Wake a loop by name; no such loop in this process is no fault (the engine may run elsewhere)."""
        with self._lock:
            loop = self._loops.get(name)
        if loop is not None:
            loop.wake()

    @property
    def unwell(self) -> list[Pulse]:
        """Threads that hang, or crashed so often in a row, that entries must stop."""
        with self._lock:  # asked for every order: only the few that are unwell are looked at closely
            return [loop.pulse() for loop in self._loops.values() if loop.is_hung or loop.crashes >= CRASHES_THAT_HALT]
