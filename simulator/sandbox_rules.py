"""What the gateway's sandbox refuses, in its own words, and the margin it blocks."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal

from simulator.admission import NotAdmittedError, needs_trigger
from simulator.contracts import Contract
from simulator.floor import Floor, rupees
from simulator.orders import OrderRequest, PriceType, Product

INTRADAY_END = time(15, 15)
INTRADAY_RESUMES = time(9, 0)
INTRADAY_SHARE_LEVERAGE = 5
FUTURE_LEVERAGE = 10


def admit(request: OrderRequest, floor: Floor, net_units: int) -> Contract:
    """The contract of a request the sandbox takes; freeze, tick and trigger side do not interest it.

    `net_units` is the position the order would change. Raises NotAdmittedError.
    """
    contract = floor.find(request.key)
    if contract is None:
        raise NotAdmittedError(f"Symbol {request.symbol} not found on {request.exchange}")
    for check in _CHECKS:
        check(request, contract)
    _check_intraday(request, floor, net_units)
    return contract


def margin_per_unit(contract: Contract, product: Product, price: Decimal) -> Decimal:
    """Rupees blocked per unit: full premium both ways for options, a tenth for futures, a fifth for MIS shares."""
    if contract.kind == "FUT":
        return price / FUTURE_LEVERAGE
    if contract.kind == "EQ" and product == "MIS":
        return price / INTRADAY_SHARE_LEVERAGE
    return price


def reference_price(request: OrderRequest, contract: Contract, floor: Floor) -> Decimal:
    """The price margin is blocked at: limit, trigger of a stop, or the last price of a market order."""
    if request.pricetype == "LIMIT":
        return request.price
    if needs_trigger(request.pricetype):
        return request.trigger_price
    return rupees(floor.quote(contract).ltp)


def check_change(pricetype: PriceType, contract: Contract, units: int, price: Decimal, trigger: Decimal) -> None:
    """What a modification may not be. Raises NotAdmittedError."""
    if pricetype in {"MARKET", "SL-M"} and price:
        raise NotAdmittedError(f"{pricetype} orders do not accept a price")
    if pricetype in {"MARKET", "LIMIT"} and trigger:
        raise NotAdmittedError(f"{pricetype} orders do not accept a trigger_price")
    _check_lot(units, contract)


def _check_lot(units: int, contract: Contract) -> None:
    if contract.is_derivative and units % contract.lot_units:
        raise NotAdmittedError(f"Quantity must be in multiples of lot size {contract.lot_units}")


def _check_size(request: OrderRequest, contract: Contract) -> None:
    _check_lot(request.units, contract)


def _check_prices(request: OrderRequest, _contract: Contract) -> None:
    if request.pricetype in {"LIMIT", "SL"} and not request.price:
        raise NotAdmittedError(f"{request.pricetype} orders require price")
    if needs_trigger(request.pricetype) and not request.trigger_price:
        raise NotAdmittedError(f"{request.pricetype} orders require trigger_price")


def _check_product(request: OrderRequest, contract: Contract) -> None:
    if contract.is_derivative and request.product == "CNC":
        raise NotAdmittedError(
            f"CNC product not allowed for {request.exchange} derivatives segment. "
            "Use NRML for carryforward or MIS for intraday."
        )
    if contract.kind == "EQ" and request.product == "NRML":
        raise NotAdmittedError(
            f"NRML product not allowed for {request.exchange} equity segment. Use CNC for delivery or MIS for intraday."
        )


def _check_intraday(request: OrderRequest, floor: Floor, net_units: int) -> None:
    at = floor.clock.ist_now().time()
    reducing = request.units <= (-net_units if request.action == "BUY" else net_units)
    if request.product == "MIS" and not reducing and not INTRADAY_RESUMES <= at < INTRADAY_END:
        raise NotAdmittedError(
            "MIS orders cannot be placed after square-off time (15:15 IST). Trading resumes at 09:00 AM IST."
        )


_CHECKS: tuple[Callable[[OrderRequest, Contract], None], ...] = (_check_size, _check_prices, _check_product)
