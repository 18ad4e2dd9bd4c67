"""The broker's front door: what it refuses at once, and what the exchange or its risk desk rejects a moment later."""

from collections.abc import Callable
from decimal import Decimal

from simulator.contracts import Contract
from simulator.floor import Floor, rupees
from simulator.orders import OrderRequest, PriceType

UNKNOWN_CONTRACT = "The instrument you are placing an order for has either expired or does not exist."
MARKET_CLOSED = "Markets are closed right now. Orders are taken from 09:15 to the close of the session."

EXCHANGE_FREEZE = {"SENSEX": 1000}
"""Freeze in units where the contract master does not know it; the exchange enforces it all the same."""
CHEAP = Decimal(50)
CHEAP_BAND = Decimal(20)
BAND = Decimal("0.4")
"""Limit price protection of index options: 20 rupees around up to 50, else 40 percent, on the aggressive side."""
SHARE_BAND = Decimal("0.2")
FUTURE_BAND = Decimal("0.1")


class NotAdmittedError(Exception):
    """The broker refuses the request; the text is the broker's sentence."""

    def __init__(self, text: str, http_status: int = 400) -> None:
        """`http_status` is what the gateway answers with."""
        super().__init__(text)
        self.text = text
        self.http_status = http_status


def admit(request: OrderRequest, floor: Floor) -> Contract:
    """The contract of an acceptable request. Raises NotAdmittedError with the broker's words."""
    contract = floor.find(request.key)
    if contract is None or not contract.tradable:
        raise NotAdmittedError(UNKNOWN_CONTRACT)
    for check in _CHECKS:
        check(request, contract, floor)
    return contract


def exchange_objection(request: OrderRequest, contract: Contract, floor: Floor) -> str:
    """Why the exchange rejects an order the broker let through; empty when it does not."""
    freeze = EXCHANGE_FREEZE.get(contract.underlying, 0) if contract.is_derivative else 0
    if freeze and request.units > freeze:
        return f"Exchange rejected: quantity {request.units} is above the freeze limit of {freeze}"
    if request.pricetype == "LIMIT" and _beyond_band(request, contract, floor):
        return f"Exchange rejected: price {request.price} is out of the current execution range"
    return ""


def needs_price(pricetype: PriceType) -> bool:
    """True for LIMIT and SL."""
    return pricetype in {"LIMIT", "SL"}


def needs_trigger(pricetype: PriceType) -> bool:
    """True for SL and SL-M."""
    return pricetype in {"SL", "SL-M"}


def _check_session(request: OrderRequest, _contract: Contract, floor: Floor) -> None:
    if not floor.is_open(request.exchange):
        raise NotAdmittedError(MARKET_CLOSED)


def _check_product(request: OrderRequest, contract: Contract, _floor: Floor) -> None:
    if contract.is_derivative and request.product == "CNC":
        raise NotAdmittedError("Invalid product. CNC is not allowed for derivatives.")
    if not contract.is_derivative and request.product == "NRML":
        raise NotAdmittedError("Invalid product. NRML is not allowed for equity.")


def _check_size(request: OrderRequest, contract: Contract, _floor: Floor) -> None:
    if request.units % contract.lot_units:
        raise NotAdmittedError(f"Quantity should be a multiple of {contract.lot_units}.")
    if 1 < contract.freeze_units < request.units:
        raise NotAdmittedError(
            f"Quantity exceeds the freeze limit of {contract.freeze_units} for {contract.broker_symbol}."
        )


def _check_prices(request: OrderRequest, contract: Contract, _floor: Floor) -> None:
    if needs_price(request.pricetype) and request.price <= 0:
        raise NotAdmittedError("Invalid `price`.")
    if needs_trigger(request.pricetype) and request.trigger_price <= 0:
        raise NotAdmittedError("Invalid `trigger_price`.")
    tick = Decimal(str(contract.tick_size))
    wanted = [request.price] if needs_price(request.pricetype) else []
    wanted += [request.trigger_price] if needs_trigger(request.pricetype) else []
    if any(price % tick for price in wanted):
        raise NotAdmittedError(
            f"Tick size for this script is {contract.tick_size}. "
            "Kindly enter price in the multiple of tick size for this script."
        )


def _check_trigger(request: OrderRequest, contract: Contract, floor: Floor) -> None:
    if not needs_trigger(request.pricetype):
        return
    last = rupees(floor.quote(contract).ltp)
    if request.action == "SELL" and request.trigger_price >= last:
        raise NotAdmittedError(
            f"Trigger price for stoploss sell orders should be lower than the last traded price ({last})."
        )
    if request.action == "BUY" and request.trigger_price <= last:
        raise NotAdmittedError(
            f"Trigger price for stoploss buy orders should be higher than the last traded price ({last})."
        )


def _beyond_band(request: OrderRequest, contract: Contract, floor: Floor) -> bool:
    reference = rupees(floor.quote(contract).ltp)
    width = _band(contract, reference)
    if request.action == "BUY":
        return request.price > reference + width
    return request.price < reference - width


def _band(contract: Contract, reference: Decimal) -> Decimal:
    if contract.is_option:
        return CHEAP_BAND if reference <= CHEAP else reference * BAND
    return reference * (FUTURE_BAND if contract.is_derivative else SHARE_BAND)


_CHECKS: tuple[Callable[[OrderRequest, Contract, Floor], None], ...] = (
    _check_product,
    _check_size,
    _check_prices,
    _check_session,
    _check_trigger,
)
