"""Keeps the peak of each run that has floors: a rise counts once it is committed, so a restart changes no floor."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, update

from app.domain.contracts import Side
from app.domain.errors import Refused
from app.domain.money import ZERO
from app.domain.trailing import TrailKind, distance_of, lock_floor, peak_of, trail_floor
from app.persistence.database import Database
from app.persistence.tables import Run
from app.services.journal import Journal
from app.services.run_board import RunView

REST_S = 3600.0
PAISA = Decimal("0.01")

_RISE = (
    update(Run)
    .where(Run.id == bindparam("run"), Run.peak < bindparam("to"))
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
        self._committed: dict[int, Decimal] = {}
        self._rising: dict[int, Decimal] = {}
        self._settled: dict[int, RunView] = {}
        self._told: set[int] = set()
        self._lock = threading.Lock()
        self.wake: Callable[[], None] = lambda: None

    def of(self, view: RunView) -> Decimal:
        """The committed peak, in rupees."""
        return max(view.peak, self._committed.get(view.run_id, ZERO))

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
        peak = self.of(view)
        risen = peak_of(peak, None if total is None else total.quantize(PAISA))
        is_due = trail is not None and trail.kind is TrailKind.PREMIUM_PCT and view.trail_distance is None
        with self._lock:
            if risen > max(peak, self._rising.get(view.run_id, ZERO)):
                self._rising[view.run_id] = risen
            if is_due and view.state == "OPEN" and view.run_id not in self._told:
                self._settled[view.run_id] = view
            has_work = bool(self._rising or self._settled)
        if has_work:
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

    def _write(self, rising: dict[int, Decimal], settled: dict[int, RunView]) -> None:
        with self._database.transaction() as session:
            for run_id, peak in rising.items():
                session.execute(_RISE, {"run": run_id, "to": peak})
            for run_id, view in settled.items():
                trail = view.floors.trail
                assert trail is not None
                try:
                    distance = distance_of(trail, net_premium(view))
                except Refused as no:
                    self._journal.note_once(session, run_id, "attention", f"It does not trail. {no}")
                    continue
                session.execute(_FIX, {"run": run_id, "to": None if distance is None else distance.quantize(PAISA)})


def net_premium(view: RunView) -> Decimal:
    """Rupees that the entry fills brought (+) or cost (-), over all accounts."""
    return sum(
        (-Side(cell.side).sign * cell.entered * cell.average for cell in view.cells if cell.average is not None), ZERO
    )
