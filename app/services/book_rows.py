"""Keeps the broker's orders and positions as rows, and only writes what a new read changed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade
from app.domain.contracts import ContractKey, Side
from app.persistence.tables import FillRow, Intent, Order, Position, Run, StrategyExecution
from app.services.run_board import LIVING
from app.services.settling import is_row_of

_OF_TODAY = select(Order).where(Order.account_id == bindparam("account_id"), Order.trading_date == bindparam("today"))
_OF_BEFORE = (
    select(Order)
    .where(
        Order.account_id == bindparam("account_id"),
        Order.trading_date < bindparam("today"),
        or_(
            Order.order_id.in_(bindparam("unseen", expanding=True)),
            Order.intent_id.in_(bindparam("older", expanding=True)),
        ),
    )
    .order_by(Order.id.desc())
)
_ADOPTED = select(Order.order_id).where(
    Order.account_id == bindparam("account_id"),
    Order.trading_date == bindparam("today"),
    Order.adoption_id.is_not(None),
)
_POSITIONS = select(Position).where(Position.account_id == bindparam("account_id"))
_OURS = (
    select(
        StrategyExecution.exchange,
        StrategyExecution.symbol,
        StrategyExecution.product,
        FillRow.side,
        func.sum(FillRow.units),
    )
    .join(Run, Run.id == StrategyExecution.run_id)
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .where(
        StrategyExecution.account_id == bindparam("account_id"),
        StrategyExecution.expired_at.is_(None),
        Run.state.in_(LIVING),
    )
    .group_by(StrategyExecution.exchange, StrategyExecution.symbol, StrategyExecution.product, FillRow.side)
)
_POSITIONS_OF = select(Position).where(
    Position.account_id.in_(bindparam("accounts", expanding=True)),
    Position.symbol.in_(bindparam("symbols", expanding=True)),
)


def adopted_ids(session: Session, account_id: int, today: date | None) -> frozenset[str]:
    """Ids of orders of that date whose units somebody adopted: they are not what a lost order is looked for as."""
    return frozenset(session.scalars(_ADOPTED, {"account_id": account_id, "today": today}))


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
    """Upsert the orders that an account's book lists. `filled` and `average` are summed from the trade book.

    A book may list yesterday's orders until the next session is near: those stay rows of their own day.
    """
    rows = _OrderRows(session, account_id, today, [order.order_id for order in orders], intents)
    rows.release(intents)
    session.flush()  # an intent may have moved to another order, and is named by one row at a time
    filled = _filled(trades)
    owners = _by_order(intents)
    for order in orders:
        owner = _owner(order, owners.get(order.order_id, ()))
        row = rows.of(order, owner)
        if row is None:
            row = rows.new(order)
            session.add(row)
        units, worth = filled.get(order.order_id, (0, Decimal(0)))
        average = (worth / units).quantize(Decimal("0.0001")) if units else order.average
        changed = _copy(row, order, units or order.filled or 0, average)
        if owner is not None and row.intent_id != owner.id:
            row.intent_id, changed = owner.id, True
        if changed:
            row.seen_at = at


class _OrderRows:
    """An account's rows of today, and those of earlier days that a book may still be about."""

    def __init__(
        self, session: Session, account_id: int, today: date, listed: Sequence[str], intents: Sequence[Intent]
    ) -> None:
        self._account_id = account_id
        self._today = today
        self._rows = list(session.scalars(_OF_TODAY, {"account_id": account_id, "today": today}))
        unseen = set(listed) - {row.order_id for row in self._rows}
        older = [intent.id for intent in intents if intent.trading_date != today]
        if unseen or older:
            which = {"account_id": account_id, "today": today, "unseen": list(unseen), "older": older}
            self._rows += session.scalars(_OF_BEFORE, which)
        self._by_id: dict[str, list[Order]] = {}
        for row in self._rows:
            self._by_id.setdefault(row.order_id, []).append(row)

    def release(self, intents: Sequence[Intent]) -> None:
        """Take the intent away from rows of which it is not the order any more."""
        orders = {intent.id: intent.order_id for intent in intents}
        for row in self._rows:
            if row.intent_id is None:
                continue
            is_known = row.intent_id in orders or row.trading_date == self._today
            if is_known and orders.get(row.intent_id) != row.order_id:
                row.intent_id = None

    def of(self, order: BrokerOrder, owner: Intent | None) -> Order | None:
        """The row of this very order; None when it was never listed before."""
        rows = self._by_id.get(order.order_id, [])
        named = (row for row in rows if owner is not None and row.intent_id == owner.id)
        same = (row for row in rows if row.trading_date == self._today or _is_same(row, order))
        return next(named, None) or next(same, None)

    def new(self, order: BrokerOrder) -> Order:
        return Order(account_id=self._account_id, trading_date=self._today, order_id=order.order_id)


Place = tuple[str, str, str]
"""Exchange, symbol and product."""


