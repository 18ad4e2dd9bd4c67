"""What a trading desk can see of the venue: the time, the listed contracts, prices, and whether a session is open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulator.calendar import TradingCalendar
from simulator.clock import VirtualClock
from simulator.contracts import Contract, ContractKey
from simulator.market import Market
from simulator.quotes import Depth, Quote

ContractLookup = Callable[[str, str], Contract | None]


@dataclass(frozen=True, slots=True)
class Touch:
    """A contract's best prices and last price at one step, exact rupees; 0 where a side is empty."""

    contract: Contract
    bid: Decimal
    ask: Decimal
    last: Decimal


class Floor:
    """A narrow window on the venue, so desks are tested without accounts and faults."""

    def __init__(self, market: Market, clock: VirtualClock, calendar: TradingCalendar, lookup: ContractLookup) -> None:
        """`lookup` finds a contract as listed now, lot changes included."""
        self.market = market
        self.clock = clock
        self._calendar = calendar
        self._lookup = lookup
        self._touches: dict[ContractKey, Touch] = {}
        self._touched_at = (clock.trading_date, -2)

    @property
    def now(self) -> datetime:
        """The virtual moment, aware UTC."""
        return self.clock.now

    def find(self, key: ContractKey) -> Contract | None:
        """The contract, None when it is not listed."""
        return self._lookup(key.symbol, key.exchange)

    def listed(self, key: ContractKey) -> Contract:
        """The contract of an order already admitted. Raises KeyError when it has gone from the list."""
        contract = self.find(key)
        if contract is None:
            raise KeyError(f"{key.symbol} is no longer listed on {key.exchange}")
        return contract

    def quote(self, contract: Contract) -> Quote:
        """The contract's quote now."""
        return self.market.quote(contract)

    def depth(self, contract: Contract) -> Depth:
        """The contract's depth now."""
        return self.market.depth(contract)

    def touch(self, key: ContractKey) -> Touch:
        """Best prices of a listed contract, worked out once a step for all accounts. Raises KeyError like `listed`."""
        moment = (self.clock.trading_date, self.market.step)
        if moment != self._touched_at:
            self._touches.clear()
            self._touched_at = moment
        found = self._touches.get(key)
        if found is None:
            contract = self.listed(key)
            quote = self.market.quote(contract)
            found = Touch(contract, rupees(quote.bid), rupees(quote.ask), rupees(quote.ltp))
            self._touches[key] = found
        return found

    def ltp(self, contract: Contract) -> Decimal:
        """Last price, rupees."""
        return rupees(self.market.quote(contract).ltp)

    def is_open(self, exchange: str) -> bool:
        """True while the exchange's session runs."""
        return self._calendar.is_open(exchange, self.clock.now)


def rupees(price: float) -> Decimal:
    """A float price, which is on the paisa already, as exact rupees."""
    return Decimal(f"{price:.2f}")
