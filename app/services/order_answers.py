"""Writes down what the gateways answered, many at once. What an answer leaves open the books settle."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, select
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session

from app.domain.orders import FINAL, IntentState, correct, move
from app.domain.outcomes import Outcome, Verdict
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.plain import PlainRows, Writes
from app.persistence.tables import FillRow, Intent, TradingAccount
from app.persistence.turns import Turn
from app.ports.clock import Clock
from app.services.crash_points import reach
from app.services.intent_ledger import what
from app.services.journal import Journal

log = logging.getLogger(__name__)

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

STOPS_ACCOUNT = frozenset({Verdict.HALT, Verdict.PARKED})
"""After these the account takes no entries: its gateway is in the other mode, or sends nothing without a click."""


_NEVER_STOOD = frozenset({Verdict.REJECTED, Verdict.NOT_SENT})

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ANSWERED = select(Intent).where(Intent.id.in_(_IDS)).order_by(Intent.id)
_LOCKED = PlainRows(Intent, lambda query, c: query.where(c.id.in_(_IDS)).order_by(c.id).with_for_update(key_share=True))
_I = Intent.__table__.c
_HOLDERS = Question(
    select(_I.account_id, _I.trading_date, _I.order_id, _I.id).where(
        _I.account_id.in_(bindparam("accounts", expanding=True)), _I.order_id.in_(bindparam("orders", expanding=True))
    )
)

_Taken = dict[tuple[int, date | None, str], int]
"""Which intent has an order, by account, day and order id."""


class OrderAnswers:
    """Thread-safe."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        *,
        read_soon: Callable[[int], None],
        acknowledged: Callable[[int, int], None],
        on_change: Callable[[int, int], None],
    ) -> None:
        """`acknowledged(run, account)` is told of orders that were taken as they should be, `on_change` of all else."""
        self._database = database
        self._clock = clock
        self._journal = journal
        self._read_soon = read_soon
        self._acknowledged = acknowledged
        self._on_change = on_change

    def record(self, answers: Mapping[int, Outcome]) -> None:
        """Answers by intent. They are known here alone: without them the books need minutes to show what is absent."""
        for _ in range(RECORD_TRIES - 1):
            try:
                return self._record(answers)
            except (OperationalError, InternalError) as error:
                log.warning("%d answers are not recorded yet: %s", len(answers), error)
        return self._record(answers)

    def _record(self, answers: Mapping[int, Outcome]) -> None:
        now = self._clock.now()
        with self._database.transaction(Turn.NOW) as session:
            intents: Sequence[Intent] = _LOCKED.read(session, {"ids": list(answers)})
            taken = _taken(session, intents, answers)
            if _all_stand(intents, answers, taken):
                intents = _acknowledged(session, intents, answers, now)
            else:
                intents = session.scalars(_ANSWERED, {"ids": list(answers)}).all()
                for intent in intents:
                    self._take(session, intent, answers[intent.id], taken, now)
            changed = {(intent.run_id, intent.account_id) for intent in intents}
            trouble = {(i.run_id, i.account_id) for i in intents if i.state != IntentState.WORKING}
            reach("before_ack_commit")
        reach("after_ack_commit")
        for account_id in {account_id for _, account_id in trouble}:
            self._read_soon(account_id)
        for run_id, account_id in changed:
            (self._on_change if (run_id, account_id) in trouble else self._acknowledged)(run_id, account_id)

    def _take(self, session: Session, intent: Intent, outcome: Outcome, taken: _Taken, now: datetime) -> None:
        intent.answered_at, intent.verdict = now, outcome.verdict.value
        if intent.state == IntentState.SENDING:
            self._take_answer(session, intent, outcome, taken)
        elif outcome.verdict is Verdict.ACK and outcome.order_id is not None:
            self._take_late_id(session, intent, outcome.order_id, taken)
        elif outcome.verdict in _NEVER_STOOD:
            self._weigh_refusal(session, intent, outcome)
        if outcome.verdict in STOPS_ACCOUNT:
            session.get_one(TradingAccount, intent.account_id).state = "HALTED"

    def _take_answer(self, session: Session, intent: Intent, outcome: Outcome, taken: _Taken) -> None:
        state = move(IntentState.SENDING, STATE_AFTER[outcome.verdict])
        intent.reason = None if state is IntentState.WORKING else outcome.message
        intent.order_id = outcome.order_id
        if outcome.verdict is Verdict.HALT:
            # An id of the other mode is in no book of ours: by that it could never be settled.
            intent.order_id = None
            intent.reason = f"The gateway answered in the other mode, with order {outcome.order_id or 'unnamed'}."
        elif outcome.order_id is not None and not _can_take(intent, outcome.order_id, taken):
            # The books were quicker and gave this order to an equal slice: that one's order will be ours.
            state, intent.order_id = move(IntentState.SENDING, IntentState.UNKNOWN), None
            intent.reason = f"Its order {outcome.order_id} was counted for an equal slice; the other one is looked for."
        intent.state = state.value
        intent.settled_at = self._clock.now() if state in FINAL else None
        self._tell(session, intent, state)

    def _take_late_id(self, session: Session, intent: Intent, order_id: str, taken: _Taken) -> None:
        """The answer names another order than the books had led us to; the answer is the proof."""
        if intent.order_id == order_id or not _can_take(intent, order_id, taken):
            return
        if intent.order_id is not None:
            session.execute(delete(FillRow).where(FillRow.intent_id == intent.id))  # of an order that is not ours
            words = f"Order {intent.order_id} was taken for ours; the broker's answer says that ours is {order_id}."
            self._journal.note(session, intent.run_id, "attention", words, intent.account_id)
        intent.order_id, intent.reason, intent.settled_at = order_id, None, None
        intent.state = correct(IntentState(intent.state)).value
        session.flush()  # before another of these answers may take the order that this one gave up

    def _weigh_refusal(self, session: Session, intent: Intent, outcome: Outcome) -> None:
        """The books gave it an order before it was refused: that order may be somebody else's, equal to it in all.

        It counts as ours, so that no risk is left out, until a person has looked.
        """
        if intent.order_id is None or intent.state == IntentState.REJECTED:
            return
        words = (
            f"The gateway refused {what(intent)} ({outcome.message}), and the broker's book has order "
            f"{intent.order_id} that is just like it. That order is counted as ours. Look at the broker's book: "
            "somebody else's equal order cannot be told from ours."
        )
        self._journal.note(session, intent.run_id, "attention", words, intent.account_id)

    def _tell(self, session: Session, intent: Intent, state: IntentState) -> None:
        order, kind, words = what(intent), "", ""
        if state is IntentState.UNKNOWN:
            kind = "unknown"
            words = f"Unknown whether {order} stands at the broker: {intent.reason} It is not sent again."
        elif state in {IntentState.REJECTED, IntentState.NOT_SENT}:
            kind = "rejected"
            words = f"{state.value.replace('_', ' ').capitalize()}: {order}. {intent.reason}"
        elif state is IntentState.PARKED:
            kind = "parked"
            words = f"{order} waits for approval at the gateway; nothing was sent. Its account takes no entries."
        if kind:
            self._journal.note(session, intent.run_id, kind, words, intent.account_id)


