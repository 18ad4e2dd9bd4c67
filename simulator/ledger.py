"""Money and positions of one desk: every fill changes both, and the cash is always the sum of its flows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from simulator.contracts import Contract, ContractKey
from simulator.orders import ZERO, Fill, Product


class PositionKey(NamedTuple):
    """Positions are netted by these three."""

    symbol: str
    exchange: str
    product: Product

    @property
    def contract(self) -> ContractKey:
        """Which contract it is in."""
        return ContractKey(self.symbol, self.exchange)


@dataclass(frozen=True, slots=True)
class CashFlow:
    """One movement of cash: positive came in. `reason` is trade, realised, charges, settlement or delivery."""

    amount: Decimal
    reason: str
    at: datetime


@dataclass
class Position:
    """Net units (negative short) and what they cost. `open_value` is signed: units times average price."""

    units: int = 0
    open_value: Decimal = ZERO
    realised_today: Decimal = ZERO
    realised_total: Decimal = ZERO

    @property
    def average_price(self) -> Decimal:
        """Rupees per unit, zero when flat."""
        return self.open_value / self.units if self.units else ZERO

    def trade(self, signed_units: int, price: Decimal) -> Decimal:
        """Take in a trade; returns the gain it realised. Adding averages, reducing keeps the average, a flip resets."""
        closing = _closing_units(self.units, signed_units)
        gain = ZERO
        if closing:
            cost = self.open_value * closing / self.units
            gain = closing * price - cost
            self.open_value -= cost
        opening = signed_units + closing
        self.open_value += opening * price
        self.units += signed_units
        if not self.units:
            self.open_value = ZERO
        self.realised_today += gain
        self.realised_total += gain
        return gain

    def unrealised(self, price: Decimal) -> Decimal:
        """Gain if closed at `price`."""
        return self.units * price - self.open_value


def _closing_units(held: int, signed_units: int) -> int:
    """Units of the held position, with its sign, that an opposite trade closes."""
    if held * signed_units >= 0:
        return 0
    size = min(abs(held), abs(signed_units))
    return size if held > 0 else -size


PaysInFull = Callable[[Contract, Product], bool]


def pays_premium(contract: Contract, product: Product) -> bool:
    """At a broker options and delivery shares are paid in full; futures and intraday shares only settle gains."""
    return contract.is_option or product == "CNC"


def never_pays(_contract: Contract, _product: Product) -> bool:
    """In the sandbox nothing is paid; margin is blocked and gains are settled."""
    return False


@dataclass
class Ledger:
    """`cash` is rupees and changes only through `flows`. `pays_in_full` says which trades move their whole value."""

    cash: Decimal
    pays_in_full: PaysInFull = pays_premium
    flows: list[CashFlow] = field(default_factory=list)
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    opening: dict[PositionKey, Position] = field(default_factory=dict)
    """Positions as they stood when the day began."""

    def apply(self, fill: Fill, contract: Contract) -> None:
        """Take in a fill."""
        position = self.positions.setdefault(PositionKey(fill.symbol, fill.exchange, fill.product), Position())
        gain = position.trade(fill.signed_units, fill.price)
        if self.pays_in_full(contract, fill.product):
            self.move_cash(-fill.signed_units * fill.price, "trade", fill.at)
        elif gain:
            self.move_cash(gain, "realised", fill.at)

    def settle(self, key: PositionKey, contract: Contract, price: Decimal, at: datetime) -> None:
        """Close a position at its expiry for cash."""
        position = self.positions[key]
        units = position.units
        gain = position.trade(-units, price)
        amount = units * price if self.pays_in_full(contract, key.product) else gain
        self.move_cash(amount, "settlement", at)

    def move_cash(self, amount: Decimal, reason: str, at: datetime) -> None:
        """Add a flow to the cash."""
        self.flows.append(CashFlow(amount, reason, at))
        self.cash += amount

    def begin_day(self) -> None:
        """Forget flat positions and yesterday's realised gains; what is held carries over."""
        self.positions = {key: position for key, position in self.positions.items() if position.units}
        for position in self.positions.values():
            position.realised_today = ZERO
        self.opening = {key: replace(position) for key, position in self.positions.items()}

    def replayed(self, fills: Iterable[Fill]) -> dict[PositionKey, Position]:
        """Positions as they would stand with only these of today's fills; for books that lag."""
        positions = {key: replace(position) for key, position in self.opening.items()}
        for fill in fills:
            key = PositionKey(fill.symbol, fill.exchange, fill.product)
            positions.setdefault(key, Position()).trade(fill.signed_units, fill.price)
        return positions

    @property
    def realised_today(self) -> Decimal:
        """Gains realised today over all positions."""
        return sum((position.realised_today for position in self.positions.values()), ZERO)
