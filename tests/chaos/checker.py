"""What must hold in every schedule: the invariants of the order path that one process can be judged by.

I1 one call and one broker order for an intent · I2 nothing closed beyond zero, nothing beyond the plan · I3 no call
under an old epoch · I4 no entry when halted, closed, in the other mode or after the exit was asked, no exit of a rule
without its record, none by the clock before its time · I5 every order of ours at the broker is claimed by one intent,
within 60 s of clean reads that show it, no stranger's is · I6 after a restart no call is taken to be under way · I7 no
short before its hedge, no hedge closed before its short · I8 at rest our ledger and the broker's say the same · I9 what
was written to the activity log and to the events of a run is never changed or taken out · I10 no password that was
typed and no locked key stands in a column that is not its own · I11 never more calls of an account in a second than its
pace · I12 no run is shown complete on a price older than its limit.

What one process without network, logs and pages cannot show of them: I9, that rows changed by somebody at the database
are found out, for there is no hash chain of the activity log to verify; I10, keys in logs, answers and a gateway's
words, which are taken out below the port that these brokers stand at (tests/integration/test_canaries.py runs the whole
desk); I12, the mark on a page whose server fell silent (tests/unit/js/staleness.test.mjs).
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from app.domain.calendar import IST, Phase, trading_date
from app.domain.contracts import Contract, ContractKey, Side
from app.domain.orders import FINAL, IntentState, OrderRequest
from app.domain.plan import Mode
from app.domain.pnl import MARK_MAX_AGE_S
from app.domain.risk import RiskRule
from app.persistence.database import Table
from app.persistence.tables import (
    ActivityLog,
    Adoption,
    FillRow,
    Intent,
    RiskEvent,
    Run,
    RunEvent,
    StrategyExecution,
    TradingAccount,
    TradingStateRow,
)
from app.services.run_board import LIVING
from tests.chaos.world import SECRET, ChaosWorld
from tests.unit.services.pretend_broker import BY_HAND, LOT

Leg = tuple[Contract, Side, int]
QUARANTINED = "Cannot tell which"
CLAIMED_WITHIN_S = 60.0
LOG_EVERY = 3
"""In each third look the log is read again, which takes longer than all else."""

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
        self._looks = 0
        self._left_by_clock: set[int] = set()
        self._seen_adoptions: set[int] = set()
        self._peaks: dict[int, Decimal] = {}
        self._calls: dict[int, deque[float]] = {}
        self._shown: dict[tuple[int, str], float] = {}
        self._written: dict[Any, list[Any]] = {ActivityLog: [], RunEvent: []}
        self.heard: dict[ContractKey, float] = {}
        """When (monotonic) the last price of a contract came that is one."""
        self.torn: set[int] = set()
        """Runs of which a person wanted one leg closed by itself: a hedge then goes before its short."""

    def must(self, holds: bool, invariant: str, kind: Kind, what: str) -> None:
        if not holds:
            raise Violation(invariant, kind, self._words(what))

    def called(self, account_id: int) -> None:
        """A call that counts for the pace of its account begins; all contracts here are of one segment."""
        now, calls = self._world.clock.monotonic(), self._calls.setdefault(account_id, deque())
        calls.append(now)
        while now - calls[0] >= 1.0:
            calls.popleft()
        most = self._world.rate
        self.must(len(calls) <= most, "I11", Kind.OTHER, f"{len(calls)} calls of account {account_id} in a second")

    def cancelling(self) -> None:
        """At the moment of a cancel: who leads no more cancels nothing."""
        self.must(not self._world.is_haunted, "I3", Kind.OTHER, "a cancel under an old epoch")

    def books_read(self) -> None:
        """The books of all accounts were just read: what clean reads have shown for a while has an owner."""
        now = self._world.clock.monotonic()
        for account_id, broker in self._world.watched.items():
            known = self._world.reconciler.known(account_id)
            if known is None or self._world.reconciler.kept(account_id) != now or broker.alike:
                continue
            for order in broker.standing:
                if order.request.tag != BY_HAND and order.order_id in known.ids:
                    since = self._shown.setdefault((account_id, order.order_id), now)
                    if now - since >= CLAIMED_WITHIN_S:
                        self._is_found(account_id, order.order_id, f"{now - since:.0f} s after it was first read")

    def _is_found(self, account_id: int, order_id: str, when: str) -> None:
        known = (account_id, order_id) in self._owners() or self._is_quarantined(order_id)
        self.must(known, "I5", Kind.LOST, f"order {order_id} of account {account_id} is nobody's {when}")

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
        self._looks += 1
        if not self._looks % LOG_EVERY:
            self._log_only_grows()
        self._stale_is_marked()
        self._adopted_is_there()
        runs = len(self._world.rows(Run))
        adopted = self._adopted()
        for account_id, broker in self._world.watched.items():
            sent = [each for each in intents if each.sent_at is not None and each.account_id == account_id]
            self.must(broker.placed <= len(sent), "I1", Kind.DUPLICATE, "more calls than intents")
            for contract, side, lots in self._legs:
                symbol = contract.key.symbol
                ours = (broker.ours(contract.key) + adopted.get((account_id, symbol), 0)) * side.sign
                net = broker.net(contract.key) * side.sign
                strangers = broker.mimicked.get((contract.key, side), 0)
                self.must(ours >= -strangers, "I2", Kind.OVER_CLOSED, f"our {symbol} crossed zero")
                self.must(net >= 0, "I2", Kind.OVER_CLOSED, f"the account's {symbol} crossed zero")
                most = lots * LOT * runs + abs(adopted.get((account_id, symbol), 0))
                self.must(ours <= most, "I2", Kind.DUPLICATE, f"more {symbol} than was planned")

    def _adopted(self) -> dict[tuple[int, str], int]:
        """Signed units by account and symbol that became ours without an order of ours."""
        units: dict[tuple[int, str], int] = {}
        for row in self._world.rows(Adoption):
            units[row.account_id, row.symbol] = units.get((row.account_id, row.symbol), 0) + row.units
        return units

    def _adopted_is_there(self) -> None:
        """Judged when it is first seen: nothing is ours by then that the broker does not hold."""
        new = [row for row in self._world.rows(Adoption) if row.id not in self._seen_adoptions]
        for row in new:
            self._seen_adoptions.add(row.id)
            key, sign = ContractKey(row.exchange, row.symbol), 1 if row.units > 0 else -1
            ours = self.ledger().get((row.account_id, row.symbol), 0)
            there = self._world.watched[row.account_id].net(key)
            self.must(ours * sign <= there * sign, "I8", Kind.DUPLICATE, f"{row.units} {row.symbol} adopted of {there}")

    def _log_only_grows(self) -> None:
        for table, before in self._written.items():
            now = self._world.rows(table)
            self.must(now[: len(before)] == before, "I9", Kind.OTHER, f"{table.__tablename__} was changed afterwards")
            self._written[table] = now

    def _stale_is_marked(self) -> None:
        now = self._world.clock.monotonic()
        for run in self._world.rows(Run) if self.heard else ():
            if run.state not in LIVING:
                continue
            view = self._world.run_board.view(run.id)
            if not view.owned or not self._world.run_board.pnl(view).is_complete:
                continue
            old = [k.symbol for k, _ in view.owned if now - self.heard.get(k, -math.inf) > MARK_MAX_AGE_S]
            self.must(not old, "I12", Kind.OTHER, f"run {run.id} is shown complete on an old price of {old}")

    def _no_secret(self) -> None:
        """In any row that a schedule wrote, but for the locked keys of accounts."""
        for name in sorted(self._world.driver.written):
            columns = [c.name for c in Table.metadata.tables[name].columns if c.name != "locked_key"]
            for row in self._world.connection.execute(f"SELECT {', '.join(columns)} FROM {name}"):
                seen = any(isinstance(value, str) and SECRET in value for value in row)
                self.must(not seen, "I10", Kind.OTHER, f"a secret stands in a row of {name}")

    def _rules(self) -> None:
        """A rule that fired was broken by what it judged, once for its run, and its exit stands beside it."""
        events = self._world.rows(RiskEvent)
        for run in self._world.rows(Run):
            risen = run.peak >= self._peaks.get(run.id, run.peak)
            self.must(risen, "I4", Kind.OTHER, f"the peak of run {run.id} fell to {run.peak}, and its floor with it")
            self._peaks[run.id] = run.peak
        places = {(event.run_id, event.rule, event.place) for event in events}
        self.must(len(places) == len(events), "I4", Kind.OTHER, "a rule fired twice")
        for event in events:
            if event.rule == RiskRule.SQUARE_OFF:
                self._by_the_clock(event)
                continue
            at = -event.threshold if event.rule == RiskRule.MAX_LOSS else event.threshold
            broken = event.value >= at if event.rule == RiskRule.MAX_PROFIT else event.value <= at
            self.must(broken, "I4", Kind.OTHER, f"{event.rule} fired at {event.value}")
            going = all(e.exit_wanted for e in self._world.rows(StrategyExecution) if e.run_id == event.run_id)
            self.must(going, "I4", Kind.LOST, f"{event.rule} fired and run {event.run_id} is not on its way out")

    def _by_the_clock(self, event: Any) -> None:
        """Judged when it is first seen, on the clock as it should be."""
        if event.id in self._left_by_clock:
            return
        self._left_by_clock.add(event.id)
        run = next(each for each in self._world.rows(Run) if each.id == event.run_id)
        right = (self._world.clock.now() - self._world.ahead).astimezone(IST).time()
        due = run.square_off is not None and right >= run.square_off
        self.must(due, "I4", Kind.OTHER, f"run {run.id} was left by the clock at {right}, before {run.square_off}")
        mine = [e for e in self._world.rows(StrategyExecution) if e.run_id == run.id]
        going = all(e.exit_wanted for e in mine if e.account_id == event.account_id)
        self.must(going, "I4", Kind.LOST, f"run {run.id} is not on its way out in account {event.account_id}")

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

    def at_rest(self, *, thorough: bool) -> None:
        """When everybody has left: both ledgers are flat and nothing is open. `thorough` looks into every row."""
        self.day_ends()
        self.must(not any(self.ledger().values()), "I8", Kind.LOST, "our ledger is not flat")
        self._log_only_grows()
        if thorough:
            self._no_secret()
        adopted = self._adopted()
        for account_id, broker in self._world.watched.items():
            for contract, _, _ in self._legs:
                left = broker.ours(contract.key) + adopted.get((account_id, contract.key.symbol), 0)
                flat = left == 0 or bool(broker.mimicked)
                self.must(flat, "I8", Kind.LOST, f"broker {account_id} still has our {contract.key.symbol}")
        states = {IntentState(each.state) for each in self._world.rows(Intent)}
        self.must(states <= FINAL, "I8", Kind.LOST, "something is still open")
