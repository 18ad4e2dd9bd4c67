"""Whether new positions may be begun: three states, each said of everything or of a part of it; the strictest wins."""

from collections.abc import Iterable
from enum import StrEnum


class TradingState(StrEnum):
    """REDUCE_ONLY and HALTED both take no entries; exits and cancels pass in every state.

    HALTED is what the kill switch leaves, whose runs are being closed; under REDUCE_ONLY they live on.
    """

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


class Scope(StrEnum):
    """What a state is said of: everything, the runs of a user, the accounts of a group, one, the runs of a strategy."""

    ALL = "ALL"
    USER = "USER"
    GROUP = "GROUP"
    ACCOUNT = "ACCOUNT"
    STRATEGY = "STRATEGY"


ENGINE = "engine"
"""The actor of a state that no person set."""

_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}


def effective(states: Iterable[TradingState]) -> TradingState:
    """The state of an order to which all these apply. Of none it is ACTIVE."""
    return max(states, key=_STRICTNESS.__getitem__, default=TradingState.ACTIVE)
