"""What must hold in every schedule: the invariants of the order path that one process can be judged by.

I1 one call and one broker order for an intent · I2 nothing closed beyond zero, nothing beyond the plan · I3 no call
under an old epoch · I4 no entry when halted, closed, in the other mode or after the exit was asked, no exit of a rule
without its record · I5 every order of
ours at the broker is claimed by one intent, no stranger's is · I6 after a restart no call is taken to be under way ·
I7 no short before its hedge, no hedge closed before its short · I8 at rest our ledger and the broker's say the same.
Not here: I9 (there is no hash chain of the activity log yet), I10 (secrets: tests/integration/test_canaries.py), I11
(the governor of lanes: tests/unit/engine) and I12 (stale marks: tests/unit/js/staleness.test.mjs), which no world
without lanes, logs and pages can show.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from app.domain.calendar import Phase, trading_date
from app.domain.contracts import Contract, Side
from app.domain.orders import FINAL, IntentState, OrderRequest
from app.domain.plan import Mode
from app.domain.risk import RiskRule
from app.persistence.tables import (
    FillRow,
    Intent,
    RiskEvent,
    Run,
    StrategyExecution,
    TradingAccount,
    TradingStateRow,
)
from tests.chaos.world import ChaosWorld
from tests.unit.services.pretend_broker import BY_HAND, LOT

Leg = tuple[Contract, Side, int]
QUARANTINED = "Cannot tell which"

_NETS = (
    select(StrategyExecution.id, StrategyExecution.account_id, StrategyExecution.symbol, StrategyExecution.side,
           FillRow.side, func.sum(FillRow.units))
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .group_by(StrategyExecution.id, FillRow.side)
)  # fmt: skip


class Kind(StrEnum):
    """What a failure is counted as."""

    DUPLICATE = "duplicate"
    LOST = "lost"
    OVER_CLOSED = "over-closed"
    OTHER = "other"


class Violation(AssertionError):
    """An invariant does not hold. The message names it and tells the story of the schedule."""

    def __init__(self, invariant: str, kind: Kind, what: str) -> None:
        super().__init__(f"{invariant} {kind}: {what}")
        self.invariant = invariant
        self.kind = kind


class Checker:
    """Judges one schedule. `words` adds its story to the message of a failure."""

    def __init__(self, world: ChaosWorld, legs: Sequence[Leg], words: Callable[[str], str]) -> None:
        self._world = world
        self._legs = legs
        self._words = words
        self._called: set[int] = set()
        self._peaks: dict[int, Decimal] = {}
        self.torn: set[int] = set()
        """Runs of which a person wanted one leg closed by itself: a hedge then goes before its short."""

    def must(self, holds: bool, invariant: str, kind: Kind, what: str) -> None:
        if not holds:
            raise Violation(invariant, kind, self._words(what))

    def asked(self, account_id: int, request: OrderRequest) -> None:
        """At the moment of a call: what had to be true before it."""
        intent_id = self._world.sending
        assert intent_id is not None, "a call without an intent"
        self.must(intent_id not in self._called, "I1", Kind.DUPLICATE, f"intent {intent_id} was sent twice")
        self._called.add(intent_id)
        intent = next(each for each in self._world.rows(Intent) if each.id == intent_id)
        is_its = (intent.account_id, intent.state) == (account_id, IntentState.SENDING)
        self.must(is_its, "I1", Kind.DUPLICATE, f"a call for intent {intent_id} that was not claimed")
        self.must(intent.epoch == self._world.epoch, "I3", Kind.DUPLICATE, f"intent {intent_id} under an old epoch")
        is_live = self._world.hours.now is Phase.LIVE
        self.must(is_live, "I4", Kind.OTHER, f"intent {intent_id} was sent to a closed market")
        if intent.purpose == "ENTRY":
            self._entry_allowed(intent)
        elif request.side is Side.SELL:
            self._short_is_closed(intent)

    def _entry_allowed(self, intent: Any) -> None:
        account = next(each for each in self._world.rows(TradingAccount) if each.id == intent.account_id)
        self.must(account.state == "ACTIVE", "I4", Kind.OTHER, f"entry {intent.id} in a halted account")
        scopes = {"ALL": 0, "USER": 1, "ACCOUNT": intent.account_id, "STRATEGY": 1}
        stops = [s for s in self._world.rows(TradingStateRow) if s.state != "ACTIVE" and scopes[s.scope] == s.scope_id]
        self.must(not stops, "I4", Kind.OTHER, f"entry {intent.id} though the kill switch was pressed")
        mode = self._world.health.of(intent.account_id).mode
        self.must(mode is Mode.LIVE, "I4", Kind.OTHER, f"entry {intent.id} in the other mode")
        beside = self._beside(intent)
        mine = next(each for each in beside if each.id == intent.execution_id)
        self.must(mine.exit_wanted is None, "I4", Kind.OTHER, f"entry {intent.id} after its exit was asked")
        if mine.side == Side.SELL:
            nets = self._nets()
            hedged = all(nets.get(each.id, 0) >= each.units for each in beside if each.side == Side.BUY)
            self.must(hedged, "I7", Kind.OTHER, f"short {intent.id} before its hedge")

    def _short_is_closed(self, intent: Any) -> None:
        nets = self._nets()
        naked = [e.symbol for e in self._beside(intent) if e.side == Side.SELL and e.exit_wanted and nets.get(e.id, 0)]
        # A short that somebody closed by hand holds no hedge back, even if he opens it again.
        touched = self._world.watched[intent.account_id].touched
        excused = intent.run_id in self.torn or touched.issuperset(naked)
        self.must(excused, "I7", Kind.OTHER, f"hedge closed by {intent.id} before its short")

    def _beside(self, intent: Any) -> list[Any]:
        rows = self._world.rows(StrategyExecution)
        return [each for each in rows if (each.run_id, each.account_id) == (intent.run_id, intent.account_id)]

    def _nets(self) -> dict[int, int]:
        """Signed units of each execution by our own fills."""
        nets: dict[int, int] = {}
        for execution_id, _, _, _, side, units in self._world.found(_NETS):
            nets[execution_id] = nets.get(execution_id, 0) + Side(side).sign * units
        return nets

    def ledger(self) -> dict[tuple[int, str], int]:
        """Signed units by account and symbol, by our own fills."""
        nets: dict[tuple[int, str], int] = {}
        for _, account_id, symbol, _, side, units in self._world.found(_NETS):
            nets[account_id, symbol] = nets.get((account_id, symbol), 0) + Side(side).sign * units
        return nets

    def always(self) -> None:
        """What holds at every moment."""
        intents = self._world.rows(Intent)
        ids = [(each.account_id, each.trading_date, each.order_id) for each in intents if each.order_id]
        self.must(len(ids) == len(set(ids)), "I1", Kind.DUPLICATE, "one order counted for two intents")
        sides = {each.id: Side(each.side).sign for each in self._world.rows(StrategyExecution)}
        for execution_id, net in self._nets().items():
            self.must(net * sides[execution_id] >= 0, "I2", Kind.OVER_CLOSED, f"execution {execution_id} crossed zero")
        self._rules()
        runs = len(self._world.rows(Run))
        for account_id, broker in self._world.watched.items():
            sent = [each for each in intents if each.sent_at is not None and each.account_id == account_id]
            self.must(broker.placed <= len(sent), "I1", Kind.DUPLICATE, "more calls than intents")
            for contract, side, lots in self._legs:
                symbol = contract.key.symbol
                ours, net = broker.ours(contract.key) * side.sign, broker.net(contract.key) * side.sign
                strangers = broker.mimicked.get((contract.key, side), 0)
                self.must(ours >= -strangers, "I2", Kind.OVER_CLOSED, f"our {symbol} crossed zero")
                self.must(net >= 0, "I2", Kind.OVER_CLOSED, f"the account's {symbol} crossed zero")
                self.must(ours <= lots * LOT * runs, "I2", Kind.DUPLICATE, f"more {symbol} than was planned")

    def _rules(self) -> None:
        """A rule that fired was broken by what it judged, once for its run, and its exit stands beside it."""
        events = self._world.rows(RiskEvent)
        for run in self._world.rows(Run):
            risen = run.peak >= self._peaks.get(run.id, run.peak)
            self.must(risen, "I4", Kind.OTHER, f"the peak of run {run.id} fell to {run.peak}, and its floor with it")
            self._peaks[run.id] = run.peak
        self.must(len({(e.run_id, e.rule) for e in events}) == len(events), "I4", Kind.OTHER, "a rule fired twice")
        for event in events:
            at = -event.threshold if event.rule == RiskRule.MAX_LOSS else event.threshold
            broken = event.value >= at if event.rule == RiskRule.MAX_PROFIT else event.value <= at
            self.must(broken, "I4", Kind.OTHER, f"{event.rule} fired at {event.value}")
            going = all(e.exit_wanted for e in self._world.rows(StrategyExecution) if e.run_id == event.run_id)
            self.must(going, "I4", Kind.LOST, f"{event.rule} fired and run {event.run_id} is not on its way out")

    def restarted(self) -> None:
        """Right after a start."""
        hanging = [each.id for each in self._world.rows(Intent) if each.state == IntentState.SENDING]
        self.must(not hanging, "I6", Kind.LOST, f"intents {hanging} are still taken to be under way")

    def day_ends(self) -> None:
        """When nothing is open any more and the books have been read: each order has its intent, each fill its row."""
        owners = self._owners()
        for account_id, broker in self._world.watched.items():
            for order in broker.standing:
                owner = owners.get((account_id, order.order_id))
                if order.request.tag != BY_HAND:
                    known = owner is not None or bool(broker.alike) or self._is_quarantined(order.order_id)
                    self.must(known, "I5", Kind.LOST, f"order {order.order_id} of account {account_id} is nobody's")
                elif order.order_id not in broker.alike:
                    self.must(owner is None, "I5", Kind.OTHER, f"a stranger's order {order.order_id} is taken for ours")
                if owner is not None:
                    self._same_fills(owner, broker.trades, order.order_id)

    def _owners(self) -> dict[tuple[int, str], Any]:
        today = trading_date(self._world.clock.now())
        intents = [each for each in self._world.rows(Intent) if each.order_id and each.trading_date == today]
        return {(each.account_id, each.order_id): each for each in intents}

    def _is_quarantined(self, order_id: str) -> bool:
        return any(
            (each.reason or "").startswith(QUARANTINED) and order_id in each.reason for each in self._world.rows(Intent)
        )

    def _same_fills(self, owner: Any, trades: Iterable[Any], order_id: str) -> None:
        fills = [each for each in self._world.rows(FillRow) if each.intent_id == owner.id]
        ours = (sum(f.units for f in fills), sum((f.units * f.price for f in fills), Decimal(0)))
        there = [trade for trade in trades if trade.order_id == order_id]
        theirs = (sum(t.units for t in there), sum((t.units * t.price for t in there), Decimal(0)))
        self.must(ours == theirs, "I8", Kind.LOST, f"order {order_id}: our fills {ours}, the broker's {theirs}")

    def at_rest(self) -> None:
        """When everybody has left: both ledgers are flat and nothing is open."""
        self.day_ends()
        self.must(not any(self.ledger().values()), "I8", Kind.LOST, "our ledger is not flat")
        for account_id, broker in self._world.watched.items():
            for contract, _, _ in self._legs:
                flat = broker.ours(contract.key) == 0 or bool(broker.mimicked)
                self.must(flat, "I8", Kind.LOST, f"broker {account_id} still has our {contract.key.symbol}")
        states = {IntentState(each.state) for each in self._world.rows(Intent)}
        self.must(states <= FINAL, "I8", Kind.LOST, "something is still open")
