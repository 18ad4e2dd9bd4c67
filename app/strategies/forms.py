"""From what was typed into the builder to a strategy, or a sentence for every field that is wrong."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from app.domain.contracts import UNDERLYINGS, Kind, PriceType, Product, Side
from app.domain.errors import InvalidInput, Refused
from app.domain.exit_rules import ExitRules
from app.domain.failure_policy import MOST_RETRIES, FailurePolicy, GroupPolicy, LegPolicy
from app.domain.pacing import LEAST_WORKERS, MOST_WORKERS
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.strategy_check import MAX_LEGS, MAX_NAME, MAX_RATIO, MAX_STEPS, MAX_STRUCTURES
from app.strategies.account_limit_fields import account_limits_of
from app.strategies.floor_fields import MOST_RUPEES, floors_of
from app.strategies.leg_rule_fields import leg_rules_of
from app.strategies.size_fields import size_rule_of
from app.strategies.time_fields import time_of_day, times_of
from app.strategies.trend_fields import trend_of
from app.strategies.typed import LegText, Typed
from app.web.forms import has_hidden_letters
from app.web.typed_numbers import NotThat, amount, quoted, whole

MOST_MULTIPLIER = Decimal(100)
MOST_STRIKE = Decimal(1_000_000)
MOST_NOTES = 2000

_DOMAIN_LEG = re.compile(r"legs\[(\d+)\]\.(\w+)")
_DOMAIN_ACCOUNT = re.compile(r"accounts\[(\d+)\]\.(multiplier|loss|profit|trailfrom|trail|reach|keep|step|more)")

_ON_PAGE = re.compile(
    r"name|structures|max_loss|max_profit|square_off|trail_\w+|lock_\w+|trend_\w+|entry_\w+|start_\w+|expiry_day|to_cost|profile|max_structures|max_leg_lots|shortfall|max_workers|leg_failure|retries|group_failure|notes|legs|accounts|groups"
    r"|legs-\d+-\w+|(?:multiplier|loss|profit|trail)-\d+"
)
"""Fields that show their own sentence; those of others are told for the whole form."""

Word = TypeVar("Word", bound=Enum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A strategy ready to be saved. `multipliers` maps account id to its multiplier; `groups` are ids."""

    spec: StrategySpec
    multipliers: dict[int, Decimal]
    groups: tuple[int, ...] = ()
    notes: str = ""


class FormRefused(Refused):
    """The form cannot be taken. `errors` maps field names to sentences; nothing was changed."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        count = len(errors)
        said = f"Nothing was saved: {count} {'thing needs' if count == 1 else 'things need'} a look."
        elsewhere = [sentence for name, sentence in errors.items() if not _ON_PAGE.fullmatch(name)]
        super().__init__(" ".join([said, *elsewhere]))
        self.errors = errors


class _Reader:
    """Takes field after field and keeps what was wrong with them."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.errors = dict(faults)

    def take(self, field: str, read: Callable[[], Value]) -> Value | None:
        """What `read` gives; None after noting why it refused."""
        try:
            return read()
        except NotThat as wrong:
            self.errors.setdefault(field, str(wrong))
            return None


def parse(typed: Typed, accounts: Collection[int], may: Collection[int] = ()) -> Recipe:
    """The strategy that was typed, of `accounts` and groups (`may`) that this user may choose. Raises FormRefused."""
    reader = _Reader(typed.faults)
    name = reader.take("name", lambda: _name(typed.name))
    structures = reader.take("structures", lambda: whole(typed.structures, 1, MAX_STRUCTURES))
    max_loss = reader.take("max_loss", lambda: _limit(typed.max_loss))
    max_profit = reader.take("max_profit", lambda: _limit(typed.max_profit))
    square_off = reader.take("square_off", lambda: time_of_day(typed.square_off))
    max_workers = reader.take("max_workers", lambda: _workers(typed.max_workers))
    failure = _failure(reader, typed)
    floors = floors_of(reader, typed)
    exits = ExitRules(leg_rules_of(reader, typed), account_limits_of(reader, typed, accounts), trend_of(reader, typed))
    sizes, times = size_rule_of(reader, typed), times_of(reader, typed, may, accounts)
    legs = reader.take("legs", lambda: _legs(reader, typed.legs))
    multipliers = reader.take("accounts", lambda: _multipliers(reader, typed, accounts))
    notes = reader.take("notes", lambda: _notes(typed.notes))
    groups = reader.take("groups", lambda: tuple(sorted(_group(text, may) for text in typed.groups)))
    if groups is None or reader.errors or name is None or structures is None or legs is None or multipliers is None:
        raise FormRefused(reader.errors)
    spec = StrategySpec(
        name, legs, structures, max_loss, max_profit, max_workers, failure, square_off, floors, exits, sizes,
        times,
    )  # fmt: skip
    return Recipe(spec, multipliers, groups, notes or "")


