"""Writes what became of an intent: its claim, its state, its fills, and the words for its trader.

Books and pushes both end here, so that what one has said the other cannot say again.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.orders import FINAL, MOVES, IntentState, move
from app.domain.pushes import Ahead, ahead
from app.domain.reconcile import TradeFill
from app.persistence.direct import Question
from app.persistence.plain import Writes
from app.persistence.tables import PUSHED, FillRow, Intent, Run, RunEvent
from app.ports.clock import Clock
from app.services.journal import Journal

_F = FillRow.__table__.c
_FILLS = Question(
    select(_F.intent_id, _F.traded_at, _F.units, _F.price, _F.ordinal).where(
        _F.intent_id.in_(bindparam("intent_ids", expanding=True))
    )
)
_PUSHED = select(FillRow).where(FillRow.intent_id == bindparam("intent_id"), FillRow.traded_at == PUSHED)

FillWords = set[tuple[str, int, Decimal, int]]
"""Fills of one intent as rows say them: time, units, price and ordinal."""


def known_fills(session: Session, intent_ids: Sequence[int]) -> dict[int, FillWords]:
    """What each intent has already."""
    known: dict[int, FillWords] = {}
    for intent_id, *fill in _FILLS.ask(session, {"intent_ids": intent_ids}) if intent_ids else ():
        known.setdefault(intent_id, set()).add((fill[0], fill[1], fill[2], fill[3]))
    return known


_R = Run.__table__.c
_ARE_CLOSED = Question(
    select(_R.id).where(_R.id.in_(bindparam("ids", expanding=True)), _R.state == "CLOSED").order_by(_R.id)
)


def pushed_units(fills: FillWords) -> int:
    """Units of these that were pushed and that no trade row shows yet."""
    return sum(units for traded_at, units, _, _ in fills if traded_at == PUSHED)


def what(intent: Intent) -> str:
    return f"{intent.side.lower()} {intent.units} {intent.symbol}"


def reopen(session: Session, run_ids: set[int]) -> None:
    """A run that was over and to which something happened after all lives again, so that it is looked after."""
    if not run_ids:
        return
    for (run_id,) in _ARE_CLOSED.ask(session, {"ids": sorted(run_ids)}):
        run = session.get_one(Run, run_id)
        run.state, run.closed_at = "EXITING", None


class IntentLedger:
    """Called inside transactions that hold the intent. Thread-safe."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def claim(self, session: Session, intent: Intent, order_id: str) -> None:
        """That order is the intent's."""
        late = intent.state == IntentState.NOT_SENT
        intent.order_id = order_id
        intent.state = move(IntentState(intent.state), IntentState.WORKING).value
        intent.reason, intent.settled_at = None, None
        words = f"Turned up late at the broker: {what(intent)}." if late else f"Found at the broker: {what(intent)}."
        self._journal.note(session, intent.run_id, "found", words, intent.account_id)

    def move(self, intent: Intent, to: IntentState) -> bool:
        """True when it moved. A move that the table does not permit is none: what is final stays so."""
        current = IntentState(intent.state)
        if to is current or to not in MOVES[current]:
            return False
        intent.state = move(current, to).value
        intent.settled_at = self._clock.now() if to in FINAL else None
        return True

    def book_trades(self, session: Session, intent: Intent, fills: Sequence[TradeFill], known: FillWords) -> int | None:
        """Keep trades as fills; what was pushed of them before makes room. Units that are new, None without a change.

        0 means that trades took the place of what was pushed: the average may differ, the position does not.
        """
        new = [fill for fill in fills if (fill.traded_at, fill.units, fill.price, fill.ordinal) not in known]
        if not new:
            return None
        before, worth = _sum(known)
        for fill in new:
            session.add(self._row(intent, fill.traded_at, fill.ordinal, units=fill.units, price=fill.price))
        traded, traded_worth = _sum({each for each in known if each[0] != PUSHED})
        traded += sum(fill.units for fill in new)
        traded_worth += sum(fill.units * fill.price for fill in new)
        if pushed_units(known):
            self._keep_ahead(session, intent, ahead(before, worth, traded, traded_worth), known)
        grown = max(traded - before, 0)
        self._tell_filled(session, intent, grown, traded_worth - worth if grown else Decimal(0))
        return grown

    def book_push(self, session: Session, intent: Intent, filled: int, average: Decimal, known: FillWords) -> int:
        """Keep what was pushed as filled, in all, beyond the trades that are known. Gives the units that are new.

        Fewer than are known change nothing: what is filled stays so.
        """
        before, worth_before = _sum(known)
        if filled <= before:
            return 0
        traded, traded_worth = _sum({each for each in known if each[0] != PUSHED})
        left = ahead(filled, filled * average, traded, traded_worth)
        if left is None:
            return 0
        self._keep_ahead(session, intent, left, known)
        grown = traded + left.units - before
        self._tell_filled(session, intent, grown, traded_worth + left.units * left.price - worth_before)
        return grown

    def book_whole(self, writes: Writes, intent: Intent, average: Decimal) -> Intent:
        """A plain intent of which nothing was filled is pushed as filled whole: as `book_push` and `move` of an object.

        Gives it as it stands then.
        """
        writes.add(FillRow, self._fill(intent, PUSHED, 1, units=intent.units, price=average))
        words = _filled_words(intent, intent.units, intent.units * average)
        writes.add(RunEvent, self._journal.event(intent.run_id, "filled", words, intent.account_id))
        state = move(IntentState(intent.state), IntentState.FILLED)
        return writes.change(intent, state=state.value, settled_at=self._clock.now())

    def tell_end(self, session: Session, intent: Intent) -> None:
        """A word to the trader when the order ended without all of its units."""
        if intent.state not in {IntentState.REJECTED, IntentState.CANCELLED}:
            return
        state = intent.state.lower()
        why = f" {intent.reason}" if intent.state == IntentState.REJECTED and intent.reason else ""
        words = f"{state.capitalize()} at the broker: {what(intent)}.{why}"
        self._journal.note(session, intent.run_id, state, words, intent.account_id)

    def _keep_ahead(self, session: Session, intent: Intent, left: Ahead | None, known: FillWords) -> None:
        row = session.scalars(_PUSHED, {"intent_id": intent.id}).one() if pushed_units(known) else None
        if row is None:
            if left is not None:
                session.add(self._row(intent, PUSHED, 1, units=left.units, price=left.price))
        elif left is None:
            session.delete(row)
        else:
            row.units, row.price = left.units, left.price

    def _row(self, intent: Intent, traded_at: str, ordinal: int, *, units: int, price: Decimal) -> FillRow:
        return FillRow(**self._fill(intent, traded_at, ordinal, units=units, price=price))

    def _fill(self, intent: Intent, traded_at: str, ordinal: int, *, units: int, price: Decimal) -> dict[str, Any]:
        return {
            "intent_id": intent.id,
            "execution_id": intent.execution_id,
            "order_id": intent.order_id or "",
            "traded_at": traded_at,
            "ordinal": ordinal,
            "side": intent.side,
            "units": units,
            "price": price,
            "at": self._journal.now(),
        }

    def _tell_filled(self, session: Session, intent: Intent, units: int, worth: Decimal) -> None:
        if units > 0:
            words = _filled_words(intent, units, worth)
            self._journal.note(session, intent.run_id, "filled", words, intent.account_id)


def _filled_words(intent: Intent, units: int, worth: Decimal) -> str:
    price = f" at {worth / units:.2f}" if worth > 0 else ""
    return f"Filled {units} of {what(intent)}{price}."


def _sum(fills: FillWords) -> tuple[int, Decimal]:
    """Units and their worth in rupees."""
    return sum(each[1] for each in fills), sum((each[1] * each[2] for each in fills), Decimal(0))
