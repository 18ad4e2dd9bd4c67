"""Holds the desk's clock against its gateway's: a clock that is wrong by half a minute decides nothing by the time."""

from collections.abc import Callable
from datetime import datetime

from app.domain.errors import Unavailable
from app.domain.gate import Code
from app.persistence.database import Database
from app.ports.clock import MarketClock
from app.services.activity import Activity
from app.services.entry_locks import EntryLocks
from app.services.exchange_time import ExchangeTime

LOOK_S = 0.5
WARN_S = 2.0
BLOCK_S = 30.0
LOOKS = 2
"""Answers in a row that have to agree: one may have been under way while a clock was set."""


class ClockWatch:
    """`step` belongs to one loop. Without an answer to a ping nothing is known, and nothing changes."""

    def __init__(
        self,
        database: Database,
        market_clock: MarketClock,
        activity: Activity,
        locks: EntryLocks,
        *,
        gateway_time: Callable[[], datetime | None],
        exchange: ExchangeTime,
    ) -> None:
        """`gateway_time` is what the gateway that feeds us said in its newest answer; each answer is asked once.

        `exchange` is told how far that is ahead of ours.
        """
        self._database = database
        self._market_clock = market_clock
        self._activity = activity
        self._locks = locks
        self._gateway_time = gateway_time
        self._exchange = exchange
        self._seen: datetime | None = None
        self._warned = False
        self._over = {WARN_S: 0, BLOCK_S: 0}

    def step(self) -> float:
        said = self._gateway_time()
        if said is not None and said != self._seen:
            self._seen = said
            try:
                self._judge((said - self._market_clock.now()).total_seconds())
            except Unavailable:  # the market's time is not known: that holds entries by itself
                return LOOK_S
        return LOOK_S

    def _judge(self, ahead_s: float) -> None:
        """`ahead_s`: how far the gateway's clock is ahead of ours."""
        self._exchange.gateway_ahead_s = ahead_s
        self._exchange.heard = True
        self._exchange.agreeing = self._exchange.agreeing + 1 if abs(ahead_s) <= BLOCK_S else 0
        for limit in self._over:
            self._over[limit] = self._over[limit] + 1 if abs(ahead_s) > limit else 0
        if self._over[BLOCK_S] >= LOOKS:
            sentence = (
                f"This machine's clock is {abs(ahead_s):.0f} s {'behind' if ahead_s > 0 else 'ahead of'} the "
                "gateway's: no entries are sent. Set the clocks of both by NTP."
            )
            if self._locks.hold(Code.CLOCK_SKEWED, sentence):
                self._say("engine.clock", sentence)
        elif not self._over[BLOCK_S] and self._locks.lift(Code.CLOCK_SKEWED):
            self._say("engine.clock", "The clocks agree again: entries are sent.")
        if self._over[WARN_S] < LOOKS:
            self._warned = self._warned and bool(self._over[WARN_S])
        elif not self._warned and not self._over[BLOCK_S]:
            self._warned = True
            self._say("engine.clock", f"This machine's clock and the gateway's differ by {abs(ahead_s):.1f} s.")

    def _say(self, action: str, sentence: str) -> None:
        with self._database.transaction() as session:
            self._activity.record(
                session, user_id=None, actor="engine", action=action, subject="engine", sentence=sentence
            )
