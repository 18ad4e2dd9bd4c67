"""Which listed strike a rule means, from one spot reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain import wording
from app.domain.contracts import Kind
from app.domain.errors import NoFreshPrice, NotFound, Refused
from app.domain.strategy import StrikeMethod, StrikeRule

PREMIUM_TOLERANCE = Decimal("0.20")
"""A premium further than this from the wanted one is worth a warning."""


@dataclass(frozen=True, slots=True)
class StrikeChoice:
    """A strike, how it was found, and what the trader should know about it (None: nothing)."""

    strike: Decimal
    note: str
    warning: str | None = None


def atm(strikes: Sequence[Decimal], spot: Decimal) -> Decimal:
    """The listed strike nearest to spot; a tie goes to the lower one. Raises Refused when none is listed.

    >>> atm([Decimal(24950), Decimal(25000), Decimal(25050)], Decimal("25012.40"))
    Decimal('25000')
    >>> atm([Decimal(25000), Decimal(25050)], Decimal(25025))
    Decimal('25000')
    """
    if not strikes:
        raise Refused("No strikes are listed for that expiry. Refresh the contract list or choose another expiry.")
    if not spot > 0:
        raise NoFreshPrice("There is no spot price to choose strikes from. Wait for the index to tick.")
    return min(strikes, key=lambda strike: (abs(strike - spot), strike))


def resolve_strike(
    rule: StrikeRule, kind: Kind, strikes: Sequence[Decimal], spot: Decimal, premiums: Mapping[Decimal, Decimal]
) -> StrikeChoice:
    """The strike that `rule` means for options of `kind`.

    `strikes` are those listed for that kind and expiry; `premiums` maps strikes to their last valid price in rupees
    and is read by PREMIUM_NEAR alone. Raises Refused or NotFound when the rule has no strike, NoFreshPrice when
    PREMIUM_NEAR has no quote to go by (it never falls back to ATM).

    With spot 25,012.40 and strikes every 50: ATM 25000, CE OTM 2 = 25100, PE OTM 2 = 24900, CE ITM 1 = 24950.
    """
    if not kind.is_option:
        raise Refused("A future has no strike. Remove the strike rule.")
    if rule.method is StrikeMethod.PREMIUM_NEAR:
        return _premium_near(_value(rule), kind, strikes, premiums)
    if rule.method is StrikeMethod.STRIKE:
        return _typed(_value(rule), strikes)
    return _stepped(rule, kind, strikes, spot)


def _value(rule: StrikeRule) -> Decimal:
    if rule.value is None:
        raise Refused(f"{rule.method} needs a value.")
    return rule.value


def _typed(wanted: Decimal, strikes: Sequence[Decimal]) -> StrikeChoice:
    if wanted in strikes:
        return StrikeChoice(wanted, "strike as typed")
    near = f" The nearest is {_written(min(strikes, key=lambda s: (abs(s - wanted), s)))}." if strikes else ""
    raise NotFound(f"Strike {_written(wanted)} is not listed.{near}")


def _stepped(rule: StrikeRule, kind: Kind, strikes: Sequence[Decimal], spot: Decimal) -> StrikeChoice:
    ordered = sorted(set(strikes))
    centre = atm(ordered, spot)
    if rule.method is StrikeMethod.ATM:
        return StrikeChoice(centre, f"ATM of {wording.price(spot)}")
    steps = _value(rule)
    if steps != int(steps) or not 1 <= steps <= 20:
        raise Refused(f"{rule.method} takes a whole number of strikes from 1 to 20, not {steps}.")
    # Out of the money is above spot for a call and below it for a put.
    upward = (kind is Kind.CE) == (rule.method is StrikeMethod.OTM)
    place = ordered.index(centre) + (int(steps) if upward else -int(steps))
    if not 0 <= place < len(ordered):
        beyond = f"{rule.method} {int(steps)} of ATM {_written(centre)} lies beyond the listed strikes."
        raise Refused(f"{beyond} Choose fewer steps.")
    return StrikeChoice(ordered[place], f"{rule.method} {int(steps)} of {wording.price(spot)} (ATM {_written(centre)})")


def _written(strike: Decimal) -> str:
    """A strike as pages show it: `25,100`, `97.50`."""
    return wording.price(strike).removesuffix(".00")


def _premium_near(
    wanted: Decimal, kind: Kind, strikes: Sequence[Decimal], premiums: Mapping[Decimal, Decimal]
) -> StrikeChoice:
    quoted = {strike: premiums[strike] for strike in strikes if premiums.get(strike, Decimal(0)) > 0}
    if not quoted:
        raise NoFreshPrice(f"No {kind} of that expiry has a price, so none near {wanted} can be chosen. Try again.")
    strike, premium = min(quoted.items(), key=lambda pair: (abs(pair[1] - wanted), pair[1], pair[0]))
    warning = None
    if abs(premium - wanted) > wanted * PREMIUM_TOLERANCE:
        warning = f"The nearest premium is {premium}, more than 20 % from {wanted}."
    return StrikeChoice(strike, f"premium {premium}, nearest to {wanted}", warning)
