"""Stops an account whose book shows more closed than was ever opened, and says so: no machine goes on from there."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.persistence.tables import FillRow, Position, Run, StrategyExecution, TradingAccount
from app.services.journal import Journal
from app.services.run_board import LIVING

READS = 2
"""How many reads in a row have to show a book on the other side of zero; one may have caught it half-way."""

_OF_ACCOUNT = (
    select(StrategyExecution)
    .join(Run, Run.id == StrategyExecution.run_id)
    .where(StrategyExecution.account_id == bindparam("account_id"), Run.state.in_(LIVING))
)
_SUMS = (
    select(FillRow.execution_id, FillRow.side, func.sum(FillRow.units))
    .where(FillRow.execution_id.in_(bindparam("ids", expanding=True)))
    .group_by(FillRow.execution_id, FillRow.side)
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
        executions = session.scalars(_OF_ACCOUNT, {"account_id": account_id}).all()
        nets = _nets(session, [execution.id for execution in executions])
        there = _there(session, account_id) if any(nets.values()) else {}
        runs: set[int] = set()
        for execution in executions:
            net = nets.get(execution.id, 0)
            if net * Side(execution.side).sign < 0:
                self._stop(session, execution, f"our own fills leave {net:+d}")
                runs.add(execution.run_id)
            elif self._broker_is_across(execution, net, there):
                self._stop(session, execution, f"our fills say {net:+d} and the broker's position is on the other side")
                runs.add(execution.run_id)
        return runs

    def _broker_is_across(self, execution: StrategyExecution, net: int, there: dict[_Place, int]) -> bool:
        if not net:
            self._seen.pop(execution.id, None)
            return False
        broker = there.get((execution.exchange, execution.symbol, execution.product))
        if broker is None or broker * net >= 0:
            self._seen.pop(execution.id, None)
            return False
        self._seen[execution.id] = self._seen.get(execution.id, 0) + 1
        return self._seen[execution.id] >= READS

    def _stop(self, session: Session, execution: StrategyExecution, what: str) -> None:
        account = session.get_one(TradingAccount, execution.account_id)
        if account.state == "ACTIVE":
            account.state = "HALTED"
        sentence = (
            f"{execution.symbol} was closed beyond zero: {what}. {account.name} takes no entries. Look at its book."
        )
        self._journal.note_once(session, execution.run_id, "attention", sentence, execution.account_id)


def _there(session: Session, account_id: int) -> dict[_Place, int]:
    """The broker's signed nets as last read."""
    rows = session.execute(_POSITIONS, {"account_id": account_id})
    return {(exchange, symbol, product): net for exchange, symbol, product, net in rows}


def _nets(session: Session, execution_ids: Sequence[int]) -> dict[int, int]:
    """Signed units of each execution by its own fills."""
    nets: dict[int, int] = {}
    for execution_id, side, units in session.execute(_SUMS, {"ids": execution_ids}) if execution_ids else ():
        nets[execution_id] = nets.get(execution_id, 0) + Side(side).sign * int(units)
    return nets
