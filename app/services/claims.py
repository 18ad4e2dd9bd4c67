"""Claims intents for sending, many in one transaction: facts, gate, READY -> SENDING under our epoch, committed.

Nothing here asks the network. What a claim lacks, a price or an order book that is young enough, is named, fetched by
a lane worker (`fetch`), and the claim is made again.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from app.domain import gate
from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey, Side
from app.domain.errors import Denied, DeskError, Misconfigured, NoFreshPrice, Refused, Unavailable
from app.domain.gate import Asked, Code, Surroundings
from app.domain.orders import IntentState, OrderRequest, Purpose, move
from app.domain.plan import Mode
from app.domain.price_types import PriceTerms
from app.persistence.database import Database
from app.persistence.direct import Change
from app.persistence.leading import LEADING, leases_end
from app.persistence.plain import changed, table_of
from app.persistence.tables import Intent, Order
from app.persistence.turns import Turn
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway
from app.services.claim_facts import Facts, Wanted, hold, who_of
from app.services.crash_points import reach
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.order_pricing import OrderPricing, Priced
from app.services.order_request import order_request, terms_of
from app.services.world import World

FETCHED_LASTS_S: Final = 3.0
"""How long what was fetched for an intent serves its claim: longer than any queue, shorter than a price is good."""

_I = Intent.__table__.c
_CLAIM = (
    update(table_of(Intent))
    .where(_I.id == bindparam("intent_id"), _I.state == IntentState.READY.value)
    .values({name: bindparam(f"new_{name}") for name in (
        "state", "epoch", "baseline", "baseline_carry", "weak_baseline", "limit_price", "reason", "sent_at",
        "trading_date",
    )})
)  # fmt: skip
_CLAIM_WHILE_LEADING = {ends: Change(_CLAIM.where(exists().where(lease))) for ends, lease in LEADING.items()}


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a lane worker carries from the claim to the call. `at` is monotonic, `sent_at` of the same moment."""

    intent_id: int
    run_id: int
    account_id: int
    request: OrderRequest
    expected: Mode
    at: float
    sent_at: datetime
    gateway: Gateway


@dataclass(slots=True)
class Claims:
    """What became of a batch. Intents in neither were denied, wait with their reason, or are not ours to send."""

    ready: dict[int, Claimed] = field(default_factory=dict)
    lacking: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Baseline:
    """Order ids at the broker before the send, and the net its trades do not explain. `weak`: the last known ones."""

    ids: list[str]
    carry: int | None
    weak: bool


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A price asked of a gateway for one intent, and whether its account's book could not be read."""

    priced: Priced
    terms: PriceTerms
    deaf: bool
    at: float


