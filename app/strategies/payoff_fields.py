"""What is asked of a payoff: the builder's legs as typed, and where its three sliders stand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from app.domain.errors import InvalidInput
from app.domain.planning import check_strategy
from app.domain.strategy import LegSpec, StrategySpec
from app.strategies.forms import FormRefused, parse_legs, refused_fields
from app.strategies.typed import Typed, read
from app.web.typed_numbers import quoted

SLIDERS = {"whatif_spot": 15.0, "whatif_days": 400.0, "whatif_iv": 50.0}
"""How far each goes: percent of the index either way, days from now, percentage points of volatility either way."""
_NUMBER = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Sliders:
    """`spot` in percent of the index, `days` from now, `volatility` in percentage points; all 0 for as it is."""

    spot: float = 0.0
    days: float = 0.0
    volatility: float = 0.0


AS_IT_IS = Sliders()


@dataclass(frozen=True, slots=True)
class Asked:
    legs: tuple[LegSpec, ...]
    structures: int
    sliders: Sliders


def asked(form: MultiDict[str, str]) -> Asked:
    """Of the builder's form with the sliders. Raises FormRefused naming the fields that are wrong."""
    typed = read(MultiDict((name, text) for name, text in form.items(multi=True) if name not in SLIDERS))
    errors: dict[str, str] = {}
    sliders = Sliders(*(_slider(form, name, errors) for name in SLIDERS))
    try:
        legs, structures = _legs(typed)
    except FormRefused as refused:
        errors |= refused.errors
    if errors:
        raise FormRefused(errors)
    return Asked(legs, structures, sliders)


def asked_first(typed: Typed) -> Asked | Mapping[str, str]:
    """Of the builder as it is opened; a sentence for each wrong field while its legs cannot be read."""
    try:
        legs, structures = _legs(typed)
    except FormRefused as refused:
        return refused.errors
    return Asked(legs, structures, AS_IT_IS)


def _legs(typed: Typed) -> tuple[tuple[LegSpec, ...], int]:
    """As a saved strategy might have them. Raises FormRefused."""
    legs, structures = parse_legs(typed)
    try:
        if legs:
            check_strategy(StrategySpec("Payoff", legs, structures, None, None))
    except InvalidInput as wrong:
        raise refused_fields(wrong, typed) from wrong
    return legs, structures


def _slider(form: MultiDict[str, str], name: str, errors: dict[str, str]) -> float:
    texts, most = form.getlist(name), SLIDERS[name]
    least = 0.0 if name == "whatif_days" else -most
    if len(texts) > 1:
        errors[name] = f"{name} was sent more than once. Reload the page and send it once."
        return 0.0
    if not texts:
        return 0.0
    if not _NUMBER.fullmatch(texts[0]) or not least <= float(texts[0]) <= most:
        errors[name] = f"{quoted(texts[0])} cannot be used for {name}. Take a number from {least:g} to {most:g}."
        return 0.0
    return float(texts[0])