def keep_positions(
    session: Session,
    account_id: int,
    positions: Sequence[BrokerPosition],
    at: datetime,
    *,
    gone: Mapping[Place, int] = MappingProxyType({}),
) -> bool:
    """Make the rows say what this read said; a contract it does not list is flat. True when a net changed.

    A row that the gateway could not name may be any contract that is not listed by its name: such a one keeps what our
    fills say of it, or the read before, as far as the rows without a name can hold it.
    `gone` are units that pushes say have left since: no exit may count on them again.
    """
    rows = {
        (row.exchange, row.symbol, row.product): row for row in session.scalars(_POSITIONS, {"account_id": account_id})
    }
    moved = False
    nets: dict[Place, tuple[int, Decimal | None]] = {}
    for position in positions:
        if position.contract is None:
            continue
        place = (position.contract.exchange, position.contract.symbol, position.product)
        net, average = nets.get(place, (0, None))
        nets[place] = (net + position.net, position.average if average is None else average)
    for place, (said, average) in nets.items():
        net = less(said, gone.get(place, 0))
        row = rows.get(place)
        if row is None:
            row = rows[place] = _new_position(account_id, ContractKey(*place[:2]), place[2])
            session.add(row)
        moved |= _set_net(row, net, average, at)
    for place, net in _nameless(
        session, account_id, positions, {place: row.net for place, row in rows.items()}
    ).items():
        if place in nets:
            continue
        if place not in rows:
            rows[place] = _new_position(account_id, ContractKey(*place[:2]), place[2])
            session.add(rows[place])
        moved |= _set_net(rows[place], net, None, at)
    return moved


def _nameless(
    session: Session, account_id: int, positions: Sequence[BrokerPosition], before: Mapping[Place, int]
) -> dict[Place, int]:
    """Signed units of each of these places, and of those of our runs, that rows without a name can be; mostly none."""
    nets = [position.net for position in positions if position.contract is None and position.net]
    if not nets:
        return dict.fromkeys(before, 0)
    most = sum(net for net in nets if net > 0)
    least = sum(net for net in nets if net < 0)
    ours: dict[Place, int] = {}
    for exchange, symbol, product, side, units in session.execute(_OURS, {"account_id": account_id}):
        place = (exchange, symbol, product)
        ours[place] = ours.get(place, 0) + Side(side).sign * int(units)
    return {place: max(min(net, most), least) for place, net in {**before, **ours}.items()}


def take_away(session: Session, left: Sequence[tuple[Intent, int]]) -> None:
    """So many units of these exits were pushed as filled: positions are that much smaller until books are read."""
    if not left:
        return
    accounts = sorted({intent.account_id for intent, _ in left})
    symbols = sorted({intent.symbol for intent, _ in left})
    rows = session.scalars(_POSITIONS_OF, {"accounts": accounts, "symbols": symbols})
    held = {(row.account_id, row.exchange, row.symbol, row.product): row for row in rows}
    for intent, units in left:
        row = held.get((intent.account_id, intent.exchange, intent.symbol, intent.product))
        if row is not None:
            row.net = less(row.net, units)


def less(net: int, units: int) -> int:
    """A signed position that so many units have left; never beyond zero."""
    return max(net - units, 0) if net > 0 else min(net + units, 0)


def _filled(trades: Sequence[BrokerTrade]) -> dict[str, tuple[int, Decimal]]:
    """Units and their worth for each order id."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for trade in trades:
        units, worth = sums.get(trade.order_id, (0, Decimal(0)))
        sums[trade.order_id] = (units + trade.units, worth + trade.units * trade.price)
    return sums


def _by_order(intents: Sequence[Intent]) -> dict[str, list[Intent]]:
    """By the id of their order, the newest first."""
    found: dict[str, list[Intent]] = {}
    for intent in reversed(intents):
        if intent.order_id is not None:
            found.setdefault(intent.order_id, []).append(intent)
    return found


def _owner(order: BrokerOrder, named: Sequence[Intent]) -> Intent | None:
    """The newest intent whose order this is, of those that name its id: another day may have given out the same."""
    return next((intent for intent in named if is_row_of(intent, order)), None)


def _is_same(row: Order, order: BrokerOrder) -> bool:
    """Whether a row of an earlier day is this order, still listed: brokers give ids out again on another day."""
    contract = (order.contract.exchange, order.contract.symbol) if order.contract else (None, None)
    shape = (row.placed_at, row.side, row.units, (row.exchange, row.symbol))
    return shape == (order.placed_at, order.side.value, order.units, contract)


def _copy(row: Order, order: BrokerOrder, filled: int, average: Decimal | None) -> bool:
    """Set what differs. False when nothing does: most rows say what they said."""
    contract = order.contract
    said = (
        ("exchange", contract.exchange if contract else None), ("symbol", contract.symbol if contract else None),
        ("side", order.side.value), ("units", order.units), ("product", order.product),
        ("price_type", order.price_type), ("price", order.price), ("status", order.status.value),
        ("trigger_price", order.trigger_price), ("filled", filled), ("average", average),
        ("reject_reason", order.reject_reason), ("placed_at", order.placed_at),
    )  # fmt: skip
    changed = [(name, value) for name, value in said if getattr(row, name) != value]
    for name, value in changed:
        setattr(row, name, value)
    return bool(changed)


def _new_position(account_id: int, contract: ContractKey, product: str) -> Position:
    return Position(account_id=account_id, exchange=contract.exchange, symbol=contract.symbol, product=product, net=0)


def _set_net(row: Position, net: int, average: Decimal | None, at: datetime) -> bool:
    changed = row.seen_at is None or row.net != net
    if changed or row.average != average:
        row.net, row.average, row.seen_at = net, average, at
    return changed
