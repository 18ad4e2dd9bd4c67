"""Lots and orders of accounts and groups that have limits of those, counted from our own rows."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

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


@dataclass(slots=True)
class _Place:
    """Whose limits are asked, and whose lots and orders count together. None: not counted yet."""

    name: str
    limits: DayLimits
    accounts: frozenset[int]
    lots: int | None = None
    orders: int | None = None

    def add(self, lots: int, orders: int) -> None:
        self.lots = None if self.lots is None else self.lots + lots
        self.orders = None if self.orders is None else self.orders + orders


def open_lots(session: Session, accounts: Collection[int]) -> dict[int, int]:
    """Lots that living runs hold in each account, of every leg and either side, and those that entries are adding."""
    signed = case((FillRow.side == "BUY", FillRow.units), else_=-FillRow.units)
    net = func.abs(func.coalesce(func.sum(signed), 0))
    held = (
        select(StrategyExecution.account_id, net, StrategyExecution.lot_size)
        .join(StrategyExecution, StrategyExecution.id == FillRow.execution_id)
        .join(Run, Run.id == StrategyExecution.run_id)
        .where(
            StrategyExecution.account_id.in_(accounts),
            StrategyExecution.expired_at.is_(None),
            Run.state.in_(LIVING),
        )
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
    """For one transaction. Counts each account and each group once, and then what goes in the same transaction. Groups
    are read once, and only where an entry asks.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._groups: list[_Place] | None = None
        self._own: dict[int, _Place] = {}
        self._lots: dict[int, int] = {}
        self._orders: dict[int, int] = {}
        self._more_lots: dict[int, int] = defaultdict(int)
        self._more_orders: dict[int, int] = defaultdict(int)

    def refusal(self, account: Limited, today: date, lots: int, orders: int = 1) -> Stop | None:
        """Why entries of so many lots, in so many orders, may not go; None when they may, or nothing limits them."""
        own = self._own.get(account.id)
        if own is None:
            own = self._own[account.id] = _Place(account.name, account.limits, frozenset({account.id}))
        for place in (own, *self._groups_of(account.id)):
            limits = place.limits
            if limits.open_lots is not None:
                why = lots_refused(limits, place.name, self._held(place), lots)
                if why is not None:
                    return Stop(Code.OPEN_LOTS, why)
            if limits.orders is not None:
                why = orders_refused(limits, place.name, self._sent(place, today), orders)
                if why is not None:
                    return Stop(Code.DAY_ORDERS, why)
        return None

    def claimed(self, account_id: int, lots: int, orders: int = 1) -> None:
        """They go; `lots` 0 for exits."""
        self._more_lots[account_id] += lots
        self._more_orders[account_id] += orders
        if (own := self._own.get(account_id)) is not None:
            own.add(lots, orders)
        for place in self._groups or ():
            if account_id in place.accounts:
                place.add(lots, orders)

    def _groups_of(self, account_id: int) -> Iterator[_Place]:
        """In order of name."""
        if self._groups is None:
            found = groups_in(self._session, COUNTED)
            self._groups = [_Place(group.called, group.limits, group.members) for group in found]
        return (place for place in self._groups if account_id in place.accounts)

    def _held(self, place: _Place) -> int:
        """What was there before this transaction and what it added; our own orders are not written yet."""
        if place.lots is None:
            if lacking := place.accounts - self._lots.keys():
                self._lots |= open_lots(self._session, lacking)
            place.lots = sum(self._lots[each] + self._more_lots[each] for each in place.accounts)
        return place.lots

    def _sent(self, place: _Place, today: date) -> int:
        if place.orders is None:
            if lacking := place.accounts - self._orders.keys():
                self._orders |= dict.fromkeys(lacking, 0) | orders_by_account(self._session, today, lacking)
            place.orders = sum(self._orders[each] + self._more_orders[each] for each in place.accounts)
        return place.orders
