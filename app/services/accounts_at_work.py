"""Accounts in which orders may change at any moment, or are about to: what is kept warm is kept warm for these."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache
from sqlalchemy import bindparam, exists, select

from app.domain.contracts import ContractKey
from app.domain.plan import Plan
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.tables import Preview, Run
from app.ports.clock import Clock
from app.services.previews import plan_of

MOST_SHOWN = 20
KEPT_S = 0.2

_P, _R = Preview.__table__.c, Run.__table__.c
_SHOWN = Question(
    select(_P.id)
    .where(
        _P.expires_at > bindparam("now"),
        ~exists().where(_R.preview_id == _P.id, _R.state != "REQUESTED"),  # then its run says how long
    )
    .order_by(_P.id.desc())
    .limit(MOST_SHOWN)
)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a preview would send, and where."""

    accounts: frozenset[int]
    contracts: frozenset[ContractKey]


@dataclass(frozen=True, slots=True)
class _Known:
    """`at` is monotonic."""

    at: float
    ids: frozenset[int]
    contracts: frozenset[ContractKey]


class AccountsAtWork:
    """Thread-safe. What it gives is at most KEPT_S old: several loops ask, and the database answers once for all."""

    def __init__(self, database: Database, clock: Clock, running: Callable[[], frozenset[int]]) -> None:
        """`running` gives the accounts of the runs that live."""
        self._database = database
        self._clock = clock
        self._running = running
        self._plans: LRUCache[int, _Shown] = LRUCache(MOST_SHOWN)
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def ids(self) -> frozenset[int]:
        """Accounts of runs that live, and those that take part in a preview which can still be sent."""
        return self._newest().ids

    def shown(self) -> frozenset[ContractKey]:
        """Contracts of the previews that can still be sent."""
        return self._newest().contracts

    def _newest(self) -> _Known:
        with self._lock:
            now = self._clock.monotonic()
            if self._known is None or now - self._known.at > KEPT_S:
                shown = self._shown()
                ids = self._running().union(*(each.accounts for each in shown))
                contracts = frozenset[ContractKey]().union(*(each.contracts for each in shown))
                self._known = _Known(now, ids, contracts)
            return self._known

    def _shown(self) -> list[_Shown]:
        with self._database.reading() as session:
            shown = [number for (number,) in _SHOWN.ask(session, {"now": self._clock.now()})]
            for number in shown:
                if number not in self._plans:
                    self._plans[number] = _shown_by(plan_of(session.get_one(Preview, number)))
        return [self._plans[number] for number in shown]


def _shown_by(plan: Plan) -> _Shown:
    return _Shown(
        frozenset(account.account_id for account in plan.taking_part),
        frozenset(leg.contract.key for leg in plan.legs),
    )
