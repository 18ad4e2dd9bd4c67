"""What is asked of the calculator, by its form or by a script: a strategy or typed legs, and how to size."""

from collections.abc import Mapping
from datetime import date

from app.domain.account_groups import Share
from app.domain.contracts import Product, underlying_named
from app.domain.errors import InvalidInput, NotFound, Refused
from app.domain.leg_lines import legs_of_lines
from app.domain.sizing import MOST_LOTS, MOST_STRUCTURES, Profile, Shortfall, SizeRule
from app.domain.strategy import ExpiryWord, StrategySpec
from app.services.calculator import Reckoning
from app.web.account_choice import chosen_accounts
from app.web.desk import Desk
from app.web.signed_in import SignedIn
from app.web.typed_numbers import NotThat, whole

FIELDS = (
    "strategy",
    "accounts",
    "underlying",
    "expiry",
    "product",
    "legs",
    "profile",
    "structures",
    "max_structures",
    "max_leg_lots",
    "shortfall",
)


def reckoned(desk: Desk, viewer: SignedIn, values: Mapping[str, str]) -> Reckoning:
    """What the form asks for. Raises InvalidInput naming its field, Refused, Unavailable; sends nothing."""
    spec, shares = _spec(desk, viewer, values)
    accounts = chosen_accounts(desk, viewer, values.get("accounts", "")).accounts
    if not accounts:
        raise Refused("There is no account to size. Add one first.")
    return desk.calculator.reckon(spec, accounts, shares)


def _spec(desk: Desk, viewer: SignedIn, values: Mapping[str, str]) -> tuple[StrategySpec, dict[int, Share]]:
    rule, structures = _rule(values), _whole("structures", values.get("structures") or "1", MOST_STRUCTURES)
    chosen = values.get("strategy", "")
    if chosen:
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 9):
            raise InvalidInput("strategy", "Choose a strategy of the list, or none.")
        try:
            saved = desk.strategies.one(int(chosen), viewer.id)
        except NotFound as gone:
            raise InvalidInput("strategy", str(gone)) from gone
        spec = StrategySpec("Calculator", saved.spec.legs, structures, None, None, size_rule=rule)
        return spec, desk.strategies.shares(saved)
    try:
        underlying = underlying_named(values.get("underlying", "")).name
    except NotFound as unknown:
        raise InvalidInput("underlying", str(unknown)) from unknown
    legs = legs_of_lines(values.get("legs", ""), underlying, _expiry(values.get("expiry", "")), _product(values))
    return StrategySpec("Calculator", legs, structures, None, None, size_rule=rule), {}


def _rule(values: Mapping[str, str]) -> SizeRule:
    try:
        profile, shortfall = Profile(values.get("profile", "")), Shortfall(values.get("shortfall") or "skip")
    except ValueError:
        raise InvalidInput("profile", "Choose how to size, and what a shortfall does, from the lists.") from None
    caps = [
        _whole(name, values[name], most) if values.get(name) else None
        for name, most in (("max_structures", MOST_STRUCTURES), ("max_leg_lots", MOST_LOTS))
    ]
    return SizeRule(profile, caps[0], caps[1], shortfall)


def _whole(field: str, text: str, most: int) -> int:
    try:
        return whole(text, 1, most)
    except NotThat as wrong:
        raise InvalidInput(field, str(wrong)) from wrong


def _product(values: Mapping[str, str]) -> Product:
    try:
        return Product(values.get("product") or "NRML")
    except ValueError:
        raise InvalidInput("product", "Choose NRML or MIS.") from None


def _expiry(text: str) -> ExpiryWord | date:
    try:
        return ExpiryWord(text) if text in {word.value for word in ExpiryWord} else date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("expiry", "Choose an expiry of the list, or type a date such as 2026-12-29.") from None
