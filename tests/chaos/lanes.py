"""The lanes of the engine without their threads: what may go now is asked for, and done one after the other."""

from collections.abc import Callable

from app.engine.lane import Ask, Job, Lane, Urgency
from app.persistence.tables import Intent
from app.ports.clock import Clock

WORKERS = 8


class ChaosLanes:
    """As `Lanes` to the executor. Its lanes and their governors are the product's own and die with the process."""

    def __init__(self, clock: Clock, rate: Callable[[], int]) -> None:
        """`rate` is how many calls an account makes in a second."""
        self._clock = clock
        self._rate = rate
        self._lanes: dict[int, Lane] = {}
        self._count = 0

    def send(self, intent: Intent, *, strategy_id: int | None) -> None:  # noqa: ARG002 - the signature is the real one's
        self._put(intent, Ask.SEND, Urgency.EXIT if intent.purpose == "EXIT" else Urgency.ENTRY)

    def cancel(self, intent: Intent) -> None:
        self._put(intent, Ask.CANCEL, Urgency.EXIT)

    def modify(self, intent: Intent) -> None:
        self._put(intent, Ask.MODIFY, Urgency.ENTRY)

    def of(self, job: Job) -> Lane:
        return self._lanes[job.account_id]

    def due(self) -> list[Job]:
        """What may go now, the most urgent first. Each has its place, and is to be called or given back."""
        return sorted(job for lane in self._lanes.values() for job in lane.due()[0])

    def over(self, job: Job, *, called: bool) -> None:
        """It was done, or came to nothing before its call; it may be asked for again."""
        lane = self.of(job)
        if called:
            lane.calls(job)
            lane.free(job)
            lane.forget(job)
        else:
            lane.drop(job)

    def _put(self, intent: Intent, ask: Ask, urgency: Urgency) -> None:
        self._count += 1
        lane = self._lanes.setdefault(intent.account_id, Lane(self._clock, WORKERS, self._rate))
        lane.put(Job(urgency, self._count, ask, intent.account_id, intent.id, intent.run_id, intent.exchange, WORKERS))
