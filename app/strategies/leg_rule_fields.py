"""The builder's fields of stops and targets of single legs, as what they mean."""

from decimal import Decimal

from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.strategies.floor_fields import Reader
from app.strategies.typed import LegText, Typed
from app.web.typed_numbers import NotThat, amount, quoted

MOST = Decimal(1_000_000)
PLACES = 2


def leg_rules_of(reader: Reader, typed: Typed) -> LegRules:
    """What is wrong with a field is noted; then what comes back is not used. Legs are numbered from 1 as they stand."""
    rules = (_rule(reader, number, leg) for number, leg in enumerate(typed.legs, 1))
    found = tuple(rule for rule in rules if rule.stop is not None or rule.target is not None)
    to_cost = reader.take("to_cost", lambda: _to_cost(typed, found))
    return LegRules(found, to_cost or False)


def _rule(reader: Reader, number: int, leg: LegText) -> LegRule:
    return LegRule(
        number,
        stop=_level(reader, leg, "stop", leg.stop_measure, leg.stop_size),
        target=_level(reader, leg, "target", leg.target_measure, leg.target_size),
    )


def _level(reader: Reader, leg: LegText, what: str, measure: str, size: str) -> Level | None:
    field = leg.field(f"{what}_size")
    if not measure:
        reader.take(field, lambda: _unused(what, size))
        return None
    known = reader.take(leg.field(f"{what}_measure"), lambda: _measure(measure))
    read = reader.take(field, lambda: _size(what, size))
    return None if known is None or read is None else Level(known, read)


def _measure(text: str) -> Measure:
    try:
        return Measure(text)
    except ValueError:
        offered = ", ".join(measure.value for measure in Measure)
        raise NotThat(f"{quoted(text)} is no way to measure. Choose one of {offered}.") from None


def _size(what: str, text: str) -> Decimal:
    if not text:
        raise NotThat(f"How far off is the {what}? Type a number, or choose none.")
    return amount(text, MOST, PLACES, "25")


def _unused(what: str, text: str) -> None:
    if text:
        raise NotThat(f"Say how the {what} is measured, or empty the field.")


def _to_cost(typed: Typed, rules: tuple[LegRule, ...]) -> bool:
    if typed.to_cost not in {"", "yes"}:
        raise NotThat(f"{quoted(typed.to_cost)} cannot be used. Choose one of the list.")
    if typed.to_cost and sum(rule.stop is not None for rule in rules) < 2:
        raise NotThat("Stops move to cost when another leg stops out: give at least two legs a stop, or leave it.")
    return bool(typed.to_cost)