def parse_legs(typed: Typed) -> tuple[tuple[LegSpec, ...], int]:
    """The legs alone and how many structures of them; no legs where none are typed. Raises FormRefused."""
    reader = _Reader(typed.faults)
    structures = reader.take("structures", lambda: whole(typed.structures, 1, MAX_STRUCTURES))
    legs = reader.take("legs", lambda: _legs(reader, typed.legs)) if typed.legs else ()
    if reader.errors or structures is None or legs is None:
        raise FormRefused(reader.errors)
    return legs, structures


def refused_fields(refusal: InvalidInput, typed: Typed) -> FormRefused:
    """A refusal of the domain or a service, put beside the form's own field."""
    return FormRefused({_form_field(refusal.field, typed): str(refusal)})


def known_leg(leg: LegText) -> LegSpec | None:
    """The leg as far as it can be read, for showing; None while anything of it is wrong."""
    return _leg(_Reader({}), 1, leg)


def _form_field(field: str, typed: Typed) -> str:
    if (found := _DOMAIN_LEG.fullmatch(field)) and int(found[1]) < len(typed.legs):
        leg = typed.legs[int(found[1])]
        if found[2] == "strike":
            return leg.field("strike_method" if leg.strike_method in {"", "ATM"} else "strike_value")
        return "legs" if found[2] == "number" else leg.field(found[2])
    if found := _DOMAIN_ACCOUNT.fullmatch(field):
        return f"{found[2]}-{found[1]}"
    return field


def name_in(form: MultiDict[str, str], of: str) -> str:
    """The one name that a small form holds, of what is said. Raises InvalidInput."""
    asked = form.getlist("name")
    if len(asked) != 1:
        raise InvalidInput("name", "name must be given once. Reload the page and try again.")
    try:
        return _name(asked[0].strip(), of)
    except NotThat as wrong:
        raise InvalidInput("name", str(wrong)) from wrong


def _name(text: str, of: str = "strategy") -> str:
    if not text:
        raise NotThat(f"The {of} needs a name. Type one.")
    if len(text) > MAX_NAME:
        raise NotThat(f"This name has {len(text)} characters. Use at most {MAX_NAME}.")
    if has_hidden_letters(text):
        raise NotThat("This name holds characters that cannot be seen. Type it again without them.")
    return text


def _notes(text: str) -> str:
    lines = text.replace("\r\n", "\n")
    if len(lines) > MOST_NOTES:
        raise NotThat(f"These notes have {len(lines)} characters; at most {MOST_NOTES} are kept. Shorten them.")
    if has_hidden_letters(lines, "\n\t"):
        raise NotThat("These notes hold characters that cannot be seen. Type them again without those.")
    return lines


def _limit(text: str) -> Decimal | None:
    return amount(text, MOST_RUPEES, 2, "22000") if text else None


def _workers(text: str) -> int | None:
    return whole(text, LEAST_WORKERS, MOST_WORKERS) if text else None


def _failure(reader: _Reader, typed: Typed) -> FailurePolicy:
    """What is wrong with it is noted; then what comes back is not used."""
    leg = reader.take("leg_failure", lambda: _word(LegPolicy, typed.leg_failure))
    group = reader.take("group_failure", lambda: _word(GroupPolicy, typed.group_failure))
    retries = reader.take("retries", lambda: _retries(leg, typed.retries))
    return FailurePolicy(leg or LegPolicy.UNWIND, retries or 0, group or GroupPolicy.KEEP_GOING)


def _retries(policy: LegPolicy | None, text: str) -> int:
    """0 unless a rejected leg is to be sent again; a number that is not used then is a number typed in vain."""
    if policy is LegPolicy.RETRY:
        return whole(text, 1, MOST_RETRIES)
    if text and policy is not None:
        raise NotThat("Only “send it again” has a number of times. Empty it, or choose that.")
    return 0


def _legs(reader: _Reader, typed: tuple[LegText, ...]) -> tuple[LegSpec, ...] | None:
    """None when a leg is wrong, which is noted beside its field."""
    if not typed:
        raise NotThat("A strategy has at least one leg. Choose a template or add a leg.")
    if len(typed) > MAX_LEGS:
        raise NotThat(f"A strategy has at most {MAX_LEGS} legs, not {len(typed)}. Remove some.")
    legs = [_leg(reader, number, leg) for number, leg in enumerate(typed, 1)]
    return None if any(leg is None for leg in legs) else tuple(leg for leg in legs if leg is not None)


