"""Quotes of the chains that somebody looks at: near strikes every few seconds, the rest of the expiry each minute."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.clock import Clock
from app.services.chain_listings import Named
from app.services.open_interest import OpenInterest
from app.services.quotes import Quotes

SWEEP_EVERY_S = 5.0
SWEEP_AFTER_TROUBLE_S = 10.0
FAR_EVERY_S = 60.0
FAR_AT_ONCE = 60
"""Contracts away from the money that are quoted in one go."""

KeysOf = Callable[[Named], Sequence[ContractKey]]


@dataclass(slots=True)
class Demand:
    """A chain somebody looks at: until when, when it is quoted next, and why that failed the last time.

    `far` are contracts away from the money that this round has yet to quote.
    """

    until: float
    near_at: float = 0.0
    far_at: float = 0.0
    far: list[ContractKey] = field(default_factory=list)
    trouble: str | None = None


class ChainSweep:
    """For one thread, which may block on the network. At most one call for quotes in a step."""

    def __init__(self, quotes: Quotes, interest: OpenInterest, clock: Clock, *, near: KeysOf, far: KeysOf) -> None:
        """`near` is what a chain's page shows, `far` the rest of its expiry, empty while there is no time for that."""
        self._quotes = quotes
        self._interest = interest
        self._clock = clock
        self._near = near
        self._far = far

    def step(self, demands: Mapping[Named, Demand]) -> None:
        """Quote the chain that is due the longest: bids, asks and open interest do not come with the feed."""
        now = self._clock.monotonic()
        self._interest.forget(now)
        if near := [(each.near_at, chain) for chain, each in demands.items() if each.near_at <= now]:
            chain = min(near)[1]
            self._quote_near(demands[chain], self._near(chain))
        elif far := [(each.far_at, chain) for chain, each in demands.items() if each.far_at <= now]:
            chain = min(far)[1]
            self._quote_far(demands[chain], self._far(chain))

    def _quote_near(self, demand: Demand, keys: Sequence[ContractKey]) -> None:
        try:
            pause_s = self._quote(keys)
        except Unavailable as error:
            demand.trouble = f"These prices could not be refreshed. {error}"
            demand.near_at = self._clock.monotonic() + SWEEP_AFTER_TROUBLE_S
            return
        demand.trouble = None
        demand.near_at = self._clock.monotonic() + pause_s

    def _quote_far(self, demand: Demand, keys: Sequence[ContractKey]) -> None:
        listed = set(keys)
        left = [key for key in demand.far if key in listed] or list(keys)
        now, some = left[:FAR_AT_ONCE], left[FAR_AT_ONCE:]
        try:
            pause_s = self._quote(now) if now else SWEEP_EVERY_S
        except Unavailable:  # the near strikes say so; the totals say on how many strikes they rest
            demand.far, demand.far_at = left, self._clock.monotonic() + SWEEP_AFTER_TROUBLE_S
            return
        demand.far = some
        demand.far_at = self._clock.monotonic() + (pause_s if some or not now else max(FAR_EVERY_S, pause_s))

    def _quote(self, keys: Sequence[ContractKey]) -> float:
        """Seconds to wait: a gateway that quotes one contract after the other is not kept busy with nothing else."""
        begun = self._clock.monotonic()
        quotes = self._quotes.fetch(keys)
        ended = self._clock.monotonic()
        self._interest.take(quotes, ended)
        return max(SWEEP_EVERY_S, 5 * (ended - begun))
