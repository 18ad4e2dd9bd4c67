"""Cash settlement at expiry: options at their intrinsic value, futures at the underlying's closing price."""

from decimal import Decimal

from simulator.contracts import Contract
from simulator.floor import Floor, rupees
from simulator.ledger import Ledger


def settle_expired(ledger: Ledger, floor: Floor) -> None:
    """Close every position whose contract expires today; call it at the end of the session."""
    for key, position in ledger.positions.items():
        contract = floor.find(key.contract)
        if contract is not None and position.units and contract.expiry == floor.clock.trading_date:
            ledger.settle(key, contract, settlement_price(contract, floor), floor.now)


def settlement_price(contract: Contract, floor: Floor) -> Decimal:
    """Rupees per unit paid at expiry."""
    spot = rupees(floor.market.spot(contract.underlying))
    strike = Decimal(str(contract.strike))
    if contract.kind == "CE":
        return max(spot - strike, Decimal(0))
    if contract.kind == "PE":
        return max(strike - spot, Decimal(0))
    return spot
