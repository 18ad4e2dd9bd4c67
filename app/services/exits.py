"""The one way out of a position: cancel what rests, wait until it is settled, close shorts before longs, until flat."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain import refusals as texts
from app.domain.calendar import trading_date
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.slicing import slices
from app.persistence.plain import added
from app.persistence.tables import Intent, Run
from app.services import learnt_sizes
from app.services.entries import is_within, rests_too_long, values_of
from app.services.journal import Journal
from app.services.order_pricing import LAST_RESORT_AFTER
from app.services.run_state import AccountState, ExecutionState, drop_unsent

LONGEST_WAIT_S = 30.0

LONGEST_PRICE_WAIT_S = 3.0
"""A refusal of the price is answered with another price."""

ANSWER_DUE_S = 3.0
"""A call that has not answered by now may hang for minutes."""

REFUSED = frozenset({IntentState.REJECTED.value, IntentState.NOT_SENT.value, IntentState.DENIED.value})


class ExitDesk:
    """Called by the executor, on its thread, inside its transaction. Makes no network calls."""

    def __init__(self, journal: Journal, *, chase_after_s: float) -> None:
        self._journal = journal
        self._chase_after = timedelta(seconds=chase_after_s)

    def advance(self, session: Session, run: Run, account: AccountState, now: datetime) -> None:
        """Decide what this account's exits need now. Executions whose exit nobody wants are left alone."""
        leaving = [e for e in account.executions if e.row.exit_wanted]
        for execution in leaving:
            self._stop_entry(account, execution, now)
            self._chase(account, execution, now)
        shorts_open = any(_blocks_longs(account, e) for e in leaving)
        for execution in leaving:
            if execution.net == 0 or _is_held_up(execution, now) or (execution.net > 0 and shorts_open):
                continue
            if execution.crossed:
                self._say_crossed(session, run, account, execution)
            elif self._is_due(execution, now):
                self._write(session, run, account, execution, now)

    def _stop_entry(self, account: AccountState, execution: ExecutionState, now: datetime) -> None:
        entry = execution.open_intents(Purpose.ENTRY)
        drop_unsent(entry, now, "Not sent: the exit came first.")
        account.to_cancel += [i for i in entry if rests_too_long(i, now, timedelta(0))]

    def _chase(self, account: AccountState, execution: ExecutionState, now: datetime) -> None:
        for intent in execution.open_intents(Purpose.EXIT):
            if intent.state == IntentState.READY:
                account.to_send.append(intent)
            elif rests_too_long(intent, now, self._chase_after):
                account.to_cancel.append(intent)

    def _is_due(self, execution: ExecutionState, now: datetime) -> bool:
        """At once for the first try and after our own cancel; after their refusal or cancel with a growing wait."""
        refusals = refused_exits(execution)
        generation, in_a_row = execution.generation(Purpose.EXIT), refused_in_a_row(execution)
        about_price = any(texts.is_about_price(i.reason or "") for i in refusals.get(generation, []))
        longest_s = LONGEST_PRICE_WAIT_S if about_price else LONGEST_WAIT_S
        wait = timedelta(seconds=min(2.0 ** min(in_a_row, 10) / 2, longest_s))
        # A clock that was set back must not make an exit wait for hours.
        return all(
            i.settled_at is None or not timedelta(0) <= now - i.settled_at < wait for i in refusals.get(generation, [])
        )

    def _write(
        self, session: Session, run: Run, account: AccountState, execution: ExecutionState, now: datetime
    ) -> None:
        row = execution.row
        closable = _closable(account, execution)
        units = min(abs(execution.net), closable)
        units -= units % row.lot_size
        if units <= 0 and (unowned := account.holdings.leaving_unowned(row)):
            self._say_unowned(session, run, account, execution, unowned)
            return
        if units <= 0:
            # What was pushed as filled waits for the broker's position to show it: a moment, and no trouble.
            if not execution.ahead and not account.holdings.leaving_elsewhere(row):
                self._say_stuck(session, run, account, execution, closable)
            return
        if execution.given_away == LAST_RESORT_AFTER:
            sentence = f"{row.symbol} did not fill at {LAST_RESORT_AFTER} prices; it now goes to the edge of its band."
            self._say_once(session, run, account, sentence)
        generation = execution.generation(Purpose.EXIT) + 1
        for number, part in enumerate(slices(Units(units), row.lot_size, self._largest(session, execution)), start=1):
            values = values_of(row, Purpose.EXIT, generation, number, part, now=now)
            intent = added(session, Intent, values | {"price_steps": execution.given_away})
            execution.intents.append(intent)
            account.to_send.append(intent)

    def _largest(self, session: Session, execution: ExecutionState) -> Units:
        """The most units in one order: half as many after each refusal for size, since a freeze limit can change."""
        row, today = execution.row, trading_date(self._journal.now())
        if refused := _refused_for_size(execution):
            learnt_sizes.learn(session, row, today, min(refused))
        return learnt_sizes.largest(session, row, today)

    def _say_stuck(
        self, session: Session, run: Run, account: AccountState, execution: ExecutionState, closable: int
    ) -> None:
        symbol, ours = execution.row.symbol, f"{execution.net:+d}"
        if closable:
            sentence = (
                f"The broker shows {closable} units of {symbol}, less than a lot, our fills say {ours}. Close it there."
            )
        else:
            sentence = (
                f"The broker shows no {symbol} to close, our fills say {ours} units. Nothing is sent. If you closed it "
                "at the broker, nothing is left to do; do not open it again in this account while this run is exiting, "
                "or it is closed. If you did not, look at the broker's book."
            )
        self._say_once(session, run, account, sentence)

    def _say_unowned(
        self, session: Session, run: Run, account: AccountState, execution: ExecutionState, unowned: int
    ) -> None:
        sentence = (
            f"{unowned} units of {execution.row.symbol} may leave by an order at the broker that this desk knows "
            "nothing of since its database was set back: it may be this very exit, so the exit waits for its end. "
            "Let it fill, or cancel it at the broker."
        )
        self._say_once(session, run, account, sentence)

    def _say_crossed(self, session: Session, run: Run, account: AccountState, execution: ExecutionState) -> None:
        sentence = (
            f"{execution.row.symbol} was closed beyond zero: our fills leave {execution.net:+d}. "
            "The machine sends nothing more for it; look at the broker's book and close it there."
        )
        self._say_once(session, run, account, sentence)

    def _say_once(self, session: Session, run: Run, account: AccountState, sentence: str) -> None:
        if self._journal.note_once(session, run.id, "attention", sentence, account.account_id):
            run.reason = sentence


