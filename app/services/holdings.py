"""What the ledger says about leaving positions: the broker's nets, and what exits of other runs may take from them."""

from collections import defaultdict
from collections.abc import Collection
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, join, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.orders import OPEN, IntentState, Purpose
from app.persistence.direct import Question
from app.persistence.tables import FillRow, Intent, Position, StrategyExecution
from app.services.doubt import Leaving, Unowned, nothing_unowned

_ACCOUNTS: BindParameter[Any] = bindparam("accounts", expanding=True)
_P, _I, _F = Position.__table__.c, Intent.__table__.c, FillRow.__table__.c
_NETS = Question(select(_P.account_id, _P.exchange, _P.symbol, _P.product, _P.net).where(_P.account_id.in_(_ACCOUNTS)))
_EXITS = Question(
    select(
        _I.account_id,
        _I.exchange,
        _I.symbol,
        _I.product,
        _I.side,
        _I.execution_id,
        _I.units,
        func.coalesce(func.sum(_F.units), 0),
    )
    .select_from(join(Intent.__table__, FillRow.__table__, _F.intent_id == _I.id, isouter=True))
    .where(
        _I.account_id.in_(_ACCOUNTS),
        _I.state.in_([state.value for state in OPEN if state is not IntentState.READY]),
        _I.purpose == Purpose.EXIT.value,
    )
    .group_by(_I.id)
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
        rows = _NETS.ask(self._session, self._accounts)
        return {(account, exchange, symbol, product): net for account, exchange, symbol, product, net in rows}

    @cached_property
    def _exits(self) -> dict[tuple[int, str, str, str, str], list[tuple[int, int]]]:
        found = defaultdict(list)
        for *place, execution, units, filled in _EXITS.ask(self._session, self._accounts):
            account, exchange, symbol, product, side = place
            found[account, exchange, symbol, product, side].append((execution, int(units) - int(filled)))
        return found


def _place(of: StrategyExecution) -> _Place:
    return of.account_id, of.exchange, of.symbol, of.product
