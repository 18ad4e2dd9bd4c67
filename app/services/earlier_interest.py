"""The open interest with which the last trading day ended, of contracts that somebody looks at; gently, once a day."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

STEP_S = 0.5
"""Gateways serve two to three calls for history a second, to everybody together."""
IDLE_S = 1.0
BACK_DAYS = 10
"""Calendar days in which there is a trading day in any case."""
LONGEST_PAUSE_S = 300.0
TRIES = 3
"""A contract that failed so often is left alone for the day."""


class EarlierInterest:
    """`known` and `want` are thread-safe; `step` is for one thread, which may block on the network."""

    def __init__(self, gateways: Gateways, order: AccountOrder, market_clock: MarketClock, clock: Clock) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self.known: Mapping[ContractKey, int | None] = {}
        """Units by contract; None where the gateway was asked and has no figure that can be believed.

        Replaced at each answer, never changed.
        """
        self._wanted: dict[ContractKey, None] = {}
        self._tries: dict[ContractKey, int] = {}
        self._read_on: date | None = None
        self._failures = 0
        self._next_try = 0.0

    def want(self, keys: Iterable[ContractKey]) -> None:
        """From now on these are to be known, in this order; what was wanted before no more."""
        self._wanted = dict.fromkeys(keys)

    def step(self) -> float:
        """Ask for one contract. Returns the seconds until the next."""
        try:
            today = trading_date(self._market_clock.now())
        except Unavailable:
            return IDLE_S
        if today != self._read_on:
            self._read_on, self.known, self._tries = today, {}, {}
        if self._clock.monotonic() < self._next_try:
            return IDLE_S
        key = next((key for key in self._wanted if key not in self.known), None)
        if key is None:
            return IDLE_S
        self._ask(key, today)
        return STEP_S

    def _ask(self, key: ContractKey, today: date) -> None:
        def ask(gateway: Gateway) -> dict[date, int]:
            return gateway.day_interest(key, today - timedelta(days=BACK_DAYS), today - timedelta(days=1))

        try:
            days = first_answer(self._gateways, self._order()[:1], ask, "yesterday's open interest")
        except Unavailable:
            self._failed(key)
            return
        self._failures = 0
        past = [day for day in days if day < today]
        self.known = {**self.known, key: days[max(past)] if past else None}

    def _failed(self, key: ContractKey) -> None:
        self._failures += 1
        self._next_try = self._clock.monotonic() + min(LONGEST_PAUSE_S, 2.0**self._failures)
        self._tries[key] = self._tries.get(key, 0) + 1
        if self._tries[key] >= TRIES:
            self.known = {**self.known, key: None}
