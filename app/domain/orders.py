"""The life of an intent: one table of permitted moves, and what each state means to a trader."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.errors import IllegalMove
from app.domain.money import Units


class Purpose(StrEnum):
    """Why an order is sent. A stop, a click, a kill switch and an unwind are all EXIT."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"


class IntentState(StrEnum):
    """Where an intent stands.

    READY     committed, not sent. SENDING: claimed by a lane, the call may be under way.
    WORKING   the broker gave an order id; fills may come.
    UNKNOWN   the call ended without an answer that settles it: the order may or may not stand at the broker.
    PARKED    the gateway holds it for a human's approval; nothing was sent to the broker.
    FILLED, CANCELLED, REJECTED, NOT_SENT, DENIED are final. CANCELLED may have fills; REJECTED is theirs, DENIED ours.
    """

    READY = "READY"
    SENDING = "SENDING"
    WORKING = "WORKING"
    UNKNOWN = "UNKNOWN"
    PARKED = "PARKED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    DENIED = "DENIED"


_S = IntentState

MOVES: dict[IntentState, frozenset[IntentState]] = {
    _S.READY: frozenset({_S.SENDING, _S.DENIED, _S.CANCELLED}),
    _S.SENDING: frozenset({_S.WORKING, _S.REJECTED, _S.NOT_SENT, _S.UNKNOWN, _S.PARKED}),
    # An acknowledged order may still be rejected by the broker's risk system a moment later.
    _S.WORKING: frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED}),
    # UNKNOWN is left by what the broker's books show, and only by that.
    _S.UNKNOWN: frozenset({_S.WORKING, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.NOT_SENT}),
    _S.PARKED: frozenset({_S.WORKING, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.NOT_SENT, _S.UNKNOWN}),
    # The ugly ones: an order thought dead that the books show alive or filled after all.
    _S.NOT_SENT: frozenset({_S.WORKING, _S.FILLED}),
    _S.CANCELLED: frozenset({_S.FILLED}),
    _S.REJECTED: frozenset(),
    _S.FILLED: frozenset(),
    _S.DENIED: frozenset(),
}

FINAL = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.NOT_SENT, _S.DENIED})
"""States after which a new generation may start. A late claim can still move NOT_SENT and CANCELLED."""

OPEN = frozenset(_S) - FINAL
"""States in which units may still change hands."""


def move(current: IntentState, to: IntentState) -> IntentState:
    """`to`, when the table permits it from `current`. Raises IllegalMove otherwise."""
    if to not in MOVES[current]:
        raise IllegalMove(f"An intent cannot go from {current} to {to}.")
    return to


def correct(current: IntentState) -> IntentState:
    """WORKING, from wherever an order that was not its own had brought an intent: the answer names the right one.

    The one way back, for the broker's answer alone. Raises IllegalMove for an intent that was never sent.
    """
    if current in {IntentState.READY, IntentState.DENIED}:
        raise IllegalMove(f"An intent that is {current} has no order to be corrected.")
    return IntentState.WORKING


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What goes on the wire for one slice. `price` and `trigger_price` are 0 where the type does not use them."""

    contract: ContractKey
    side: Side
    units: Units
    product: Product
    price_type: PriceType
    price: Decimal
    trigger_price: Decimal
    tag: str
    """Free text the gateway asks for; shown nowhere at the broker."""


@dataclass(frozen=True, slots=True)
class ModifyRequest:
    """New prices for an order at the broker. The gateway wants all of it said again; `order.units` stays the total."""

    order_id: str
    order: OrderRequest
