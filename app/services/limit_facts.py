"""Lots and orders of accounts and groups that have limits of those, counted from our own rows."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.domain.account_groups import Group
from app.domain.day_limits import DayLimits, lots_refused, orders_refused
from app.domain.gate import Code, Stop
from app.domain.orders import OPEN, IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Run, StrategyExecution, TradingAccount
from app.services.account_types import limits_of
from app.services.group_facts import COUNTED, groups_in
from app.services.run_board import LIVING

_UNDER_WAY = [state.value for state in OPEN - {IntentState.READY}]


@dataclass(frozen=True, slots=True)
class Limited:
    """An account with what limits it by itself."""

    id: int
    name: str
    limits: DayLimits


def limited(account: TradingAccount) -> Limited:
    return Limited(account.id, account.name, limits_of(account))


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose limits are asked, and whose lots and orders count."""

    name: str
    limits: DayLimits
    accounts: frozenset[int]


def open_lots(session: Session, accounts: Collection[int]) -> dict[int, int]:
    """Lots that living runs hold in each account, of every leg and either side, and those that entries are adding."""
    signed = case((FillRow.side == "BUY", FillRow.units), else_=-FillRow.units)
    net = func.abs(func.coalesce(func.sum(signed), 0))
    held = (
        select(StrategyExecution.account_id, net, StrategyExecution.lot_size)
        .join(StrategyExecution, StrategyExecution.id == FillRow.execution_id)
        .join(Run, Run.id == StrategyExecution.run_id)
        .where(StrategyExecution.account_id.in_(accounts), Run.state.in_(LIVING))
        .group_by(StrategyExecution.id, StrategyExecution.account_id, StrategyExecution.lot_size)
    )
    filled = select(func.coalesce(func.sum(FillRow.units), 0)).where(FillRow.intent_id == Intent.id).scalar_subquery()
    entering = (
        select(Intent.account_id, Intent.units - filled, StrategyExecution.lot_size)
        .join(StrategyExecution, StrategyExecution.id == Intent.execution_id)
        .where(Intent.account_id.in_(accounts), Intent.state.in_(_UNDER_WAY), Intent.purpose == Purpose.ENTRY.value)
    )
    found = dict.fromkeys(accounts, 0)
    for query in (held, entering):
        for account_id, units, lot in session.execute(query):
            found[account_id] += max(0, units) // lot
    return found


def orders_by_account(session: Session, today: date, only: Collection[int] | None = None) -> dict[int, int]:
    """Orders of ours that were sent on that trading date, whatever became of them, by account that sent any."""
    query = (
        select(Intent.account_id, func.count(Intent.id))
        .where(Intent.trading_date == today, Intent.sent_at.is_not(None))
        .where(Intent.account_id.in_(select(TradingAccount.id) if only is None else only))
        .group_by(Intent.account_id)
    )
    return {account_id: count for account_id, count in session.execute(query).all()}  # noqa: C416 - rows are no pairs to mypy


class LimitFacts:
    """For one transaction. Counts each account once, alone and for its groups, and then what goes in the same
    transaction. Groups are read once, and only where an entry asks.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._groups: list[Group] | None = None
        self._lots: dict[int, int] = {}
        self._orders: dict[int, int] = {}
        self._more_lots: dict[int, int] = defaultdict(int)
        self._more_orders: dict[int, int] = defaultdict(int)

    def refusal(self, account: Limited, today: date, lots: int, orders: int = 1) -> Stop | None:
        """Why entries of so many lots, in so many orders, may not go; None when they may, or nothing limits them."""
        for place in self._places(account):
            if place.limits.open_lots is not None:
                held = self._held(place.accounts)
                if (why := lots_refused(place.limits, place.name, held, lots)) is not None:
                    return Stop(Code.OPEN_LOTS, why)
            if place.limits.orders is not None:
                sent = self._sent(place.accounts, today)
                if (why := orders_refused(place.limits, place.name, sent, orders)) is not None:
                    return Stop(Code.DAY_ORDERS, why)
        return None

    def claimed(self, account_id: int, lots: int, orders: int = 1) -> None:
        """They go; `lots` 0 for exits."""
        self._more_lots[account_id] += lots
        self._more_orders[account_id] += orders

    def _places(self, account: Limited) -> Iterator[_Place]:
        """The account by itself, then its groups in order of name."""
        yield _Place(account.name, account.limits, frozenset({account.id}))
        if self._groups is None:
            self._groups = groups_in(self._session, COUNTED)
        for group in self._groups:
            if account.id in group.members:
                yield _Place(group.called, group.limits, group.members)

    def _held(self, accounts: frozenset[int]) -> int:
        if lacking := accounts - self._lots.keys():
            self._lots |= open_lots(self._session, lacking)
        return sum(self._lots[each] + self._more_lots[each] for each in accounts)

    def _sent(self, accounts: frozenset[int], today: date) -> int:
        if lacking := accounts - self._orders.keys():
            self._orders |= dict.fromkeys(lacking, 0) | orders_by_account(self._session, today, lacking)
        return sum(self._orders[each] + self._more_orders[each] for each in accounts)
