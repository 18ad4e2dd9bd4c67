"""What a trader asks of entries that rest at a typed price: cancel, change the price, send the rest as "market".

The books decide all of it: a cancel and a change are asked of the broker once and are over when its book says so, and a
rest goes as "market" only when what was cancelled is settled, as a new generation of what did not fill.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain import gate
from app.domain.books import OrderStatus
from app.domain.calendar import Phase
from app.domain.contracts import Contract, PriceType, Side
from app.domain.errors import Conflict, NoFreshPrice, NotFound
from app.domain.orders import IntentState, Purpose, move
from app.domain.price_types import USES_LIMIT, USES_TRIGGER, PriceTerms
from app.persistence.database import Database
from app.persistence.tables import Intent, Order, Run, StrategyExecution
from app.services import trading_states
from app.services.entries import Denials, rests_too_long
from app.services.journal import Journal
from app.services.modify_desk import is_asked, is_due
from app.services.order_request import terms_of
from app.services.run_state import AccountState, Rows, contract_of, load_accounts
from app.services.typed_entries import Wish, is_chased

SHOWN_WITHIN = timedelta(seconds=15)
"""How long the broker's book is given to show a change before that is said aloud."""

AT_ONCE = timedelta(0)


class Change(StrEnum):
    CANCEL = "CANCEL"
    MODIFY = "MODIFY"
    MARKET = "MARKET"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What is asked of one leg in one account. Prices are of MODIFY alone; None where the price type has none."""

    account_id: int
    leg: int
    change: Change
    limit: Decimal | None = None
    trigger: Decimal | None = None


class PendingPricing(Protocol):
    """What judges prices; the order pricing."""

    def typed(
        self, contract: Contract, side: Side, terms: PriceTerms, *, standing: Decimal | None = None
    ) -> Decimal: ...

    def entry(self, contract: Contract, side: Side) -> tuple[Decimal, Decimal]: ...


class PendingOrders:
    """`ask` belongs to the intake, `advance` to the runs loop."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        pricing: PendingPricing,
        *,
        denials: Denials,
        phase: Callable[[str], Phase],
    ) -> None:
        """`denials` says why an account takes no entries now; `phase` is of an exchange's day."""
        self._database = database
        self._journal = journal
        self._pricing = pricing
        self._denials = denials
        self._phase = phase

    def ask(self, run_id: int, wanted: PendingChange, by: str, now: datetime) -> str:
        """Write down what is wanted; what became of it, as a sentence. Asking again for the same changes nothing.

        Prices are looked up before anything is written. Raises NotFound, Conflict or Denied; then nothing was changed.
        """
        with self._database.reading() as session:
            pending, row = _pending(session, run_id, wanted), _execution(session, run_id, wanted)
        worst = self._judge(row, pending, wanted)
        with self._database.transaction() as session:
            run = session.get_one(Run, run_id, with_for_update={"key_share": True})
            load_accounts(session, run_id, only={wanted.account_id}, rows=Rows.WRITABLE)  # locks what is read next
            row = _execution(session, run_id, wanted)
            pending = _pending(session, run_id, wanted)
            if wanted.change is not Change.CANCEL:
                trading_states.refuse_entry(
                    session, user_id=run.user_id, account_id=row.account_id, strategy_id=run.strategy_id
                )
            words = self._write(pending, wanted, worst, now)
            sentence = f"Leg {row.leg}, {row.symbol}: {words}, asked by {by}."
            self._journal.note(session, run_id, "pending", sentence, row.account_id)
        return sentence

    def refused(self, run_id: int, account_id: int, why: str) -> None:
        """Tell the trader, among the run's events, why what was asked is not done."""
        with self._database.transaction() as session:
            self._journal.note(session, run_id, "denied", f"Not changed. {why}", account_id)

    def advance(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """Cancel what is not wanted any more, hand over changes, and take over what the book shows of them."""
        for execution in account.executions:
            if execution.row.exit_wanted:
                continue  # the exit cancels all that rests
            for intent in execution.open_intents(Purpose.ENTRY):
                if intent.wish and rests_too_long(intent, now, AT_ONCE):
                    account.to_cancel.append(intent)
                elif is_asked(intent):
                    self._follow(session, run, account, intent, now)
                elif intent.state == IntentState.WORKING and not is_chased(intent):
                    self._take_over(session, run, intent)

    def _judge(self, row: StrategyExecution, pending: list[Intent], wanted: PendingChange) -> Decimal | None:
        """The worst price of a rest that goes as "market"; None for all else. Raises what speaks against it."""
        contract, side = contract_of(row), Side(row.side)
        if wanted.change is not Change.CANCEL:
            # What is cancelled for a rest that may not be sent would fail its leg and take the others out.
            if (denial := self._denials([row.account_id]).get(row.account_id)) is not None:
                raise denial
            gate.may_enter(row.exchange, self._phase(row.exchange))
        try:
            if wanted.change is Change.MARKET:
                return self._pricing.entry(contract, side)[1]
            if wanted.change is Change.MODIFY:
                self._judge_prices(contract, side, pending, wanted)
        except NoFreshPrice as missing:  # asked again in a minute it might be another market
            raise Conflict(f"{missing} Nothing was changed; the order rests as it is.") from missing
        return None

    def _judge_prices(self, contract: Contract, side: Side, pending: list[Intent], wanted: PendingChange) -> None:
        terms = _changed(pending[0], wanted)
        if all(terms_of(intent) == terms for intent in pending):
            raise Conflict(f"{contract.key.symbol} has these prices already; nothing was changed.")
        self._pricing.typed(contract, side, terms, standing=pending[0].trigger_price)

    def _write(self, pending: list[Intent], wanted: PendingChange, worst: Decimal | None, now: datetime) -> str:
        if wanted.change is Change.MODIFY:
            for intent in pending:
                _ask_prices(intent, _changed(intent, wanted))
            return f"its price is to be {_changed(pending[0], wanted).words()}"
        for intent in pending:
            intent.wish = Wish.CANCEL if wanted.change is Change.CANCEL else Wish.MARKET
            intent.worst_price = worst if worst is not None else intent.worst_price
            if intent.state == IntentState.READY:  # never sent: over without a word to the broker
                intent.state = move(IntentState.READY, IntentState.CANCELLED).value
                intent.settled_at = now
        return "its rest is to be cancelled" if wanted.change is Change.CANCEL else "its rest is to go at market"

    def _follow(self, session: Session, run: Run, account: AccountState, intent: Intent, now: datetime) -> None:
        if intent.modify_sent_at is None:
            if is_due(intent):
                account.to_modify.append(intent)
            return
        order = session.scalars(_ROW, {"intent_id": intent.id}).one_or_none()
        asked = PriceTerms(PriceType(intent.price_type), intent.asked_limit, intent.asked_trigger)
        if order is not None and _shows(order, asked):
            _set_prices(intent, asked)
            self._journal.note(
                session, run.id, "pending", f"{intent.symbol} now rests at {asked.words()}.", intent.account_id
            )
        elif not timedelta(0) <= now - intent.modify_sent_at < SHOWN_WITHIN:
            sentence = (
                f"The broker's book does not show {asked.words()} for {intent.symbol}: it rests at "
                f"{terms_of(intent).words()}. The change is not sent again; look at the order there."
            )
            self._journal.note(session, run.id, "attention", sentence, intent.account_id)
        else:
            return
        intent.asked_limit = intent.asked_trigger = intent.modify_sent_at = None

    def _take_over(self, session: Session, run: Run, intent: Intent) -> None:
        """Prices that the book shows and nobody waits for: a change that came late, or was made at the broker.

        Only of an order that has filled nothing: some books show the average in place of the price.
        """
        order, ours = session.scalars(_ROW, {"intent_id": intent.id}).one_or_none(), terms_of(intent)
        if order is None or order.filled or order.status not in _RESTING:
            return
        limit = order.price if ours.limit is not None and order.price > 0 else ours.limit
        shown = PriceTerms(ours.type, limit, (order.trigger_price or ours.trigger) if ours.trigger else None)
        if shown != ours:
            _set_prices(intent, shown)
            sentence = f"{intent.symbol} rests at {shown.words()} by the broker's book, not at {ours.words()}."
            self._journal.note(session, run.id, "pending", sentence, intent.account_id)


def _execution(session: Session, run_id: int, wanted: PendingChange) -> StrategyExecution:
    """Raises NotFound for no such part of the run, Conflict when it is leaving."""
    found = session.scalars(
        select(StrategyExecution).where(
            StrategyExecution.run_id == run_id,
            StrategyExecution.account_id == wanted.account_id,
            StrategyExecution.leg == wanted.leg,
        )
    ).one_or_none()
    if found is None:
        raise NotFound("This run has no such account or leg.")
    if found.exit_wanted:
        raise Conflict(f"{found.symbol} is on its way out: its pending orders are cancelled already.")
    return found


def _pending(session: Session, run_id: int, wanted: PendingChange) -> list[Intent]:
    """Its typed entries that can still be acted on. Raises Conflict when there are none, or not all of them may be."""
    row = _execution(session, run_id, wanted)
    entries = session.scalars(
        select(Intent).where(Intent.execution_id == row.id, Intent.purpose == Purpose.ENTRY.value).order_by(Intent.id)
    )
    still_open = [i for i in entries if i.state in _OPEN and not is_chased(i)]
    if not still_open:
        raise Conflict(f"Nothing of {row.symbol} is pending any more: it has filled, or was cancelled.")
    if wanted.change is not Change.MODIFY:
        return still_open
    if any(i.wish for i in still_open):
        raise Conflict(f"{row.symbol} is being cancelled; its price is not changed any more.")
    if any(is_asked(i) for i in still_open):
        raise Conflict(f"The broker's book does not show the last change of {row.symbol} yet. Wait for it.")
    if any(i.state not in _CHANGEABLE for i in still_open):
        raise Conflict(f"An order in {row.symbol} is not settled yet; its price can be changed when it is.")
    return still_open


_OPEN = frozenset(
    state.value
    for state in (
        IntentState.READY, IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN, IntentState.PARKED,
    )
)  # fmt: skip
_CHANGEABLE = frozenset({IntentState.READY.value, IntentState.WORKING.value})


def _changed(intent: Intent, wanted: PendingChange) -> PriceTerms:
    """Its price type with the wanted prices. One that is not given stays; one that it cannot have is refused later."""
    now = terms_of(intent)
    limit = wanted.limit if wanted.limit is not None or now.type not in USES_LIMIT else now.limit
    trigger = wanted.trigger if wanted.trigger is not None or now.type not in USES_TRIGGER else now.trigger
    return PriceTerms(now.type, limit, trigger)


def _ask_prices(intent: Intent, terms: PriceTerms) -> None:
    """One that was never sent simply has them; one at the broker has them when its book says so."""
    if intent.state == IntentState.READY:
        _set_prices(intent, terms)
    else:
        intent.asked_limit, intent.asked_trigger = terms.limit, terms.trigger


def _set_prices(intent: Intent, terms: PriceTerms) -> None:
    intent.limit_price = intent.worst_price = terms.reckoned
    intent.trigger_price = terms.trigger


_ROW = select(Order).where(Order.intent_id == bindparam("intent_id"))
_RESTING = frozenset({OrderStatus.OPEN.value, OrderStatus.TRIGGER_PENDING.value})


def _shows(order: Order, asked: PriceTerms) -> bool:
    has_limit = asked.limit is None or order.price == asked.limit
    return has_limit and (asked.trigger is None or order.trigger_price == asked.trigger)
