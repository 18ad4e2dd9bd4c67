"""What a day's fills cost at the broker: brokerage, taxes and fees by the dated table of November 2026."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulator.contracts import Contract, ContractKey
from simulator.orders import ZERO, Fill

BROKERAGE_PER_ORDER = Decimal(20)
GST = Decimal("0.18")
SEBI_FEE = Decimal("0.000001")
"""Ten rupees per crore of turnover."""


@dataclass(frozen=True)
class Rates:
    """Fractions of turnover (premium for options). Transaction tax on sales, stamp duty on purchases."""

    transaction_tax: Decimal
    exchange_fee: Decimal
    stamp: Decimal


RATES: Mapping[tuple[str, str], Rates] = {
    ("NFO", "option"): Rates(Decimal("0.0015"), Decimal("0.0003553"), Decimal("0.00003")),
    ("BFO", "option"): Rates(Decimal("0.0015"), Decimal("0.000325"), Decimal("0.00003")),
    ("NFO", "future"): Rates(Decimal("0.0005"), Decimal("0.0000173"), Decimal("0.00002")),
    ("BFO", "future"): Rates(Decimal("0.0005"), Decimal(0), Decimal("0.00002")),
    ("NSE", "share"): Rates(Decimal("0.00025"), Decimal("0.0000297"), Decimal("0.00003")),
    ("BSE", "share"): Rates(Decimal("0.00025"), Decimal("0.0000375"), Decimal("0.00003")),
}


def charges(fills: Iterable[Fill], contracts: Mapping[ContractKey, Contract]) -> Decimal:
    """Total in rupees, positive. Brokerage counts once per order; tax and stamp are rounded to the rupee."""
    fee = tax = stamp = ZERO
    orders = set()
    for fill in fills:
        contract = contracts[fill_key(fill)]
        rates = RATES[contract.exchange, _segment(contract)]
        turnover = fill.units * fill.price
        orders.add(fill.orderid)
        fee += turnover * (rates.exchange_fee + SEBI_FEE)
        if fill.action == "SELL":
            tax += turnover * rates.transaction_tax
        else:
            stamp += turnover * rates.stamp
    brokerage = BROKERAGE_PER_ORDER * len(orders)
    total = brokerage + fee + (brokerage + fee) * GST + _rupee(tax) + _rupee(stamp)
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)


def fill_key(fill: Fill) -> ContractKey:
    """The contract of a fill."""
    return ContractKey(fill.symbol, fill.exchange)


def _segment(contract: Contract) -> str:
    if contract.is_option:
        return "option"
    return "future" if contract.is_derivative else "share"


def _rupee(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)
