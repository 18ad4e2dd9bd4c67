"""Writes what one read of an account's books proves, in one transaction: claims, states, fills, orders, positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.domain.books import BrokerPosition
from app.domain.calendar import trading_date
from app.domain.orders import FINAL, MOVES, IntentState, move
from app.domain.outcomes import Verdict
from app.domain.reconcile import Absent, Ambiguous, Claim, Finding, Settled, TradeFill
from app.persistence.database import Database
from app.persistence.tables import FillRow, Intent, Run
from app.ports.clock import Clock, MarketClock
from app.services.book_memory import Memory
from app.services.book_rows import keep_orders, keep_positions
from app.services.journal import Journal
from app.services.over_close import OverClose
from app.services.run_board import LIVING
from app.services.settling import Books, agrees, find, grouped, quiet_window_s, settle_known

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
    """Runs in which something changed, and the seconds until the books should be read again."""

    runs: frozenset[int]
    next_s: float


# Made once: a cycle asks each of these, and making a query takes longer than asking it.
_OF_SENT = and_(
    Intent.account_id == bindparam("account_id"),
    Intent.sent_at.is_not(None),
    or_(Intent.trading_date == bindparam("today"), Intent.state.not_in([state.value for state in FINAL])),
)
_SENT = select(Intent).where(_OF_SENT).order_by(Intent.id).with_for_update(key_share=True)
_SENT_WORDS = select(Intent.id, Intent.state, Intent.verdict, Intent.order_id).where(_OF_SENT).order_by(Intent.id)
_LIVING = select(Run.id).where(Run.state.in_(LIVING))
_FILLS = select(FillRow.intent_id, FillRow.traded_at, FillRow.units, FillRow.price, FillRow.ordinal).where(
    FillRow.intent_id.in_(bindparam("intent_ids", expanding=True))
)

_Known = dict[int, set[tuple[str, int, Decimal, int]]]
"""Fills that each intent has already: time, units, price and ordinal."""


class Settlement:
    """Thread-safe; the Memory it is given is not."""

    def __init__(self, database: Database, clock: Clock, market_clock: MarketClock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._journal = journal
        self._over_close = OverClose(journal)

    def apply(self, account_id: int, books: Books, memory: Memory) -> Applied:
        today = trading_date(self._market_clock.now())
        memory.begin(today, frozenset(order.order_id for order in books.orders))
        memory.weigh(books.carries(), self._clock.monotonic())
        with self._database.reading() as session:
            sent = _sent_words(session, account_id, today)
            living = set(session.scalars(_LIVING))
        reading = (today, memory.is_clean, books.orders, books.trades, _held(books.positions), sent)
        changed: set[int] = set()
        # Most reads teach nothing, and with many accounts their turns at the one writer would delay orders.
        if any(_waits(state, verdict) for _, state, verdict, _ in sent) or not memory.is_known(reading):
            changed = self._write_down(account_id, books, memory, today, living)
            memory.wrote(reading, changed=bool(changed))
        busy = changed or any(IntentState(state) not in FINAL for _, state, _, _ in sent)
        return Applied(frozenset(changed), BUSY_S if busy else HOLDING_S if living else IDLE_S)

    def _write_down(self, account_id: int, books: Books, memory: Memory, today: date, living: set[int]) -> set[int]:
        """Runs in which something changed."""
        with self._database.transaction() as session:
            intents = _sent(session, account_id, today)
            memory.keep(intent.id for intent in intents)
            of_today = [intent for intent in intents if intent.trading_date == today]
            changed = self._find_lost(session, of_today, books, memory)
            changed |= self._settle_known(session, intents, books, memory)
            changed |= self._end_of_day(session, intents, books, today)
            keep_orders(session, account_id, today, books.orders, books.trades, intents=intents, at=self._journal.now())
            moved = memory.is_clean and keep_positions(session, account_id, books.positions, self._journal.now())
            session.flush()
            changed |= self._over_close.check(session, account_id)
            _reopen(session, changed)
        return changed | (living if moved else set())

    def _find_lost(self, session: Session, intents: list[Intent], books: Books, memory: Memory) -> set[int]:
        """Look for the orders of intents whose answer is missing or told nothing."""
        now = self._clock.monotonic()
        lost = [intent for intent in intents if _is_lost(intent, memory, now)]
        changed: set[int] = set()
        for group in grouped(lost):
            claimed = frozenset(i.order_id for i in intents if i.order_id is not None)
            reads = min(_count_quiet(intent, memory, now) for intent in group)
            findings = find(
                group,
                books,
                claimed=claimed,
                clean_reads=reads,
                lost_for_s=lambda intent: memory.lost_for_s(intent.id, now),
                steady_for_s=lambda holding: memory.steady_for_s(holding, now),
            )
            for intent, finding in zip(group, findings, strict=True):
                if self._take(session, intent, finding, memory.lost_for_s(intent.id, now)):
                    changed.add(intent.run_id)
        return changed

    def _take(self, session: Session, intent: Intent, finding: Finding, lost_for_s: float) -> bool:
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        if isinstance(finding, Claim):
            self._claim(session, intent, finding.order_id, what)
            return True
        if intent.state == IntentState.NOT_SENT:
            return False  # settled already; only an order that turns up late matters now
        if isinstance(finding, Absent) and intent.state != IntentState.PARKED:
            if intent.state == IntentState.SENDING and lost_for_s < UNANSWERED_S:
                return False
            self._not_sent(session, intent, what, self._clock.now())
            return True
        if isinstance(finding, Ambiguous):
            return self._ambiguous(session, intent, finding, what)
        return False

    def _claim(self, session: Session, intent: Intent, order_id: str, what: str) -> None:
        late = intent.state == IntentState.NOT_SENT
        intent.order_id = order_id
        intent.state = move(IntentState(intent.state), IntentState.WORKING).value
        intent.reason, intent.settled_at = None, None
        words = f"Turned up late at the broker: {what}." if late else f"Found at the broker: {what}."
        self._journal.note(session, intent.run_id, "found", words, intent.account_id)

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
        carries = books.carries()
        known = _known_fills(session, [intent.id for intent in intents if intent.order_id is not None])
        for intent in intents:
            settled = settle_known(intent, books, confirmed=memory.seen_before)
            if settled is None:
                continue
            if settled.state is IntentState.CANCELLED and intent.state != IntentState.CANCELLED:
                settled = self._cancelled(intent, settled, memory, agree=agrees(intent, carries))
            if self._write(session, intent, settled, known):
                changed.add(intent.run_id)
        return changed

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

    def _write(self, session: Session, intent: Intent, settled: Settled, known: _Known) -> bool:
        new = self._new_fills(session, intent, settled.fills, known)
        current = IntentState(intent.state)
        moves = settled.state is not current and settled.state in MOVES[current]
        if moves:
            intent.state = move(current, settled.state).value
            intent.settled_at = self._clock.now() if settled.state in FINAL else None
        if moves or new:
            self._tell(session, intent, new)
        if settled.doubt is not None:
            self._journal.note_once(session, intent.run_id, "attention", settled.doubt, intent.account_id)
        return moves or bool(new)

    def _new_fills(
        self, session: Session, intent: Intent, fills: Sequence[TradeFill], known: _Known
    ) -> list[TradeFill]:
        its = known.get(intent.id, set())
        new = [fill for fill in fills if (fill.traded_at, fill.units, fill.price, fill.ordinal) not in its]
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


def _held(positions: Sequence[BrokerPosition]) -> list[tuple[object, ...]]:
    """What is kept of positions; their prices move with every read."""
    return [(position.contract, position.product, position.net, position.average) for position in positions]


def _sent_words(session: Session, account_id: int, today: date) -> list[tuple[int, str, str | None, str | None]]:
    """Id, state, verdict and order id of what `_sent` gives, without making objects of them."""
    rows = session.execute(_SENT_WORDS, {"account_id": account_id, "today": today})
    return [(intent_id, state, verdict, order_id) for intent_id, state, verdict, order_id in rows]


def _sent(session: Session, account_id: int, today: date) -> list[Intent]:
    """Intents of the account that were sent today, settled or not, and those of earlier days that are not settled."""
    return list(session.scalars(_SENT, {"account_id": account_id, "today": today}))


def _known_fills(session: Session, intent_ids: list[int]) -> _Known:
    known: _Known = {}
    for intent_id, *fill in session.execute(_FILLS, {"intent_ids": intent_ids}) if intent_ids else ():
        known.setdefault(intent_id, set()).add((fill[0], fill[1], fill[2], fill[3]))
    return known


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


def _count_quiet(intent: Intent, memory: Memory, now: float) -> int:
    if memory.lost_for_s(intent.id, now) < quiet_window_s(intent):
        return 0
    count = memory.quiet_reads.get(intent.id, 0) + 1
    memory.quiet_reads[intent.id] = count
    return count


def _reopen(session: Session, changed: set[int]) -> None:
    """A run that was over and to which something happened after all lives again, so that it is looked after."""
    if not changed:
        return
    ended = session.scalars(select(Run).where(Run.id.in_(changed), Run.state == "CLOSED"))
    for run in ended:
        run.state, run.closed_at = "EXITING", None
