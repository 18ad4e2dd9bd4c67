"""What may be ours at a broker without our knowing, on the day that the database was found to be an older one."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.books import OrderStatus
from app.domain.calendar import trading_date
from app.persistence.tables import Order
from app.ports.clock import MarketClock

_ACCOUNTS: BindParameter[Any] = bindparam("accounts", expanding=True)
_UNOWNED = (
    select(
        Order.account_id, Order.exchange, Order.symbol, Order.product, Order.side, func.sum(Order.units - Order.filled)
    )
    .where(
        Order.account_id.in_(_ACCOUNTS),
        Order.trading_date == bindparam("day"),
        Order.intent_id.is_(None),
        Order.status.in_([status.value for status in OrderStatus if not status.is_final]),
    )
    .group_by(Order.account_id, Order.exchange, Order.symbol, Order.product, Order.side)
)

Leaving = Mapping[tuple[int, str, str, str, str], int]
"""Units that may still change hands, by account, exchange, symbol, product and side."""

NOTHING: Leaving = MappingProxyType({})

Unowned = Callable[[Session, Collection[int]], Leaving]


def nothing_unowned(_session: Session, _accounts: Collection[int]) -> Leaving:
    """For who is never in doubt."""
    return NOTHING


class Doubt:
    """Thread-safe; set by `SetbackWatch`. Costs nothing while there is none.

    An order that rests at a broker without an intent of ours is somebody else's on any other day, and keeps no exit
    from going. On such a day it may be the very exit whose row was lost. Orders end with their day, and
    doubt with them.
    """

    def __init__(self, market_clock: MarketClock) -> None:
        self._market_clock = market_clock
        self.is_held = False
        self.lifted_on: date | None = None

    @property
    def stands(self) -> bool:
        if self.is_held:
            return True
        return self.lifted_on is not None and self.lifted_on == trading_date(self._market_clock.now())

    def leaving(self, session: Session, accounts: Collection[int]) -> Leaving:
        """What orders that nobody owns may still do in these accounts."""
        if not self.stands:
            return NOTHING
        which = {"accounts": sorted(accounts), "day": trading_date(self._market_clock.now())}
        return {
            (account, exchange, symbol, product, side): int(units)
            for account, exchange, symbol, product, side, units in session.execute(_UNOWNED, which)
            if exchange is not None and symbol is not None
        }
