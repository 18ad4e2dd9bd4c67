"""What the ledger says about leaving positions: the broker's nets, and what exits of other runs may take from them."""

from collections import defaultdict
from collections.abc import Collection
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.orders import OPEN, IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Position, StrategyExecution
from app.services.doubt import Leaving, Unowned, nothing_unowned

_ACCOUNTS: BindParameter[Any] = bindparam("accounts", expanding=True)
_NETS = select(Position.account_id, Position.exchange, Position.symbol, Position.product, Position.net).where(
    Position.account_id.in_(_ACCOUNTS)
)
_EXITS = (
    select(
        Intent.account_id,
        Intent.exchange,
        Intent.symbol,
        Intent.product,
        Intent.side,
        Intent.execution_id,
        Intent.units,
        func.coalesce(func.sum(FillRow.units), 0),
    )
    .outerjoin(FillRow, FillRow.intent_id == Intent.id)
    .where(
        Intent.account_id.in_(_ACCOUNTS),
        Intent.state.in_([state.value for state in OPEN if state is not IntentState.READY]),
        Intent.purpose == Purpose.EXIT.value,
    )
    .group_by(Intent.id)
)

_Place = tuple[int, str, str, str]
"""Account, exchange, symbol and product."""


class Holdings:
    """As they are in this transaction when first asked for, of all its accounts in two queries. For one thread."""

    def __init__(self, session: Session, accounts: Collection[int], unowned: Unowned = nothing_unowned) -> None:
        self._session = session
        self._ask_unowned = unowned
        self._accounts = {"accounts": sorted(accounts)}

    def broker_net(self, of: StrategyExecution) -> int | None:
        """The broker's signed net in its contract and product as last read; None when it never was."""
        return self._nets.get(_place(of))

    def leaving_elsewhere(self, of: StrategyExecution) -> int:
        """Units of this execution's holding that exits of other executions may still take away."""
        side = Side(of.side).opposite
        others = (
            units for execution_id, units in self._exits.get((*_place(of), side.value), ()) if execution_id != of.id
        )
        return max(0, sum(others)) + self.leaving_unowned(of)

    def leaving_unowned(self, of: StrategyExecution) -> int:
        """Of these, units of orders that no intent of ours has and that may be ours all the same."""
        return self._unowned.get((*_place(of), Side(of.side).opposite.value), 0)

    @cached_property
    def _unowned(self) -> Leaving:
        return self._ask_unowned(self._session, self._accounts["accounts"])

    @cached_property
    def _nets(self) -> dict[_Place, int]:
        rows = self._session.execute(_NETS, self._accounts)
        return {(account, exchange, symbol, product): net for account, exchange, symbol, product, net in rows}

    @cached_property
    def _exits(self) -> dict[tuple[int, str, str, str, str], list[tuple[int, int]]]:
        found = defaultdict(list)
        for account, exchange, symbol, product, side, execution, asked, filled in self._session.execute(
            _EXITS, self._accounts
        ):
            found[account, exchange, symbol, product, side].append((execution, int(asked) - int(filled)))
        return found


def _place(of: StrategyExecution) -> _Place:
    return of.account_id, of.exchange, of.symbol, of.product
