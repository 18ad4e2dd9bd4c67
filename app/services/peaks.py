"""Keeps the peak of each run that has floors: a rise counts once it is committed, so a restart changes no floor."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.errors import Refused
from app.domain.money import ZERO
from app.domain.trailing import TrailKind, distance_of, lock_floor, peak_of, trail_floor
from app.persistence.database import Database
from app.persistence.tables import AccountPeak, Run
from app.services.journal import Journal
from app.services.run_board import RunView

Place = tuple[int, int | None]
"""A run, and one of its accounts; None for the whole."""

REST_S = 3600.0
PAISA = Decimal("0.01")

_RISE = (
    update(Run)
    .where(Run.id == bindparam("run"), Run.peak < bindparam("to"))
    .values(peak=bindparam("to"))
    .execution_options(synchronize_session=False)
)
_ACCOUNT_RISE = (
    update(AccountPeak)
    .where(
        AccountPeak.run_id == bindparam("run"),
        AccountPeak.account_id == bindparam("account"),
        AccountPeak.peak < bindparam("to"),
    )
    .values(peak=bindparam("to"))
    .execution_options(synchronize_session=False)
)
_FIX = (
    update(Run)
    .where(Run.id == bindparam("run"), Run.trail_distance.is_(None))
    .values(trail_distance=bindparam("to"))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True, slots=True)
class FloorsNow:
    """The P&L at or below which the run is left, by each rule; None where there is none just now."""

    trail: Decimal | None
    lock: Decimal | None


NONE = FloorsNow(None, None)


class Peaks:
    """`step` is for one loop, the rest is thread-safe."""

    def __init__(self, database: Database, journal: Journal, on_change: Callable[[int], None]) -> None:
        """`on_change` tells that a run's rows were changed."""
        self._database = database
        self._journal = journal
        self._on_change = on_change
        self._committed: dict[Place, Decimal] = {}
        self._rising: dict[Place, Decimal] = {}
        self._settled: dict[int, RunView] = {}
        self._told: set[int] = set()
        self._lock = threading.Lock()
        self.wake: Callable[[], None] = lambda: None

    def of(self, view: RunView, account_id: int | None = None) -> Decimal:
        """The committed peak of the run or of one account in it, in rupees."""
        stored = view.peak if account_id is None else view.account_peaks.get(account_id, ZERO)
        return max(stored, self._committed.get((view.run_id, account_id), ZERO))

    def account_floor(self, view: RunView, account_id: int) -> Decimal | None:
        """As the account's own committed peak says; None where it does not trail by itself."""
        rule = view.exits.of_account(account_id)
        trail = None if rule is None else rule.trailing
        return None if trail is None else trail_floor(trail, self.of(view, account_id), trail.size)

    def saw_account(self, view: RunView, account_id: int, total: Decimal | None) -> None:
        """As `saw`, of one account that trails by itself."""
        if self._rise(view, account_id, total):
            self.wake()

    def _rise(self, view: RunView, account_id: int | None, total: Decimal | None) -> bool:
        peak, place = self.of(view, account_id), (view.run_id, account_id)
        risen = peak_of(peak, None if total is None else total.quantize(PAISA))
        with self._lock:
            if risen <= max(peak, self._rising.get(place, ZERO)):
                return False
            self._rising[place] = risen
        return True

    def floors(self, view: RunView) -> FloorsNow:
        """As the committed peak says."""
        trail, lock = view.floors.trail, view.floors.lock
        if trail is None and lock is None:
            return NONE
        peak = self.of(view)
        distance = view.trail_distance
        if trail is not None and trail.kind is TrailKind.AMOUNT:
            distance = trail.size
        return FloorsNow(
            None if trail is None else trail_floor(trail, peak, distance),
            None if lock is None else lock_floor(lock, peak),
        )

    def saw(self, view: RunView, total: Decimal | None) -> None:
        """A complete P&L that nobody doubts, or None. Returns at once; a rise counts when it is written down."""
        trail, lock = view.floors.trail, view.floors.lock
        if trail is None and lock is None:
            return
        rises = self._rise(view, None, total)
        is_due = trail is not None and trail.kind is TrailKind.PREMIUM_PCT and view.trail_distance is None
        with self._lock:
            if is_due and view.state == "OPEN" and view.run_id not in self._told:
                self._settled[view.run_id] = view
            has_work = bool(self._settled)
        if rises or has_work:
            self.wake()

    def step(self) -> float:
        """Write down what rose, and the distances of entries that have settled, in one transaction."""
        with self._lock:
            rising, self._rising = self._rising, {}
            settled, self._settled = self._settled, {}
        if not rising and not settled:
            return REST_S
        done = False
        try:
            self._write(rising, settled)
            done = True
        finally:
            if not done:  # it is seen again with the next price; nothing counts before it is written
                with self._lock:
                    self._rising = {**rising, **self._rising}
        self._committed.update(rising)
        self._told |= settled.keys()
        for run_id in settled:
            self._on_change(run_id)
        return REST_S

    def _write(self, rising: dict[Place, Decimal], settled: dict[int, RunView]) -> None:
        with self._database.transaction() as session:
            for place, peak in rising.items():
                _raise(session, place, peak)
            for run_id, view in settled.items():
                trail = view.floors.trail
                assert trail is not None
                try:
                    distance = distance_of(trail, net_premium(view))
                except Refused as no:
                    self._journal.note_once(session, run_id, "attention", f"It does not trail. {no}")
                    continue
                session.execute(_FIX, {"run": run_id, "to": None if distance is None else distance.quantize(PAISA)})


def _raise(session: Session, place: Place, peak: Decimal) -> None:
    run_id, account_id = place
    if account_id is None:
        session.execute(_RISE, {"run": run_id, "to": peak})
        return
    if session.get(AccountPeak, place) is None:
        session.add(AccountPeak(run_id=run_id, account_id=account_id, peak=peak))
        return
    session.execute(_ACCOUNT_RISE, {"run": run_id, "account": account_id, "to": peak})


def net_premium(view: RunView) -> Decimal:
    """Rupees that the entry fills brought (+) or cost (-), over all accounts."""
    return sum(
        (-Side(cell.side).sign * cell.entered * cell.average for cell in view.cells if cell.average is not None), ZERO
    )
