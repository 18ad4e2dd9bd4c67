"""A lane for each account and the loop that claims for all of them: many orders in one transaction, sent side by side.

Executor -> `send` -> `orders` loop: claim together -> workers of each lane: one call each -> `orders` loop: record
together. A gateway that hangs holds its own workers and nobody else.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlalchemy.exc import OperationalError

from app.domain.errors import Unavailable
from app.domain.orders import Purpose
from app.domain.outcomes import Outcome, Verdict
from app.engine.lane import EXITS_ONLY, IDLE_S, Ask, Job, Lane, Urgency, Work
from app.engine.supervisor import Supervisor
from app.persistence.tables import Intent
from app.ports.clock import Clock
from app.services.claims import Claimed, Claims
from app.services.fair_turns import FairTurns
from app.services.pace_settings import Paces

AT_ONCE = 64
"""Orders claimed in one transaction: the first calls begin while the next are claimed."""

LOOP = "orders"

GATHER_S = 0.004
"""How long an answer may wait for those that come just behind it, to be written with them in one transaction."""

STOPPED = Outcome(Verdict.NOT_SENT, None, "The engine was stopped before this order was sent.", None)

REMEMBERED_S = 2.0
"""How long a figure of the settings is kept: a changed one holds soon, and no order waits for a query."""


class OrderCalls(Protocol):
    """What is done with jobs; the order desk. `claim` and `record` are called by the orders loop alone."""

    def claim(self, intent_ids: Sequence[int]) -> Claims: ...

    def fetch(self, intent_id: int) -> bool: ...

    def call(self, claimed: Claimed) -> Outcome: ...

    def record(self, answers: Mapping[int, Outcome]) -> None: ...

    def cancel(self, intent_id: int) -> None: ...


class Lanes:
    """Thread-safe; `step` belongs to the orders loop. A lane is made when its account is first used, or opened."""

    def __init__(
        self,
        supervisor: Supervisor,
        clock: Clock,
        calls: OrderCalls,
        *,
        modify: Callable[[int], None],
        paces: Callable[[], Paces],
        workers: int,
        on_claimed: Callable[[], None] = lambda: None,
    ) -> None:
        """`modify` changes the prices of the order of that intent; the modify desk. `paces` reads how fast and wide
        is sent. `workers` is how many orders of an account are under way at once, where no strategy wants more, besides
        one place for exits and cancels alone. `on_claimed` is told that orders go out now.
        """
        self._supervisor = supervisor
        self._clock = clock
        self._calls = calls
        self._modify = modify
        self._read_paces = paces
        self._on_claimed = on_claimed
        self._workers = workers
        self._lanes: dict[int, Lane] = {}
        self._workers_of: dict[int, int] = {}
        self._answers: deque[tuple[Job, Outcome]] = deque()
        self._calling = 0
        self._answered_at = 0.0
        self._suspects: set[int] = set()
        self._turns = FairTurns()
        self._one_by_one = False
        self._paces: tuple[float, Paces] | None = None
        self._count = 0
        self._lock = threading.Lock()

    def send(self, intent: Intent, *, strategy_id: int | None) -> None:
        if intent.purpose == Purpose.EXIT:
            self._put(intent, Ask.SEND, Urgency.EXIT, self._workers)
        else:
            self._put(intent, Ask.SEND, Urgency.ENTRY, self._newest_paces().width_of(strategy_id))

    def cancel(self, intent: Intent) -> None:
        self._put(intent, Ask.CANCEL, Urgency.EXIT, self._workers)

    def modify(self, intent: Intent) -> None:
        self._put(intent, Ask.MODIFY, Urgency.ENTRY, self._workers)

    def open(self, account_id: int) -> None:
        """Make the lane of this account now, so that its first order waits for no thread to begin."""
        self._lane(account_id)

    def waiting(self) -> dict[int, int]:
        """Jobs waiting, by account."""
        with self._lock:
            return {account_id: lane.waiting() for account_id, lane in self._lanes.items()}

    def finish(self) -> None:
        """When the loops have stopped: what was claimed and nobody began was not sent; what was answered is recorded.

        Else the next engine would have to look for those orders in the books, and an exit would wait for minutes.
        """
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            self._answers.extend((work.job, STOPPED) for work in lane.drain() if work.claimed is not None)
        self._record()

    def step(self) -> float:
        """Let go what may, then record what was answered. Returns the seconds until more may go.

        In this order, since a claim for the way out must not wait while answers are written down.
        """
        try:
            wait_s = self._let_go()
        finally:
            if self._gather_s() == 0:
                self._record()
        return min(wait_s, self._gather_s()) if self._answers else wait_s

    def _let_go(self) -> float:
        due, wait_s = self._due()
        sends = {job.intent_id: job for job in due if job.ask is Ask.SEND}
        for job in due:
            if job.ask is not Ask.SEND:
                self._hand(Work(job))
        alone = [sends.pop(intent_id) for intent_id in self._turns.order(sends.keys() & self._suspects)]
        together = list(sends.values())
        batches = [together[first : first + AT_ONCE] for first in range(0, len(together), AT_ONCE)]
        self._claim_each([*batches, *([job] for job in alone)])
        return wait_s

    def _claim_each(self, batches: Sequence[Sequence[Job]]) -> None:
        left = [job for jobs in batches for job in jobs]
        try:
            for jobs in batches:
                with self._turns.turn(jobs[0].intent_id):
                    del left[: len(jobs)]
                    self._claim(jobs)
        finally:
            for job in left:  # a batch before them crashed: the executor asks for them again
                self._lane(job.account_id).drop(job)

    def _gather_s(self) -> float:
        """Seconds for which the oldest answer waits for others that are under way; 0 when there are none."""
        with self._lock:
            if not self._answers or not self._calling:
                return 0.0
            return max(0.0, self._answered_at + GATHER_S - self._clock.monotonic())

    def _record(self) -> None:
        """All answers together; where that crashes one by one, so that none takes the others along."""
        left = len(self._answers)
        while left:
            answered = [self._answers.popleft() for _ in range(1 if self._one_by_one else left)]
            left -= len(answered)
            done = False
            try:
                self._calls.record({job.intent_id: outcome for job, outcome in answered})
                done = True
            finally:
                if not done and not self._one_by_one:
                    self._answers.extendleft(reversed(answered))
                    self._one_by_one = True
                else:
                    for job, _ in answered:
                        self._lane(job.account_id).forget(job)
        self._one_by_one = False

    def _due(self) -> tuple[list[Job], float]:
        with self._lock:
            lanes = list(self._lanes.values())
        found = [lane.due() for lane in lanes]
        jobs = sorted(job for due, _ in found for job in due)
        return jobs, min((wait_s for _, wait_s in found), default=IDLE_S)

    def _claim(self, jobs: Sequence[Job]) -> None:
        """Those that are neither claimed nor lacking are dropped: denied, or to be asked for again by the executor.

        What is in a batch that crashes is claimed alone from then on, until that has gone well.
        """
        left = {job.intent_id: job for job in jobs}
        asked, is_sound = frozenset(left), False
        try:
            claims = self._calls.claim(sorted(left))
            if claims.ready:
                self._on_claimed()
            for intent_id, claimed in claims.ready.items():
                self._hand(Work(left.pop(intent_id), claimed))
            for intent_id in claims.lacking:
                self._hand(Work(left.pop(intent_id)))
            is_sound = True
        except Unavailable:
            is_sound = True  # another process leads; the lease loop says so and ends this one
        except OperationalError:
            is_sound = True  # the database takes nothing just now, whoever's it is
            raise
        finally:
            self._suspects = self._suspects - asked if is_sound else self._suspects | asked
            for job in left.values():
                self._lane(job.account_id).drop(job)

    def _hand(self, work: Work) -> None:
        account_id = work.job.account_id
        lane = self._lane(account_id)
        woken = lane.hand(work)
        while self._workers_of[account_id] < lane.under_way():  # a strategy wider than the settings say
            self._add_worker(account_id, lane)
        if woken is not None:
            self._supervisor.wake(f"lane-{account_id}-{woken}")

    def _put(self, intent: Intent, ask: Ask, urgency: Urgency, width: int) -> None:
        with self._lock:
            self._count += 1
            number = self._count
        job = Job(urgency, number, ask, intent.account_id, intent.id, intent.run_id, intent.exchange, width)
        if self._lane(intent.account_id).put(job):
            self._supervisor.wake(LOOP)

    def _lane(self, account_id: int) -> Lane:
        with self._lock:
            lane = self._lanes.get(account_id)
            if lane is None:
                lane = Lane(self._clock, self._workers, lambda: self._newest_paces().rate_of(account_id))
                self._lanes[account_id] = lane
                for _ in range(self._workers + 1):
                    self._add_worker(account_id, lane)
            return lane

    def _add_worker(self, account_id: int, lane: Lane) -> None:
        number = self._workers_of.get(account_id, EXITS_ONLY - 1) + 1
        self._supervisor.add(f"lane-{account_id}-{number}", self._worker(lane, number))
        self._workers_of[account_id] = number

    def _worker(self, lane: Lane, number: int) -> Callable[[], float]:
        def step() -> float:
            work = lane.next(number)
            if work is None:
                return IDLE_S
            self._do(lane, work)
            return 0.0

        return step

    def _do(self, lane: Lane, work: Work) -> None:
        job = work.job
        if job.ask is Ask.SEND and work.claimed is None:
            self._fetch(lane, job)
            return
        answered = False
        lane.calls(job)
        try:
            if work.claimed is not None:
                self._call(job, work.claimed)
                answered = True
            elif job.ask is Ask.CANCEL:
                self._calls.cancel(job.intent_id)
            else:
                self._modify(job.intent_id)
        finally:
            lane.free(job)
            if not answered:
                lane.forget(job)
            self._supervisor.wake(LOOP)

    def _call(self, job: Job, claimed: Claimed) -> None:
        with self._lock:
            self._calling += 1
        try:
            outcome = self._calls.call(claimed)
        finally:
            with self._lock:
                self._calling -= 1
        with self._lock:
            if not self._answers:
                self._answered_at = self._clock.monotonic()
            self._answers.append((job, outcome))

    def _fetch(self, lane: Lane, job: Job) -> None:
        fetched = False
        lane.fetches(job)
        try:
            fetched = self._calls.fetch(job.intent_id)
        finally:
            if fetched:
                lane.again(job)
            else:
                lane.drop(job, fetched=True)
            self._supervisor.wake(LOOP)

    def _newest_paces(self) -> Paces:
        now = self._clock.monotonic()
        if self._paces is None or now - self._paces[0] > REMEMBERED_S:
            self._paces = (now, self._read_paces())
        return self._paces[1]
