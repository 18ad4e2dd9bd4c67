"""What a set of positions needs as margin at the broker: a scan over index moves, plus exposure on what is short."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from simulator.contracts import Contract
from simulator.holdings import MarginView
from simulator.market import Market
from simulator.noise import FloatArray
from simulator.orders import ZERO, Product

SCAN_RANGE = {"NIFTY": 0.09, "SENSEX": 0.09, "BANKNIFTY": 0.105}
SHARE_SCAN_RANGE = 0.16
SCENARIOS = np.array([-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 1.0])
EXPOSURE = 0.02
EXPIRY_DAY_EXTRA = 0.02
INTRADAY_SHARE = Decimal("0.2")
PAISA = Decimal("0.01")


@dataclass(frozen=True)
class Exposure:
    """Signed units of a contract (negative short) and the rupees per unit at which a purchase would be paid."""

    contract: Contract
    product: Product
    signed_units: int
    price: Decimal


def margin_needed(market: Market, today: date, exposures: Iterable[Exposure]) -> MarginView:
    """Margin of the exposures held together; total includes what has to be paid for them.

    Long legs of the same underlying reduce the scan (hedge benefit). On its expiry day a leg gets no benefit from
    later expiries, and a short option that expires needs more exposure margin.
    """
    legs = [exposure for exposure in exposures if exposure.signed_units]
    groups: defaultdict[tuple[str, bool], list[Exposure]] = defaultdict(list)
    for leg in legs:
        if leg.contract.is_derivative:
            groups[leg.contract.underlying, leg.contract.expiry == today].append(leg)
    span = sum((_scan(market, name, group) for (name, _), group in groups.items()), 0.0)
    exposure = sum((_exposure(market, today, leg) for leg in legs), 0.0)
    intraday = sum((_intraday(leg) for leg in legs), ZERO)
    span_rupees, exposure_rupees = _money(span), _money(exposure) + intraday
    return MarginView(span_rupees + exposure_rupees + payable(legs), span_rupees, exposure_rupees)


def payable(legs: Sequence[Exposure]) -> Decimal:
    """Net rupees to pay for options and delivery shares; zero when the net is received."""
    options = sum((leg.signed_units * leg.price for leg in legs if leg.contract.is_option), ZERO)
    shares = sum((leg.signed_units * leg.price for leg in legs if _delivery(leg)), ZERO)
    return max(options, ZERO) + max(shares, ZERO)


def _delivery(leg: Exposure) -> bool:
    return leg.contract.kind == "EQ" and leg.product == "CNC"


def _intraday(leg: Exposure) -> Decimal:
    if leg.contract.kind != "EQ" or leg.product == "CNC":
        return ZERO
    return (abs(leg.signed_units) * leg.price * INTRADAY_SHARE).quantize(PAISA, ROUND_HALF_UP)


def _scan(market: Market, name: str, legs: Sequence[Exposure]) -> float:
    """The dearest cost of closing the group over all scenarios, never below zero."""
    moves = SCENARIOS * SCAN_RANGE.get(name, SHARE_SCAN_RANGE)
    cost = np.zeros(len(moves))
    for leg in legs:
        values = market.values_after(leg.contract, moves)
        cost -= leg.signed_units * (values if leg.contract.is_option else values - market.spot_value(leg.contract))
    return max(0.0, float(cost.max()))


def _exposure(market: Market, today: date, leg: Exposure) -> float:
    contract = leg.contract
    if not contract.is_derivative or (contract.is_option and leg.signed_units > 0):
        return 0.0
    notional = abs(leg.signed_units) * market.spot(contract.underlying)
    extra = EXPIRY_DAY_EXTRA if contract.is_option and contract.expiry == today else 0.0
    return notional * (EXPOSURE + extra)


def _money(amount: float | FloatArray) -> Decimal:
    return Decimal(repr(float(amount))).quantize(PAISA, ROUND_HALF_UP)
