"""Delivery shares: what an account holds from earlier days, and what it may therefore sell."""

from dataclasses import dataclass
from decimal import Decimal

from simulator.floor import Floor
from simulator.holdings import HoldingView
from simulator.ledger import Ledger
from simulator.orders import ZERO, OrderRequest
from simulator.quotes import ContractKey


@dataclass
class Holding:
    """Shares and what they cost in all, rupees."""

    units: int
    cost: Decimal


def _initial() -> dict[ContractKey, Holding]:
    return {
        ContractKey("RELIANCE", "NSE"): Holding(50, 50 * Decimal("1301.25")),
        ContractKey("INFY", "NSE"): Holding(100, 100 * Decimal("1602.40")),
        ContractKey("SBIN", "NSE"): Holding(200, 200 * Decimal("745.10")),
    }


class Delivery:
    """Holdings of one account."""

    def __init__(self) -> None:
        """Every account starts with a few shares, so the page of holdings is not empty."""
        self._holdings = _initial()

    def objection(self, request: OrderRequest, net_units: int) -> str:
        """Why a delivery sale cannot pass; empty when it can. `net_units` is today's delivery position."""
        if request.product != "CNC" or request.action == "BUY":
            return ""
        holding = self._holdings.get(request.key)
        free = (holding.units if holding is not None else 0) + net_units
        if request.units <= free:
            return ""
        return f"RMS:Insufficient holdings, Required:{request.units}, Available:{max(free, 0)}"

    def take_in(self, ledger: Ledger) -> None:
        """Move yesterday's delivery positions from the ledger into the holdings."""
        for key, position in ledger.positions.items():
            if key.product == "CNC" and position.units:
                self._move(key.contract, position.units, position.open_value)
                position.units, position.open_value = 0, ZERO

    def views(self, floor: Floor) -> list[HoldingView]:
        """Holdings at the last price, contracts no longer listed left out."""
        found = ((key, holding, floor.find(key)) for key, holding in self._holdings.items())
        return [
            HoldingView(key.symbol, key.exchange, holding.units, holding.cost / holding.units, floor.ltp(contract))
            for key, holding, contract in found
            if contract is not None and holding.units
        ]

    def _move(self, key: ContractKey, units: int, value: Decimal) -> None:
        holding = self._holdings.setdefault(key, Holding(0, ZERO))
        if units < 0 and holding.units:
            value = holding.cost * units / holding.units
        holding.units += units
        holding.cost = max(holding.cost + value, ZERO)
