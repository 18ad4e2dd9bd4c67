"""Writes what one read of an account's books proves, in one transaction: claims, states, fills, orders, positions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.domain.books import BrokerOrder, BrokerPosition, OrderStatus
from app.domain.calendar import trading_date
from app.domain.orders import FINAL, IntentState, Purpose, move
from app.domain.outcomes import Verdict
from app.domain.reconcile import QUIET, Absent, Ambiguous, Claim, Finding, QuietWindows, Settled, Wait
from app.persistence.database import Database
from app.persistence.leading import holds_lease
from app.persistence.tables import Intent, Run
from app.persistence.turns import Turn
from app.ports.clock import Clock, MarketClock
from app.services.book_memory import Memory
from app.services.book_rows import Place, adopted_ids, keep_orders, keep_positions
from app.services.crash_points import reach
from app.services.ignored_positions import forget_flat
from app.services.intent_ledger import FillWords, IntentLedger, known_fills, pushed_units, reopen, what
from app.services.journal import Journal
from app.services.over_close import OverClose
from app.services.run_board import LIVING
from app.services.settling import Books, agrees, find, grouped, settle_known, verdict_of

BUSY_S = 1.0
HOLDING_S = 2.0
IDLE_S = 8.0
ANSWER_DUE_S = 3.0
"""A call that has not answered by now is looked for in the books, in parallel to waiting for it."""

TRADES_LATE_S = 15.0
"""How long a cancelled order waits for positions and trades to agree before that is said aloud."""

UNANSWERED_S = 140.0
"""After this a call is over whatever became of it: its client gives up at 125 s."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Runs in which something changed, and the seconds until the books should be read again.

    `is_kept`: our rows of this account's orders and positions say by now what this read said.
    """

    runs: frozenset[int]
    next_s: float
    is_kept: bool = False


# Made once: a cycle asks each of these, and making a query takes longer than asking it.
_OF_SENT = and_(
    Intent.account_id == bindparam("account_id"),
    Intent.sent_at.is_not(None),
    or_(Intent.trading_date == bindparam("today"), Intent.state.not_in([state.value for state in FINAL])),
)
_SENT = select(Intent).where(_OF_SENT).order_by(Intent.id).with_for_update(key_share=True)
_SENT_WORDS = select(Intent.id, Intent.state, Intent.verdict, Intent.order_id).where(_OF_SENT).order_by(Intent.id)
_LIVING = select(Run.id).where(Run.state.in_(LIVING))


@dataclass(frozen=True, slots=True)
class _Written:
    """`changed`: something is to be shown anew. `happened`: units or the state of an order moved."""

    changed: bool
    happened: bool


@dataclass(slots=True)
class _Round:
    """What one write brings: runs to show anew, runs to which something happened, and what has left by pushes alone.

    `gone` are unsigned units by holding that exits took, by pushes that no trade row bears out yet.
    """

    changed: set[int] = field(default_factory=set)
    happened: set[int] = field(default_factory=set)
    gone: dict[Place, int] = field(default_factory=dict)

    def note(self, intent: Intent, written: _Written) -> None:
        if written.changed:
            self.changed.add(intent.run_id)
        if written.happened:
            self.happened.add(intent.run_id)


class Settlement:
    """Thread-safe; the Memory it is given is not."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        journal: Journal,
        windows: QuietWindows = QUIET,
        *,
        bears_out: Callable[[int, BrokerOrder], bool],
    ) -> None:
        """`bears_out` says whether an account was pushed the word that this row of its book has."""
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._journal = journal
        self._windows = windows
        self._bears_out = bears_out
        self._ledger = IntentLedger(journal, clock)
        self._over_close = OverClose(journal, clock)
        self.epoch: int | None = None
        """Under which lease the books are read; what was read under an old one is not written any more."""

    def apply(self, account_id: int, books: Books, memory: Memory) -> Applied:
        today = trading_date(self._market_clock.now())
        memory.begin(today, frozenset(order.order_id for order in books.orders))
        memory.weigh(books.carries(), self._clock.monotonic())
        with self._database.reading() as session:
            sent = _sent_words(session, account_id, today)
        reading = (today, memory.is_clean, books.orders, books.trades, _held(books.positions), sent)
        changed: set[int] = set()
        # Most reads teach nothing, and with many accounts their turns at the one writer would delay orders.
        if any(_waits(state, verdict) for _, state, verdict, _ in sent) or not memory.is_known(reading):
            written = self._write_down(account_id, books, memory, today)
            if written is None:
                return Applied(frozenset(), IDLE_S)
            changed = written
            memory.wrote(reading, changed=bool(changed))
        busy = changed or any(IntentState(state) not in FINAL for _, state, _, _ in sent)
        return Applied(frozenset(changed), BUSY_S if busy else self._pause_s(), memory.is_clean)

    def _pause_s(self) -> float:
        with self._database.reading() as session:
            return HOLDING_S if session.scalars(_LIVING).first() is not None else IDLE_S

    def _write_down(self, account_id: int, books: Books, memory: Memory, today: date) -> set[int] | None:
        """Runs in which something changed; None when another engine leads by now: what it read is newer than this."""
        with self._database.transaction(Turn.LATER) as session:
            if not holds_lease(session, self.epoch):
                return None
            intents = _sent(session, account_id, today)
            memory.keep(intent.id for intent in intents)
            of_today = [intent for intent in intents if intent.trading_date == today]
            found = self._find_lost(session, of_today, books, memory)
            settled = self._settle_known(session, account_id, intents, books, memory)
            found |= self._end_of_day(session, intents, books, today)
            at = self._journal.now()
            keep_orders(session, account_id, today, books.orders, books.trades, intents=intents, at=at)
            moved = memory.is_clean and keep_positions(session, account_id, books.positions, at, gone=settled.gone)
            session.flush()
            if moved:
                forget_flat(session, account_id)
            found |= self._over_close.check(session, account_id, today, of_today)
            reopen(session, found | settled.happened)
            living = set(session.scalars(_LIVING)) if moved else set()
            if found or settled.changed:
                reach("during_reconcile")
        if found or settled.changed:
            reach("after_reconcile")
        return found | settled.changed | living

    def _find_lost(self, session: Session, intents: list[Intent], books: Books, memory: Memory) -> set[int]:
        """Look for the orders of intents whose answer is missing or told nothing."""
        now = self._clock.monotonic()
        lost = [intent for intent in intents if _is_lost(intent, memory, now)]
        changed: set[int] = set()
        adopted = adopted_ids(session, intents[0].account_id, intents[0].trading_date) if lost else frozenset()
        for group in grouped(lost):
            claimed = adopted | frozenset(i.order_id for i in intents if i.order_id is not None)
            reads = min(self._count_quiet(intent, memory, now) for intent in group)
            findings = find(
                group,
                books,
                claimed=claimed,
                clean_reads=reads,
                lost_for_s=lambda intent: memory.lost_for_s(intent.id, now),
                steady_for_s=lambda holding: memory.steady_for_s(holding, now),
                windows=self._windows,
            )
            for intent, finding in zip(group, findings, strict=True):
                if self._take(session, intent, finding, memory.lost_for_s(intent.id, now)):
                    changed.add(intent.run_id)
        return changed

    def _count_quiet(self, intent: Intent, memory: Memory, now: float) -> int:
        if memory.lost_for_s(intent.id, now) < self._windows.after(verdict_of(intent)):
            return 0
        count = memory.quiet_reads.get(intent.id, 0) + 1
        memory.quiet_reads[intent.id] = count
        return count

    def _take(self, session: Session, intent: Intent, finding: Finding, lost_for_s: float) -> bool:
        if isinstance(finding, Claim):
            self._ledger.claim(session, intent, finding.order_id)
            return True
        if intent.state == IntentState.NOT_SENT:
            return False  # settled already; only an order that turns up late matters now
        if isinstance(finding, Absent) and intent.state != IntentState.PARKED:
            if intent.state == IntentState.SENDING and lost_for_s < UNANSWERED_S:
                return False
            self._not_sent(session, intent, self._clock.now())
            return True
        if isinstance(finding, Ambiguous):
            return self._ambiguous(session, intent, finding)
        return isinstance(finding, Wait) and finding.is_odd and self._say_odd(session, intent, finding)

    def _not_sent(self, session: Session, intent: Intent, now: datetime) -> None:
        intent.state = move(IntentState(intent.state), IntentState.NOT_SENT).value
        intent.reason, intent.settled_at = "The broker's books show that this order never arrived.", now
        self._journal.note(session, intent.run_id, "not_sent", f"Never arrived: {what(intent)}.", intent.account_id)

    def _say_odd(self, session: Session, intent: Intent, finding: Wait) -> bool:
        words = f"Nobody can tell whether {what(intent)} stands. {finding.reason} Look at the broker's book."
        return self._journal.note_once(session, intent.run_id, "attention", words, intent.account_id)

    def _ambiguous(self, session: Session, intent: Intent, finding: Ambiguous) -> bool:
        which = ", ".join(finding.order_ids)
        reason = f"Cannot tell which of the orders {which} is {what(intent)}. Look at the broker's book."
        if intent.reason == reason:
            return False
        intent.reason = reason
        self._journal.note(session, intent.run_id, "attention", reason, intent.account_id)
        return True

    def _settle_known(
        self, session: Session, account_id: int, intents: list[Intent], books: Books, memory: Memory
    ) -> _Round:
        this = _Round()
        carries = books.carries()
        known = known_fills(session, [intent.id for intent in intents if intent.order_id is not None])
        now = self._clock.monotonic()

        def confirmed(intent: Intent, row: BrokerOrder) -> bool:
            above = None if _is_expected(intent, row) else books.above(row.order_id)
            return memory.has_proven(row, above, now) or self._bears_out(account_id, row)

        for intent in intents:
            fills = known.get(intent.id, set())
            settled = settle_known(intent, books, confirmed=partial(confirmed, intent))
            self._weigh_push(session, intent, fills, settled, this, memory)
            if settled is None:
                continue
            if settled.state is IntentState.CANCELLED and intent.state != IntentState.CANCELLED:
                settled = self._cancelled(intent, settled, memory, agree=agrees(intent, carries))
            this.note(intent, self._write(session, intent, settled, fills))
        return this

    def _weigh_push(
        self,
        session: Session,
        intent: Intent,
        fills: FillWords,
        settled: Settled | None,
        this: _Round,
        memory: Memory,
    ) -> None:
        """Trades take the place of what was pushed within moments; if they do not, somebody has to know."""
        if not pushed_units(fills):
            return
        traded = sum(fill.units for fill in settled.fills) if settled is not None else 0
        left = sum(each[1] for each in fills) - max(traded, sum(each[1] for each in fills) - pushed_units(fills))
        if left <= 0:
            memory.doubt_since.pop(intent.id, None)
            return
        if intent.purpose == Purpose.EXIT:
            place = (intent.exchange, intent.symbol, intent.product)
            this.gone[place] = this.gone.get(place, 0) + left
        if memory.in_doubt_for_s(intent.id, self._clock.monotonic()) >= TRADES_LATE_S:
            words = (
                f"{left} units of {what(intent)} were pushed as filled and the broker's trade book does not show them. "
                "Look at its book."
            )
            self._journal.note_once(session, intent.run_id, "attention", words, intent.account_id)

    def _cancelled(self, intent: Intent, settled: Settled, memory: Memory, *, agree: bool) -> Settled:
        """A cancelled order is over when the positions bear out its trades: the trade book can lag behind a fill."""
        if agree:
            return settled
        if memory.in_doubt_for_s(intent.id, self._clock.monotonic()) < TRADES_LATE_S:
            return Settled(IntentState.WORKING, settled.fills, settled.missing, settled.doubt)
        intent.reason = "Cancelled, and the broker's position does not agree with its trades. Look at its books."
        return settled

    def _end_of_day(self, session: Session, intents: list[Intent], books: Books, today: date) -> set[int]:
        """Day orders end with their day: what the book does not list any more can fill no more."""
        listed = {order.order_id for order in books.orders}
        changed: set[int] = set()
        for intent in intents:
            state = IntentState(intent.state)
            if intent.trading_date == today or state in FINAL or intent.order_id in listed:
                continue
            if state is IntentState.SENDING:
                state = move(state, IntentState.UNKNOWN)
            intent.state = move(state, IntentState.CANCELLED).value
            intent.settled_at = self._clock.now()
            intent.reason = f"The trading day it was sent on ended ({intent.trading_date:%d %b}) before it was settled."
            words = (
                f"{intent.side.capitalize()} {intent.units} {intent.symbol} of {intent.trading_date:%d %b} was not "
                "settled when its day ended. Compare this account's position with ours."
            )
            self._journal.note(session, intent.run_id, "attention", words, intent.account_id)
            changed.add(intent.run_id)
        return changed

    def _write(self, session: Session, intent: Intent, settled: Settled, fills: FillWords) -> _Written:
        grown = self._ledger.book_trades(session, intent, settled.fills, fills)
        moves = self._ledger.move(intent, settled.state)
        if moves and not grown:
            self._ledger.tell_end(session, intent)
        if settled.doubt is not None:
            self._journal.note_once(session, intent.run_id, "attention", settled.doubt, intent.account_id)
        return _Written(moves or grown is not None, moves or bool(grown))


