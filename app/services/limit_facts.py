"""Lots and orders of accounts that have limits of those, counted from our own rows."""

from collections import defaultdict
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.domain.day_limits import lots_refused, orders_refused
from app.domain.gate import Code, Stop
from app.domain.orders import OPEN, IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Run, StrategyExecution, TradingAccount
from app.services.account_types import limits_of
from app.services.run_board import LIVING

_UNDER_WAY = [state.value for state in OPEN - {IntentState.READY}]


def open_lots(session: Session, account_id: int) -> int:
    """Lots that living runs hold in the account, of every leg and either side, and those that entries under way add."""
    signed = case((FillRow.side == "BUY", FillRow.units), else_=-FillRow.units)
    net = func.abs(func.coalesce(func.sum(signed), 0))
    mine = (StrategyExecution.account_id == account_id, Run.state.in_(LIVING))
    held = (
        select(net, StrategyExecution.lot_size)
        .join(StrategyExecution, StrategyExecution.id == FillRow.execution_id)
        .join(Run, Run.id == StrategyExecution.run_id)
        .where(*mine)
        .group_by(StrategyExecution.id, StrategyExecution.lot_size)
    )
    filled = select(func.coalesce(func.sum(FillRow.units), 0)).where(FillRow.intent_id == Intent.id).scalar_subquery()
    entering = (
        select(Intent.units - filled, StrategyExecution.lot_size)
        .join(StrategyExecution, StrategyExecution.id == Intent.execution_id)
        .where(Intent.account_id == account_id, Intent.state.in_(_UNDER_WAY), Intent.purpose == Purpose.ENTRY.value)
    )
    return sum(max(0, units) // lot for query in (held, entering) for units, lot in session.execute(query))


def orders_sent(session: Session, account_id: int, today: date) -> int:
    """Orders of ours that were sent in the account on that trading date, whatever became of them."""
    query = select(func.count(Intent.id)).where(
        Intent.account_id == account_id, Intent.trading_date == today, Intent.sent_at.is_not(None)
    )
    return session.scalars(query).one()


def orders_by_account(session: Session, today: date) -> dict[int, int]:
    """As `orders_sent`, of every account that sent any."""
    query = (
        select(Intent.account_id, func.count(Intent.id))
        .where(Intent.trading_date == today, Intent.sent_at.is_not(None))
        .where(Intent.account_id.in_(select(TradingAccount.id)))
        .group_by(Intent.account_id)
    )
    return {account_id: count for account_id, count in session.execute(query).all()}  # noqa: C416 - rows are no pairs to mypy


class LimitFacts:
    """For one transaction. Counts an account once, and then what goes in the same transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lots: dict[int, int] = {}
        self._orders: dict[int, int] = {}
        self._more_lots: dict[int, int] = defaultdict(int)
        self._more_orders: dict[int, int] = defaultdict(int)

    def refusal(self, account: TradingAccount, today: date, lots: int) -> Stop | None:
        """Why an entry of so many lots may not go; None when it may, or nothing limits it."""
        limits, name = limits_of(account), account.name
        if limits.open_lots is not None:
            held = self._held(account.id) + self._more_lots[account.id]
            if (why := lots_refused(limits, name, held, lots)) is not None:
                return Stop(Code.OPEN_LOTS, why)
        if limits.orders is not None:
            sent = self._sent(account.id, today) + self._more_orders[account.id]
            if (why := orders_refused(limits, name, sent)) is not None:
                return Stop(Code.DAY_ORDERS, why)
        return None

    def claimed(self, account_id: int, lots: int) -> None:
        """It goes; `lots` 0 for an exit."""
        self._more_lots[account_id] += lots
        self._more_orders[account_id] += 1

    def _held(self, account_id: int) -> int:
        if account_id not in self._lots:
            self._lots[account_id] = open_lots(self._session, account_id)
        return self._lots[account_id]

    def _sent(self, account_id: int, today: date) -> int:
        if account_id not in self._orders:
            self._orders[account_id] = orders_sent(self._session, account_id, today)
        return self._orders[account_id]
