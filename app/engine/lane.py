"""The jobs of one account: exits before entries, never faster than the exchange allows, a bounded number under way."""

import heapq
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from app.engine.governor import Governor
from app.ports.clock import Clock
from app.services.claims import Claimed

IDLE_S = 3600.0

EXITS_ONLY = 0
"""The worker that is kept for exits and cancels."""


class Urgency(IntEnum):
    """Exits and cancels go first; a change of a resting order waits with the entries: it takes nobody out."""

    EXIT = 0
    ENTRY = 1


class Ask(StrEnum):
    """What is done about an intent."""

    SEND = "SEND"
    CANCEL = "CANCEL"
    MODIFY = "MODIFY"


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One thing to do for an account. Sorted by urgency, then by age. `width`: entries of its run at once."""

    urgency: Urgency
    number: int
    ask: Ask = field(compare=False)
    account_id: int = field(compare=False)
    intent_id: int = field(compare=False)
    run_id: int = field(compare=False)
    segment: str = field(compare=False)
    width: int = field(compare=False)

    @property
    def key(self) -> tuple[int, Ask]:
        return self.intent_id, self.ask

    @property
    def is_entry(self) -> bool:
        return self.urgency is Urgency.ENTRY


@dataclass(frozen=True, slots=True)
class Work:
    """A job for a worker. A SEND without `claimed` has to be fetched for first: it lacks a price or a book."""

    job: Job
    claimed: Claimed | None = None


class Lane:
    """Thread-safe. A job already waiting or under way is not queued twice.

    `due` gives what may go now, `hand` gives it to the workers, `done` frees its place.
    """

    def __init__(self, clock: Clock, workers: int, rate: Callable[[], int]) -> None:
        """`rate` is the most calls in a second in one segment. `workers` are for entries; one more is for exits."""
        self._governor = Governor(clock)
        self._workers = workers
        self._rate = rate
        self._jobs: list[Job] = []
        self._known: set[tuple[int, Ask]] = set()
        self._ready: deque[Work] = deque()
        self._idle: set[int] = set()
        self._entries: Counter[int] = Counter()
        self._exits = 0
        self._lock = threading.Lock()

    def put(self, job: Job) -> bool:
        """False when the same is waiting or under way already."""
        with self._lock:
            if job.key in self._known:
                return False
            self._known.add(job.key)
            heapq.heappush(self._jobs, job)
            return True

    def due(self) -> tuple[list[Job], float]:
        """Jobs that may go now, each with a place under way and in the second, and the seconds until the next may.

        A run that is as wide as it may be, and a segment whose second is full, hold back nobody else.
        """
        with self._lock:
            if not self._jobs:
                return [], IDLE_S
        rate = self._rate()
        going: list[Job] = []
        kept: list[Job] = []
        wait_s = IDLE_S
        with self._lock:
            full: set[str] = set()
            while self._jobs:
                job = heapq.heappop(self._jobs)
                if job.segment in full or not self._has_room(job):
                    kept.append(job)
                    continue
                if (seconds := self._governor.take(job.segment, rate)) > 0:
                    wait_s = min(wait_s, seconds)
                    full.add(job.segment)
                    kept.append(job)
                    continue
                self._count(job, 1)
                going.append(job)
            for job in kept:
                heapq.heappush(self._jobs, job)
        return going, wait_s

    def hand(self, work: Work) -> int | None:
        """Let a worker do it; gives the one to wake, None when all are busy: they look again when they are done.

        What goes to the wire first is an exit, whatever was handed before.
        """
        with self._lock:
            if work.job.is_entry:
                self._ready.append(work)
            else:
                self._ready.appendleft(work)
            fit = self._idle - {EXITS_ONLY} if work.job.is_entry else self._idle
            woken = max(fit, default=None)
            if woken is not None:
                self._idle.discard(woken)
            return woken

    def next(self, worker: int) -> Work | None:
        """What this worker does now; None leaves it idle until `hand` names it. EXITS_ONLY takes no entry."""
        with self._lock:
            if not self._ready or (worker == EXITS_ONLY and self._ready[0].job.is_entry):
                self._idle.add(worker)
                return None
            self._idle.discard(worker)
            return self._ready.popleft()

    def drain(self) -> list[Work]:
        """What was handed to the workers and none has begun; none will."""
        with self._lock:
            left = list(self._ready)
            self._ready.clear()
            return left

    def calls(self, job: Job) -> None:
        """Its call is made now: from here its second counts."""
        with self._lock:
            self._governor.call(job.segment)

    def fetches(self, job: Job) -> None:
        """What it lacks is asked for, which may take seconds: it keeps its place under way and none in the second."""
        with self._lock:
            self._governor.give_back(job.segment)

    def again(self, job: Job) -> None:
        """What it lacked was fetched: it is claimed once more, in its old turn. Nothing was sent for it."""
        with self._lock:
            self._count(job, -1)
            heapq.heappush(self._jobs, job)

    def free(self, job: Job) -> None:
        """Its call has ended: another may begin."""
        with self._lock:
            self._count(job, -1)

    def forget(self, job: Job) -> None:
        """It may be queued again."""
        with self._lock:
            self._known.discard(job.key)

    def drop(self, job: Job, *, fetched: bool = False) -> None:
        """It is not sent: neither its place nor its part of the second is used. `fetched`: it lacked something."""
        with self._lock:
            self._count(job, -1)
            if not fetched:
                self._governor.give_back(job.segment)
            self._known.discard(job.key)

    def under_way(self) -> int:
        with self._lock:
            return self._entries.total() + self._exits

    def waiting(self) -> int:
        with self._lock:
            return len(self._jobs)

    def _has_room(self, job: Job) -> bool:
        """The last worker is kept for exits, so that entries that hang never block the way out."""
        if not job.is_entry:
            return self._exits <= max(self._workers - self._entries.total(), 0)
        return self._entries.total() < max(self._workers, job.width) and self._entries[job.run_id] < job.width

    def _count(self, job: Job, by: int) -> None:
        if job.is_entry:
            self._entries[job.run_id] += by
            if not self._entries[job.run_id]:
                del self._entries[job.run_id]
        else:
            self._exits += by
