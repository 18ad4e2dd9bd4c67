"""Watches every living run: when a rule trips, latches its exit and writes down which prices it judged by."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import select

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.domain.pnl import RunPnl
from app.domain.risk import RunRules, Trigger, judge
from app.persistence.database import Database
from app.persistence.tables import RiskEvent, Run
from app.ports.clock import Clock
from app.ports.feed import FeedMode
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
        database: Database,
        clock: Clock,
        board: PriceBoard,
        run_board: RunBoard,
        quotes: Quotes,
        *,
        websocket_manager: WebSocketManager,
        journal: Journal,
        ask_exit: Callable[[int, str], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._board = board
        self._run_board = run_board
        self._quotes = quotes
        self._websocket_manager = websocket_manager
        self._journal = journal
        self._ask_exit = ask_exit
        self._held: frozenset[ContractKey] = frozenset()
        self._watch: Watch | None = None
        self._requoted_at = 0.0
        self.wake: Callable[[], None] = lambda: None

    def step(self) -> float:
        """Judge every living run once."""
        views = [self._run_board.view(run_id) for run_id in self._run_board.living()]
        self._follow(frozenset(key for view in views for key in view.held))
        for view in views:
            if view.state != "EXITING":
                self._judge(view)
        self._requote()
        return LOOK_S

    def _judge(self, view: RunView) -> None:
        pnl = self._run_board.pnl(view)
        trigger = judge(RunRules(view.max_loss, view.max_profit), pnl)
        if trigger is None:
            return
        self._write(view, trigger, pnl)
        self._ask_exit(view.run_id, trigger.reason)

    def _write(self, view: RunView, trigger: Trigger, pnl: RunPnl) -> None:
        """One row for each rule and run, whoever sees it first."""
        with self._database.transaction() as session:
            run = session.get_one(Run, view.run_id)
            known = session.scalars(
                select(RiskEvent.id).where(RiskEvent.run_id == run.id, RiskEvent.rule == trigger.rule)
            ).one_or_none()
            if known is not None:
                return
            session.add(
                RiskEvent(
                    run_id=run.id,
                    at=self._journal.now(),
                    rule=trigger.rule,
                    threshold=trigger.threshold,
                    value=trigger.value.quantize(Decimal("0.01")),
                    prices=self._prices(view),
                    action=f"Exit of everything. Realised {pnl.realised:.2f}.",
                )
            )
            self._journal.note(session, run.id, "rule", trigger.reason)

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

    def _requote(self) -> None:
        """Ask the gateway about held contracts before their marks go stale; an illiquid one may trade rarely."""
        now = self._clock.monotonic()
        if now - self._requoted_at < REQUOTE_AFTER_S:
            return
        old = [key for key in self._held if (age := self._board.age_s(key)) is None or age > REQUOTE_AFTER_S]
        if not old:
            return
        self._requoted_at = now
        try:
            self._quotes.refresh(old, REQUOTE_AFTER_S)
        except Unavailable:
            # Nothing was learnt: the marks go stale, the run shows incomplete, and rules judge by that.
            return
