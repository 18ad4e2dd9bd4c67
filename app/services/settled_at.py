"""What expired contracts were settled at, as far as somebody has typed it."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.persistence.tables import SettlementPrice, StrategyExecution

_PRICES = select(SettlementPrice.exchange, SettlementPrice.symbol, SettlementPrice.expiry, SettlementPrice.price).where(
    SettlementPrice.symbol.in_(bindparam("symbols", expanding=True))
)


def settled_at(session: Session, rows: Sequence[StrategyExecution]) -> dict[int, Decimal]:
    """By execution, of those whose contract has expired and whose settlement is known; asked only when one has."""
    expired = [row for row in rows if row.expired_at is not None]
    if not expired:
        return {}
    found = session.execute(_PRICES, {"symbols": sorted({row.symbol for row in expired})})
    prices = {(exchange, symbol, expiry): price for exchange, symbol, expiry, price in found}
    return {
        row.id: price
        for row in expired
        for price in (prices.get((row.exchange, row.symbol, row.expiry)),)
        if price is not None
    }
