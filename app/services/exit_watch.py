"""Looks for exits that do not get their account flat, and says of each what is known and what its trader can do."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.alarms import AlarmKind, Finding
from app.domain.orders import IntentState, Purpose
from app.domain.stuck_exits import LATE_ALARM_S, MAY_SEND_AGAIN, RESTS_ALARM_S, WAITS_ALARM_S, ExitOrder, Stuck, stuck
from app.persistence.tables import Intent, Order, Run
from app.ports.clock import Clock
from app.services.alarms import Alarms
from app.services.reconciler import KnownBook
from app.services.run_state import AccountState, ExecutionState

KINDS = {
    Stuck.UNKNOWN: AlarmKind.EXIT_UNKNOWN,
    Stuck.PARKED: AlarmKind.EXIT_PARKED,
    Stuck.UNSEEN: AlarmKind.EXIT_UNSEEN,
    Stuck.RESTS: AlarmKind.EXIT_RESTS,
    Stuck.WAITS: AlarmKind.EXIT_WAITS,
}

_SEND_AGAIN = "on the page of the run it can be sent again at your own risk."
_WORDS = {
    Stuck.UNKNOWN: "nobody can say whether the exit of {what} stands at the broker. Its books are read until they "
    f"tell; {_SEND_AGAIN}",
    Stuck.PARKED: "the gateway holds the exit of {what} for approval, and nothing was sent to the broker. In the "
    f"gateway's action centre, approve it there or reject it, and switch the gateway back to auto; {_SEND_AGAIN} The "
    "account takes no entries until it is resumed.",
    Stuck.UNSEEN: "the broker acknowledged the exit of {what}, and {books}. Look for order {orders} at the broker; "
    f"{_SEND_AGAIN}",
    Stuck.RESTS: "the exit of {what} stands in the broker's book for more than "
    f"{RESTS_ALARM_S:.0f} s, neither filled nor ended by our cancels. Nothing more is sent while it stands. Cancel it "
    "at the broker, order {orders}: the exit then goes on by itself at a new price.",
    Stuck.WAITS: f"the exit of {{what}} waits for more than {WAITS_ALARM_S:.0f} s and has not been sent: {{why}} It "
    "is tried on and goes as soon as it may. Close it at the broker if that is too late: no exit takes more than the "
    "broker still shows.",
}

_LISTED = select(Order.intent_id).where(Order.intent_id.in_(bindparam("ids", expanding=True)))


def age_s(now: datetime, since: datetime) -> float:
    """A moment that is yet to come, since the clock was set back, was long ago: nothing waits hours for it."""
    passed = (now - since).total_seconds()
    return passed if passed >= 0 else float("inf")


def stuck_exits(session: Session, execution: ExecutionState, now: datetime) -> dict[Stuck, list[Intent]]:
    """Exits of it that are stuck by now, but for those that a person has set aside."""
    waiting = execution.exits_under_way
    found: dict[Stuck, list[Intent]] = {}
    listed = _listed(session, [i.id for i in waiting if i.state == IntentState.WORKING])
    for intent in waiting:
        order = ExitOrder(
            IntentState(intent.state), age_s(now, intent.sent_at or intent.created_at), intent.id in listed
        )
        if (how := stuck(order)) is not None:
            found.setdefault(how, []).append(intent)
    return found


def exits_to_override(session: Session, execution: ExecutionState, now: datetime) -> dict[Stuck, list[Intent]]:
    """Of these, what a person may send again, which is done once for each of them."""
    return {how: found for how, found in stuck_exits(session, execution, now).items() if how in MAY_SEND_AGAIN}


def _listed(session: Session, intent_ids: Sequence[int]) -> set[int | None]:
    return set(session.scalars(_LISTED, {"ids": intent_ids})) if intent_ids else set()


class ExitWatch:
    """For one thread. Since when an account is on its way out is kept in memory: a new engine counts anew, unless that
    was an alarm already.
    """

    def __init__(self, clock: Clock, alarms: Alarms, *, books: Callable[[int], KnownBook | None]) -> None:
        """`books` is what an account's books said when they were last read; None before the first time."""
        self._clock = clock
        self._books = books
        self._alarms = alarms
        self._leaving_since: dict[tuple[int, int], float] = {}

    def look(
        self, session: Session, run: Run, account: AccountState, name: Callable[[], str], now: datetime
    ) -> Iterator[Finding]:
        """What of this account's exits is an alarm now. `name` gives the account's."""
        found = [
            _finding(execution, how, intents, name(), self._shown(account.account_id, intents, now))
            for execution in account.executions
            if execution.open_intents(Purpose.EXIT)
            for how, intents in stuck_exits(session, execution, now).items()
        ]
        yield from found
        late = self._late(session, run, account)
        if late and not found:
            yield Finding(
                AlarmKind.EXIT_LATE,
                account.account_id,
                None,
                f"{name()}: not flat more than {LATE_ALARM_S:.0f} s after its exit was asked for: "
                f"{', '.join(late)} still held. It is tried on; the page of the run says what came of each order. "
                "Close it at the broker if that is too late.",
            )

    def _shown(self, account_id: int, intents: Sequence[Intent], now: datetime) -> str:
        """What the account's books say of orders that they have not shown."""
        book = self._books(account_id)
        age = None if book is None else self._clock.monotonic() - book.began
        if age is None or age >= min(age_s(now, intent.sent_at or intent.created_at) for intent in intents):
            return "its books could not be read since"
        return f"its book of {age:.0f} s ago does not show it"

    def _late(self, session: Session, run: Run, account: AccountState) -> list[str]:
        """What is still held of what should have gone by now; empty while the time is not up."""
        place = (run.id, account.account_id)
        held = [e for e in account.executions if e.row.exit_wanted and _is_held(account, e)]
        if not held:
            self._leaving_since.pop(place, None)
            return []
        now = self._clock.monotonic()
        if place not in self._leaving_since:
            known = self._alarms.is_open(session, run.id, account.account_id, AlarmKind.EXIT_LATE)
            self._leaving_since[place] = now - LATE_ALARM_S if known else now
        if now - self._leaving_since[place] < LATE_ALARM_S:
            return []
        return [f"{abs(each.net)} {each.row.symbol}" for each in held]


def _is_held(account: AccountState, execution: ExecutionState) -> bool:
    """By our fills, and not closed past us: what its broker does not show any more is flat."""
    broker = account.holdings.broker_net(execution.row) if execution.net else None
    return bool(execution.net) and (broker is None or broker * execution.net > 0)


def _finding(execution: ExecutionState, how: Stuck, intents: Sequence[Intent], name: str, books: str) -> Finding:
    row = execution.row
    reasons = [intent.reason for intent in intents if intent.reason]
    words = _WORDS[how].format(
        what=f"{sum(intent.units for intent in intents)} {row.symbol}",
        books=books,
        orders=", ".join(intent.order_id for intent in intents if intent.order_id),
        why=f"{reasons[-1].rstrip('.')}." if reasons else "its turn has not come.",
    )
    newest = max(intent.id for intent in intents)
    return Finding(KINDS[how], row.account_id, row.leg, f"{name}: {words}", newest)
