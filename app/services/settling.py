"""Joins the rows of intents to what the domain makes of an account's books about them. No database, no network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, OrderStatus
from app.domain.contracts import ContractKey, Product, Side
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.outcomes import Verdict
from app.domain.reconcile import (
    BooksRead,
    Finding,
    QuietWindows,
    Settled,
    UnknownIntent,
    fills_of,
    match_slices,
    settle,
)
from app.persistence.tables import Intent
from app.services.order_request import sent_as

STEADY_S = 60.0
"""Positions and trades that have differed by the same for so long hide no order between them."""

PRICE_STEP = Decimal("0.0001")
PRODUCT_LENGTH = 16
TIME_LENGTH = 32

Row = TypeVar("Row", BrokerOrder, BrokerTrade, BrokerPosition)

Holding = tuple[ContractKey, str]
"""A contract and the product it is held in."""


@dataclass(frozen=True)
class Books:
    """What one cycle read, in this order, and the monotonic second at which the first read began."""

    orders: Sequence[BrokerOrder]
    trades: Sequence[BrokerTrade]
    positions: Sequence[BrokerPosition]
    began: float

    def order(self, order_id: str) -> BrokerOrder | None:
        """The first row of that id; None when the order book lists none."""
        return self._orders.get(order_id)

    def above(self, order_id: str) -> OrderStatus | None:
        """What the row above that order says; None when it is the first of the book, or in none."""
        return self._above.get(order_id)

    def trades_of(self, order_id: str) -> Sequence[BrokerTrade]:
        """In the order of the trade book."""
        return self._trades.get(order_id, ())

    @cached_property
    def _orders(self) -> dict[str, BrokerOrder]:
        return {order.order_id: order for order in reversed(self.orders)}

    @cached_property
    def _above(self) -> dict[str, OrderStatus]:
        return {order.order_id: before.status for before, order in pairwise(self.orders)}

    @cached_property
    def _trades(self) -> dict[str, list[BrokerTrade]]:
        found: dict[str, list[BrokerTrade]] = {}
        for trade in self.trades:
            found.setdefault(trade.order_id, []).append(trade)
        return found

    @property
    def unnamed(self) -> int:
        """Positions that are not flat and that the gateway could not name."""
        return sum(1 for position in self.positions if position.contract is None and position.net)

    def carries(self) -> dict[Holding, int]:
        """Signed units of each position that today's trades do not explain: what was carried in, if all is well."""
        carries: dict[Holding, int] = {}
        for position in self.positions:
            if position.contract is not None:
                place = (position.contract, position.product)
                carries[place] = carries.get(place, 0) + position.net
        for trade in self.trades:
            if trade.contract is not None:
                place = (trade.contract, trade.product)
                carries[place] = carries.get(place, 0) - trade.side.sign * trade.units
        return carries


def storable(books: Books) -> Books:
    """The same books with prices and texts as the tables keep them, so that no broker's odd figure stops a read.

    Done before anything is compared, so that a fill is the same fill in every read.
    """
    return Books(
        [
            _differing(
                order,
                product=order.product[:PRODUCT_LENGTH],
                price_type=order.price_type[:PRODUCT_LENGTH],
                price=_kept(order.price),
                trigger_price=_kept(order.trigger_price),
                average=None if order.average is None else _kept(order.average),
                placed_at=order.placed_at[:TIME_LENGTH],
            )
            for order in books.orders
        ],
        [
            _differing(
                trade,
                product=trade.product[:PRODUCT_LENGTH],
                price=_kept(trade.price),
                traded_at=trade.traded_at[:TIME_LENGTH],
            )
            for trade in books.trades
        ],
        [
            _differing(
                position,
                product=position.product[:PRODUCT_LENGTH],
                average=None if position.average is None else _kept(position.average),
            )
            for position in books.positions
        ],
        books.began,
    )


def _differing(row: Row, **kept: Any) -> Row:
    """The row itself when it is kept as it is: a busy day has thousands, and few are odd."""
    return row if all(getattr(row, name) is value for name, value in kept.items()) else replace(row, **kept)


def _kept(price: Decimal) -> Decimal:
    """Rounded to what a price column holds."""
    return price.quantize(PRICE_STEP) if price != price.quantize(PRICE_STEP) else price


def is_row_of(intent: Intent, order: BrokerOrder) -> bool:
    """Whether a row can be this intent's own order: ids of another day may be given out again."""
    same = order.side == intent.side and order.units == intent.units
    return same and order.contract in {ContractKey(intent.exchange, intent.symbol), None}


