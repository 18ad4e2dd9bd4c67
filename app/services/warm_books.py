"""Keeps the order ids of accounts that are about to send so young that a send waits for nothing.

An order needs the ids that its account's book had just before it. Where a preview is shown or a run lives, that book is
read about once a second: one request, beside the full cycle that reads all books and settles what they say.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future

from sqlalchemy import bindparam, select

from app.domain.errors import DeskError
from app.domain.plan import Mode
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.tables import TradingAccount
from app.ports.clock import Clock
from app.services.world import World

LOOK_S = 0.25
WARM_S = 0.7
"""A book older than this is read again: the next has to be here before this one is too old to send by."""

AFTER_FAILURE_S = 5.0
"""How long an account whose book could not be read is left alone here: its own loop says what is wrong with it."""

RUSHED_S = 1.1
"""The same while orders go out: reading the books of many accounts would delay them, and none is too old by then."""

_A = TradingAccount.__table__.c
_MODES = Question(
    select(_A.id, _A.expected_mode).where(_A.id.in_(bindparam("ids", expanding=True)), _A.state != "ARCHIVED")
)


class WarmBooks:
    """`step` belongs to one loop; reads happen on the executor's threads, at most one for each account."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        world: World,
        readers: Executor,
        *,
        at_work: Callable[[], frozenset[int]],
        rushes: Callable[[], bool] = lambda: False,
    ) -> None:
        """`at_work` gives the accounts that send, or are about to; `rushes` says whether orders go out just now."""
        self._rushes = rushes
        self._database = database
        self._clock = clock
        self._world = world
        self._readers = readers
        self._at_work = at_work
        self._reading: dict[int, Future[None]] = {}
        self._left_alone: dict[int, float] = {}

    def step(self) -> float:
        now = self._clock.monotonic()
        warm_s = RUSHED_S if self._rushes() else WARM_S
        for account_id, mode in self._wanted():
            age_s = self._world.ids_age_s(account_id)
            if age_s is not None and age_s < warm_s:
                continue
            if account_id in self._reading or now < self._left_alone.get(account_id, now):
                continue
            self._reading[account_id] = self._readers.submit(self._world.read_ids, account_id, mode, WARM_S)
        for account_id, reading in list(self._reading.items()):
            if reading.done():
                del self._reading[account_id]
                self._end(account_id, reading)
        return LOOK_S

    def age_s(self, account_id: int) -> float | None:
        """Seconds since the newest read of the account's order book began; None before the first."""
        return self._world.ids_age_s(account_id)

    def _end(self, account_id: int, reading: Future[None]) -> None:
        trouble = reading.exception()
        if isinstance(trouble, DeskError):
            self._left_alone[account_id] = self._clock.monotonic() + AFTER_FAILURE_S
        elif trouble is not None:
            raise trouble

    def _wanted(self) -> list[tuple[int, Mode]]:
        ids = self._at_work()
        if not ids:
            return []
        with self._database.reading() as session:
            return [(number, Mode(mode)) for number, mode in _MODES.ask(session, {"ids": sorted(ids)})]
