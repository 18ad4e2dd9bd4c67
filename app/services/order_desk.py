"""Sends one intent, once: price, gate, claim, call, record. The only place in the product that places an order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.errors import Denied, Unavailable
from app.domain.money import Units
from app.domain.orders import FINAL, IntentState, OrderRequest, Purpose, move
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.persistence.database import Database
from app.persistence.tables import Intent, LeaseRow, Position, StrategyExecution, TradingAccount
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway
from app.services import gate
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.order_pricing import OrderPricing
from app.services.world import World

log = logging.getLogger(__name__)

TAG = "AlgoMirror"
CLAIM_OLD_S = 1.0
"""A claim older than this when the call should begin means the machine slept: the order is not sent."""

STATE_AFTER = {
    Verdict.ACK: IntentState.WORKING,
    Verdict.REJECTED: IntentState.REJECTED,
    Verdict.NOT_SENT: IntentState.NOT_SENT,
    Verdict.PARKED: IntentState.PARKED,
    Verdict.UNKNOWN_ANSWERED: IntentState.UNKNOWN,
    Verdict.UNKNOWN_OPEN: IntentState.UNKNOWN,
    Verdict.HALT: IntentState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What a lane worker carries from the claim to the call."""

    request: OrderRequest
    expected: Mode
    at: float


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
        on_change: Callable[[int], None],
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

    def send(self, intent_id: int) -> None:
        """Send a READY intent; anything else is left alone. Never sends the same intent twice, whoever asks."""
        with self._database.reading() as session:
            intent = session.get_one(Intent, intent_id)
            account = session.get_one(TradingAccount, intent.account_id)
            execution = session.get_one(StrategyExecution, intent.execution_id)
        if intent.state != IntentState.READY:
            return
        try:
            limit = self._pricing.limit(intent, execution)
            self._ask_gate(intent, account, limit)
            baseline, weak = self._baseline(intent)
        except Denied as denial:
            self._deny(intent_id, f"{denial.code}: {denial}")
            return
        except Unavailable as trouble:
            self._deny(intent_id, f"NO_PRICE_OR_BOOK: {trouble}")
            return
        gateway = self._gateways.of(account.id)
        claimed = self._claim(intent, account, limit, baseline, weak=weak)
        if claimed is None:
            return
        self._record(intent_id, self._call(gateway, claimed))

    def cancel(self, intent_id: int) -> None:
        """Ask the broker to cancel a working intent. What comes of it is learnt from the book, not from the answer."""
        now = self._clock.now()
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id)
            if intent.state != IntentState.WORKING or intent.order_id is None or self._epoch() is None:
                return
            intent.cancel_asked_at = now
            account_id, order_id, run_id = intent.account_id, intent.order_id, intent.run_id
        outcome = self._gateways.of(account_id).cancel(order_id, TAG)
        log.info("cancel of %s in account %s: %s %s", order_id, account_id, outcome.verdict, outcome.message)
        self._world.read_soon(account_id)
        self._on_change(run_id)

    def _ask_gate(self, intent: Intent, account: TradingAccount, limit: Decimal) -> None:
        key = ContractKey(intent.exchange, intent.symbol)
        seen = gate.Seen(
            mode=self._world.mode(account.id),
            phase=self._world.phase(intent.exchange),
            lot_size=self._world.lot_size(key),
            net=self._net(intent),
        )
        gate.check(intent, account, seen, live_sending=self._live_sending, limit=limit)

    def _net(self, intent: Intent) -> int | None:
        with self._database.reading() as session:
            return session.scalars(
                select(Position.net).where(
                    Position.account_id == intent.account_id,
                    Position.exchange == intent.exchange,
                    Position.symbol == intent.symbol,
                    Position.product == intent.product,
                )
            ).one_or_none()

    def _baseline(self, intent: Intent) -> tuple[list[str], bool]:
        """Order ids at the broker before we send. An entry needs a clean read; an exit may go with the last known."""
        try:
            return sorted(self._world.order_ids(intent.account_id)), False
        except Unavailable:
            if intent.purpose == Purpose.ENTRY:
                raise
            return sorted(self._world.last_order_ids(intent.account_id)), True

    def _claim(
        self, intent: Intent, account: TradingAccount, limit: Decimal, baseline: list[str], *, weak: bool
    ) -> _Claimed | None:
        """READY -> SENDING under our epoch, committed; None when somebody else has it or we do not lead any more."""
        epoch = self._epoch()
        at = self._clock.monotonic()
        key = ContractKey(intent.exchange, intent.symbol)
        with self._database.transaction() as session:
            claimed = session.execute(
                update(Intent)
                .where(Intent.id == intent.id, Intent.state == IntentState.READY)
                .where(exists().where(LeaseRow.epoch == epoch))
                .values(
                    state=move(IntentState.READY, IntentState.SENDING).value,
                    epoch=epoch,
                    baseline=baseline,
                    baseline_carry=self._world.carry(account.id, key, intent.product),
                    weak_baseline=weak,
                    limit_price=limit,
                    sent_at=self._clock.now(),
                    trading_date=trading_date(self._market_clock.now()),
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
        return _Claimed(request, Mode(account.expected_mode), at)

    def _call(self, gateway: Gateway, claimed: _Claimed) -> Outcome:
        if self._clock.monotonic() - claimed.at > CLAIM_OLD_S:
            return Outcome(
                Verdict.NOT_SENT, None, "The machine stalled between claim and send; nothing was sent.", None
            )
        return gateway.place(claimed.request, expected=claimed.expected)

    def _record(self, intent_id: int, outcome: Outcome) -> None:
        now = self._clock.now()
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id)
            intent.answered_at, intent.verdict = now, outcome.verdict.value
            if intent.state == IntentState.SENDING:
                state = move(IntentState.SENDING, STATE_AFTER[outcome.verdict])
                intent.state = state.value
                intent.reason = None if state is IntentState.WORKING else outcome.message
                intent.order_id = outcome.order_id if state is IntentState.WORKING else None
                intent.settled_at = now if state in FINAL else None
                self._tell(session, intent, state)
            if outcome.verdict is Verdict.HALT:
                session.get_one(TradingAccount, intent.account_id).state = "HALTED"
            run_id, account_id = intent.run_id, intent.account_id
        self._world.read_soon(account_id)
        self._on_change(run_id)

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

    def _deny(self, intent_id: int, reason: str) -> None:
        now = self._clock.now()
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id)
            if intent.state != IntentState.READY:
                return
            intent.state = move(IntentState.READY, IntentState.DENIED).value
            intent.reason, intent.settled_at = reason, now
            what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
            self._journal.note(session, intent.run_id, "denied", f"Not sent: {what}. {reason}", intent.account_id)
            run_id = intent.run_id
        self._on_change(run_id)
