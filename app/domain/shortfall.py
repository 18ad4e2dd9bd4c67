"""What the other accounts of a run do when one has too little for its size."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR

from app.domain.errors import Refused
from app.domain.size_words import shortage
from app.domain.sizing import Cap, Profile, Shortfall, Sizing, before_caps, size_of

SMALLEST = "the smallest account"


def falls_short(sizing: Sizing) -> bool:
    """Whether its money, and no cap and no multiplier, leaves an account with less than it should have.

    By margin that is nothing at all; there is no other size that it should have.
    """
    reached = size_of(sizing).structures
    if sizing.profile is not Profile.FIXED_LOTS:
        return reached == 0
    wanted = int(before_caps(sizing).to_integral_value(ROUND_FLOOR))
    return reached < min([wanted, *(cap.structures for cap in sizing.caps)])


def shared(shortfall: Shortfall, sizings: Mapping[str, Sizing]) -> dict[str, Sizing]:
    """The sizings, by account name, after what the strategy says of those that fall short.

    Under SHRINK everybody takes no more structures than the smallest that takes any: always by margin, by lots when
    somebody falls short. What is capped by that is to be priced anew. Raises Refused under REJECT, naming who falls
    short.
    """
    short = [name for name, sizing in sizings.items() if falls_short(sizing)]
    if shortfall is Shortfall.REJECT and short:
        raise Refused(
            f"{', '.join(short)}: too little to take part, and this strategy then begins nothing at all. "
            f"{shortage(sizings[short[0]])} Add funds, leave it out, or choose another rule for that."
        )
    sizes = {name: size_of(sizing).structures for name, sizing in sizings.items()}
    taking = [size for size in sizes.values() if size]
    by_lots = all(sizing.profile is Profile.FIXED_LOTS for sizing in sizings.values())
    if shortfall is not Shortfall.SHRINK or not taking or (by_lots and not short):
        return dict(sizings)
    least = min(taking)
    return {
        name: sizing.capped(Cap(least, SMALLEST)) if sizes[name] > least else sizing for name, sizing in sizings.items()
    }
