"""Sends one intent, once: price, gate, claim, call, record. The only place in the product that places an order."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.errors import Denied, Misconfigured, Refused, Unavailable
from app.domain.money import Units
from app.domain.orders import FINAL, IntentState, OrderRequest, Purpose, move
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.persistence.database import Database
from app.persistence.leading import leads
from app.persistence.tables import FillRow, Intent, LeaseRow, Order, Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway
from app.services import claim_guard, gate
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.order_pricing import OrderPricing
from app.services.world import World

log = logging.getLogger(__name__)

TAG = "AlgoMirror"
CLAIM_OLD_S = 1.0
"""A claim older than this when the call should begin means the machine slept: the order is not sent."""

ENTRY_PATIENCE_S = 10.0
"""How long an entry waits for what is missing only for a moment: a price, a book, the mode, the hours."""

RECORD_TRIES = 3
"""A locked database is waited for in each of them; a lost connection is made anew in the next."""

STATE_AFTER = {
    Verdict.ACK: IntentState.WORKING,
    Verdict.REJECTED: IntentState.REJECTED,
    Verdict.NOT_SENT: IntentState.NOT_SENT,
    Verdict.PARKED: IntentState.PARKED,
    Verdict.UNKNOWN_ANSWERED: IntentState.UNKNOWN,
    Verdict.UNKNOWN_OPEN: IntentState.UNKNOWN,
    Verdict.HALT: IntentState.UNKNOWN,
}

_WANTED = (
    select(Intent, Run, TradingAccount, StrategyExecution)
    .join(Run, Run.id == Intent.run_id)
    .join(TradingAccount, TradingAccount.id == Intent.account_id)
    .join(StrategyExecution, StrategyExecution.id == Intent.execution_id)
    .where(Intent.id == bindparam("intent_id"))
)
_RESTED = select(func.count(Intent.generation.distinct())).where(
    Intent.execution_id == bindparam("execution_id"),
    Intent.purpose == Purpose.EXIT.value,
    Intent.state == IntentState.CANCELLED.value,
    Intent.sent_at.is_not(None),
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An intent and what deciding on it needs. `rested`: generations of its exit that stood and did not fill."""

    intent: Intent
    account: TradingAccount
    execution: StrategyExecution
    started_at: datetime
    rested: int


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What a lane worker carries from the claim to the call."""

    request: OrderRequest
    expected: Mode
    at: float
    sent_at: datetime
    gateway: Gateway


class OrderDesk:
    """Called by lane workers, many at once; thread-safe. `epoch` says under which lease we act, None for none."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        gateways: Gateways,
        pricing: OrderPricing,
        journal: Journal,
        *,
        world: World,
        epoch: Callable[[], int | None],
        live_sending: bool,
        on_change: Callable[[int, int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._gateways = gateways
        self._pricing = pricing
        self._journal = journal
        self._world = world
        self._epoch = epoch
        self._live_sending = live_sending
        self._on_change = on_change
        self._patience = _Patience(clock)

    def send(self, intent_id: int) -> None:
        """Send a READY intent; anything else is left alone. Never sends the same intent twice, whoever asks.

        What may be possible in a moment leaves the intent READY, to be asked again: an exit for as long as it takes, an
        entry for ENTRY_PATIENCE_S.
        """
        wanted = self._load(intent_id)
        if wanted.intent.state != IntentState.READY:
            return
        try:
            claimed = self._prepare(wanted)
        except Denied as denial:
            self._say_no(wanted.intent, denial.code, str(denial))
            return
        except Unavailable as trouble:
            self._say_no(wanted.intent, "NO_PRICE_OR_BOOK", str(trouble))
            return
        except (Refused, Misconfigured) as trouble:
            self._say_no(wanted.intent, "NOT_SENDABLE", str(trouble))
            return
        self._patience.forget(intent_id)
        if claimed is not None:
            self._record_surely(intent_id, self._call(claimed))

    def cancel(self, intent_id: int) -> None:
        """Ask the broker to cancel a working intent. What comes of it is learnt from the book, not from the answer."""
        epoch = self._epoch()
        with self._database.reading() as session:
            account_id = session.get_one(Intent, intent_id).account_id
        gateway = self._gateways.of(account_id)
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id, with_for_update={"key_share": True})
            is_ours = session.scalars(select(LeaseRow.id).where(leads(session, epoch))).first() is not None
            if intent.state != IntentState.WORKING or intent.order_id is None or not is_ours:
                return
            intent.cancel_asked_at = self._clock.now()
            order_id, run_id = intent.order_id, intent.run_id
        outcome = gateway.cancel(order_id, TAG)
        log.info("cancel of %s in account %s: %s %s", order_id, account_id, outcome.verdict, outcome.message)
        self._world.read_soon(account_id)
        self._on_change(run_id, account_id)

    def _load(self, intent_id: int) -> _Wanted:
        with self._database.reading() as session:
            intent, run, account, execution = session.execute(_WANTED, {"intent_id": intent_id}).one()
            return _Wanted(
                intent=intent,
                account=account,
                execution=execution,
                started_at=run.started_at or run.requested_at,
                rested=session.scalars(_RESTED, {"execution_id": execution.id}).one(),
            )

    def _prepare(self, wanted: _Wanted) -> _Claimed | None:
        """Gate, price, baseline, claim. Raises what speaks against it; None when somebody else has the intent."""
        intent = wanted.intent
        self._ask_gate(wanted, None)  # what needs no price is asked first: a closed market is asked for no quotes
        limit = self._pricing.limit(intent, wanted.execution, wanted.rested)
        self._ask_gate(wanted, limit)
        baseline, weak = self._baseline(intent, Mode(wanted.account.expected_mode))
        gateway = self._gateways.of(intent.account_id)
        return self._claim(wanted, limit, baseline, gateway, weak=weak)

    def _ask_gate(self, wanted: _Wanted, limit: Decimal | None) -> None:
        intent = wanted.intent
        today = trading_date(self._market_clock.now())
        seen = gate.Seen(
            mode=self._world.mode(intent.account_id),
            phase=self._world.phase(intent.exchange),
            lot_size=self._world.lot_size(ContractKey(intent.exchange, intent.symbol)),
            net=self._net(intent),
            freeze=wanted.execution.freeze,
            same_day=trading_date(wanted.started_at) == today,
            well=self._world.well(),
        )
        gate.check(intent, wanted.account, seen, live_sending=self._live_sending, limit=limit)

    def _net(self, intent: Intent) -> int | None:
        with self._database.reading() as session:
            return claim_guard.broker_net(session, intent)

    def _baseline(self, intent: Intent, mode: Mode) -> tuple[list[str], bool]:
        """Order ids at the broker before we send. An entry needs a clean read; an exit may go with the last known."""
        try:
            ids = self._world.order_ids(intent.account_id, mode)
        except Unavailable:
            if intent.purpose == Purpose.ENTRY:
                raise
            today = trading_date(self._market_clock.now())
            known = self._world.last_order_ids(intent.account_id, today) | self._stored_ids(intent.account_id, today)
            return sorted(known), True
        key = ContractKey(intent.exchange, intent.symbol)
        if intent.purpose == Purpose.ENTRY and self._world.carry(intent.account_id, key, intent.product) is None:
            raise Unavailable("The account's books have not been read yet.")
        return sorted(ids), False

    def _stored_ids(self, account_id: int, today: date) -> set[str]:
        """Ids that earlier reads of today left in the database, for an engine that has not read a book yet."""
        with self._database.reading() as session:
            query = select(Order.order_id).where(Order.account_id == account_id, Order.trading_date == today)
            return set(session.scalars(query))

    def _claim(
        self, wanted: _Wanted, limit: Decimal, baseline: list[str], gateway: Gateway, *, weak: bool
    ) -> _Claimed | None:
        """READY -> SENDING under our epoch, committed; None when somebody else has it or we do not lead any more.

        Raises Denied when something else that is under way speaks against it.
        """
        epoch, intent = self._epoch(), wanted.intent
        key = ContractKey(intent.exchange, intent.symbol)
        today = trading_date(self._market_clock.now())
        with self._database.transaction() as session:
            held = claim_guard.hold(session, intent.id)
            if held.state != IntentState.READY:
                return None
            claim_guard.check(session, held)
            at, sent_at = self._clock.monotonic(), self._clock.now()
            claimed = session.execute(
                update(Intent)
                .where(Intent.id == intent.id, Intent.state == IntentState.READY)
                .where(exists().where(leads(session, epoch)))
                .values(
                    state=move(IntentState.READY, IntentState.SENDING).value,
                    epoch=epoch,
                    baseline=baseline,
                    baseline_carry=self._world.carry(intent.account_id, key, intent.product),
                    weak_baseline=weak,
                    limit_price=limit,
                    reason=None,
                    sent_at=sent_at,
                    trading_date=today,
                )
            )
            won = claimed.rowcount == 1  # type: ignore[attr-defined]
        if not won:
            return None
        request = OrderRequest(
            contract=key,
            side=Side(intent.side),
            units=Units(intent.units),
            product=Product(intent.product),
            price_type=PriceType.LIMIT,
            price=limit,
            trigger_price=Decimal(0),
            tag=TAG,
        )
        return _Claimed(request, Mode(wanted.account.expected_mode), at, sent_at, gateway)

    def _call(self, claimed: _Claimed) -> Outcome:
        # Both clocks: the monotonic one stands still while the machine sleeps.
        slept_s = (self._clock.now() - claimed.sent_at).total_seconds()
        if max(self._clock.monotonic() - claimed.at, slept_s) > CLAIM_OLD_S:
            return Outcome(
                Verdict.NOT_SENT, None, "The machine stalled between claim and send; nothing was sent.", None
            )
        return claimed.gateway.place(claimed.request, expected=claimed.expected)

    def _record_surely(self, intent_id: int, outcome: Outcome) -> None:
        """What was answered is known here alone: without it the books need minutes to show that nothing arrived."""
        for _ in range(RECORD_TRIES - 1):
            try:
                return self._record(intent_id, outcome)
            except OperationalError as error:
                log.warning("the answer of intent %d is not recorded yet: %s", intent_id, error)
        return self._record(intent_id, outcome)

    def _record(self, intent_id: int, outcome: Outcome) -> None:
        now = self._clock.now()
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id, with_for_update={"key_share": True})
            intent.answered_at, intent.verdict = now, outcome.verdict.value
            if intent.state == IntentState.SENDING:
                self._take_answer(session, intent, outcome)
            elif outcome.verdict is Verdict.ACK and outcome.order_id is not None:
                self._take_late_id(session, intent, outcome.order_id)
            if outcome.verdict is Verdict.HALT:
                session.get_one(TradingAccount, intent.account_id).state = "HALTED"
            run_id, account_id = intent.run_id, intent.account_id
        self._world.read_soon(account_id)
        self._on_change(run_id, account_id)

    def _take_answer(self, session: Session, intent: Intent, outcome: Outcome) -> None:
        state = move(IntentState.SENDING, STATE_AFTER[outcome.verdict])
        intent.reason = None if state is IntentState.WORKING else outcome.message
        intent.order_id = outcome.order_id
        if outcome.verdict is Verdict.HALT:
            # An id of the other mode is in no book of ours: by that it could never be settled.
            intent.order_id = None
            intent.reason = f"The gateway answered in the other mode, with order {outcome.order_id or 'unnamed'}."
        elif outcome.order_id is not None and _is_taken(session, intent, outcome.order_id):
            # The books were quicker and gave this order to an equal slice: that one's order will be ours.
            state, intent.order_id = IntentState.UNKNOWN, None
            intent.reason = f"Its order {outcome.order_id} was counted for an equal slice; the other one is looked for."
        intent.state = state.value
        intent.settled_at = self._clock.now() if state in FINAL else None
        self._tell(session, intent, state)

    def _take_late_id(self, session: Session, intent: Intent, order_id: str) -> None:
        """The answer names another order than the books had led us to; the answer is the proof."""
        if intent.order_id == order_id or _is_taken(session, intent, order_id):
            return
        if intent.order_id is not None:
            session.execute(delete(FillRow).where(FillRow.intent_id == intent.id))  # of an order that is not ours
            words = f"Order {intent.order_id} was taken for ours; the broker's answer says that ours is {order_id}."
            self._journal.note(session, intent.run_id, "attention", words, intent.account_id)
        intent.order_id, intent.reason, intent.settled_at = order_id, None, None
        intent.state = IntentState.WORKING.value  # from wherever the wrong order had brought it

    def _tell(self, session: Session, intent: Intent, state: IntentState) -> None:
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        kind, words = "", ""
        if state is IntentState.UNKNOWN:
            kind = "unknown"
            words = f"Unknown whether {what} stands at the broker: {intent.reason} It is not sent again."
        elif state in {IntentState.REJECTED, IntentState.NOT_SENT}:
            kind = "rejected"
            words = f"{state.value.replace('_', ' ').capitalize()}: {what}. {intent.reason}"
        elif state is IntentState.PARKED:
            kind = "parked"
            words = f"{what} waits for approval at the gateway; nothing was sent to the broker."
        if kind:
            self._journal.note(session, intent.run_id, kind, words, intent.account_id)

    def _say_no(self, intent: Intent, code: str, sentence: str) -> None:
        """Deny it, or leave it READY with the reason when asking again can help."""
        purpose = Purpose(intent.purpose)
        waits = gate.waits(purpose, code) and (purpose is Purpose.EXIT or not self._patience.is_over(intent.id))
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        reason = f"{code}: {sentence}"
        with self._database.transaction() as session:
            known = claim_guard.hold(session, intent.id)
            if known.state != IntentState.READY:
                return
            said = (known.reason or "").startswith(f"{code}:")
            if waits and said:
                return
            known.reason = reason
            if waits:
                self._journal.note(session, known.run_id, "attention", f"Waits: {what}. {reason}", known.account_id)
            else:
                known.state = move(IntentState.READY, IntentState.DENIED).value
                known.settled_at = self._clock.now()
                self._journal.note(session, known.run_id, "denied", f"Not sent: {what}. {reason}", known.account_id)
        if not waits:
            self._patience.forget(intent.id)
        self._on_change(intent.run_id, intent.account_id)


class _Patience:
    """How long an entry has waited for what may come in a moment. Thread-safe; begins anew with each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._lock = threading.Lock()

    def is_over(self, intent_id: int) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            return now - self._since.setdefault(intent_id, now) >= ENTRY_PATIENCE_S

    def forget(self, intent_id: int) -> None:
        with self._lock:
            self._since.pop(intent_id, None)


def _is_taken(session: Session, intent: Intent, order_id: str) -> bool:
    """Whether another intent of that account and day has this order."""
    query = select(Intent.id).where(
        Intent.account_id == intent.account_id,
        Intent.trading_date == intent.trading_date,
        Intent.order_id == order_id,
        Intent.id != intent.id,
    )
    with session.no_autoflush:
        return session.scalars(query).first() is not None
