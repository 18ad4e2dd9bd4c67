"""Stops an account whose book shows more closed than was ever opened, and says so: no machine goes on from there."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.persistence.tables import FillRow, Position, Run, StrategyExecution, TradingAccount
from app.services.journal import Journal
from app.services.run_board import LIVING

READS = 2
"""How many reads in a row have to show a book on the other side of zero; one may have caught it half-way."""

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

    def check(self, session: Session, account_id: int) -> set[int]:
        """Runs in which something is on the wrong side of zero by now. Their account takes no more entries."""
        held = _held(session, account_id)
        there = _there(session, account_id) if any(each.net for each in held) else {}
        runs: set[int] = set()
        for each in held:
            if each.net * Side(each.side).sign < 0:
                self._stop(session, account_id, each, f"our own fills leave {each.net:+d}")
                runs.add(each.run_id)
            elif self._broker_is_across(each, there):
                what = f"our fills say {each.net:+d} and the broker's position is on the other side"
                self._stop(session, account_id, each, what)
                runs.add(each.run_id)
        return runs

    def _broker_is_across(self, held: "_Held", there: dict[_Place, int]) -> bool:
        broker = there.get(held.place)
        if broker is None or broker * held.net >= 0:
            self._seen.pop(held.execution_id, None)
            return False
        self._seen[held.execution_id] = self._seen.get(held.execution_id, 0) + 1
        return self._seen[held.execution_id] >= READS

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


def _held(session: Session, account_id: int) -> list[_Held]:
    """The executions of living runs that have fills."""
    held: dict[int, _Held] = {}
    for row in session.execute(_FILLED, {"account_id": account_id}):
        place = (row.exchange, row.symbol, row.product)
        one = held.setdefault(row.id, _Held(row.id, row.run_id, place, row.side))
        one.net += Side(row.filled_side).sign * int(row.filled)
    return list(held.values())
