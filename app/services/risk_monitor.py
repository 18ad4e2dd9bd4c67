"""Watches every living run: when a rule trips, latches its exit and writes down which prices it judged by."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.domain.pnl import RunPnl
from app.domain.risk import RunRules, Trigger, judge
from app.persistence.tables import RiskEvent
from app.ports.feed import FeedMode
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.price_board import PriceBoard, Watch
from app.services.quotes import Quotes
from app.services.run_board import RunBoard, RunView
from app.services.websocket_manager import WebSocketManager

LOOK_S = 1.0
REQUOTE_AFTER_S = 3.0
CONSUMER = "held"


class RiskMonitor:
    """`step` belongs to the risk loop, which ticks of held contracts wake. Decides from the price board alone."""

    def __init__(
        self,
        board: PriceBoard,
        run_board: RunBoard,
        quotes: Quotes,
        *,
        websocket_manager: WebSocketManager,
        journal: Journal,
        ask_exit: Callable[[int, str, Callable[[Session], None]], None],
    ) -> None:
        """`ask_exit(run_id, why, also)` latches the exit of a run; `also` writes in the same transaction."""
        self._board = board
        self._run_board = run_board
        self._quotes = quotes
        self._websocket_manager = websocket_manager
        self._journal = journal
        self._ask_exit = ask_exit
        self._held: frozenset[ContractKey] = frozenset()
        self._watch: Watch | None = None
        self._turns = FairTurns()
        self.wake: Callable[[], None] = lambda: None

    def step(self) -> float:
        """Judge every living run once."""
        held: set[ContractKey] = set()
        try:
            for run_id in self._turns.order(self._run_board.living()):
                with self._turns.turn(run_id):
                    view = self._run_board.view(run_id)
                    held |= view.held
                    if view.state != "EXITING":
                        self._judge(view)
        finally:
            self._follow(frozenset(held))
        return LOOK_S

    def _judge(self, view: RunView) -> None:
        pnl = self._run_board.pnl(view)
        trigger = judge(RunRules(view.max_loss, view.max_profit), pnl)
        if trigger is None:
            return
        # In one transaction: no rule is on record without its exit, and no exit without its rule.
        self._ask_exit(view.run_id, trigger.reason, lambda session: self._write(session, view, trigger, pnl))

    def _write(self, session: Session, view: RunView, trigger: Trigger, pnl: RunPnl) -> None:
        """One row for each rule and run, whoever sees it first."""
        known = session.scalars(
            select(RiskEvent.id).where(RiskEvent.run_id == view.run_id, RiskEvent.rule == trigger.rule)
        ).one_or_none()
        if known is not None:
            return
        session.add(
            RiskEvent(
                run_id=view.run_id,
                at=self._journal.now(),
                rule=trigger.rule,
                threshold=trigger.threshold,
                value=trigger.value.quantize(Decimal("0.01")),
                prices=self._prices(view),
                action=f"Exit of everything. Realised {pnl.realised:.2f}.",
            )
        )
        self._journal.note(session, view.run_id, "rule", trigger.reason)

    def _prices(self, view: RunView) -> dict[str, object]:
        """What the rule judged by: last price, touch and age of every held contract."""
        prices: dict[str, object] = {}
        for key in sorted(view.held):
            mark = self._run_board.mark(key)
            prices[key.symbol] = (
                None
                if mark is None
                else {
                    "ltp": str(mark.value),
                    "bid": None if mark.bid is None else str(mark.bid),
                    "ask": None if mark.ask is None else str(mark.ask),
                    "age_s": round(mark.age_s, 3),
                }
            )
        return prices

    def _follow(self, held: frozenset[ContractKey]) -> None:
        """Subscribe what is held and be woken by it."""
        if held == self._held:
            return
        self._held = held
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
        old = [key for key in held if (age := self._board.age_s(key)) is None or age > REQUOTE_AFTER_S]
        if not old:
            return LOOK_S
        try:
            self._quotes.refresh(old, REQUOTE_AFTER_S)
        except Unavailable:
            # Nothing was learnt: the marks go stale, the run shows incomplete, and rules judge by that.
            return REQUOTE_AFTER_S
        return REQUOTE_AFTER_S
