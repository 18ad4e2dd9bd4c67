"""Keeps the peak of each run that has floors: a rise counts once it is committed, so a restart changes no floor."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.errors import Refused
from app.domain.money import ZERO
from app.domain.trailing import Floors, Trail, TrailKind, distance_of, lock_floor, peak_of, trail_floor
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
        self._settled: dict[Place, tuple[RunView, Trail]] = {}
        self._told: set[tuple[Place, Trail, datetime | None]] = set()
        self._lock = threading.Lock()
        self.wake: Callable[[], None] = lambda: None

    def of(self, view: RunView, account_id: int | None = None) -> Decimal:
        """The committed peak of the run or of one account in it, in rupees."""
        stored = view.peak if account_id is None else view.account_peaks.get(account_id, ZERO)
        return max(stored, self._committed.get((view.run_id, account_id), ZERO))

    def account_floors(self, view: RunView, account_id: int) -> FloorsNow:
        """As the account's own committed peak says; none where it has no floors by itself."""
        rule = view.exits.of_account(account_id)
        if rule is None:
            return NONE
        return self._floors(view, rule.floors, account_id, view.account_distances.get(account_id))

    def saw_account(self, view: RunView, account_id: int, total: Decimal | None) -> None:
        """As `saw`, of one account that has floors by itself."""
        rule = view.exits.of_account(account_id)
        if rule is not None:
            self._saw(view, rule.floors, account_id, view.account_distances.get(account_id), total)

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
        return self._floors(view, view.floors, None, view.trail_distance)

    def _floors(self, view: RunView, floors: Floors, account_id: int | None, fixed: Decimal | None) -> FloorsNow:
        """`fixed` is the distance that was written down when the entry had settled."""
        trail, lock = floors.trail, floors.lock
        if trail is None and lock is None:
            return NONE
        peak, distance = self.of(view, account_id), fixed
        if trail is not None and trail.kind is TrailKind.AMOUNT:
            distance = trail.size
        return FloorsNow(
            None if trail is None else trail_floor(trail, peak, distance),
            None if lock is None else lock_floor(lock, peak),
        )

    def saw(self, view: RunView, total: Decimal | None) -> None:
        """A complete P&L that nobody doubts, or None. Returns at once; a rise counts when it is written down."""
        self._saw(view, view.floors, None, view.trail_distance, total)

    def _saw(
        self, view: RunView, floors: Floors, account_id: int | None, fixed: Decimal | None, total: Decimal | None
    ) -> None:
        trail, lock = floors.trail, floors.lock
        if trail is None and lock is None:
            return
        rises, place = self._rise(view, account_id, total), (view.run_id, account_id)
        by_premium = trail if trail is not None and trail.kind is TrailKind.PREMIUM_PCT and fixed is None else None
        with self._lock:
            if by_premium is not None and view.state == "OPEN" and (place, by_premium, view.rules_at) not in self._told:
                self._settled[place] = (view, by_premium)
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
        self._told |= {(place, trail, view.rules_at) for place, (view, trail) in settled.items()}
        for run_id in {run_id for run_id, _ in settled}:
            self._on_change(run_id)
        return REST_S

    def _write(self, rising: dict[Place, Decimal], settled: dict[Place, tuple[RunView, Trail]]) -> None:
        with self._database.transaction() as session:
            for place, peak in rising.items():
                _raise(session, place, peak)
            for (run_id, account_id), (view, trail) in settled.items():
                try:
                    distance = distance_of(trail, net_premium(view, account_id))
                except Refused as no:
                    who = "It" if account_id is None else _named(view, account_id)
                    words = f"{who} does not trail{'' if account_id is None else ' by itself'}. {no}"
                    self._journal.note_once(session, run_id, "attention", words)
                    continue
                if distance is not None:
                    _fix(session, (run_id, account_id), distance.quantize(PAISA))


def _raise(session: Session, place: Place, peak: Decimal) -> None:
    run_id, account_id = place
    if account_id is None:
        session.execute(_RISE, {"run": run_id, "to": peak})
        return
    if session.get(AccountPeak, place) is None:
        session.add(AccountPeak(run_id=run_id, account_id=account_id, peak=peak))
        return
    session.execute(_ACCOUNT_RISE, {"run": run_id, "account": account_id, "to": peak})


def _fix(session: Session, place: Place, distance: Decimal) -> None:
    """Once for good: what is there already stays."""
    run_id, account_id = place
    if account_id is None:
        session.execute(_FIX, {"run": run_id, "to": distance})
        return
    row = session.get(AccountPeak, place)
    if row is None:
        session.add(AccountPeak(run_id=run_id, account_id=account_id, peak=ZERO, trail_distance=distance))
    elif row.trail_distance is None:
        row.trail_distance = distance


def _named(view: RunView, account_id: int) -> str:
    return next(account.name for account in view.accounts if account.account_id == account_id)


def net_premium(view: RunView, account_id: int | None = None) -> Decimal:
    """Rupees that the entry fills brought (+) or cost (-), over all accounts or in one of them."""
    cells = [cell for cell in view.cells if account_id in {None, cell.account_id}]
    return sum(
        (-Side(cell.side).sign * cell.entered * cell.average for cell in cells if cell.average is not None), ZERO
    )