def _taken(session: Session, intents: Sequence[Intent], answers: Mapping[int, Outcome]) -> _Taken:
    """Who has the orders that these answers name, of any day and account: the key tells."""
    named = [outcome.order_id for outcome in answers.values() if outcome.order_id is not None]
    which = {"accounts": sorted({intent.account_id for intent in intents}), "orders": named}
    rows = _HOLDERS.ask(session, which) if named else ()
    return {(account_id, day, order_id): intent_id for account_id, day, order_id, intent_id in rows}


def _all_stand(intents: Sequence[Intent], answers: Mapping[int, Outcome], taken: _Taken) -> bool:
    """Whether each call was under way, and was answered by an order that no other intent has: as nearly always."""
    known = dict(taken)
    return all(
        intent.state == IntentState.SENDING
        and (outcome := answers[intent.id]).verdict is Verdict.ACK
        and outcome.order_id is not None
        and _can_take(intent, outcome.order_id, known)
        for intent in intents
    )


def _acknowledged(
    session: Session, intents: Sequence[Intent], answers: Mapping[int, Outcome], now: datetime
) -> list[Intent]:
    """These stand at the broker, written in one statement: what `_take` would make of each alone."""
    writes = Writes()
    stand = [
        writes.change(
            intent,
            state=move(IntentState.SENDING, STATE_AFTER[Verdict.ACK]).value,
            verdict=Verdict.ACK.value,
            answered_at=now,
            order_id=answers[intent.id].order_id,
            reason=None,
            settled_at=None,
        )
        for intent in intents
    ]
    writes.write(session)
    return stand


def _can_take(intent: Intent, order_id: str, taken: _Taken) -> bool:
    """False when another intent of that account and day has this order; else it is this one's from now on."""
    return taken.setdefault((intent.account_id, intent.trading_date, order_id), intent.id) == intent.id
