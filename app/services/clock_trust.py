"""Whether this machine's clock may decide what is due: a start by schedule, a square-off."""

from app.domain.gate import Code
from app.ports.clock import Clock
from app.services.entry_locks import EntryLocks
from app.services.exchange_time import ExchangeTime

ANSWER_WITHIN_S = 60.0
"""So long a gateway's first word about the time is waited for. A feed answers within seconds of its connection; where
none speaks of the time at all, what a trader wants done by the clock is done by ours.
"""


class ClockTrust:
    """For one loop of the engine: the wait counts from the first time that it asks."""

    def __init__(self, clock: Clock, locks: EntryLocks, exchange: ExchangeTime) -> None:
        self._clock = clock
        self._locks = locks
        self._exchange = exchange
        self._since: float | None = None

    def in_doubt(self) -> bool:
        """True while a gateway contradicts our clock, and for a minute while none has said anything yet."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        if self._locks.holds(Code.CLOCK_SKEWED):
            return True
        if self._exchange.heard:
            return self._exchange.agreeing == 0
        return now - self._since < ANSWER_WITHIN_S
