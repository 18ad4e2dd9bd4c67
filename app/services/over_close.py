"""Stops an account whose book shows more closed than was ever opened, and says so: no machine goes on from there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Position, Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock
from app.services.journal import Journal
from app.services.run_board import LIVING

READS = 2
"""How many reads in a row have to show a book on the other side of zero; one may have caught it half-way."""

LATELY_S = 60.0
"""How long after our exit a position on the other side is taken for what a hand and the exit closed together; what is
opened later is a trade of its own. After a gap in the reads: since the read before it.
"""

_FILLED = (
    select(
        StrategyExecution.id,
        StrategyExecution.run_id,
        StrategyExecution.exchange,
        StrategyExecution.symbol,
        StrategyExecution.product,
        StrategyExecution.side,
        FillRow.side.label("filled_side"),
        func.sum(FillRow.units).label("filled"),
    )
    .join(Run, Run.id == StrategyExecution.run_id)
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .where(StrategyExecution.account_id == bindparam("account_id"), Run.state.in_(LIVING))
    .group_by(StrategyExecution.id, FillRow.side)
    .order_by(StrategyExecution.id)
)
_POSITIONS = select(Position.exchange, Position.symbol, Position.product, Position.net).where(
    Position.account_id == bindparam("account_id")
)

_Place = tuple[str, str, str]
"""Exchange, symbol and product."""


@dataclass(slots=True)
class _Held:
    """What our own fills leave of an execution: `net` in signed units."""

    execution_id: int
    run_id: int
    place: _Place
    side: str
    net: int = 0

    @property
    def is_certain(self) -> bool:
        """Our own fills have crossed zero: no second read could say otherwise."""
        return self.net * Side(self.side).sign < 0


@dataclass(slots=True)
class _Memory:
    """What is remembered of one account: in how many reads in a row each execution was across zero, when it was looked
    at last by the machine's clock, and the exits of `day` by intent, with when (monotonic) each is no longer recent.
    """

    day: date
    looked_at: datetime
    across: dict[int, int] = field(default_factory=dict)
    exits: dict[int, tuple[_Held, float]] = field(default_factory=dict)


class OverClose:
    """Asked after each read of an account's books, in its transaction, by one thread for each account."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """`clock` is the machine's, as the ends of intents are."""
        self._journal = journal
        self._clock = clock
        self._memories: dict[int, _Memory] = {}

    def check(self, session: Session, account_id: int, today: date, intents: Iterable[Intent]) -> set[int]:
        """Runs in which something is on the wrong side of zero by now. Their account takes no more entries.

        `today` is the trading date of the books that were read, `intents` are those of the account that were sent then.
        """
        memory = self._memory(account_id, today)
        held = _held(session, account_id)
        left = self._left(intents, memory)
        open_ones = {each.execution_id: each for each in held if each.net}
        there = _there(session, account_id) if left or open_ones else {}
        others = _without_ours(there, held)
        runs: set[int] = set()
        across: dict[int, int] = {}
        for each in (left | open_ones).values():
            words = _crossed(each, there, others)
            if words is not None and not each.is_certain:
                times = across[each.execution_id] = memory.across.get(each.execution_id, 0) + 1
                is_said = times >= READS if each.net else times == READS  # what is flat is over and stays so
                words = words if is_said else None
            if words is not None:
                self._stop(session, account_id, each, words)
                runs.add(each.run_id)
        memory.across = across
        return runs

    def _memory(self, account_id: int, today: date) -> _Memory:
        known = self._memories.get(account_id)
        if known is None or known.day != today:
            looked_at = self._clock.now() if known is None else known.looked_at
            known = self._memories[account_id] = _Memory(today, looked_at)
        return known

    def _left(self, intents: Iterable[Intent], memory: _Memory) -> dict[int, _Held]:
        """Executions that an exit of ours closed a moment ago, by id, whatever has become of their run."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        # Found by the clock, and recent by the monotonic one: a clock that is set hides no exit and shows none again.
        since = min(now, memory.looked_at) - timedelta(seconds=LATELY_S)
        memory.looked_at = now
        for intent in intents:
            if _has_closed(intent, since) and intent.id not in memory.exits:
                memory.exits[intent.id] = (_closed_by(intent), monotonic + LATELY_S)
        return {held.execution_id: held for held, until in memory.exits.values() if monotonic < until}

    def _stop(self, session: Session, account_id: int, held: "_Held", what: str) -> None:
        account = session.get_one(TradingAccount, account_id)
        if account.state == "ACTIVE":
            account.state = "HALTED"
        symbol = held.place[1]
        sentence = f"{symbol} was closed beyond zero: {what}. {account.name} takes no entries. Look at its book."
        self._journal.note_once(session, held.run_id, "attention", sentence, account_id)


def _has_closed(intent: Intent, since: datetime) -> bool:
    is_over = intent.purpose == Purpose.EXIT and intent.state == IntentState.FILLED
    return is_over and intent.settled_at is not None and intent.settled_at >= since


def _closed_by(exit_: Intent) -> _Held:
    place = (exit_.exchange, exit_.symbol, exit_.product)
    return _Held(exit_.execution_id, exit_.run_id, place, Side(exit_.side).opposite.value)


def _crossed(each: _Held, there: dict[_Place, int], others: dict[_Place, int]) -> str | None:
    """What says that it was closed beyond zero, None when nothing does: our fills, else the broker's position."""
    if each.is_certain:
        return f"our own fills leave {each.net:+d}"
    broker = there.get(each.place, 0)
    if each.net:
        words = f"our fills say {each.net:+d} and the broker's position is on the other side"
        return words if broker * each.net < 0 else None
    sign = Side(each.side).sign
    words = f"our fills leave nothing and the broker's position is {broker:+d}"
    return words if broker * sign < 0 and others.get(each.place, 0) * sign < 0 else None


def _there(session: Session, account_id: int) -> dict[_Place, int]:
    """The broker's signed nets as last read."""
    rows = session.execute(_POSITIONS, {"account_id": account_id})
    return {(exchange, symbol, product): net for exchange, symbol, product, net in rows}


def _without_ours(there: dict[_Place, int], held: list[_Held]) -> dict[_Place, int]:
    """What the broker shows beyond the fills of runs that live: another run may have sold what this one had bought."""
    others = dict(there)
    for each in held:
        if each.place in others:
            others[each.place] -= each.net
    return others


def _held(session: Session, account_id: int) -> list[_Held]:
    """The executions of living runs that have fills."""
    held: dict[int, _Held] = {}
    for row in session.execute(_FILLED, {"account_id": account_id}):
        place = (row.exchange, row.symbol, row.product)
        one = held.setdefault(row.id, _Held(row.id, row.run_id, place, row.side))
        one.net += Side(row.filled_side).sign * int(row.filled)
    return list(held.values())
