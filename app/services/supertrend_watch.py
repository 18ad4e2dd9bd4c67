"""Takes runs out when the trend of their premium, of a leg or of the index turns: on complete candles alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import IST
from app.domain.candles import Candle
from app.domain.contracts import underlying_named
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.risk import RiskRule
from app.domain.supertrend import UP, SupertrendExit, TrendOf, TrendSeen, seen_in
from app.persistence.database import Database
from app.persistence.tables import RiskEvent
from app.services.candle_series import Subject
from app.services.candle_store import CandleStore, Following
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.part_due import PAISA, AskExits, prices_used
from app.services.run_board import CellView, RunBoard, RunView
from app.services.run_standing import Part
from app.services.shown_candles import Candles

LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class TrendNow:
    """What a page shows. `trouble` says why something is missing just now, empty when nothing is."""

    subject: str
    seen: TrendSeen
    trouble: str


@dataclass(slots=True)
class _Followed:
    """A run's candles. `is_due`: something of them is new."""

    subject: Subject
    following: Following
    is_due: bool = True


class SupertrendWatch:
    """`step` belongs to one loop, `now` to anybody. All state is in the candles: a restart judges the same again."""

    def __init__(
        self, database: Database, run_board: RunBoard, candles: CandleStore, journal: Journal, *, ask_exits: AskExits
    ) -> None:
        self._database = database
        self._run_board = run_board
        self._candles = candles
        self._journal = journal
        self._ask_exits = ask_exits
        self._turns = FairTurns()
        self._followed: dict[int, _Followed] = {}
        self.wake: Callable[[], None] = lambda: None

    def step(self) -> float:
        """Judge the runs whose candles are new. Returns the seconds until it looks again without being woken."""
        views = {run_id: self._run_board.view(run_id) for run_id in self._run_board.living()}
        watched = {run_id for run_id, view in views.items() if _is_watched(view)}
        for run_id in self._followed.keys() - watched:
            self._followed.pop(run_id).following.close()
        for run_id in self._turns.order(sorted(watched)):
            with self._turns.turn(run_id):
                self._look(views[run_id])
        return LOOK_S

    def now(self, view: RunView, candles: Candles) -> TrendNow | None:
        """Where the trend of a run stands by the candles that pages show.

        None for a run without such a rule, or nothing to make candles of.
        """
        rule, subject = view.exits.supertrend, subject_of(view)
        if rule is None or subject is None:
            return None
        entered = view.watched_from or view.requested_at
        try:
            shown = candles.view(subject, rule.minutes, of_closes=not subject.is_plain)
        except Conflict as no:
            return TrendNow(str(subject), seen_in((), rule, entered), str(no))
        return TrendNow(str(subject), seen_in(shown.candles, rule, entered), shown.trouble)

    def _look(self, view: RunView) -> None:
        rule, followed = view.exits.supertrend, self._follow(view)
        if rule is None or followed is None or not followed.is_due or view.watched_from is None:
            return
        followed.is_due, done = False, False  # first: a candle that comes now is looked at the next time
        try:
            self._judge(view, rule, followed, view.watched_from)
            done = True
        finally:
            followed.is_due = followed.is_due or not done

    def _judge(self, view: RunView, rule: SupertrendExit, followed: _Followed, entered_at: datetime) -> None:
        candles = followed.following.view(rule.minutes, of_closes=not followed.subject.is_plain)
        seen = seen_in(candles.candles, rule, entered_at)
        if seen.turned_at is not None and seen.turned_line is not None:
            self._leave(view, rule, followed.subject, seen.turned_at, seen.turned_line)

    def _leave(self, view: RunView, rule: SupertrendExit, subject: Subject, candle: Candle, line: float) -> None:
        why = _reason(rule, subject, candle, line)
        whole = [(Part(None, None), why)]
        self._ask_exits(view.run_id, whole, lambda session: self._write(session, view, subject, candle, line, why))

    def _follow(self, view: RunView) -> _Followed | None:
        known, subject = self._followed.get(view.run_id), subject_of(view)
        if known is not None and known.subject == subject:
            return known
        if known is not None:  # other rules were put on it
            self._followed.pop(view.run_id).following.close()
        if subject is None:
            return None
        try:
            following = self._candles.follow(subject, lambda: self._rung(view.run_id))
        except Conflict as no:
            words = f"Its Supertrend cannot be followed: {no}"
            with self._database.transaction() as session:
                self._journal.note_once(session, view.run_id, "attention", words)
            return None
        found = self._followed[view.run_id] = _Followed(subject, following)
        return found

    def _rung(self, run_id: int) -> None:
        followed = self._followed.get(run_id)
        if followed is not None:
            followed.is_due = True
            self.wake()

    def _write(self, session: Session, view: RunView, subject: Subject, candle: Candle, line: float, why: str) -> None:
        """One row for each run: the candle that turned, and the prices of its legs now with their ages."""
        known = select(RiskEvent.id).where(RiskEvent.run_id == view.run_id, RiskEvent.rule == RiskRule.SUPERTREND)
        prices, legs = candle.prices, {key: self._run_board.mark(key) for key, _ in subject.legs}
        if prices is None or session.scalars(known).first() is not None:
            return
        session.add(
            RiskEvent(
                run_id=view.run_id,
                at=self._journal.now(),
                rule=RiskRule.SUPERTREND.value,
                threshold=Decimal(str(line)).quantize(PAISA),
                value=Decimal(str(prices.close)).quantize(PAISA),
                prices={
                    str(subject): {
                        "opens": candle.opens.isoformat(), "closes": candle.closes.isoformat(),
                        "open": prices.open, "high": prices.high, "low": prices.low, "close": prices.close,
                        "origin": candle.origin.value,
                        "legs": prices_used(legs, {key: mark for key, mark in legs.items() if mark is not None}),
                    }
                },
                action=why,
            )
        )  # fmt: skip
        self._journal.note(session, view.run_id, "rule", why)