def _blocks_longs(account: AccountState, execution: ExecutionState) -> bool:
    """Longs are kept while a short of theirs may stand at the broker; one that the broker closed holds nothing."""
    if execution.side.sign > 0:
        return False
    late = any(execution.is_late(intent) for intent in execution.intents)
    if execution.exits_under_way or execution.open_intents(Purpose.ENTRY) or late:
        return True
    broker = account.holdings.broker_net(execution.row)
    return execution.net < 0 and (broker is None or broker < 0)


def _closable(account: AccountState, execution: ExecutionState) -> int:
    """Units the broker's net position lets us close without crossing zero, beside the exits of other runs.

    The row is written in the same transaction as the fills it was read after, so it is never older than they are.
    """
    net = account.holdings.broker_net(execution.row)
    if net is None or net * execution.net <= 0:
        return 0
    return max(0, abs(net) - account.holdings.leaving_elsewhere(execution.row))


def _is_held_up(execution: ExecutionState, now: datetime) -> bool:
    """Whether what is held may still change by orders whose end is near: those of the exit, and entries at the broker.

    An entry that hangs, is unknown or waits for somebody's approval may take hours. It is closed when it fills, and
    keeps nobody from closing what has filled.
    """
    if execution.exits_under_way or any(execution.is_late(intent) for intent in execution.intents):
        return True
    return any(not _is_stuck(intent, now) for intent in execution.open_intents(Purpose.ENTRY))


def _is_stuck(entry: Intent, now: datetime) -> bool:
    if entry.state == IntentState.SENDING:
        return entry.sent_at is not None and not is_within(now, entry.sent_at, timedelta(seconds=ANSWER_DUE_S))
    return entry.state in {IntentState.UNKNOWN, IntentState.PARKED}


def refused_exits(execution: ExecutionState) -> dict[int, list[Intent]]:
    """By generation: exits that never stood in the market, or that the broker ended without our asking."""
    refusals: dict[int, list[Intent]] = {}
    for intent in execution.of(Purpose.EXIT):
        if intent.state in REFUSED or (intent.state == IntentState.CANCELLED and intent.cancel_asked_at is None):
            refusals.setdefault(intent.generation, []).append(intent)
    return refusals


def refused_in_a_row(execution: ExecutionState) -> int:
    """How many of the newest generations of the exit were refused, one after the other."""
    refusals, in_a_row = refused_exits(execution), 0
    while execution.generation(Purpose.EXIT) - in_a_row in refusals:
        in_a_row += 1
    return in_a_row


def _refused_for_size(execution: ExecutionState) -> list[int]:
    """Units of the exits that were too large for one order."""
    return [
        i.units
        for i in execution.of(Purpose.EXIT)
        if i.state in REFUSED and texts.is_about_size(i.reason or "")
    ]  # fmt: skip