def _leg(reader: _Reader, number: int, leg: LegText) -> LegSpec | None:
    underlying = reader.take(leg.field("underlying"), lambda: _underlying(leg.underlying))
    kind = reader.take(leg.field("kind"), lambda: _word(Kind, leg.kind))
    expiry = reader.take(leg.field("expiry"), lambda: parse_expiry(leg.expiry))
    side = reader.take(leg.field("side"), lambda: _word(Side, leg.side))
    ratio = reader.take(leg.field("ratio"), lambda: whole(leg.ratio, 1, MAX_RATIO))
    product = reader.take(leg.field("product"), lambda: _word(Product, leg.product))
    pricing = _pricing(reader, leg)
    known = len(reader.errors)
    strike = None if kind is None else _strike(reader, kind, leg)
    if underlying is None or kind is None or expiry is None or side is None or ratio is None or product is None:
        return None
    if len(reader.errors) > known or pricing is None:
        return None
    return LegSpec(number, underlying, kind, expiry, strike, side, ratio, product, pricing)


def _pricing(reader: _Reader, leg: LegText) -> PriceTerms | None:
    """None when it is wrong, which is noted. Whether the prices fit the type is the domain's to say."""
    known = len(reader.errors)
    price_type = reader.take(leg.field("price_type"), lambda: _word(PriceType, leg.price_type))
    limit = reader.take(leg.field("limit_price"), lambda: _price(leg.limit_price))
    trigger = reader.take(leg.field("trigger_price"), lambda: _price(leg.trigger_price))
    return None if price_type is None or len(reader.errors) > known else PriceTerms(price_type, limit, trigger)


def _price(text: str) -> Decimal | None:
    return amount(text, MOST_STRIKE, 2, "120.05") if text else None


def _strike(reader: _Reader, kind: Kind, leg: LegText) -> StrikeRule | None:
    """None for a future; also when it is wrong, which is noted."""
    if kind is Kind.FUT:
        reader.take(leg.field("strike_value"), lambda: _no_strike(leg))
        return None
    method = reader.take(leg.field("strike_method"), lambda: _word(StrikeMethod, leg.strike_method))
    if method is None:
        return None
    if method is StrikeMethod.ATM:
        reader.take(leg.field("strike_value"), lambda: _no_value(leg.strike_value))
        return StrikeRule(method)
    value = reader.take(leg.field("strike_value"), lambda: _strike_value(method, leg.strike_value))
    return None if value is None else StrikeRule(method, value)


def _no_strike(leg: LegText) -> None:
    if leg.strike_method not in {"", "ATM"} or leg.strike_value:
        raise NotThat("A future has no strike. Empty the value and choose “At the money”.")


def _no_value(text: str) -> None:
    if text:
        raise NotThat("At the money takes no value. Empty it, or choose another strike rule.")


def _strike_value(method: StrikeMethod, text: str) -> Decimal:
    if method in {StrikeMethod.ITM, StrikeMethod.OTM}:
        return Decimal(whole(text, 1, MAX_STEPS))
    return amount(text, MOST_STRIKE, 2, "26400" if method is StrikeMethod.STRIKE else "50")


def _underlying(text: str) -> str:
    names = [underlying.name for underlying in UNDERLYINGS]
    if text not in names:
        raise NotThat(f"{quoted(text)} is not an index this desk follows. Choose one of {', '.join(names)}.")
    return text


def parse_expiry(text: str) -> ExpiryWord | date:
    """Raises NotThat."""
    if text in {word.value for word in ExpiryWord}:
        return ExpiryWord(text)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        words = ", ".join(word.value for word in ExpiryWord)
        raise NotThat(f"{quoted(text)} is not an expiry. Choose {words} or a date such as 2026-12-29.")
    return day


def _word(words: type[Word], text: str) -> Word:
    try:
        return words(text)
    except ValueError:
        offered = ", ".join(str(word.value) for word in words)
        raise NotThat(f"{quoted(text)} cannot be used. Choose one of {offered}.") from None


def _multipliers(reader: _Reader, typed: Typed, accounts: Collection[int]) -> dict[int, Decimal]:
    if not typed.chosen and not typed.groups:
        raise NotThat("No account takes part. Tick at least one, or a group.")
    found: dict[int, Decimal] = {}
    for chosen in typed.chosen:
        account_id = _account(chosen, accounts)
        text = typed.multipliers.get(str(account_id), "")
        multiplier = reader.take(f"multiplier-{account_id}", partial(amount, text, MOST_MULTIPLIER, 3, "0.5, 1 or 2"))
        if multiplier is not None:
            found[account_id] = multiplier
    return found


def _group(text: str, groups: Collection[int]) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in groups:
        raise NotThat(f"There is no group {quoted(text)} that you may use. Reload the page and choose again.")
    return int(text)


def _account(text: str, accounts: Collection[int]) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in accounts:
        raise NotThat(f"There is no account {quoted(text)} that you may use. Reload the page and choose again.")
    return int(text)