def holding_of(intent: Intent) -> Holding:
    return ContractKey(intent.exchange, intent.symbol), intent.product


def settle_known(intent: Intent, books: Books, *, confirmed: Callable[[BrokerOrder], bool]) -> Settled | None:
    """What the row and trades of the intent's own order prove; None when the books show nothing of it yet.

    `confirmed` says whether that row's final word is known to be its own.
    """
    if intent.order_id is None:
        return None
    row = books.order(intent.order_id)
    if row is not None and not is_row_of(intent, row):
        return None
    if row is not None:
        return settle(row, books.trades_of(row.order_id), confirmed=confirmed(row))
    fills = fills_of(intent.order_id, books.trades_of(intent.order_id))
    if not fills:
        return None
    traded = sum(fill.units for fill in fills)
    state = IntentState.FILLED if traded >= intent.units else IntentState(intent.state)
    return Settled(state, fills, Units(0))


def same_order(intent: Intent) -> tuple[object, ...]:
    """Intents with equal keys are orders that nobody could tell apart at the broker: they are matched together.

    Of whichever runs they are: with two lost and two found, both have landed. One that was given up already is looked
    for by itself, so that it takes nothing from those that are not settled.
    """
    alike = (*holding_of(intent), intent.side, intent.units, sent_as(intent))
    if intent.state == IntentState.NOT_SENT:
        return (*alike, intent.execution_id, intent.generation)
    return alike


def agrees(intent: Intent, carries: dict[Holding, int]) -> bool:
    """Whether positions and trades say the same of its holding as when it was sent.

    True as well for an exit sent before any book could be read: there is nothing to compare with, and the exit after
    it is held to the broker's net.
    """
    return intent.baseline_carry is None or carries.get(holding_of(intent), 0) == intent.baseline_carry


def find(
    intents: Sequence[Intent],
    books: Books,
    *,
    claimed: frozenset[str],
    clean_reads: int,
    lost_for_s: Callable[[Intent], float],
    steady_for_s: Callable[[Holding], float],
    windows: QuietWindows,
) -> tuple[Finding, ...]:
    """One finding for each of some intents with the same `same_order`, whose order id is not known.

    `claimed` are ids of other intents. `clean_reads` counts as BooksRead says, for the youngest of them.
    """
    carries = books.carries()
    agree = all(
        agrees(intent, carries)
        or (steady_for_s(holding_of(intent)) >= STEADY_S and not _may_have_filled(intent, carries))
        for intent in intents
    )
    read = BooksRead(books.orders, books.trades, clean_reads, agree)
    baseline = frozenset.intersection(*(frozenset(intent.baseline or ()) for intent in intents))
    return match_slices(
        [_unknown(intent, lost_for_s(intent), windows) for intent in intents], read, baseline=baseline, claimed=claimed
    )


def _may_have_filled(intent: Intent, carries: dict[Holding, int]) -> bool:
    """Whether the position moved the way this entry would move it, with no trade to explain that.

    What was carried at the send may have been read while the trade book lagged, which it does for less than a minute:
    a difference that stays is no order, unless it is just what the entry would have brought. An exit that is sent again
    is held to the broker's net, an entry to nothing.
    """
    if intent.purpose != Purpose.ENTRY or intent.baseline_carry is None:
        return False
    moved = carries.get(holding_of(intent), 0) - intent.baseline_carry
    return moved * Side(intent.side).sign > 0


def verdict_of(intent: Intent) -> Verdict:
    """What its answer told; nothing at all while there was none."""
    return Verdict(intent.verdict) if intent.verdict else Verdict.UNKNOWN_OPEN


def _unknown(intent: Intent, since_s: float, windows: QuietWindows) -> UnknownIntent:
    sent = sent_as(intent)
    return UnknownIntent(
        contract=ContractKey(intent.exchange, intent.symbol),
        side=Side(intent.side),
        units=Units(intent.units),
        product=Product(intent.product),
        limit=sent.limit or Decimal(0),
        verdict=verdict_of(intent),
        since_send_s=since_s,
        trigger=sent.trigger or Decimal(0),
        windows=windows,
    )


def grouped(intents: Sequence[Intent]) -> list[list[Intent]]:
    """Intents in groups that are matched together, in order of first appearance."""
    groups: dict[tuple[object, ...], list[Intent]] = {}
    for intent in intents:
        groups.setdefault(same_order(intent), []).append(intent)
    return list(groups.values())
