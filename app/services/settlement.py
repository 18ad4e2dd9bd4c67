"""Writes what one read of an account's books proves, in one transaction: claims, states, fills, orders, positions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.books import BrokerOrder
from app.domain.calendar import trading_date
from app.domain.orders import FINAL, MOVES, IntentState, move
from app.domain.reconcile import Absent, Ambiguous, Claim, Finding, Settled, TradeFill
from app.persistence.database import Database
from app.persistence.tables import FillRow, Intent, Run
from app.ports.clock import Clock, MarketClock
from app.services.book_rows import keep_orders, keep_positions
from app.services.journal import Journal
from app.services.run_board import LIVING
from app.services.settling import Books, find, grouped, quiet_window_s, settle_known, since_send_s

BUSY_S = 1.0
HOLDING_S = 2.0
IDLE_S = 8.0
ANSWER_DUE_S = 3.0
"""A call that has not answered by now is looked for in the books, in parallel to waiting for it."""

UNANSWERED_S = 140.0
"""After this a call is over whatever became of it: its client gives up at 125 s."""


@dataclass(slots=True)
class Memory:
    """What one account's loop remembers between reads. Not shared between threads.

    `final_words` are (order id, word) pairs read before; `quiet_reads` counts clean reads since an intent's quiet
    window ended; `ids` are the order ids of the last read.
    """

    final_words: set[tuple[str, str]] = field(default_factory=set)
    quiet_reads: dict[int, int] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    day: date | None = None

    def read_failed(self) -> None:
        """Reads that prove absence must follow one another without a gap."""
        self.quiet_reads.clear()

    def begin(self, day: date, ids: frozenset[str]) -> None:
        """A new read. One that lost ids of the same day is not clean."""
        if self.day == day and self.ids - ids:
            self.quiet_reads.clear()
        self.day, self.ids = day, ids

    def seen_before(self, order: BrokerOrder) -> bool:
        """Whether this row's final word was read before. A row can carry another row's word once."""
        word = (order.order_id, order.status.value)
        if word in self.final_words:
            return True
        if order.status.is_final:
            self.final_words.add(word)
        return False


@dataclass(frozen=True, slots=True)
class Applied:
    """Runs in which something changed, and the seconds until the books should be read again."""

    runs: frozenset[int]
    next_s: float


class Settlement:
    """Thread-safe; the Memory it is given is not."""

    def __init__(self, database: Database, clock: Clock, market_clock: MarketClock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._journal = journal

    def apply(self, account_id: int, books: Books, memory: Memory) -> Applied:
        today = trading_date(self._market_clock.now())
        memory.begin(today, frozenset(order.order_id for order in books.orders))
        with self._database.transaction() as session:
            intents = _sent_today(session, account_id, today)
            changed = self._find_lost(session, intents, books, memory)
            changed |= self._settle_known(session, intents, books, memory)
            keep_orders(session, account_id, today, books.orders, books.trades, intents=intents, at=self._journal.now())
            moved = keep_positions(session, account_id, books.positions, self._journal.now())
            living = set(session.scalars(select(Run.id).where(Run.state.in_(LIVING))))
            busy = any(IntentState(intent.state) not in FINAL for intent in intents)
        wait_s = BUSY_S if busy else HOLDING_S if living else IDLE_S
        return Applied(frozenset(changed | (living if moved else set())), wait_s)

    def _find_lost(self, session: Session, intents: list[Intent], books: Books, memory: Memory) -> set[int]:
        """Look for the orders of intents whose answer is missing or told nothing."""
        now = self._clock.now()
        lost = [intent for intent in intents if self._is_lost(intent, now)]
        changed: set[int] = set()
        for group in grouped(lost):
            claimed = frozenset(i.order_id for i in intents if i.order_id is not None)
            reads = min(_count_quiet(intent, memory, now) for intent in group)
            findings = find(group, books, claimed=claimed, clean_reads=reads, now=now)
            for intent, finding in zip(group, findings, strict=True):
                if self._take(session, intent, finding, now):
                    changed.add(intent.run_id)
        return changed

    def _is_lost(self, intent: Intent, now: datetime) -> bool:
        if intent.order_id is not None:
            return False
        state = IntentState(intent.state)
        return state in {IntentState.UNKNOWN, IntentState.PARKED} or (
            state is IntentState.SENDING and since_send_s(intent, now) > ANSWER_DUE_S
        )

    def _take(self, session: Session, intent: Intent, finding: Finding, now: datetime) -> bool:
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        if isinstance(finding, Claim):
            self._claim(session, intent, finding.order_id, what)
            return True
        if isinstance(finding, Absent) and intent.state != IntentState.PARKED:
            if intent.state == IntentState.SENDING and since_send_s(intent, now) < UNANSWERED_S:
                return False
            self._not_sent(session, intent, what, now)
            return True
        if isinstance(finding, Ambiguous):
            return self._ambiguous(session, intent, finding, what)
        return False

    def _claim(self, session: Session, intent: Intent, order_id: str, what: str) -> None:
        intent.order_id = order_id
        intent.state = move(IntentState(intent.state), IntentState.WORKING).value
        intent.reason = None
        self._journal.note(session, intent.run_id, "found", f"Found at the broker: {what}.", intent.account_id)

    def _not_sent(self, session: Session, intent: Intent, what: str, now: datetime) -> None:
        intent.state = move(IntentState(intent.state), IntentState.NOT_SENT).value
        intent.reason, intent.settled_at = "The broker's books show that this order never arrived.", now
        self._journal.note(session, intent.run_id, "not_sent", f"Never arrived: {what}.", intent.account_id)

    def _ambiguous(self, session: Session, intent: Intent, finding: Ambiguous, what: str) -> bool:
        reason = f"Cannot tell which of the orders {', '.join(finding.order_ids)} is {what}. Look at the broker's book."
        if intent.reason == reason:
            return False
        intent.reason = reason
        self._journal.note(session, intent.run_id, "attention", reason, intent.account_id)
        return True

    def _settle_known(self, session: Session, intents: list[Intent], books: Books, memory: Memory) -> set[int]:
        changed: set[int] = set()
        for intent in intents:
            settled = settle_known(intent, books, confirmed=memory.seen_before)
            if settled is not None and self._write(session, intent, settled):
                changed.add(intent.run_id)
        return changed

    def _write(self, session: Session, intent: Intent, settled: Settled) -> bool:
        new = self._new_fills(session, intent, settled.fills)
        current = IntentState(intent.state)
        if current is IntentState.SENDING:
            return bool(new)  # claimed this very moment; its state is settled once the claim is committed
        moves = settled.state is not current and settled.state in MOVES[current]
        if moves:
            intent.state = move(current, settled.state).value
            intent.settled_at = self._clock.now() if settled.state in FINAL else None
        if moves or new:
            self._tell(session, intent, new)
        return moves or bool(new)

    def _new_fills(self, session: Session, intent: Intent, fills: Sequence[TradeFill]) -> list[TradeFill]:
        if not fills:
            return []
        known = {
            (row.traded_at, row.units, row.price, row.ordinal)
            for row in session.scalars(select(FillRow).where(FillRow.intent_id == intent.id))
        }
        new = [fill for fill in fills if (fill.traded_at, fill.units, fill.price, fill.ordinal) not in known]
        for fill in new:
            session.add(
                FillRow(
                    intent_id=intent.id,
                    execution_id=intent.execution_id,
                    order_id=fill.order_id,
                    traded_at=fill.traded_at,
                    ordinal=fill.ordinal,
                    side=intent.side,
                    units=fill.units,
                    price=fill.price,
                    at=self._journal.now(),
                )
            )
        return new

    def _tell(self, session: Session, intent: Intent, new: list[TradeFill]) -> None:
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        if new:
            units = sum(fill.units for fill in new)
            worth = sum(fill.units * fill.price for fill in new)
            words = f"Filled {units} of {what} at {worth / units:.2f}."
            self._journal.note(session, intent.run_id, "filled", words, intent.account_id)
        elif intent.state in {IntentState.REJECTED, IntentState.CANCELLED}:
            state = intent.state.lower()
            words = f"{state.capitalize()} at the broker: {what}."
            self._journal.note(session, intent.run_id, state, words, intent.account_id)


def _sent_today(session: Session, account_id: int, today: date) -> list[Intent]:
    """Intents of the account that the books can say anything about, settled or not."""
    return list(
        session.scalars(
            select(Intent)
            .where(Intent.account_id == account_id, Intent.trading_date == today, Intent.sent_at.is_not(None))
            .order_by(Intent.id)
        )
    )


def _count_quiet(intent: Intent, memory: Memory, now: datetime) -> int:
    if since_send_s(intent, now) < quiet_window_s(intent):
        return 0
    count = memory.quiet_reads.get(intent.id, 0) + 1
    memory.quiet_reads[intent.id] = count
    return count
