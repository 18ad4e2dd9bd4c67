"""A new strategy as another page's link asks for it: a template, or options picked in a chain."""

import re
from dataclasses import replace

from werkzeug.datastructures import MultiDict

from app.domain.contracts import underlying_named
from app.domain.errors import InvalidInput, NotFound
from app.domain.structures import Structure, legs_of, structure_named
from app.services.own_templates import OwnTemplate
from app.services.strategies import SavedStrategy
from app.strategies.forms import MOST_STRIKE, parse_expiry
from app.strategies.typed import LegText, Typed, plain, stored
from app.web.desk import Desk
from app.web.expiry_choices import later_expiry, usual_expiry
from app.web.typed_numbers import NotThat, amount, quoted

MOST_PICKED = 20
OWN = "own:"
_OWN = re.compile(f"{OWN}([1-9][0-9]{{0,8}})")


def picked(desk: Desk, user_id: int, start: Typed, query: MultiDict[str, str]) -> Typed:
    """`start` with what the address asks for. Raises InvalidInput naming the part that cannot be used, NotFound."""
    for name in ("template", "underlying", "expiry"):
        if len(query.getlist(name)) > 1:
            raise InvalidInput(name, f"{name} stands in this address more than once. Follow the link again.")
    underlying = underlying_named(query.get("underlying", "NIFTY")).name
    expiry = query.get("expiry")
    if expiry is not None:
        _check_expiry(expiry)
    key = query.get("template", "")
    if is_own(key):
        start = with_own(start, own_template(desk, user_id, key))
    elif key:
        start = with_structure(desk, start, structure_named(key), underlying, expiry)
    legs = query.getlist("leg")
    if len(legs) > MOST_PICKED:
        raise InvalidInput("leg", f"At most {MOST_PICKED} legs fit into one strategy.")
    for text in legs:
        start = start.with_leg(_leg(text, underlying, expiry or usual_expiry(desk, underlying).value))
    return start


def with_structure(desk: Desk, typed: Typed, structure: Structure, underlying: str, expiry: str | None = None) -> Typed:
    """The template's legs instead of what was there; a name is proposed where none was typed.

    Raises Refused where a second expiry is needed and none is known.
    """
    first = usual_expiry(desk, underlying) if expiry is None else parse_expiry(expiry)
    later = later_expiry(desk, underlying, first) if structure.has_later else None
    found = typed.with_legs(legs_of(structure, underlying, first, later))
    return replace(found, name=typed.name or f"{structure.name} {underlying}")


def with_own(typed: Typed, template: OwnTemplate) -> Typed:
    """The template's legs, sizes and rules instead of what was there; name, accounts, schedule and notes stay."""
    kept = stored(SavedStrategy(0, template.spec, {}, archived=False, changed_at=template.changed_at))
    return replace(
        kept,
        name=typed.name or template.name,
        notes=typed.notes,
        start_at=typed.start_at,
        start_days=typed.start_days,
        start_with=typed.start_with,
        chosen=typed.chosen,
        groups=typed.groups,
        multipliers=typed.multipliers,
        limits=typed.limits,
        template_underlying=typed.template_underlying,
    )


def own_template(desk: Desk, user_id: int, key: str) -> OwnTemplate:
    """Of the key of a template of one's own, `own:3`. Raises NotFound."""
    found = _OWN.fullmatch(key)
    if found is None:
        raise NotFound("There is no such template.")
    return desk.templates.one(int(found[1]), user_id)


def is_own(key: str) -> bool:
    """Whether the key is that of a template of somebody's own, and not of a built-in structure."""
    return key.startswith(OWN)


def _leg(text: str, underlying: str, expiry: str) -> LegText:
    kind, _, rest = text.partition(":")
    strike, _, side = rest.partition(":")
    if kind not in {"CE", "PE"} or side not in {"BUY", "SELL"}:
        raise InvalidInput("leg", f"{quoted(text)} is not a leg. Write it as CE:26400:SELL.")
    try:
        value = amount(strike, MOST_STRIKE, 2, "26400")
    except NotThat as wrong:
        raise InvalidInput("leg", f"The strike of a leg: {wrong}") from wrong
    return LegText(
        number=0,
        underlying=underlying,
        kind=kind,
        expiry=expiry,
        strike_method="STRIKE",
        strike_value=plain(value),
        side=side,
        ratio="1",
        product="MIS",
    )


def _check_expiry(text: str) -> None:
    try:
        parse_expiry(text)
    except NotThat as wrong:
        raise InvalidInput("expiry", str(wrong)) from wrong
