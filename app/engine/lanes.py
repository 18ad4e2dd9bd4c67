"""A lane for each account: exits before entries, never faster than the exchange allows, one slow call delays few."""

import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.engine.supervisor import Supervisor
from app.ports.clock import Clock

IDLE_S = 3600.0
WINDOW_S = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One call to make for an account. Sorted by urgency, then by age."""

    urgency: int
    number: int
    intent_id: int = field(compare=False)
    cancel: bool = field(compare=False, default=False)


EXIT_URGENCY = 0
ENTRY_URGENCY = 1


class OrderCalls(Protocol):
    """What a lane does with a job; the order desk."""

    def send(self, intent_id: int) -> None: ...

    def cancel(self, intent_id: int) -> None: ...


class Governor:
    """At most `most` calls in any sliding second. Thread-safe."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def wait_s(self) -> float:
        """0 and the place is taken, or the seconds until one is free and none is taken."""
        with self._lock:
            now = self._clock.monotonic()
            while self._taken and now - self._taken[0] >= WINDOW_S:
                self._taken.popleft()
            if len(self._taken) < self._most:
                self._taken.append(now)
                return 0.0
            return WINDOW_S - (now - self._taken[0])


class Lane:
    """Jobs of one account, waiting. Thread-safe. A job already waiting or under way is not queued twice."""

    def __init__(self, governor: Governor) -> None:
        self._governor = governor
        self._jobs: list[Job] = []
        self._known: set[tuple[int, bool]] = set()
        self._count = 0
        self._lock = threading.Lock()

    def put(self, intent_id: int, *, urgency: int, cancel: bool = False) -> None:
        with self._lock:
            if (intent_id, cancel) in self._known:
                return
            self._known.add((intent_id, cancel))
            self._count += 1
            heapq.heappush(self._jobs, Job(urgency, self._count, intent_id, cancel))

    def take(self, *, exits_only: bool) -> Job | float:
        """The next job, or the seconds to wait for one."""
        with self._lock:
            if not self._jobs or (exits_only and self._jobs[0].urgency != EXIT_URGENCY):
                return IDLE_S
            wait_s = self._governor.wait_s()
            return heapq.heappop(self._jobs) if wait_s == 0 else wait_s

    def done(self, job: Job) -> None:
        with self._lock:
            self._known.discard((job.intent_id, job.cancel))

    def waiting(self) -> int:
        with self._lock:
            return len(self._jobs)


class Lanes:
    """Lanes of all accounts, each with its workers; made when an account is first used. Thread-safe.

    The first worker of a lane takes exits and cancels only, so that entries that hang never block the way out.
    """

    def __init__(
        self, supervisor: Supervisor, clock: Clock, calls: OrderCalls, *, workers: int, per_second: int
    ) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._calls = calls
        self._workers = workers
        self._per_second = per_second
        self._lanes: dict[int, Lane] = {}
        self._lock = threading.Lock()

    def send(self, account_id: int, intent_id: int, *, is_exit: bool) -> None:
        self._put(account_id, intent_id, urgency=EXIT_URGENCY if is_exit else ENTRY_URGENCY)

    def cancel(self, account_id: int, intent_id: int) -> None:
        self._put(account_id, intent_id, urgency=EXIT_URGENCY, cancel=True)

    def depth(self) -> dict[int, int]:
        """Jobs waiting, by account."""
        with self._lock:
            return {account_id: lane.waiting() for account_id, lane in self._lanes.items()}

    def _put(self, account_id: int, intent_id: int, *, urgency: int, cancel: bool = False) -> None:
        lane = self._lane(account_id)
        lane.put(intent_id, urgency=urgency, cancel=cancel)
        for worker in range(self._workers + 1):
            self._supervisor.wake(f"lane-{account_id}-{worker}")

    def _lane(self, account_id: int) -> Lane:
        with self._lock:
            lane = self._lanes.get(account_id)
            if lane is None:
                lane = self._lanes[account_id] = Lane(Governor(self._clock, self._per_second))
                for worker in range(self._workers + 1):
                    self._supervisor.add(f"lane-{account_id}-{worker}", self._step(lane, exits_only=worker == 0))
            return lane

    def _step(self, lane: Lane, *, exits_only: bool) -> Callable[[], float]:
        def step() -> float:
            job = lane.take(exits_only=exits_only)
            if isinstance(job, float):
                return job
            try:
                self._call(job)
            finally:
                lane.done(job)
            return 0.0

        return step

    def _call(self, job: Job) -> None:
        if job.cancel:
            self._calls.cancel(job.intent_id)
        else:
            self._calls.send(job.intent_id)
