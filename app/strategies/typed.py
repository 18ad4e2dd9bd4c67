"""What was typed into the builder, as text: read from a form, from a stored strategy, from a template."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain.entry_times import DAYS
from app.domain.exit_rules import AccountRule
from app.domain.leg_rules import NO_LEG_RULES, LegRule, LegRules
from app.domain.strategy import ExpiryWord, LegSpec
from app.domain.supertrend import SupertrendExit, TrendTurn
from app.services.strategies import SavedStrategy
from app.web.account_choice import choice_texts

LEG_PARTS = (
    "underlying",
    "kind",
    "expiry",
    "strike_method",
    "strike_value",
    "side",
    "ratio",
    "product",
    "price_type",
    "limit_price",
    "trigger_price",
    "stop_measure",
    "stop_size",
    "target_measure",
    "target_size",
)
PLAIN_FIELDS = (
    "name",
    "structures",
    "max_loss",
    "max_profit",
    "square_off",
    "trail_kind",
    "trail_size",
    "trail_activation",
    "lock_reach",
    "lock_keep",
    "lock_step",
    "lock_more",
    "to_cost",
    "entry_from",
    "entry_to",
    "expiry_day",
    "start_at",
    "profile",
    "max_structures",
    "max_leg_lots",
    "shortfall",
    "trend_turn",
    "trend_of",
    "trend_leg",
    "trend_minutes",
    "trend_period",
    "trend_multiplier",
    "max_workers",
    "leg_failure",
    "retries",
    "group_failure",
    "notes",
    "template_underlying",
)

SEVERAL = frozenset({"accounts", "groups", "start_days", "start_with"})
"""Fields of which any number may be ticked."""

_LEG = re.compile(r"legs-([0-9]{1,3})-([a-z_]+)")
_MULTIPLIER = re.compile(r"multiplier-([0-9]{1,9})")
_LIMIT = re.compile(r"(?:loss|profit|trail|trailkind|trailfrom|reach|keep|step|more|off)-[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegText:
    """A leg as typed. `number` is the one in its field names, which may have gaps."""

    number: int
    underlying: str = ""
    kind: str = ""
    expiry: str = ""
    strike_method: str = ""
    strike_value: str = ""
    side: str = ""
    ratio: str = ""
    product: str = ""
    price_type: str = "MARKET"
    limit_price: str = ""
    trigger_price: str = ""
    stop_measure: str = ""
    stop_size: str = ""
    target_measure: str = ""
    target_size: str = ""

    def field(self, part: str) -> str:
        """The name of that part's field."""
        return f"legs-{self.number}-{part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The builder as typed. `chosen` are account ids, `groups` those of groups, `multipliers` texts by account id.

    `start_days` are days as `Mon`; `start_with` groups and accounts, as `group:1`, that a start by schedule takes, none
    for all.

    `limits` are texts of an account's own limits by field name, as `loss-3`.
    `faults` are fields that this form does not have, or has once and were sent more often: a sentence for each.
    """

    name: str = ""
    structures: str = "1"
    max_loss: str = ""
    max_profit: str = ""
    square_off: str = ""
    trail_kind: str = ""
    trail_size: str = ""
    trail_activation: str = ""
    lock_reach: str = ""
    lock_keep: str = ""
    lock_step: str = ""
    lock_more: str = ""
    to_cost: str = ""
    entry_from: str = ""
    entry_to: str = ""
    expiry_day: str = "any"
    start_at: str = ""
    profile: str = "fixed_lots"
    max_structures: str = ""
    max_leg_lots: str = ""
    shortfall: str = "skip"
    trend_turn: str = ""
    trend_of: str = "premium"
    trend_leg: str = ""
    trend_minutes: str = "5"
    trend_period: str = "10"
    trend_multiplier: str = "3"
    max_workers: str = ""
    leg_failure: str = "unwind"
    retries: str = ""
    group_failure: str = "keep_going"
    notes: str = ""
    template_underlying: str = ""
    legs: tuple[LegText, ...] = ()
    chosen: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    start_days: tuple[str, ...] = ()
    start_with: tuple[str, ...] = ()
    multipliers: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def with_leg(self, leg: LegText) -> "Typed":
        """With this leg as the last, under the next free number."""
        return replace(self, legs=(*self.legs, replace(leg, number=_next_number(self.legs))))

    def without_leg(self, number: int) -> "Typed":
        return replace(self, legs=tuple(leg for leg in self.legs if leg.number != number))

    def with_legs(self, specs: Iterable[LegSpec], rules: LegRules = NO_LEG_RULES) -> "Typed":
        """With these legs instead of its own."""
        legs = (leg_text(number, spec, rules.of(spec.number)) for number, spec in enumerate(specs))
        return replace(self, legs=tuple(legs))


def read(form: MultiDict[str, str]) -> Typed:
    """What a submitted builder holds, wrong or not."""
    legs: dict[int, dict[str, str]] = {}
    multipliers: dict[str, str] = {}
    limits: dict[str, str] = {}
    plain: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name in form:
        values = form.getlist(name)
        if len(values) > 1 and name not in SEVERAL:
            faults[name] = f"{_short(name)} was sent more than once. Reload the page and send it once."
        if name in PLAIN_FIELDS:
            plain[name] = values[0].strip()
        elif (found := _LEG.fullmatch(name)) and found[2] in LEG_PARTS:
            legs.setdefault(int(found[1]), {})[found[2]] = values[0].strip()
        elif found := _MULTIPLIER.fullmatch(name):
            multipliers[found[1]] = values[0].strip()
        elif _LIMIT.fullmatch(name):
            limits[name] = values[0].strip()
        elif name not in {*SEVERAL, "action"}:
            faults[name] = f"This form has no field {_short(name)}. Reload the page and try again."
    return Typed(
        **{"structures": "", **plain},
        legs=tuple(LegText(number=number, **parts) for number, parts in sorted(legs.items())),
        chosen=_ticked(form, "accounts"),
        groups=_ticked(form, "groups"),
        start_days=_ticked(form, "start_days"),
        start_with=_ticked(form, "start_with"),
        multipliers=multipliers,
        limits=limits,
        faults=faults,
    )


def _ticked(form: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """Each once."""
    return tuple(dict.fromkeys(text.strip() for text in form.getlist(name)))


def stored(saved: SavedStrategy) -> Typed:
    """A saved strategy as it would have been typed."""
    spec = saved.spec
    trail, lock = spec.floors.trail, spec.floors.lock
    trend = spec.exits.supertrend
    usual = trend or SupertrendExit(TrendTurn.BREAKOUT)
    return Typed(
        name=spec.name,
        structures=str(spec.structures),
        max_loss=_plain(spec.max_loss),
        max_profit=_plain(spec.max_profit),
        square_off=_clock(spec.square_off),
        trail_kind="" if trail is None else trail.kind.value,
        trail_size="" if trail is None else plain(trail.size),
        trail_activation="" if trail is None else _plain(trail.activation),
        lock_reach="" if lock is None else plain(lock.reach),
        lock_keep="" if lock is None else plain(lock.keep),
        lock_step="" if lock is None else _plain(lock.step),
        lock_more="" if lock is None else _plain(lock.more),
        to_cost="yes" if spec.exits.legs.to_cost else "",
        entry_from=_clock(spec.times.opens),
        entry_to=_clock(spec.times.closes),
        expiry_day=spec.times.expiry_day.value,
        start_at=_clock(spec.times.start),
        profile=spec.size_rule.profile.value,
        max_structures=str(spec.size_rule.max_structures or ""),
        max_leg_lots=str(spec.size_rule.max_leg_lots or ""),
        shortfall=spec.size_rule.shortfall.value,
        trend_turn="" if trend is None else trend.turn.value,
        trend_of=usual.of.value,
        trend_leg=str(usual.leg or ""),
        trend_minutes=str(usual.minutes),
        trend_period=str(usual.period),
        trend_multiplier=f"{usual.multiplier:g}",
        max_workers="" if spec.max_workers is None else str(spec.max_workers),
        leg_failure=spec.failure.leg.value,
        retries=str(spec.failure.retries or ""),
        group_failure=spec.failure.group.value,
        notes=saved.notes,
        chosen=tuple(str(account_id) for account_id in saved.multipliers),
        groups=tuple(str(group_id) for group_id in saved.groups),
        start_days=tuple(DAYS[day] for day in spec.times.days),
        start_with=tuple(choice_texts(spec.times.part)),
        multipliers={str(account_id): _plain(value) for account_id, value in saved.multipliers.items()},
        limits=_limits(spec.exits.accounts),
    ).with_legs(spec.legs, spec.exits.legs)


def leg_text(number: int, spec: LegSpec, rule: LegRule | None = None) -> LegText:
    """A leg as it would have been typed."""
    stop, target = (None, None) if rule is None else (rule.stop, rule.target)
    return LegText(
        number=number,
        underlying=spec.underlying,
        kind=spec.kind.value,
        expiry=spec.expiry.value if isinstance(spec.expiry, ExpiryWord) else spec.expiry.isoformat(),
        strike_method=spec.strike.method.value if spec.strike else "",
        strike_value=_plain(spec.strike.value) if spec.strike else "",
        side=spec.side.value,
        ratio=str(spec.ratio),
        product=spec.product.value,
        price_type=spec.pricing.type.value,
        limit_price=_plain(spec.pricing.limit),
        trigger_price=_plain(spec.pricing.trigger),
        stop_measure="" if stop is None else stop.measure.value,
        stop_size="" if stop is None else plain(stop.size),
        target_measure="" if target is None else target.measure.value,
        target_size="" if target is None else plain(target.size),
    )


def _clock(at: time | None) -> str:
    return "" if at is None else f"{at:%H:%M}"


def _limits(rules: Iterable[AccountRule]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule in rules:
        lock = rule.lock
        amounts = {
            "loss": rule.max_loss, "profit": rule.max_profit, "trail": rule.trail, "trailfrom": rule.trail_activation,
            "reach": None if lock is None else lock.reach, "keep": None if lock is None else lock.keep,
            "step": None if lock is None else lock.step, "more": None if lock is None else lock.more,
        }  # fmt: skip
        found |= {f"{name}-{rule.account_id}": _plain(amount) for name, amount in amounts.items()}
        found[f"trailkind-{rule.account_id}"] = "" if rule.trail is None else rule.trail_kind.value
        found[f"off-{rule.account_id}"] = _clock(rule.square_off)
    return found


def plain(value: Decimal) -> str:
    """A number without an exponent and without zeros that say nothing: `22000`, `0.5`."""
    return f"{value.normalize():f}"


def _plain(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _next_number(legs: tuple[LegText, ...]) -> int:
    return max((leg.number for leg in legs), default=-1) + 1


def _short(text: str) -> str:
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
