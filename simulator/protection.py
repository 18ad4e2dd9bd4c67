"""Price protection as many brokers do it: a market order leaves as a limit some way beyond the last price."""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from simulator.orders import OrderRequest

TICK = Decimal("0.05")
SLABS = ((Decimal(10), Decimal("0.05")), (Decimal(100), Decimal("0.03")), (Decimal(500), Decimal("0.02")))
BEYOND = Decimal("0.01")
"""Option premium below the first number: padded by the second, a fraction; above all: BEYOND."""


def protected(request: OrderRequest, last: Decimal) -> OrderRequest:
    """MARKET becomes LIMIT and SL-M becomes SL, padded from the last price or the trigger; others stay."""
    if request.pricetype == "MARKET":
        return replace(request, pricetype="LIMIT", price=padded(last, buying=request.action == "BUY"))
    if request.pricetype == "SL-M":
        price = padded(request.trigger_price, buying=request.action == "BUY")
        return replace(request, pricetype="SL", price=price)
    return request


def padded(price: Decimal, *, buying: bool) -> Decimal:
    """The protected limit, on the tick, never below one tick."""
    share = next((share for below, share in SLABS if price < below), BEYOND)
    raw = price * (1 + share) if buying else price * (1 - share)
    ticks = (raw / TICK).to_integral_value(ROUND_CEILING if buying else ROUND_FLOOR)
    return max(ticks * TICK, TICK)
