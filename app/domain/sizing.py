"""How many structures an account takes, and the numbers that this follows from: whoever has them gets the same."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from app.domain.errors import InvalidInput
from app.domain.money import PAISA, ZERO

HUNDRED = Decimal(100)
MOST_STRUCTURES = 500
MOST_LOTS = 10_000


class Grade(StrEnum):
    """How much of an account's free margin a trade may use; the percentages are a table that admins edit."""

    A = "A"
    B = "B"
    C = "C"


class Profile(StrEnum):
    """How accounts are sized: by a number of structures and a multiplier, or by their free margin."""

    FIXED_LOTS = "fixed_lots"
    AGGRESSIVE = "aggressive"
    BALANCED = "balanced"
    CONSERVATIVE = "conservative"

    @property
    def grade(self) -> Grade | None:
        """None: not sized by margin."""
        return _GRADES.get(self)


_GRADES = {Profile.AGGRESSIVE: Grade.A, Profile.BALANCED: Grade.B, Profile.CONSERVATIVE: Grade.C}


class Shortfall(StrEnum):
    """What follows when an account has too little. SKIP: it alone takes no part. SHRINK: nobody takes more structures
    than the smallest that takes any. REJECT: nobody takes part.
    """

    SKIP = "skip"
    SHRINK = "shrink"
    REJECT = "reject"


class Basis(StrEnum):
    """Whose figure the margin is: the broker's for the basket, the requirements table's, or cash for the premium."""

    BROKER = "broker"
    TABLE = "table"
    CASH = "cash"


@dataclass(frozen=True, slots=True)
class SizeRule:
    """How a strategy sizes its accounts. `max_structures` and `max_leg_lots` hold in each; None: no cap."""

    profile: Profile = Profile.FIXED_LOTS
    max_structures: int | None = None
    max_leg_lots: int | None = None
    shortfall: Shortfall = Shortfall.SKIP

    def check(self) -> None:
        """Raises InvalidInput naming the field."""
        if self.max_structures is not None and not 1 <= self.max_structures <= MOST_STRUCTURES:
            raise InvalidInput("max_structures", f"Take 1 to {MOST_STRUCTURES} structures at most, or leave it empty.")
        if self.max_leg_lots is not None and not 1 <= self.max_leg_lots <= MOST_LOTS:
            raise InvalidInput("max_leg_lots", f"Take 1 to {MOST_LOTS} lots at most, or leave it empty.")


BY_LOTS = SizeRule()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a sizing, who gave it, and when by the market's time (None for what is typed and has no moment)."""

    value: Decimal
    source: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """The most whole structures that somebody allows, and who."""

    structures: int
    whose: str


@dataclass(frozen=True, slots=True)
class Basket:
    """What a whole number of structures needs, in rupees, asked for as a whole."""

    structures: int
    needs: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The numbers that an account's size follows from. None: not used here, or nobody gives it.

    `wanted` structures and `multiplier` are of FIXED_LOTS alone; `percent` (of 100) and `one`, the rupees that one
    structure needs, of the other profiles. `free` is the rupees that the account can use for this, `reserved` those
    that runs just being entered will take of them. `baskets` are the sizes that were priced as a whole, in that order.
    `insists`: all that is wanted or nothing.
    """

    profile: Profile
    wanted: Figure | None = None
    multiplier: Figure | None = None
    free: Figure | None = None
    reserved: Figure | None = None
    percent: Figure | None = None
    basis: Basis | None = None
    one: Figure | None = None
    caps: tuple[Cap, ...] = ()
    baskets: tuple[Basket, ...] = ()
    insists: bool = False

    @property
    def usable(self) -> Decimal | None:
        """Rupees, whole paise, never below 0; None where nobody says what is free."""
        if self.free is None:
            return None
        left = self.free.value - (ZERO if self.reserved is None else self.reserved.value)
        share = HUNDRED if self.percent is None else self.percent.value
        return max(ZERO, left * share / HUNDRED).quantize(PAISA, ROUND_FLOOR)

    @property
    def needs(self) -> Decimal | None:
        """Rupees for the size as it stands; None where nobody gave a figure for it."""
        reached = size_of(self)
        return next((each.needs.value for each in self.baskets if each.structures == reached.structures), None)

    def with_basket(self, basket: Basket) -> "Sizing":
        return replace(self, baskets=(*self.baskets, basket))

    def capped(self, cap: Cap) -> "Sizing":
        """With one more cap. What was priced is of other sizes: it is priced anew."""
        return replace(self, caps=(*self.caps, cap), baskets=())


@dataclass(frozen=True, slots=True)
class Size:
    """Whole structures. Not settled: so many are to be priced as a whole before anybody may rely on them."""

    structures: int
    is_settled: bool


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


def before_caps(sizing: Sizing) -> Decimal:
    """Structures with their fraction, before they are rounded down and capped. Raises ValueError for half a sizing."""
    if sizing.profile is Profile.FIXED_LOTS:
        if sizing.wanted is None or sizing.multiplier is None:
            raise ValueError("Sizing by lots needs the structures that are wanted and a multiplier.")
        return sizing.wanted.value * sizing.multiplier.value
    usable = sizing.usable
    if usable is None or sizing.one is None:
        raise ValueError("Sizing by margin needs what is free and what one structure needs.")
    return usable / sizing.one.value


def size_of(sizing: Sizing) -> Size:
    """What the numbers come to. A size whose basket needs more than is usable steps down and is priced again.

    >>> free, one = Figure(Decimal(620000), "broker"), Figure(Decimal(94000), "broker")
    >>> sizing = Sizing(profile=Profile.BALANCED, free=free, percent=Figure(Decimal(65), "grade B"), one=one)
    >>> size_of(sizing)
    Size(structures=4, is_settled=False)
    >>> size_of(sizing.with_basket(Basket(4, Figure(Decimal(376000), "broker"))))
    Size(structures=4, is_settled=True)
    >>> size_of(sizing.with_basket(Basket(4, Figure(Decimal(410000), "broker"))))
    Size(structures=3, is_settled=False)
    """
    exact = before_caps(sizing)
    size = min([int(exact.to_integral_value(ROUND_FLOOR)), *(cap.structures for cap in sizing.caps)])
    usable = sizing.usable
    if sizing.basis is None and sizing.profile is Profile.FIXED_LOTS:
        return Size(size, is_settled=True)  # nobody gives a margin, which is said and not guessed
    for basket in sizing.baskets:
        if size == 0 or usable is None or basket.needs.value <= usable:
            return Size(size, is_settled=True)
        size = 0 if sizing.insists else min(size - 1, int(size * usable / basket.needs.value))
    return Size(size, is_settled=size == 0)
