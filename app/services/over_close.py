"""Stops an account whose book shows more closed than was ever opened, and says so: no machine goes on from there."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Position, Run, StrategyExecution, TradingAccount
from app.services.journal import Journal
from app.services.run_board import LIVING

READS = 2
"""How many reads in a row have to show a book on the other side of zero; one may have caught it half-way."""

LATELY = timedelta(minutes=1)
"""How long after our exit a position on the other side is taken for what a hand and the exit closed together; what is
opened later is a trade of its own. After a gap in the reads: since the read before it.
"""

_LEFT = (
    select(
        StrategyExecution.id,
        StrategyExecution.run_id,
        StrategyExecution.exchange,
        StrategyExecution.symbol,
        StrategyExecution.product,
        StrategyExecution.side,
    )
    .join(Intent, Intent.execution_id == StrategyExecution.id)
    .where(
        Intent.account_id == bindparam("account_id"),
        Intent.trading_date == bindparam("today"),
        Intent.purpose == Purpose.EXIT.value,
        Intent.state == IntentState.FILLED.value,
        Intent.settled_at >= bindparam("since"),
    )
    .distinct()
)
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


class OverClose:
    """Asked after each read of an account's books, in its transaction. For one thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seen: dict[int, int] = {}
        self._looked_at: dict[int, datetime] = {}

    def check(self, session: Session, account_id: int, today: date) -> set[int]:
        """Runs in which something is on the wrong side of zero by now. Their account takes no more entries.

        `today` is the trading date of the books that were read.
        """
        held = _held(session, account_id)
        left = self._left(session, account_id, today)
        there = _there(session, account_id) if left or any(each.net for each in held) else {}
        runs: set[int] = set()
        for each in held:
            if each.net * Side(each.side).sign < 0:
                self._stop(session, account_id, each, f"our own fills leave {each.net:+d}")
                runs.add(each.run_id)
            elif each.net and self._is_across(each, there, each.net) >= READS:
                what = f"our fills say {each.net:+d} and the broker's position is on the other side"
                self._stop(session, account_id, each, what)
                runs.add(each.run_id)
        open_ones = {each.execution_id for each in held if each.net}
        others = _without_ours(there, held)
        for each in left:
            sign = Side(each.side).sign
            if each.execution_id in open_ones or there.get(each.place, 0) * sign >= 0:
                continue
            if self._is_across(each, others, sign) == READS:
                what = f"our fills leave nothing and the broker's position is {there[each.place]:+d}"
                self._stop(session, account_id, each, what)
                runs.add(each.run_id)
        return runs

    def _left(self, session: Session, account_id: int, today: date) -> list["_Held"]:
        """Executions that an exit of ours closed a moment ago, whatever has become of their run."""
        now = self._journal.now()
        since = min(now - LATELY, self._looked_at.get(account_id, now))
        self._looked_at[account_id] = now
        rows = session.execute(_LEFT, {"account_id": account_id, "today": today, "since": since})
        return [_Held(row.id, row.run_id, (row.exchange, row.symbol, row.product), row.side) for row in rows]

    def _is_across(self, held: "_Held", there: dict[_Place, int], ours: int) -> int:
        """In how many reads in a row the broker's net has been on the other side of `ours`, a signed number."""
        broker = there.get(held.place)
        if broker is None or broker * ours >= 0:
            self._seen.pop(held.execution_id, None)
            return 0
        self._seen[held.execution_id] = self._seen.get(held.execution_id, 0) + 1
        return self._seen[held.execution_id]

    def _stop(self, session: Session, account_id: int, held: "_Held", what: str) -> None:
        account = session.get_one(TradingAccount, account_id)
        if account.state == "ACTIVE":
            account.state = "HALTED"
        symbol = held.place[1]
        sentence = f"{symbol} was closed beyond zero: {what}. {account.name} takes no entries. Look at its book."
        self._journal.note_once(session, held.run_id, "attention", sentence, account_id)


@dataclass(slots=True)
class _Held:
    """What our own fills leave of an execution: `net` in signed units."""

    execution_id: int
    run_id: int
    place: _Place
    side: str
    net: int = 0


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
