"""Keeps the prices of what a preview shows so young that Send waits for none of them."""

from collections.abc import Callable

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.clock import Clock
from app.services.quotes import Quotes

LOOK_S = 0.5
WARM_S = 1.5
"""Older ones are asked for again. Where the feed brings ticks nobody is asked."""

AFTER_FAILURE_S = 5.0
"""How long gateways that gave no prices are left alone here: whoever needs one hears from them what is wrong."""


class WarmPrices:
    """`step` belongs to one loop, which may wait there for a gateway."""

    def __init__(self, quotes: Quotes, clock: Clock, shown: Callable[[], frozenset[ContractKey]]) -> None:
        """`shown` gives the contracts of the previews that can still be sent."""
        self._quotes = quotes
        self._clock = clock
        self._shown = shown

    def step(self) -> float:
        try:
            self._quotes.bring(self._shown(), WARM_S)
        except Unavailable:
            return AFTER_FAILURE_S  # nothing was learnt and nothing is lost: Send asks again, and says why not
        return LOOK_S