class ClaimDesk:
    """`claim` is for one thread at a time, `fetch` for many. `epoch` says under which lease we act, None for none."""

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
        claimed: Callable[[int, datetime], None] = lambda _intent_id, _at: None,
    ) -> None:
        """`claimed` is told the last intent of each batch and when, once that is committed and before any is sent."""
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
        self._claimed_last = claimed
        self._patience = _Patience(clock)
        self._fetched: dict[int, _Fetched] = {}

    def claim(self, intent_ids: Sequence[int]) -> Claims:
        """Claim those that may go, all or none of them, in one transaction. Others are denied or wait, with a reason.

        Never claims an intent twice, whoever asks.
        """
        claims, touched = Claims(), set[tuple[int, int]]()
        epoch, now = self._epoch(), self._clock.now()
        with self._database.transaction(Turn.NOW) as session:
            wanted = hold(session, intent_ids)
            facts = Facts(session, wanted, epoch, now, world=self._world)
            values: list[dict[str, Any]] = []
            for each in wanted if facts.leads else ():  # who does not lead writes nothing, not even why
                try:
                    self._judge(session, each, facts, claims, values)
                except (Denied, Unavailable, Refused, Misconfigured) as no:
                    if self._say_no(session, each.intent, no):
                        touched.add((each.run.id, each.account.id))
            if values and not _take(session, values, epoch):
                raise Unavailable("Another process leads now; nothing was claimed.")
            reach("before_claim_commit")
        if claims.ready:
            last = next(reversed(claims.ready.values()))
            self._claimed_last(last.intent_id, last.sent_at)
        for intent_id in claims.ready:
            self._fetched.pop(intent_id, None)
            self._patience.forget(intent_id)
        for run_id, account_id in touched:
            self._on_change(run_id, account_id)
        return claims

    def fetch(self, intent_id: int) -> bool:
        """Ask the network for what the claim of this intent lacks. False when it cannot be had: the intent says why."""
        with self._database.reading() as session:
            found = hold(session, [intent_id])
            if not found:
                return False
            (wanted,) = found
        intent = wanted.intent
        try:
            priced = self._pricing.limit(intent, wanted.execution, intent.price_steps)
            deaf = self._read_ids(intent, Mode(wanted.account.expected_mode))
        except DeskError as no:
            with self._database.transaction() as session:
                held = hold(session, [intent_id])
                said = bool(held) and self._say_no(session, held[0].intent, no)
            if said:
                self._on_change(intent.run_id, intent.account_id)
            return False
        self._fetched[intent_id] = _Fetched(priced, terms_of(intent), deaf, self._clock.monotonic())
        return True

    def _read_ids(self, intent: Intent, mode: Mode) -> bool:
        """True when the book cannot be read and the order may go without: an exit. Raises Unavailable for an entry."""
        try:
            self._world.read_ids(intent.account_id, mode)
        except Unavailable:
            if intent.purpose == Purpose.ENTRY:
                raise
            return True
        key = ContractKey(intent.exchange, intent.symbol)
        if intent.purpose == Purpose.ENTRY and self._world.carry(intent.account_id, key, intent.product) is None:
            raise Unavailable("The account's books have not been read yet.")
        return False

    def _judge(self, session: Session, of: Wanted, facts: Facts, claims: Claims, values: list[dict[str, Any]]) -> None:
        """Raises what speaks against it. What is only not at hand is lacking."""
        intent, now = of.intent, self._clock.now()
        today = trading_date(self._market_clock.now())
        fetched = self._at_hand(intent)
        try:
            priced = fetched.priced if fetched else self._pricing.at_hand(
                intent, of.execution, intent.price_steps
            )  # fmt: skip
        except NoFreshPrice:
            priced = None
        try:
            gate.check(
                self._asked(of, priced),
                who_of(of.account, live_sending=self._live_sending),
                self._around(of, today, facts),
                facts.ledger(of, today),
            )
        except Denied as denial:
            if denial.code == Code.NO_PRICE_OR_BOOK and priced is None:
                claims.lacking.add(intent.id)
                return
            raise
        baseline = self._baseline(session, of, today, deaf=fetched is not None and fetched.deaf)
        if baseline is None or priced is None:
            claims.lacking.add(intent.id)
            return
        claims.ready[intent.id] = self._claimed(of, priced.limit, now)
        values.append(_values(of, priced.limit, baseline, now, today))
        facts.claimed(of, now)

    def _claimed(self, of: Wanted, limit: Decimal, now: datetime) -> Claimed:
        return Claimed(
            intent_id=of.intent.id,
            run_id=of.run.id,
            account_id=of.account.id,
            request=order_request(of.intent, limit),
            expected=Mode(of.account.expected_mode),
            at=self._clock.monotonic(),
            sent_at=now,
            gateway=self._gateways.of(of.account.id),
        )

    def _at_hand(self, intent: Intent) -> _Fetched | None:
        """None as well when its trader typed another price meanwhile."""
        found = self._fetched.get(intent.id)
        if found is None or found.terms != terms_of(intent):
            return None
        return found if self._clock.monotonic() - found.at <= FETCHED_LASTS_S else None

    def _asked(self, of: Wanted, priced: Priced | None) -> Asked:
        intent, execution = of.intent, of.execution
        return Asked(
            purpose=Purpose(intent.purpose),
            exchange=intent.exchange,
            symbol=intent.symbol,
            side=Side(intent.side),
            units=intent.units,
            tick=execution.tick,
            expiry=date.fromisoformat(execution.expiry),
            limit=None if priced is None else priced.limit,
            worst=None if terms_of(intent).is_typed else intent.worst_price,
            band=None if priced is None else priced.band,
        )

    def _around(self, of: Wanted, today: date, facts: Facts) -> Surroundings:
        intent, account_id = of.intent, of.account.id
        started_at = of.run.started_at or of.run.requested_at
        money = self._world.money(account_id)
        return Surroundings(
            today=today,
            mode=self._world.mode(account_id),
            phase=facts.phase(intent.exchange),
            lot_size=self._world.lot_size(ContractKey(intent.exchange, intent.symbol)),
            freeze=of.execution.freeze,
            same_day=trading_date(started_at) == today,
            well=facts.well,
            books_read=self._world.has_books(account_id),
            locked=self._world.locked(account_id),
            free=money.free,
            day_pnl=money.day_pnl,
        )

    def _baseline(self, session: Session, of: Wanted, today: date, *, deaf: bool) -> _Baseline | None:
        """None when it has to be fetched. An entry needs a clean read; an exit may go with the last known ids."""
        intent = of.intent
        key = ContractKey(intent.exchange, intent.symbol)
        carry = self._world.carry(intent.account_id, key, intent.product)
        if deaf:
            stored = select(Order.order_id).where(
                Order.account_id == intent.account_id, Order.trading_date == today
            )  # left by earlier reads of today, for an engine that has not read a book yet
            known = self._world.last_order_ids(intent.account_id, today) | set(session.scalars(stored))
            return _Baseline(sorted(known), carry, weak=True)
        ids = self._world.order_ids(intent.account_id)
        if ids is None or (carry is None and intent.purpose == Purpose.ENTRY):
            return None
        # The book that was just read may leave out what an earlier one listed: none of that can be this order.
        return _Baseline(sorted(ids | self._world.last_order_ids(intent.account_id, today)), carry, weak=False)

    def _say_no(self, session: Session, intent: Intent, no: DeskError) -> bool:
        """Deny it, or leave it READY with the reason when asking again can help. True when its row changed."""
        code = _code_of(no)
        purpose = Purpose(intent.purpose)
        waits = gate.waits(purpose, code) and (purpose is Purpose.EXIT or not self._patience.is_over(intent.id, code))
        if waits and (intent.reason or "").startswith(f"{code}:"):
            return False
        what = f"{intent.side.lower()} {intent.units} {intent.symbol}"
        reason = f"{code}: {no}"
        if waits:
            changed(session, intent, reason=reason)
            self._journal.note(session, intent.run_id, "attention", f"Waits: {what}. {reason}", intent.account_id)
            return True
        state = move(IntentState.READY, IntentState.DENIED).value
        changed(session, intent, reason=reason, state=state, settled_at=self._clock.now())
        self._journal.note(session, intent.run_id, "denied", f"Not sent: {what}. {reason}", intent.account_id)
        self._patience.forget(intent.id)
        self._fetched.pop(intent.id, None)
        return True


