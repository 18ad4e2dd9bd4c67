"""How many structures an account takes, and the explanation that goes with the number."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from app.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Explanation:
    """Lines for the trader, in the order the sizing was worked out. Immutable: `plus` gives a longer one."""

    lines: tuple[str, ...] = ()

    def plus(self, *more: str) -> "Explanation":
        return Explanation((*self.lines, *more))


def fixed_structures(structures: int, multiplier: Decimal) -> int:
    """Whole structures for an account: floor(structures x multiplier). 0 means that it takes no part.

    Raises InvalidInput for structures below 1 or a multiplier that is negative or not a number.

    >>> fixed_structures(1, Decimal("2.5")), fixed_structures(1, Decimal("0.5")), fixed_structures(3, Decimal("0.5"))
    (2, 0, 1)
    """
    if structures < 1:
        raise InvalidInput("structures", f"{structures} structures cannot be traded. Take 1 or more.")
    if not (multiplier.is_finite() and multiplier >= 0):
        raise InvalidInput("multiplier", f"{multiplier} is not a multiplier. Take 0 or more.")
    return int((structures * multiplier).to_integral_value(ROUND_FLOOR))


def explain_fixed(structures: int, multiplier: Decimal) -> Explanation:
    """Where the number of structures comes from.

    >>> explain_fixed(3, Decimal("0.5")).lines
    ('3 structures x multiplier 0.5 = 1.5, rounded down to 1',)
    """
    exact = structures * multiplier
    whole = fixed_structures(structures, multiplier)
    rounded = "" if exact == whole else f", rounded down to {whole}"
    return Explanation((f"{_counted(structures)} x multiplier {_plain(multiplier)} = {_plain(exact)}{rounded}",))


def _counted(structures: int) -> str:
    return f"{structures} structure{'' if structures == 1 else 's'}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
