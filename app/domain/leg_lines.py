"""Legs typed as lines of words: `SELL CE OTM 2`, `BUY PE 25900 x2`, `SELL FUT`."""

import re
from datetime import date
from decimal import Decimal

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import InvalidInput
from app.domain.strategy import ExpiryWord, LegSpec, StrikeMethod, StrikeRule
from app.domain.strategy_check import MAX_LEGS

_LINE = re.compile(
    r"(?P<side>BUY|SELL)\s+(?:(?P<future>FUT)|(?P<kind>CE|PE)\s+(?:(?P<word>ATM)|(?P<method>ITM|OTM|NEAR)\s+"
    r"(?P<value>[0-9]{1,7}(?:\.[0-9]{1,2})?)|(?P<strike>[0-9]{1,7}(?:\.[0-9]{1,2})?)))(?:\s+X\s*(?P<ratio>[0-9]{1,2}))?"
)
_METHODS = {"ITM": StrikeMethod.ITM, "OTM": StrikeMethod.OTM, "NEAR": StrikeMethod.PREMIUM_NEAR}
_EXAMPLE = "Write one leg in a line, as SELL CE ATM, BUY PE OTM 4 x2, SELL CE 26400, BUY CE NEAR 50 or SELL FUT."


def legs_of_lines(
    text: str, underlying: str, expiry: ExpiryWord | date, product: Product = Product.NRML
) -> tuple[LegSpec, ...]:
    r"""All in one index and expiry, in the order of their lines. Raises InvalidInput naming `legs` and the line.

    >>> [leg.strike.value for leg in legs_of_lines("sell ce otm 2 x2\nBUY PE 25900", "NIFTY", ExpiryWord.NEXT_WEEK)]
    [Decimal('2'), Decimal('25900')]
    """
    lines = [" ".join(line.upper().split()) for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MAX_LEGS:
        raise InvalidInput("legs", f"Type 1 to {MAX_LEGS} legs. {_EXAMPLE}")
    return tuple(_leg(number, line, underlying, expiry, product) for number, line in enumerate(lines, 1))


def _leg(number: int, line: str, underlying: str, expiry: ExpiryWord | date, product: Product) -> LegSpec:
    found = _LINE.fullmatch(line) if line.isascii() else None
    if found is None:
        raise InvalidInput("legs", f"Line {number} is not a leg. {_EXAMPLE}")
    kind = Kind.FUT if found["future"] else Kind(found["kind"])
    ratio = int(found["ratio"] or 1)
    return LegSpec(number, underlying, kind, expiry, _strike(found), Side(found["side"]), ratio, product)


def _strike(found: re.Match[str]) -> StrikeRule | None:
    """None for a future."""
    if found["future"]:
        return None
    if found["word"]:
        return StrikeRule(StrikeMethod.ATM)
    if found["strike"]:
        return StrikeRule(StrikeMethod.STRIKE, Decimal(found["strike"]))
    return StrikeRule(_METHODS[found["method"]], Decimal(found["value"]))
