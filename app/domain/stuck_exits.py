"""When an exit's order is stuck: what is known of it, and whether a person may send it again at their own risk."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.orders import IntentState

UNKNOWN_ALARM_S = 10.0
"""An exit whose outcome is unknown for longer is an alarm, and may be overridden; one that no book shows as well."""

WAITS_ALARM_S = 10.0
"""So long an exit may wait to be sent, for a price or whatever else, before that is an alarm."""

RESTS_ALARM_S = 15.0
"""An order is cancelled after a few seconds and a cancel repeated after five: one that still stands is deaf to both."""

LATE_ALARM_S = 30.0
"""An account that is not flat so long after its exit was asked for is an alarm, whatever holds it up."""


class Stuck(StrEnum):
    """UNKNOWN: nobody can say whether it stands. PARKED: the gateway holds it for somebody's approval.

    UNSEEN   the broker acknowledged it, and no book that was read shows it.
    RESTS    it stands, and cancelling it does not end it. WAITS: it was not sent yet.
    """

    UNKNOWN = "unknown"
    PARKED = "parked"
    UNSEEN = "unseen"
    RESTS = "rests"
    WAITS = "waits"


MAY_SEND_AGAIN = frozenset({Stuck.UNKNOWN, Stuck.PARKED, Stuck.UNSEEN})
"""Of these a person may send another, and accept that both may fill. One that surely stands is cancelled first, and one
that waits is sent by itself.
"""


@dataclass(frozen=True, slots=True)
class ExitOrder:
    """`age_s` counts from its send, from its decision while it was not sent; never negative. `listed`: a book of its
    broker has shown it.
    """

    state: IntentState
    age_s: float
    listed: bool


def stuck(order: ExitOrder) -> Stuck | None:
    """How this exit is stuck by now; None when its time is not up or it has ended.

    >>> stuck(ExitOrder(IntentState.WORKING, 9.9, False)), stuck(ExitOrder(IntentState.WORKING, 10, False))
    (None, <Stuck.UNSEEN: 'unseen'>)
    """
    if order.state is IntentState.PARKED:
        return Stuck.PARKED
    if order.state is IntentState.READY:
        return Stuck.WAITS if order.age_s >= WAITS_ALARM_S else None
    if order.state in {IntentState.UNKNOWN, IntentState.SENDING}:
        return Stuck.UNKNOWN if order.age_s >= UNKNOWN_ALARM_S else None
    if order.state is not IntentState.WORKING:
        return None
    if not order.listed:
        return Stuck.UNSEEN if order.age_s >= UNKNOWN_ALARM_S else None
    return Stuck.RESTS if order.age_s >= RESTS_ALARM_S else None
