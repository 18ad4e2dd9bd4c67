"""Whether a settlement price that somebody types can be true: one close of the index sets those of a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import Contract, Kind
from app.domain.errors import InvalidInput
from app.domain.money import PAISA, ZERO

SLACK = Decimal("0.10")
"""Rupees by which two of them may contradict each other: brokers round to the tick."""
MOST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Settled:
    """What one unit of an expired contract was settled at; 0 for an option that ended worthless."""

    contract: Contract
    price: Decimal


@dataclass(frozen=True, slots=True)
class _Close:
    """Where the index can have closed; None: no bound."""

    low: Decimal | None
    high: Decimal | None


def check_settlement(typed: Settled, others: Iterable[Settled]) -> None:
    """`others` are known ones of the same underlying and expiry. Raises InvalidInput naming `price`.

    A call of 25,000 at 12.35 says that the index closed at 25,012.35; a put of 25,000 above nothing cannot stand
    beside it, and neither can a call of 24,900 at 100.
    """
    contract, price = typed.contract, typed.price
    if not (price.is_finite() and ZERO <= price <= MOST) or price != price.quantize(PAISA):
        raise InvalidInput("price", "A settlement price is rupees of one unit, 0 or more, with two decimals at most.")
    if contract.strike is None:
        if price == 0:
            raise InvalidInput("price", "A future is settled at the close of its index, which is above 0.")
    elif price >= contract.strike:
        words = "That looks like the close of the index. Type what one unit of this option was settled at."
        raise InvalidInput("price", words)
    close = _close(typed)
    for other in others:
        if _contradict(close, _close(other)):
            raise InvalidInput(
                "price",
                f"{other.contract.key.symbol} is known to be settled at {other.price:.2f}: both cannot be true of one "
                "close of the index. Correct the wrong one.",
            )


def _close(settled: Settled) -> _Close:
    contract, price = settled.contract, settled.price
    if contract.strike is None:
        return _Close(price, price)
    sign = 1 if contract.kind is Kind.CE else -1
    at = contract.strike + sign * price
    if price > 0:
        return _Close(at, at)
    return _Close(None, at) if contract.kind is Kind.CE else _Close(at, None)


def _contradict(one: _Close, other: _Close) -> bool:
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return bool(lows and highs) and max(lows) - min(highs) > SLACK
