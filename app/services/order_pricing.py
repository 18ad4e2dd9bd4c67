"""The limit an order goes out with: "market" is a protected limit, made from a fresh touch at the moment of sending."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from app.domain.calendar import trading_date
from app.domain.contracts import Contract, Kind, Side
from app.domain.market_rules import RuleBook
from app.domain.orders import Purpose
from app.domain.prices import PriceBand, Touch, band_edge, next_limit, protected_limit, worst_limit
from app.persistence.tables import Intent, StrategyExecution
from app.ports.clock import Clock, MarketClock
from app.services.market_rule_table import MarketRuleTable
from app.services.quotes import Quotes
from app.services.run_state import contract_of

LAST_RESORT_AFTER = 3
"""After so many exits that rested unfilled the next goes to the edge of the price band: filling matters more."""


class OrderPricing:
    """Thread-safe."""

    def __init__(
        self, quotes: Quotes, rules: MarketRuleTable, clock: Clock, market_clock: MarketClock, *, max_age_s: float
    ) -> None:
        self._quotes = quotes
        self._rules = rules
        self._clock = clock
        self._market_clock = market_clock
        self._max_age_s = max_age_s

    def limit(self, intent: Intent, execution: StrategyExecution, rested: int) -> Decimal:
        """The limit to send this intent with now. Raises NoFreshPrice; MissingRule when the table has a hole.

        `rested` counts earlier exits of the execution that stood in the market and did not fill. Those that never got
        there (refused, not sent) say nothing about the price and give nothing away.
        """
        contract, side = contract_of(execution), Side(intent.side)
        if intent.purpose == Purpose.ENTRY:
            return self.entry(contract, side)[0]
        return self._exit(contract, side, rested, intent.account_id)

    def entry(self, contract: Contract, side: Side) -> tuple[Decimal, Decimal]:
        """The protected limit of an entry now, and the worst price that a preview showing it allows."""
        touch, band = self._read(contract)
        limit = self._protected(contract, side, touch, band)
        worst = worst_limit(side, contract.kind, limit, contract.tick, band=band, buffer_of=self._buffer())
        return limit, worst

    def _exit(self, contract: Contract, side: Side, rested: int, account_id: int) -> Decimal:
        """Each new try gives away one step more; the last resort is the edge of the band."""
        touch, band = self._read(contract, account_id)
        edge = band_edge(side, band, contract.tick)
        if rested >= LAST_RESORT_AFTER:
            return edge
        limit = self._protected(contract, side, touch, band)
        for _ in range(rested):
            limit = next_limit(side, contract.kind, limit, edge, contract.tick, buffer_of=self._buffer())
        return limit

    def _protected(self, contract: Contract, side: Side, touch: Touch, band: PriceBand) -> Decimal:
        return protected_limit(
            side,
            contract.kind,
            touch,
            contract.tick,
            band=band,
            now=self._clock.now(),
            max_age_s=self._max_age_s,
            buffer_of=self._buffer(),
        )

    def _read(self, contract: Contract, account_id: int | None = None) -> tuple[Touch, PriceBand]:
        touch = self._quotes.touch(contract.key, self._max_age_s, account_id)
        book, today = self._today()
        return touch, book.price_band(touch.last.value, today, contract.kind)

    def _buffer(self) -> Callable[[Kind, Decimal], Decimal]:
        book, today = self._today()
        return lambda kind, premium: book.protection(kind, premium, today)

    def _today(self) -> tuple[RuleBook, date]:
        return self._rules.book(), trading_date(self._market_clock.now())
