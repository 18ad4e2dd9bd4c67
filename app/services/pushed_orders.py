"""Makes pushed order updates count at once: what they prove moves intents and books fills, no book is waited for.

What they do not prove is left to the books, which are read soon. A push that comes before the answer of its own call is
kept until the order has an owner.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.books import BrokerOrder, OrderUpdate
from app.domain.calendar import trading_date
from app.domain.errors import DeskError
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.outcomes import Verdict
from app.domain.pushes import PRICE_STEP, Pushed, alone, as_order, join, proven_state, tells_all
from app.domain.reconcile import QUIET, Claim
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.plain import PlainRows, Writes
from app.persistence.tables import Intent, TradingAccount
from app.persistence.turns import Turn
from app.ports.clock import Clock, MarketClock
from app.services.book_rows import take_away
from app.services.intent_ledger import FillWords, IntentLedger, known_fills, reopen
from app.services.journal import Journal
from app.services.push_work import PushWork, WholeFills
from app.services.settlement import ANSWER_DUE_S
from app.services.settling import Books, find, grouped, is_row_of, same_order

REST_S = 3600.0
MOST_KEPT = 4000
"""Orders of one account and day that are remembered; a desk that is pushed more lets the oldest go to the books."""

_UNANSWERED = (IntentState.SENDING.value, IntentState.UNKNOWN.value, IntentState.PARKED.value)
_I = Intent.__table__.c
_GIVEN_UP = and_(_I.state == IntentState.NOT_SENT.value, _I.verdict != Verdict.NOT_SENT.value)
_IS_CONCERNED = and_(
    _I.account_id.in_(bindparam("accounts", expanding=True)),
    _I.trading_date == bindparam("today"),
    or_(
        _I.order_id.in_(bindparam("order_ids", expanding=True)),
        and_(_I.order_id.is_(None), or_(_I.state.in_(_UNANSWERED), _GIVEN_UP)),
    ),
)
_A = TradingAccount.__table__.c
_MODES = Question(select(_A.id, _A.expected_mode).where(_A.id.in_(bindparam("accounts", expanding=True))))
_CONCERNED = select(Intent).where(_IS_CONCERNED).order_by(Intent.id).with_for_update(key_share=True)
_PLAIN = PlainRows(Intent, lambda query, c: query.where(_IS_CONCERNED).order_by(c.id).with_for_update(key_share=True))
_CLAIMED = select(Intent.order_id).where(
    Intent.account_id == bindparam("account_id"),
    Intent.trading_date == bindparam("today"),
    Intent.order_id.is_not(None),
)


@dataclass(slots=True)
class _Day:
    """What was pushed to one account on one trading date. `loose` are orders that no intent is known to own."""

    date: date
    orders: dict[str, Pushed] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)

    def add(self, update: OrderUpdate) -> bool:
        """False when it says nothing new."""
        known = self.orders.get(update.order_id)
        sums = alone(update) if known is None else join(known, alone(update))
        if sums == known:
            return False
        self.orders[update.order_id] = sums
        while len(self.orders) > MOST_KEPT:
            oldest = next(iter(self.orders))
            del self.orders[oldest]
            self.loose.discard(oldest)
        return True


class PushedOrders:
    """`step` is for one loop, which nobody else runs; the rest is thread-safe."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        journal: Journal,
        *,
        read_soon: Callable[[int], None],
        on_change: Callable[[int, int], None],
        gather_s: float = 0.0,
    ) -> None:
        """An update waits up to `gather_s` seconds for those behind it: a wave fills within moments in all accounts."""
        self._gather_s = gather_s
        self._first_at = 0.0
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._journal = journal
        self._ledger = IntentLedger(journal, clock)
        self._whole = WholeFills(self._ledger, self._is_due)
        self._read_soon = read_soon
        self._on_change = on_change
        self._inbox: dict[int, list[OrderUpdate]] = {}
        self._again: set[int] = set()
        self._days: dict[int, _Day] = {}
        self._lock = threading.Lock()
        self.wake: Callable[[], None] = lambda: None

    def take(self, account_id: int, update: OrderUpdate) -> None:
        """An update as it came. Returns at once."""
        with self._lock:
            if not self._inbox:
                self._first_at = self._clock.monotonic()
            self._inbox.setdefault(account_id, []).append(update)
        self.wake()

    def look_again(self, account_id: int) -> None:
        """Intents of this account changed: an order pushed before its answer came may have its owner now."""
        with self._lock:
            day = self._days.get(account_id)
            if day is None or not day.loose:
                return
            self._again.add(account_id)
        self.wake()

    def bears_out(self, account_id: int, row: BrokerOrder) -> bool:
        """Whether this account was pushed, of this order, the final word that the row of its book has."""
        with self._lock:
            day = self._days.get(account_id)
            pushed = None if day is None else day.orders.get(row.order_id)
        return pushed is not None and row.status.is_final and pushed.status is row.status

    def step(self) -> float:
        """Everything that came since the last call, in one transaction. Raises what the clock raises."""
        today = trading_date(self._market_clock.now())
        with self._lock:
            wait_s = self._first_at + self._gather_s - self._clock.monotonic() if self._inbox else 0.0
            if wait_s > 0:
                return wait_s
            accounts = sorted(self._inbox.keys() | self._again)
        if not accounts:
            return REST_S
        with self._database.reading() as session:
            modes = {row[0]: row[1] for row in _MODES.ask(session, {"accounts": accounts})}
        works = [self._sort(account_id, today, modes[account_id]) for account_id in accounts]
        done = False
        try:
            self._take_in(works, today)
            done = True
        except (DeskError, IntegrityError):
            done = True
            self._one_by_one(works, today)
        finally:
            if not done:  # the database takes nothing just now, whoever's it is
                self._do_again(works)
        return REST_S

    def _one_by_one(self, works: Sequence[PushWork], today: date) -> None:
        """So that the trouble of one account keeps nothing from the others. Raises the last trouble at the end."""
        left = {work.account_id: PushWork(work.account_id, work.new, work.pushed) for work in works}
        trouble: Exception | None = None
        try:
            for work in list(left.values()):
                try:
                    self._take_in([work], today)
                    del left[work.account_id]
                except (DeskError, IntegrityError) as error:
                    trouble = error
        finally:
            self._do_again(left.values())
        if trouble is not None:
            raise trouble

    def _do_again(self, works: Iterable[PushWork]) -> None:
        for work in works:
            self._remember(work, is_done=False)

    def _take_in(self, works: Sequence[PushWork], today: date) -> None:
        self._write([work for work in works if work.pushed], today)
        for work in works:
            self._remember(work, is_done=True)
            if any(self._leaves_open(work, order_id) for order_id in work.new):
                self._read_soon(work.account_id)
            for run_id in work.changed:
                self._on_change(run_id, work.account_id)

    def _sort(self, account_id: int, today: date, mode: str) -> PushWork:
        """Orders of which something new was said, and what is known of them and of those without an owner."""
        with self._lock:
            updates = self._inbox.pop(account_id, [])
            self._again.discard(account_id)
            day = self._days.get(account_id)
            if day is None or day.date != today:
                day = self._days[account_id] = _Day(today)
            # One stream carries the orders of the sandbox as well as those of the broker.
            mine = [_kept(update) for update in updates if update.mode == mode]
            new = {update.order_id for update in mine if day.add(update)} & day.orders.keys()
            return PushWork(account_id, new, {order_id: day.orders[order_id] for order_id in sorted(new | day.loose)})

    def _remember(self, work: PushWork, *, is_done: bool) -> None:
        """Which orders may yet find an owner: a call is on the way for some intent, or this has to be done again."""
        with self._lock:
            day = self._days[work.account_id]
            day.loose -= work.pushed.keys()
            if not is_done:
                self._again.add(work.account_id)
                day.loose |= work.pushed.keys() & day.orders.keys()
            elif work.waits:
                day.loose |= (work.pushed.keys() - work.owned.keys()) & day.orders.keys()

    def _write(self, works: Sequence[PushWork], today: date) -> None:
        if not works:
            return
        writes = Writes()
        with self._database.transaction(Turn.NOW) as session:
            concerned = _by_account(_PLAIN.read(session, _which(works, today)))
            known = known_fills(session, [each.id for intents in concerned.values() for each in intents])
            more = [w for w in works if not self._whole.take(w, concerned.get(w.account_id, []), known, writes)]
            writes.write(session)
            # No question below is about what was changed above it, so all of that is written once, at the end.
            with session.no_autoflush:
                objects = _by_account(session.scalars(_CONCERNED, _which(more, today))) if more else {}
                for work in more:
                    self._apply(session, work, objects.get(work.account_id, []), known, today)
                take_away(session, [exit_ for work in works for exit_ in work.left])
                reopen(session, set().union(*(work.changed for work in works)))

    def _leaves_open(self, work: PushWork, order_id: str) -> bool:
        """Whether the books have to tell more. An order that came before the answer to its call is looked at again."""
        owner = work.owned.get(order_id)
        if owner is None:
            return not work.answer_due
        return not tells_all(IntentState(owner.state), Units(owner.units), work.pushed[order_id])

    def _apply(
        self, session: Session, work: PushWork, intents: list[Intent], known: dict[int, FillWords], today: date
    ) -> None:
        by_order, lost = work.owners(intents)
        free = {order_id: pushed for order_id, pushed in work.pushed.items() if order_id not in by_order}
        if free and lost:
            rows = session.scalars(_CLAIMED, {"account_id": work.account_id, "today": today})
            claimed = frozenset(order_id for order_id in rows if order_id is not None)
            by_order |= self._find(session, work, lost, free, claimed)
            work.owners(intents)  # those that have just found theirs wait no more
        for order_id, intent in by_order.items():
            pushed = work.pushed[order_id]
            if is_row_of(intent, as_order(pushed)):
                work.owned[order_id] = intent
                self._settle(session, work, intent, pushed, known.get(intent.id, set()))

    def _find(
        self, session: Session, work: PushWork, lost: list[Intent], free: dict[str, Pushed], claimed: frozenset[str]
    ) -> dict[str, Intent]:
        """Orders without an owner that are those of intents without an answer: claimed when nothing speaks against it.

        Whatever is not beyond doubt waits for the books, which show more.
        """
        found: dict[str, Intent] = {}
        seen = Books([as_order(pushed) for pushed in free.values()], [], [], 0.0)
        for group in grouped(self._overdue(lost)):
            findings = find(
                group,
                seen,
                claimed=claimed | found.keys(),
                clean_reads=0,
                lost_for_s=lambda _: 0.0,
                steady_for_s=lambda _: 0.0,
                windows=QUIET,
            )
            for intent, finding in zip(group, findings, strict=True):
                if isinstance(finding, Claim):
                    self._ledger.claim(session, intent, finding.order_id)
                    work.changed.add(intent.run_id)
                    found[finding.order_id] = intent
        return found

    def _overdue(self, lost: Collection[Intent]) -> list[Intent]:
        """Those whose answer is due, unless an order that nobody can tell apart is being answered just now."""
        due = [intent for intent in lost if self._is_due(intent)]
        fresh = {same_order(i) for i in lost if i.state == IntentState.SENDING and not self._is_due(i)}
        return [intent for intent in due if same_order(intent) not in fresh]

    def _is_due(self, intent: Intent) -> bool:
        if intent.state == IntentState.NOT_SENT:
            return intent.verdict != Verdict.NOT_SENT
        if intent.state != IntentState.SENDING:
            return intent.state in {IntentState.UNKNOWN, IntentState.PARKED}
        age = self._clock.now() - intent.sent_at if intent.sent_at is not None else timedelta(0)
        return age > timedelta(seconds=ANSWER_DUE_S)

    def _settle(self, session: Session, work: PushWork, intent: Intent, pushed: Pushed, fills: FillWords) -> None:
        """Fills first: a state that lets the next order go stands beside the units it is about."""
        average, grown = pushed.best.average, 0
        if 0 < pushed.filled <= intent.units and average is not None:
            grown = self._ledger.book_push(session, intent, pushed.filled, average, fills)
        if grown and intent.purpose == Purpose.EXIT:
            work.left.append((intent, grown))
        state = proven_state(IntentState(intent.state), Units(intent.units), pushed)
        moved = not (fills and state is IntentState.REJECTED) and self._ledger.move(intent, state)
        explained = intent.state == IntentState.REJECTED and not intent.reason and bool(pushed.reason)
        if explained:
            intent.reason = pushed.reason
        if moved and not grown:
            self._ledger.tell_end(session, intent)
        if moved or grown or explained:
            work.changed.add(intent.run_id)


def _which(works: Sequence[PushWork], today: date) -> dict[str, object]:
    return {
        "accounts": [work.account_id for work in works],
        "today": today,
        "order_ids": sorted({order_id for work in works for order_id in work.pushed}),
    }


def _by_account(intents: Iterable[Intent]) -> dict[int, list[Intent]]:
    found: dict[int, list[Intent]] = {}
    for intent in intents:
        found.setdefault(intent.account_id, []).append(intent)
    return found


def _kept(update: OrderUpdate) -> OrderUpdate:
    """With prices as the tables keep them, so that a fill is the same fill wherever it is told."""

    def rounded(price: Decimal) -> Decimal:
        return price if price == price.quantize(PRICE_STEP) else price.quantize(PRICE_STEP)

    average = None if update.average is None else rounded(update.average)
    return replace(
        update, average=average or None, price=rounded(update.price), trigger_price=rounded(update.trigger_price)
    )