class _Patience:
    """How long an entry has waited for what may come in a moment. Thread-safe; begins anew with each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[int, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def is_over(self, intent_id: int, code: str) -> bool:
        """Each code has its own patience, counted since it was first heard without another between."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._since.get(intent_id)
            since = self._since[intent_id] = (code, now) if known is None or _other(known[0], code) else known
            return now - since[1] >= gate.patience_s(code)

    def forget(self, intent_id: int) -> None:
        with self._lock:
            self._since.pop(intent_id, None)


def _other(before: str, code: str) -> bool:
    """What is waited for during a takeover does not use up the patience for what comes after it."""
    return (before == Code.NOT_TAKEN_OVER) != (code == Code.NOT_TAKEN_OVER)


def _code_of(no: DeskError) -> str:
    if isinstance(no, Denied):
        return no.code
    return Code.NO_PRICE_OR_BOOK if isinstance(no, Unavailable) else Code.NOT_SENDABLE


def _values(of: Wanted, limit: Decimal, baseline: _Baseline, now: datetime, today: date) -> dict[str, Any]:
    return {
        "intent_id": of.intent.id,
        "new_state": move(IntentState.READY, IntentState.SENDING).value,
        "new_baseline": baseline.ids,
        "new_baseline_carry": baseline.carry,
        "new_weak_baseline": baseline.weak,
        "new_limit_price": limit,
        "new_reason": None,
        "new_sent_at": now,
        "new_trading_date": today,
    }


def _take(session: Session, values: Sequence[Mapping[str, Any]], epoch: int | None) -> bool:
    """False when not every row was taken: under an old epoch none is."""
    claim = _CLAIM_WHILE_LEADING[leases_end(session)]
    taken = claim.do(session, [{**row, "new_epoch": epoch, "leader": epoch} for row in values])
    return taken == len(values)
