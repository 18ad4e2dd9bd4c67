"""The engine of a process: waits for the lease, recovers what the one before left open, then starts its loops."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence

from app.engine.lease import Lease
from app.engine.supervisor import Step, Supervisor
from app.engine.watchdog import LIMITS_S, Watchdog
from app.engine.watchdog import NAME as WATCHDOG

log = logging.getLogger(__name__)

TRY_AGAIN_S = 1.0
"""Between two tries to lead, and between two renewals while leading."""

NEVER_S = 3600.0

LOST_CODE = 70
"""Exit code of a process that led and lost the lease, or in which a loop hung while it led."""


def end_process() -> None:
    """At once, without tidying up: whatever supervises this process starts it again."""
    os._exit(LOST_CODE)


NamedLoops = Sequence[tuple[str, Step]]


class Engine:
    """`start` and `stop` are for one owner."""

    def __init__(
        self,
        supervisor: Supervisor,
        lease: Lease,
        *,
        recover: Callable[[int], int],
        loops: NamedLoops,
        on_lost: Callable[[], None] = end_process,
        unfit: Callable[[], str | None] = lambda: None,
        finish: Callable[[], None] = lambda: None,
        on_other: Callable[[], None] = lambda: None,
        limits_s: Mapping[str, float] = LIMITS_S,
    ) -> None:
        """`recover` is called with the new epoch before any loop starts; it gives the number of orders left unknown.

        `on_lost` is called when another process took over while this one slept, and when a loop hangs by
        `limits_s`. Its claims fail already; it starts afresh instead of taking its threads apart. `unfit` says, once
        and before anything else, why this process must never lead. `finish` is called when the loops of a leader have
        stopped, before another may lead. `on_other` is called as often as another process is found to lead.
        """
        self._supervisor = supervisor
        self._lease = lease
        self._recover = recover
        self._loops = loops
        self._on_lost = on_lost
        self._unfit = unfit
        self._finish = finish
        self._on_other = on_other
        self._watchdog = Watchdog(supervisor, leads=lambda: self._leads, end=on_lost, limits_s=limits_s)
        self._is_fit = False
        self.trouble: str | None = None
        """Why this process does not try to lead."""
        self._leads = False

    @property
    def leads(self) -> bool:
        return self._leads

    def start(self) -> None:
        """Start waiting for the lease. Returns at once."""
        self._supervisor.add(WATCHDOG, self._watchdog.step)
        self._supervisor.add("lease", self._step)
        self._supervisor.start()

    def stop(self) -> None:
        """Stop every loop within a deadline, then let another process lead."""
        late = self._supervisor.stop()
        if late:
            log.warning("threads still running at stop: %s", ", ".join(late))
        try:
            if self._leads:
                self._finish()
        finally:
            self._leads = False
            self._lease.give_back()

    def _step(self) -> float:
        if self._leads:
            self._keep()
            return TRY_AGAIN_S
        if not self._may_lead():
            return NEVER_S
        if not self._lease.take():
            self._on_other()
            return TRY_AGAIN_S
        epoch = self._lease.epoch
        if epoch is None:
            return TRY_AGAIN_S
        unknown = self._recover(epoch)
        log.info("this process leads, epoch %d; %d orders were under way and are unknown", epoch, unknown)
        for name, step in self._loops:
            self._supervisor.add(name, step)
        self._leads = True
        return TRY_AGAIN_S

    def _may_lead(self) -> bool:
        if not self._is_fit and self.trouble is None:
            self.trouble = self._unfit()
            self._is_fit = self.trouble is None
            if self.trouble is not None:
                log.critical("this process does not lead: %s", self.trouble)
        return self._is_fit

    def _keep(self) -> None:
        if not self._lease.renew():
            self._leads = False
            log.critical("another process leads now; this one ends and starts again")
            self._on_lost()
