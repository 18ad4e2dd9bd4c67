"""Stops and targets of single legs, measured from the average price that each account has of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import Kind, Side
from app.domain.errors import InvalidInput
from app.domain.wording import price as price_words

HUNDRED = Decimal(100)
MOST_PERCENT = Decimal(1000)
"""Ten times the average more: a stop beyond that guards nothing."""


class Measure(StrEnum):
    """What the size of a level is: percent of the average, rupees from it, or the premium itself in rupees."""

    PERCENT = "percent"
    POINTS = "points"
    PREMIUM = "premium"


@dataclass(frozen=True, slots=True)
class Level:
    """How far away a price is at which a leg is left."""

    measure: Measure
    size: Decimal


@dataclass(frozen=True, slots=True)
class LegRule:
    """Where leg number `leg` is left; None for no such rule."""

    leg: int
    stop: Level | None = None
    target: Level | None = None


@dataclass(frozen=True, slots=True)
class LegRules:
    """The rules of single legs. `to_cost`: when one stops out, the stops of the others go to their average."""

    legs: tuple[LegRule, ...] = ()
    to_cost: bool = False

    def of(self, leg: int) -> LegRule | None:
        return next((rule for rule in self.legs if rule.leg == leg), None)


NO_LEG_RULES = LegRules()


class Reached(StrEnum):
    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class LegLevels:
    """The prices in rupees at which one account leaves a leg, None for none that a price could reach.

    `side` is that of the entry: a sold leg stops when its price rises, a bought one when it falls.
    """

    side: Side
    stop: Decimal | None
    target: Decimal | None

    def reached(self, price: Decimal) -> Reached | None:
        """The stop goes first where both are. `price` is above 0 and fresh: whoever asks makes sure of it."""
        away = -self.side.sign
        if self.stop is not None and (price - self.stop) * away >= 0:
            return Reached.STOP
        if self.target is not None and (price - self.target) * away <= 0:
            return Reached.TARGET
        return None


def levels(rule: LegRule, side: Side, average: Decimal, *, at_cost: bool = False) -> LegLevels:
    """Where an account with this average leaves. `at_cost`: another leg of it has stopped out, and its run says so.

    A stop at cost is the average itself, unless the rule's own stop is nearer. A leg without a stop gets none.

    >>> quarter = LegRule(1, stop=Level(Measure.PERCENT, Decimal(25)))
    >>> levels(quarter, Side.SELL, Decimal(100)).stop, levels(quarter, Side.BUY, Decimal(100)).stop
    (Decimal('125'), Decimal('75'))
    >>> levels(quarter, Side.SELL, Decimal(100), at_cost=True).stop
    Decimal('100')
    """
    away = -side.sign
    stop = None if rule.stop is None else _price(rule.stop, average, away)
    if at_cost and rule.stop is not None:
        stop = average if stop is None else min(stop, average) if away > 0 else max(stop, average)
    return LegLevels(side, stop, None if rule.target is None else _price(rule.target, average, -away))


def _price(level: Level, average: Decimal, away: int) -> Decimal | None:
    """None where it would be 0 or less, which no price is."""
    if level.measure is Measure.PERCENT:
        found = average * (HUNDRED + away * level.size) / HUNDRED
    elif level.measure is Measure.POINTS:
        found = average + away * level.size
    else:
        found = level.size
    return found if found > 0 else None


def check_rule(rule: LegRule, side: Side) -> None:
    """Raises InvalidInput naming `stop_size` or `target_size`."""
    _check("stop_size", "stop", rule.stop, falls=side is Side.BUY)
    _check("target_size", "target", rule.target, falls=side is Side.SELL)
    if rule.stop is None or rule.target is None or {rule.stop.measure, rule.target.measure} != {Measure.PREMIUM}:
        return
    if (rule.stop.size - rule.target.size) * side.sign >= 0:
        where = "below" if side is Side.BUY else "above"
        raise InvalidInput("stop_size", f"The stop of this leg has to lie {where} its target. Look at both premiums.")


def _check(field: str, what: str, level: Level | None, *, falls: bool) -> None:
    if level is None:
        return
    if not (level.size.is_finite() and level.size > 0):
        raise InvalidInput(field, f"A {what} lies some way off: give a number above 0, or choose none.")
    if level.measure is Measure.PERCENT and level.size > MOST_PERCENT:
        raise InvalidInput(field, f"{level.size} percent is too far off to be a {what}. Take {MOST_PERCENT} at most.")
    if level.measure is Measure.PERCENT and falls and level.size >= HUNDRED:
        raise InvalidInput(field, f"No price falls by {level.size} percent. Take less than 100.")


def check_reach(rule: LegRule, side: Side, price: Decimal) -> None:
    """Whether a leg that enters at `price` is not left at once, and could be left at all. Raises InvalidInput."""
    found = levels(rule, side, price)
    for field, what, level, at in (
        ("stop_size", "stop", rule.stop, found.stop),
        ("target_size", "target", rule.target, found.target),
    ):
        if level is not None and at is None:
            raise InvalidInput(field, f"its {what} would lie below 0, as it enters at about {price_words(price)}.")
    if (reached := found.reached(price)) is not None:
        at = found.stop if reached is Reached.STOP else found.target
        raise InvalidInput(
            f"{reached.value}_size",
            f"its {reached.value} at {price_words(at)} is reached already, as it enters at about {price_words(price)}.",
        )


@dataclass(frozen=True, slots=True)
class RuledLeg:
    """A leg as far as its rule and who it hedges go."""

    number: int
    underlying: str
    kind: Kind
    side: Side


def words(rules: LegRules, legs: Iterable[RuledLeg]) -> tuple[str, ...]:
    """A sentence for each leg that has a rule, and what leaves with it.

    A bought leg that leaves takes the sold ones of its index and kind along: they would lose their hedge.
    """
    every = list(legs)
    found = [_words(rule, leg, every) for leg in every if (rule := rules.of(leg.number)) is not None]
    if found and rules.to_cost:
        found.append("When a leg stops out, the stops of its account's other legs go to their average.")
    return tuple(found)


def _words(rule: LegRule, leg: RuledLeg, every: list[RuledLeg]) -> str:
    parts = [f"{what} {level_words(level)}" for what, level in (("stop", rule.stop), ("target", rule.target)) if level]
    along = [str(other.number) for other in every if is_hedged_by(other, leg)]
    takes = f" It takes leg {' and '.join(along)} along, which it hedges." if along else ""
    return f"Leg {leg.number}: {', '.join(parts)}.{takes}"


def is_hedged_by(short: RuledLeg, long: RuledLeg) -> bool:
    """Whether this sold leg is left with that bought one."""
    hedges = short.side is Side.SELL and long.side is Side.BUY
    return hedges and (short.underlying, short.kind) == (long.underlying, long.kind)


def level_words(level: Level) -> str:
    """As `25 % from each account's average`."""
    if level.measure is Measure.PREMIUM:
        return f"at a premium of {price_words(level.size)}"
    unit = " %" if level.measure is Measure.PERCENT else " points"
    return f"{level.size.normalize():f}{unit} from each account's average"