def _held(positions: Sequence[BrokerPosition]) -> list[tuple[object, ...]]:
    """What is kept of positions; their prices move with every read."""
    return [(position.contract, position.product, position.net, position.average) for position in positions]


def _is_expected(intent: Intent, row: BrokerOrder) -> bool:
    """Whether we asked for what the row says: then the row above, of the slice cancelled before it, says it as well."""
    return intent.cancel_asked_at is not None and row.status is OrderStatus.CANCELLED


def _sent_words(session: Session, account_id: int, today: date) -> list[tuple[int, str, str | None, str | None]]:
    """Id, state, verdict and order id of what `_sent` gives, without making objects of them."""
    rows = session.execute(_SENT_WORDS, {"account_id": account_id, "today": today})
    return [(intent_id, state, verdict, order_id) for intent_id, state, verdict, order_id in rows]


def _sent(session: Session, account_id: int, today: date) -> list[Intent]:
    """Intents of the account that were sent today, settled or not, and those of earlier days that are not settled."""
    return list(session.scalars(_SENT, {"account_id": account_id, "today": today}))


def _waits(state: str, verdict: str | None) -> bool:
    """Whether time alone may change what the books say of an intent: its order is looked for."""
    given_up = state == IntentState.NOT_SENT and verdict != Verdict.NOT_SENT
    return given_up or state in {IntentState.SENDING, IntentState.UNKNOWN, IntentState.PARKED}


def _is_lost(intent: Intent, memory: Memory, now: float) -> bool:
    """Whether the order of this intent is to be looked for; one found absent before may still turn up."""
    if intent.order_id is not None:
        return False
    state = IntentState(intent.state)
    if state is IntentState.NOT_SENT:
        return intent.verdict != Verdict.NOT_SENT
    if state is IntentState.SENDING:
        return memory.lost_for_s(intent.id, now) > ANSWER_DUE_S
    return state in {IntentState.UNKNOWN, IntentState.PARKED}
