"""Keeps the broker's orders and positions as rows, and only writes what a new read changed."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade
from app.domain.contracts import ContractKey
from app.persistence.tables import Intent, Order, Position


def keep_orders(
    session: Session,
    account_id: int,
    today: date,
    orders: Sequence[BrokerOrder],
    trades: Sequence[BrokerTrade],
    *,
    intents: Sequence[Intent],
    at: datetime,
) -> None:
    """Upsert the day's orders of an account. `filled` and `average` are summed from the trade book."""
    rows = {
        row.order_id: row
        for row in session.scalars(select(Order).where(Order.account_id == account_id, Order.trading_date == today))
    }
    ours = {intent.order_id: intent.id for intent in intents if intent.order_id}
    filled = _filled(trades)
    for known in rows.values():
        if known.intent_id is not None and known.intent_id != ours.get(known.order_id):
            known.intent_id = None
    session.flush()  # an intent may have moved to another order, and is named by one row at a time
    for order in orders:
        row = rows.get(order.order_id)
        if row is None:
            row = rows[order.order_id] = Order(account_id=account_id, trading_date=today, order_id=order.order_id)
            session.add(row)
        units, worth = filled.get(order.order_id, (0, Decimal(0)))
        average = (worth / units).quantize(Decimal("0.0001")) if units else order.average
        _copy(row, order, ours.get(order.order_id), units or order.filled or 0, average)
        if row in session.new or session.is_modified(row):
            row.seen_at = at


def keep_positions(session: Session, account_id: int, positions: Sequence[BrokerPosition], at: datetime) -> bool:
    """Make the rows say what this read said; a contract it does not list is flat. True when a net changed."""
    rows = {
        (row.exchange, row.symbol, row.product): row
        for row in session.scalars(select(Position).where(Position.account_id == account_id))
    }
    moved = False
    nets: dict[tuple[str, str, str], tuple[int, Decimal | None]] = {}
    for position in positions:
        if position.contract is None:
            continue
        place = (position.contract.exchange, position.contract.symbol, position.product)
        net, average = nets.get(place, (0, None))
        nets[place] = (net + position.net, position.average if average is None else average)
    for place, (net, average) in nets.items():
        row = rows.get(place)
        if row is None:
            row = rows[place] = _new_position(account_id, ContractKey(*place[:2]), place[2])
            session.add(row)
        moved |= _set_net(row, net, average, at)
    for place, row in rows.items():
        if place not in nets:
            moved |= _set_net(row, 0, None, at)
    return moved


def _filled(trades: Sequence[BrokerTrade]) -> dict[str, tuple[int, Decimal]]:
    """Units and their worth for each order id."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for trade in trades:
        units, worth = sums.get(trade.order_id, (0, Decimal(0)))
        sums[trade.order_id] = (units + trade.units, worth + trade.units * trade.price)
    return sums


def _copy(row: Order, order: BrokerOrder, intent_id: int | None, filled: int, average: Decimal | None) -> None:
    row.intent_id = intent_id
    row.exchange = order.contract.exchange if order.contract else None
    row.symbol = order.contract.symbol if order.contract else None
    row.side, row.units, row.product = order.side.value, order.units, order.product
    row.price_type, row.price, row.status = order.price_type, order.price, order.status.value
    row.filled, row.average = filled, average
    row.reject_reason, row.placed_at = order.reject_reason, order.placed_at


def _new_position(account_id: int, contract: ContractKey, product: str) -> Position:
    return Position(account_id=account_id, exchange=contract.exchange, symbol=contract.symbol, product=product, net=0)


def _set_net(row: Position, net: int, average: Decimal | None, at: datetime) -> bool:
    changed = row.seen_at is None or row.net != net
    if changed or row.average != average:
        row.net, row.average, row.seen_at = net, average, at
    return changed
