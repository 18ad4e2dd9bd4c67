"""Watches every living run: when a rule trips, latches its exit and writes down which prices it judged by."""

from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.domain.pnl import MARK_MAX_AGE_S, RunPnl, run_pnl
from app.domain.risk import RunRules, Trigger, judge
from app.persistence.tables import RiskEvent
from app.ports.clock import Clock
from app.ports.feed import FeedMode
from app.services import part_due
from app.services.account_limits import AccountLimits
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.leg_watch import LegWatch
from app.services.part_due import PAISA, AskExits, Marks, prices_used
from app.services.peaks import Peaks
from app.services.price_board import PriceBoard, Watch
from app.services.proven_prices import Proven, ProvenPrices
from app.services.quotes import Quotes
from app.services.run_board import RunBoard, RunView
from app.services.run_standing import Part
from app.services.websocket_manager import WebSocketManager

LOOK_S = 1.0

WOKEN = "risk"
"""Under this name the price board keeps which prices are new to the risk loop."""

BEHIND_S = 0.25
"""How far behind its fills a run may be judged: while its orders go out each would cost a reading of the run."""

REQUOTE_AFTER_S = 3.0
CONSUMER = "held"


class RiskMonitor:
    """`step` belongs to the risk loop, which ticks of held contracts wake. Decides by the proven prices alone."""

    def __init__(
        self,
        board: PriceBoard,
        run_board: RunBoard,
        quotes: Quotes,
        proven: ProvenPrices,
        *,
        websocket_manager: WebSocketManager,
        journal: Journal,
        clock: Clock,
        peaks: Peaks,
        ask_exits: AskExits,
    ) -> None:
        self._board = board
        self._run_board = run_board
        self._quotes = quotes
        self._proven = proven
        self._websocket_manager = websocket_manager
        self._journal = journal
        self._clock = clock
        self._peaks = peaks
        self._ask_exits = ask_exits
        self._legs = LegWatch()
        self._limits = AccountLimits(peaks)
        self._held: frozenset[ContractKey] = frozenset()
        self._watch: Watch | None = None
        self._turns = FairTurns()
        self._since: dict[ContractKey, float] = {}
        self._seen: dict[int, RunView] = {}
        self._all_at: float | None = None
        self.wake: Callable[[], None] = lambda: None

    def step(self) -> float:
        """Judge the runs whose prices moved or that changed; once in LOOK_S all of them, since marks grow old.

        Returns the seconds until it looks again without being woken.
        """
        moved, done = self._moved(), False
        held: set[ContractKey] = set()
        try:
            living = self._run_board.living()
            for run_id in self._turns.order(living):
                with self._turns.turn(run_id):
                    view = self._run_board.view(run_id, behind_s=BEHIND_S)
                    held |= view.held
                    self._count_from(view.held)
                    self._look(view, moved)
            done = True
        finally:
            self._follow(frozenset(held))
            if not done:  # the prices it took are judged by nobody: the next turn looks at all
                self._all_at = None
        self._seen = {run_id: self._seen[run_id] for run_id in living}
        return BEHIND_S if any(self._run_board.is_behind(run_id) for run_id in living) else LOOK_S

    def _moved(self) -> set[ContractKey] | None:
        """The contracts with a new price since the last turn; None when all runs are due."""
        now, moved = self._clock.monotonic(), self._board.take_dirty(WOKEN)
        if self._all_at is not None and 0.0 <= now - self._all_at < LOOK_S:
            return moved
        self._all_at = now
        return None

    def _look(self, view: RunView, moved: set[ContractKey] | None) -> None:
        """Judge the run when it or one of its prices is new, or all are due."""
        if moved is not None and view is self._seen.get(view.run_id) and moved.isdisjoint(view.held):
            return
        if view.state != "EXITING":
            self._judge(view)
        self._seen[view.run_id] = view

    def _judge(self, view: RunView) -> None:
        # One reading of the prices: what decides is what is written down.
        proven = self._proven.of(view)
        pnl = run_pnl(view.book, proven.marks)
        floors = self._peaks.floors(view)
        trigger = judge(RunRules(view.max_loss, view.max_profit, floors.trail, floors.lock), pnl)
        if trigger is None:
            self._judge_parts(view, pnl, proven)
            return
        if proven.in_doubt or (trigger.pessimistic and self._is_being_asked(pnl.missing, proven.marks)):
            return
        # In one transaction: no rule is on record without its exit, and no exit without its rule.
        whole = [(Part(None, None), trigger.reason)]
        self._ask_exits(view.run_id, whole, lambda session: self._write(session, view, trigger, pnl, proven.marks))

    def _judge_parts(self, view: RunView, pnl: RunPnl, proven: Proven) -> None:
        """No rule of the whole run was broken: those of its parts, each on the prices of its own contracts alone."""
        marks = proven.marks
        due = [*self._limits.due(view, marks), *self._legs.due(view, marks)]
        if not due:
            if not proven.in_doubt:  # prices of two moments make a peak that never was
                self._peaks.saw(view, pnl.total)
                self._limits.saw(view, marks)
            return
        known = [each for each in due if not self._is_being_asked(each.unpriced, marks)]
        leaving = [each for each in known if proven.in_doubt.isdisjoint(each.keys)]
        if leaving:
            wanted = [(each.part, each.reason) for each in leaving]
            self._ask_exits(
                view.run_id, wanted, lambda session: part_due.write(session, view, leaving, marks, self._journal)
            )
            self._legs.asked(view, leaving)
            self._limits.asked(view, leaving)

    def _is_being_asked(self, missing: Iterable[ContractKey], marks: Marks) -> bool:
        """A contract that never had a price here is not worth nothing: it is first asked for, as after a restart."""
        now = self._clock.monotonic()
        return any(key not in marks and now - self._since.get(key, now) < MARK_MAX_AGE_S for key in missing)

    def _write(self, session: Session, view: RunView, trigger: Trigger, pnl: RunPnl, marks: Marks) -> None:
        """One row for each rule and run, whoever sees it first."""
        known = session.scalars(
            select(RiskEvent.id).where(
                RiskEvent.run_id == view.run_id, RiskEvent.rule == trigger.rule, RiskEvent.place == ""
            )
        ).one_or_none()
        if known is not None:
            return
        session.add(
            RiskEvent(
                run_id=view.run_id,
                at=self._journal.now(),
                rule=trigger.rule,
                threshold=trigger.threshold,
                value=trigger.value.quantize(PAISA),
                prices=prices_used(view.held, marks),
                action=f"Exit of everything. Realised {pnl.realised:.2f}.",
            )
        )
        self._journal.note(session, view.run_id, "rule", trigger.reason)

    def _count_from(self, held: frozenset[ContractKey]) -> None:
        now = self._clock.monotonic()
        for key in held - self._since.keys():
            self._since[key] = now

    def _follow(self, held: frozenset[ContractKey]) -> None:
        """Subscribe what is held and be woken by it."""
        if held == self._held:
            return
        self._held = held
        self._since = {key: since for key, since in self._since.items() if key in held}
        self._proven.keep(held)
        if self._watch is not None:
            self._watch.close()
        self._watch = self._board.watch(held, self._woken) if held else None
        self._websocket_manager.want(CONSUMER, held, FeedMode.DEPTH)

    def _woken(self) -> None:
        self.wake()  # looked up at each call: the loop is made after the monitor

    def requote_step(self) -> float:
        """For a loop of its own, since it waits for gateways. Asks about held contracts before their marks go stale.

        An illiquid contract may trade rarely and still be fresh.
        """
        held = self._held
        doubted = self._proven.to_ask(held)
        old = {key for key in held if (age := self._board.age_s(key)) is None or age > REQUOTE_AFTER_S}
        if not old | doubted:
            return LOOK_S
        try:
            self._quotes.refresh(old | doubted, 0.0 if doubted else REQUOTE_AFTER_S)
        except Unavailable:
            # Nothing was learnt: the marks go stale, the run shows incomplete, and rules judge by that.
            return LOOK_S if doubted else REQUOTE_AFTER_S
        return LOOK_S if doubted else REQUOTE_AFTER_S