def _is_watched(view: RunView) -> bool:
    staying = any(cell.exit_wanted is None and (cell.net or cell.open_orders) for cell in view.cells)
    return view.exits.supertrend is not None and view.state != "EXITING" and staying


def subject_of(view: RunView) -> Subject | None:
    """What candles its rule is judged on; None without a rule, or while the run has no legs.

    A combined premium is that of one structure: each leg as often as its smallest share of lots, sold ones positive.
    """
    rule = view.exits.supertrend
    cells = {cell.leg: cell for cell in (view.accounts[0].cells if view.accounts else ())}
    if rule is None or not cells:
        return None
    if rule.of is TrendOf.UNDERLYING:
        return Subject.of(underlying_named(cells[min(cells)].contract.underlying).spot)
    if rule.of is TrendOf.LEG:
        cell = cells.get(rule.leg or 0)
        return None if cell is None else Subject.of(cell.contract.key)
    return premium_of(view)


def premium_of(view: RunView) -> Subject | None:
    """The combined premium of one structure; None while the run has no legs, or more than candles are made of."""
    cells = {cell.leg: cell for cell in (view.accounts[0].cells if view.accounts else ())}
    return _premium(list(cells.values())) if cells else None


def _premium(cells: list[CellView]) -> Subject | None:
    unit = math.gcd(*(cell.lots for cell in cells))
    ratios: dict[object, float] = {}
    for cell in cells:
        ratios[cell.contract.key] = ratios.get(cell.contract.key, 0.0) - cell.side.sign * cell.lots / unit
    try:
        return Subject(tuple((key, ratio) for key, ratio in ratios.items() if ratio))  # type: ignore[misc]
    except (InvalidInput, NotFound):
        return None


def _reason(rule: SupertrendExit, subject: Subject, candle: Candle, line: float) -> str:
    way = "up" if rule.turn.direction == UP else "down"
    close = candle.prices.close if candle.prices is not None else math.nan
    at = f"{candle.opens.astimezone(IST):%H:%M} to {candle.closes.astimezone(IST):%H:%M}"
    return (
        f"Supertrend ({rule.period}, {rule.multiplier:g}) of {subject} turned {way} on the candle of {at}: "
        f"it closed at {close:.2f}, the line is at {line:.2f}."
    )
