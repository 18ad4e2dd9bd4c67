"""What a process that is short of memory or time gives up, step by step, and when it takes it back."""

from dataclasses import dataclass, replace
from enum import IntEnum


class Relief(IntEnum):
    """Each step contains the ones before. None of them touches a contract that is held or watched by a rule."""

    NONE = 0
    SLOW_PAGES = 1
    NEAR_STRIKES = 2
    NO_IDLE_CHAINS = 3


@dataclass(frozen=True, slots=True)
class Usage:
    """Of this process. `memory_mb` None where the system does not tell; `cpu` is a share of one core, 1.0 all of it."""

    memory_mb: float | None
    cpu: float


@dataclass(frozen=True, slots=True)
class ReliefLimits:
    """Above a limit for `after_s` the next step is taken; below `calm_share` of both for `calm_s` one is undone."""

    memory_mb: float = 500.0
    cpu: float = 0.70
    after_s: float = 10.0
    calm_s: float = 60.0
    calm_share: float = 0.9

    def excess(self, usage: Usage) -> str | None:
        """Which limit is exceeded, in words; None when none is."""
        if usage.memory_mb is not None and usage.memory_mb > self.memory_mb:
            return f"memory {usage.memory_mb:,.0f} MB, limit {self.memory_mb:,.0f} MB"
        if usage.cpu > self.cpu:
            return f"CPU {usage.cpu:.0%} of a core, limit {self.cpu:.0%}"
        return None

    def is_calm(self, usage: Usage) -> bool:
        low_memory = usage.memory_mb is None or usage.memory_mb < self.memory_mb * self.calm_share
        return low_memory and usage.cpu < self.cpu * self.calm_share


@dataclass(frozen=True, slots=True)
class Strain:
    """The step in force, and since when (monotonic) it was too much, or calm, without a break; None: not now."""

    step: Relief = Relief.NONE
    over_since: float | None = None
    calm_since: float | None = None


def judged(before: Strain, usage: Usage, limits: ReliefLimits, now: float) -> Strain:
    """At most one step up or down. Between calm and too much nothing changes, so that nothing flutters."""
    over = limits.excess(usage) is not None
    calm = limits.is_calm(usage)
    over_since = (now if before.over_since is None else before.over_since) if over else None
    calm_since = (now if before.calm_since is None else before.calm_since) if calm else None
    after = replace(before, over_since=over_since, calm_since=calm_since)
    if over_since is not None and now - over_since >= limits.after_s and before.step < max(Relief):
        return Strain(Relief(before.step + 1), over_since=now)
    if calm_since is not None and now - calm_since >= limits.calm_s and before.step > Relief.NONE:
        return Strain(Relief(before.step - 1), calm_since=now)
    return after
