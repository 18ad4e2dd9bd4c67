"""The limit an order goes out with: "market" is a protected limit, made from a fresh touch at the moment of sending."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from app.domain.calendar import trading_date
from app.domain.contracts import Contract, Kind, Side
from app.domain.errors import Denied, InvalidInput, NoFreshPrice, Refused
from app.domain.market_rules import RuleBook
from app.domain.orders import Purpose
from app.domain.price_types import PriceTerms, check_band, check_terms, check_tick, check_trigger
from app.domain.prices import PriceBand, Touch, band_edge, next_limit, protected_limit, worst_limit
from app.persistence.tables import Intent, StrategyExecution
from app.ports.clock import Clock, MarketClock
from app.services.market_rule_table import MarketRuleTable
from app.services.order_request import terms_of
from app.services.quotes import Quotes
from app.services.run_state import contract_of

T = TypeVar("T")

LAST_RESORT_AFTER = 3
"""After so many exits that rested unfilled the next goes to the edge of the price band: filling matters more."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What an order is sent at, and the band that the exchange takes just now."""

    limit: Decimal
    band: PriceBand


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

    def at_hand(self, intent: Intent, execution: StrategyExecution, rested: int) -> Priced:
        """As `limit`, from what the price board has: asks nobody."""
        contract = contract_of(execution)
        return self._priced(intent, contract, rested, self._quotes.at_hand(contract.key, self._max_age_s))

    def limit(self, intent: Intent, execution: StrategyExecution, rested: int) -> Priced:
        """What to send this intent at now. Raises NoFreshPrice; MissingRule when the table has a hole.

        `rested` counts earlier exits of the execution that stood in the market and did not fill. Those that never got
        there (refused, not sent) say nothing about the price and give nothing away.
        """
        contract = contract_of(execution)
        account_id = None if intent.purpose == Purpose.ENTRY else intent.account_id
        return self._reckoned(contract, lambda touch: self._priced(intent, contract, rested, touch), account_id)

    def bring(self, contracts: Iterable[Contract]) -> None:
        """Ask together for what `entry` and `typed` would ask for one after the other. Raises NoFreshPrice."""
        self._quotes.bring((contract.key for contract in contracts), self._max_age_s)

    def entry(self, contract: Contract, side: Side) -> tuple[Decimal, Decimal]:
        """The protected limit of an entry now, and the worst price that a preview showing it allows."""
        return self._reckoned(contract, lambda touch: self._entry(contract, side, touch))

    def typed(self, contract: Contract, side: Side, terms: PriceTerms, *, standing: Decimal | None = None) -> Decimal:
        """The price that a typed order is reckoned at. Raises Denied when it may not be sent as typed, NoFreshPrice.

        `standing` is the trigger that an order to be changed has already: that one is not judged again.
        """
        return self._reckoned(contract, lambda touch: self._typed(contract, side, terms, touch, standing))

    def _reckoned(self, contract: Contract, reckon: Callable[[Touch], T], account_id: int | None = None) -> T:
        """What `reckon` makes of a fresh touch; one that grows too old meanwhile is asked for anew, of a gateway."""
        touch = self._quotes.touch(contract.key, self._max_age_s, account_id)
        try:
            return reckon(touch)
        except NoFreshPrice:
            return reckon(self._quotes.from_gateway(contract.key))

    def _entry(self, contract: Contract, side: Side, touch: Touch) -> tuple[Decimal, Decimal]:
        band = self._band(contract, touch)
        limit = self._protected(contract, side, touch, band)
        worst = worst_limit(side, contract.kind, limit, contract.tick, band=band, buffer_of=self._buffer())
        return limit, worst

    def _priced(self, intent: Intent, contract: Contract, rested: int, touch: Touch) -> Priced:
        side, band = Side(intent.side), self._band(contract, touch)
        if intent.purpose == Purpose.EXIT:
            return Priced(self._exit(contract, side, rested, touch, band), band)
        terms = terms_of(intent)
        if terms.is_typed:
            return Priced(self._typed(contract, side, terms, touch), band)
        return Priced(self._protected(contract, side, touch, band), band)

    def _typed(
        self, contract: Contract, side: Side, terms: PriceTerms, touch: Touch, standing: Decimal | None = None
    ) -> Decimal:
        band = self._band(contract, touch)
        try:
            check_terms(contract.kind, side, terms)
            check_tick(terms, contract.tick)
        except InvalidInput as wrong:
            raise Denied("BAD_PRICE", f"{contract.key.symbol}: {wrong}") from wrong
        try:
            check_band(terms, band)
        except InvalidInput as wrong:
            raise Denied("OUTSIDE_BAND", f"{contract.key.symbol}: {wrong}") from wrong
        try:
            if terms.trigger != standing:
                check_trigger(side, terms, touch)
        except Refused as reached:
            raise Denied("TRIGGER_REACHED", f"{contract.key.symbol}: {reached}") from reached
        return terms.reckoned or Decimal(0)

    def _exit(self, contract: Contract, side: Side, rested: int, touch: Touch, band: PriceBand) -> Decimal:
        """Each new try gives away one step more; the last resort is the edge of the band."""
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

    def _band(self, contract: Contract, touch: Touch) -> PriceBand:
        book, today = self._today()
        return book.price_band(touch.last.value, today, contract.kind)

    def _buffer(self) -> Callable[[Kind, Decimal], Decimal]:
        book, today = self._today()
        return lambda kind, premium: book.protection(kind, premium, today)

    def _today(self) -> tuple[RuleBook, date]:
        return self._rules.book(), trading_date(self._market_clock.now())
