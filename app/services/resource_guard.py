"""Gives up comfort before the machine takes what matters: slower pages, then far strikes, then idle chains."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.relief import Relief, ReliefLimits, Strain, Usage, judged
from app.ports.clock import Clock
from app.ports.usage import ProcessUsage

log = logging.getLogger(__name__)

LOOK_S = 1.0

WORDS = {
    Relief.NONE: "Pages and chains are complete again.",
    Relief.SLOW_PAGES: "Pages are told of changes once a second.",
    Relief.NEAR_STRIKES: "Strikes far from the money are not subscribed or quoted; held and watched contracts are.",
    Relief.NO_IDLE_CHAINS: "Chains that nobody looks at are not subscribed; held and watched contracts are.",
}


@dataclass(frozen=True, slots=True)
class GuardState:
    """`usage` None before the first look. `words` say what the step in force means."""

    step: Relief
    usage: Usage | None
    limits: ReliefLimits
    words: str


class ResourceGuard:
    """`step` is for one thread; `state` is thread-safe."""

    def __init__(
        self,
        usage: ProcessUsage,
        clock: Clock,
        limits: ReliefLimits,
        *,
        relieve: Callable[[Relief], None],
        announce: Callable[[Relief, str], None],
    ) -> None:
        """`relieve` puts a step into force; `announce` writes it down with the sentence that says why."""
        self._usage = usage
        self._clock = clock
        self._limits = limits
        self._relieve = relieve
        self._announce = announce
        self._strain = Strain()
        self._taken: Usage | None = None
        self._last = (clock.monotonic(), usage.cpu_s())

    def step(self) -> float:
        """Look, and change at most one step. Returns the seconds until the next look."""
        usage, now = self._look()
        before, self._strain = self._strain, judged(self._strain, usage, self._limits, now)
        if self._strain.step is not before.step:
            self._change(before.step, usage)
        return LOOK_S

    def state(self) -> GuardState:
        step = self._strain.step
        words = "" if step is Relief.NONE else WORDS[step]
        return GuardState(step, self._taken, self._limits, words)

    def _look(self) -> tuple[Usage, float]:
        now, cpu_s = self._clock.monotonic(), self._usage.cpu_s()
        (then, before_s), self._last = self._last, (now, cpu_s)
        passed_s = now - then
        usage = Usage(self._usage.memory_mb(), (cpu_s - before_s) / passed_s if passed_s > 0 else 0.0)
        self._taken = usage
        return usage, now

    def _change(self, before: Relief, usage: Usage) -> None:
        step = self._strain.step
        why = self._limits.excess(usage) if step > before else f"calm for {self._limits.calm_s:g} s"
        sentence = f"{WORDS[step]} ({why})"
        log.warning("Resources: %s", sentence)
        self._relieve(step)
        self._announce(step, sentence)
