"""What pushed order updates prove. They come twice, late, out of order or never; the sum of them is always the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.books import BrokerOrder, OrderStatus, OrderUpdate
from app.domain.money import Units
from app.domain.orders import FINAL, MOVES, IntentState

PRICE_STEP = Decimal("0.0001")

_RANK = {OrderStatus.REJECTED: 1, OrderStatus.CANCELLED: 2, OrderStatus.COMPLETE: 3}
"""Of two final words the one that leaves more units at the broker counts. Words that end nothing have rank 0."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """All that was pushed about one order of one day.

    `best` is the update with the most units filled. `status` is final as soon as any update was. `ended_with` are the
    units that a cancel itself said were filled: 0 also where its sender does not say.
    """

    best: OrderUpdate
    status: OrderStatus
    ended_with: Units
    reason: str

    @property
    def filled(self) -> Units:
        return self.best.filled


def alone(update: OrderUpdate) -> Pushed:
    """One update, and nothing before it."""
    ended = update.filled if update.status is OrderStatus.CANCELLED else 0
    return Pushed(update, update.status, Units(ended), update.reject_reason or "")


def join(one: Pushed, other: Pushed) -> Pushed:
    """Both together. Associative, commutative and idempotent: neither order nor repetition can change the sum."""
    return Pushed(
        max(one.best, other.best, key=_weight),
        max(one.status, other.status, key=lambda status: (_RANK.get(status, 0), status.value)),
        Units(max(one.ended_with, other.ended_with)),
        max(one.reason, other.reason),
    )


def total(updates: Iterable[OrderUpdate]) -> Pushed:
    """What some updates of one order amount to. Raises ValueError for none."""
    sums = [alone(update) for update in updates]
    if not sums:
        raise ValueError("Of no update nothing is known.")
    first, *rest = sums
    for each in rest:
        first = join(first, each)
    return first


def _weight(update: OrderUpdate) -> tuple[object, ...]:
    average = update.average or Decimal(0)
    rank = _RANK.get(update.status, 0)
    return (update.filled, average, rank, update.status.value, update.price, update.reject_reason or "")


def proven_state(current: IntentState, units: Units, pushed: Pushed) -> IntentState:
    """Where an intent of so many units stands by what was pushed about its order; `current` when that proves nothing.

    FILLED needs every unit said to be filled: the word alone can be another order's. REJECTED needs a reason, which no
    such row carries. CANCELLED needs the cancel itself to say what had filled before: some senders leave that out, and
    to take 0 for it would send units again that the account has. What is not proved here the books settle.
    """
    proved = _proved(units, pushed)
    if proved is None or proved is current:
        return current
    return proved if proved in MOVES[current] else current


def _proved(units: Units, pushed: Pushed) -> IntentState | None:
    if pushed.filled > units:
        return None
    if pushed.filled == units:
        return IntentState.FILLED
    if pushed.status is OrderStatus.CANCELLED and pushed.ended_with and pushed.ended_with == pushed.filled:
        return IntentState.CANCELLED
    if pushed.status is OrderStatus.REJECTED and pushed.reason and not pushed.filled:
        return IntentState.REJECTED
    return None


def tells_all(state: IntentState, units: Units, pushed: Pushed) -> bool:
    """Whether nothing more is to be learnt at once from the books: what is pushed and where the intent stands agree."""
    if state in FINAL:
        return pushed.filled == 0 or pushed.best.average is not None
    unpriced = pushed.filled and pushed.best.average is None
    return not pushed.status.is_final and not unpriced and pushed.filled <= units


@dataclass(frozen=True, slots=True)
class Ahead:
    """Units that were pushed as filled and that no trade row shows yet, at the average that makes the sum right."""

    units: Units
    price: Decimal


def ahead(filled: int, worth: Decimal, traded: int, traded_worth: Decimal) -> Ahead | None:
    """What pushes say beyond the trades; None when the trades have caught up.

    `worth` is rupees of all `filled` units, `traded_worth` of those that trade rows show. An average that the trades
    contradict is kept as it was said: it is replaced by the next trade anyway.
    """
    units = filled - traded
    if units <= 0 or filled <= 0 or worth <= 0:
        return None
    price = ((worth - traded_worth) / units).quantize(PRICE_STEP)
    if price <= 0:
        price = (worth / filled).quantize(PRICE_STEP)
    return Ahead(Units(units), price) if price > 0 else None


def as_order(pushed: Pushed) -> BrokerOrder:
    """The pushed order as a row of the book would show it, to be matched as one."""
    best = pushed.best
    return BrokerOrder(
        order_id=best.order_id,
        contract=best.contract,
        side=best.side,
        units=best.units,
        product=best.product,
        price_type=best.price_type,
        price=best.price,
        trigger_price=best.trigger_price,
        status=pushed.status,
        placed_at="",
        filled=pushed.filled,
        average=best.average,
        reject_reason=pushed.reason or None,
    )
