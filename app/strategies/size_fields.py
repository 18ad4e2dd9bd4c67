"""The builder's fields of how accounts are sized, as what they mean."""

from app.domain.sizing import MOST_LOTS, MOST_STRUCTURES, Profile, Shortfall, SizeRule
from app.strategies.floor_fields import Reader
from app.strategies.typed import Typed
from app.web.typed_numbers import NotThat, quoted, whole


def size_rule_of(reader: Reader, typed: Typed) -> SizeRule:
    """What is wrong with a field is noted; then what comes back is not used."""
    profile = reader.take("profile", lambda: _profile(typed.profile))
    structures = reader.take("max_structures", lambda: _cap(typed.max_structures, MOST_STRUCTURES))
    lots = reader.take("max_leg_lots", lambda: _cap(typed.max_leg_lots, MOST_LOTS))
    shortfall = reader.take("shortfall", lambda: _shortfall(typed.shortfall))
    return SizeRule(profile or Profile.FIXED_LOTS, structures, lots, shortfall or Shortfall.SKIP)


def _cap(text: str, most: int) -> int | None:
    return whole(text, 1, most) if text else None


def _profile(text: str) -> Profile:
    try:
        return Profile(text)
    except ValueError:
        raise NotThat(f"{quoted(text)} is no way to size an account. Choose one of the list.") from None


def _shortfall(text: str) -> Shortfall:
    try:
        return Shortfall(text)
    except ValueError:
        raise NotThat(
            f"{quoted(text)} is no rule for an account that has too little. Choose one of the list."
        ) from None
