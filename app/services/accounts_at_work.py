"""Accounts in which orders may change at any moment, or are about to: what is kept warm is kept warm for these."""

import threading
from collections.abc import Callable

from cachetools import LRUCache
from sqlalchemy import bindparam, exists, select

from app.persistence.database import Database
from app.persistence.tables import Preview, Run
from app.ports.clock import Clock
from app.services.previews import plan_of

MOST_SHOWN = 20
KEPT_S = 0.2

_SHOWN = (
    select(Preview.id)
    .where(
        Preview.expires_at > bindparam("now"),
        ~exists().where(Run.preview_id == Preview.id, Run.state != "REQUESTED"),  # then its run says how long
    )
    .order_by(Preview.id.desc())
    .limit(MOST_SHOWN)
)


class AccountsAtWork:
    """Thread-safe. What it gives is at most KEPT_S old: several loops ask, and the database answers once for all."""

    def __init__(self, database: Database, clock: Clock, running: Callable[[], frozenset[int]]) -> None:
        """`running` gives the accounts of the runs that live."""
        self._database = database
        self._clock = clock
        self._running = running
        self._plans: LRUCache[int, frozenset[int]] = LRUCache(MOST_SHOWN)
        self._known: tuple[float, frozenset[int]] | None = None
        self._lock = threading.Lock()

    def ids(self) -> frozenset[int]:
        """Accounts of runs that live, and those that take part in a preview which can still be sent."""
        with self._lock:
            now = self._clock.monotonic()
            if self._known is None or now - self._known[0] > KEPT_S:
                self._known = (now, self._running() | self._shown())
            return self._known[1]

    def _shown(self) -> frozenset[int]:
        with self._database.reading() as session:
            shown = session.scalars(_SHOWN, {"now": self._clock.now()}).all()
            for number in shown:
                if number not in self._plans:
                    plan = plan_of(session.get_one(Preview, number))
                    self._plans[number] = frozenset(account.account_id for account in plan.taking_part)
        return frozenset[int]().union(*(self._plans[number] for number in shown))
