"""What the builder shows: the legs as typed, the accounts that may take part, and what there is to choose."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from app.domain.contracts import UNDERLYINGS
from app.domain.entry_times import DAYS
from app.domain.structures import STRUCTURES
from app.services.accounts import AccountRow
from app.strategies.account_limit_fields import NAMES
from app.strategies.forms import known_leg
from app.strategies.leg_now import leg_now
from app.strategies.payoff_fields import asked_first
from app.strategies.payoff_view import payoff_view
from app.strategies.typed import LegText, Typed, plain
from app.web.account_choice import choices_of
from app.web.account_words import mode_word, reason_of, state_word
from app.web.desk import Desk
from app.web.expiry_choices import Choice, expiry_choices, master_or_none, usual_expiry
from app.web.forms import FormView
from app.web.signed_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """A leg as typed. `now` is what it would be at this moment, None while nobody can say."""

    number: int
    underlying: str
    kind: str
    expiry: str
    strike_method: str
    strike_value: str
    side: str
    ratio: str
    product: str
    price_type: str
    limit_price: str
    trigger_price: str
    stop_measure: str
    stop_size: str
    target_measure: str
    target_size: str
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChoice:
    id: int
    name: str
    mode: str | None
    state: str
    reason: str | None
    chosen: bool
    multiplier: str
    limits: dict[str, str]

    @property
    def has_more(self) -> bool:
        """Whether something is typed that is folded away otherwise."""
        return any(self.limits.get(name) for name in NAMES[4:]) or self.limits.get("trailkind") not in {"", "amount"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChoice:
    """`accounts` counts who is in it; by how much each takes part is its own multiplier times `multiplier`."""

    id: int
    name: str
    accounts: int
    multiplier: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class DayChoice:
    """A day of the week as the form sends it."""

    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    underlyings: list[str]
    expiries: dict[str, list[Choice]]


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    key: str
    name: str
    icon: str


@dataclass(frozen=True, slots=True)
class Named:
    id: int
    name: str


def builder_page(
    desk: Desk, viewer: SignedIn, typed: Typed, known: Named | None, wrong: tuple[Mapping[str, str], str | None]
) -> dict[str, object]:
    """The context of the builder. `wrong` is a sentence for each wrong field, and one for the whole form."""
    errors, error = wrong
    groups = desk.groups.shown_to(viewer)
    values = {
        "name": typed.name,
        "structures": typed.structures,
        "max_loss": typed.max_loss,
        "max_profit": typed.max_profit,
        "square_off": typed.square_off,
        "trail_kind": typed.trail_kind,
        "trail_size": typed.trail_size,
        "trail_activation": typed.trail_activation,
        "lock_reach": typed.lock_reach,
        "lock_keep": typed.lock_keep,
        "lock_step": typed.lock_step,
        "lock_more": typed.lock_more,
        "to_cost": typed.to_cost,
        "entry_from": typed.entry_from,
        "entry_to": typed.entry_to,
        "expiry_day": typed.expiry_day,
        "start_at": typed.start_at,
        "profile": typed.profile,
        "max_structures": typed.max_structures,
        "max_leg_lots": typed.max_leg_lots,
        "shortfall": typed.shortfall,
        "trend_turn": typed.trend_turn,
        "trend_of": typed.trend_of,
        "trend_leg": typed.trend_leg,
        "trend_minutes": typed.trend_minutes,
        "trend_period": typed.trend_period,
        "trend_multiplier": typed.trend_multiplier,
        "max_workers": typed.max_workers,
        "leg_failure": typed.leg_failure,
        "retries": typed.retries,
        "group_failure": typed.group_failure,
        "notes": typed.notes,
    }
    return {
        "strategy": known,
        "form": FormView(values=values, errors=errors, error=error),
        "legs": _legs(desk, typed),
        "accounts": account_choices(desk, viewer, typed),
        "groups": group_choices(desk, viewer, typed),
        "start_with": choices_of(groups, desk.accounts.shown_to(viewer)),
        "starting": typed.start_with,
        "days": [DayChoice(day, day in typed.start_days) for day in DAYS],
        "choices": Choices([underlying.name for underlying in UNDERLYINGS], expiry_choices(desk)),
        "payoff": payoff_view(desk, asked_first(typed)),
        "templates": [TemplateChoice(one.key, one.name, one.shape) for one in STRUCTURES],
        "own_templates": [Named(one.id, one.name) for one in desk.templates.all_of(viewer.id)],
    }


def blank(desk: Desk, viewer: SignedIn) -> Typed:
    """A new strategy: no legs, and every account ticked that trades no real money and takes entries."""
    accounts = desk.accounts.shown_to(viewer)
    return Typed(chosen=tuple(str(account.id) for account in accounts if _is_safe(desk, account)))


def blank_leg(desk: Desk, typed: Typed) -> LegText:
    """What one more leg starts as: in the index, expiry and product of the last one."""
    last = typed.legs[-1] if typed.legs else None
    underlying = last.underlying if last else UNDERLYINGS[0].name
    return LegText(
        number=0,
        underlying=underlying,
        kind="CE",
        expiry=last.expiry if last else usual_expiry(desk, underlying).value,
        strike_method="ATM",
        side="SELL",
        ratio="1",
        product=last.product if last else "MIS",
    )


def _is_safe(desk: Desk, account: AccountRow) -> bool:
    health = desk.health.of(account.id)
    real_money = mode_word(account, health.mode or account.expected_mode) == "LIVE"
    return not real_money and state_word(account, health) != "paused"


def _legs(desk: Desk, typed: Typed) -> list[LegView]:
    master = master_or_none(desk)
    views = []
    for leg in typed.legs:
        known = known_leg(leg)
        now = None if master is None or known is None else leg_now(desk, master, known)
        views.append(LegView(**asdict(leg), now=now))
    return views


def group_choices(desk: Desk, viewer: SignedIn, typed: Typed) -> list[GroupChoice]:
    return [
        GroupChoice(
            id=group.id,
            name=group.name,
            accounts=len(group.members),
            multiplier=plain(group.multiplier),
            chosen=str(group.id) in typed.groups,
        )
        for group in desk.groups.shown_to(viewer)
    ]


def account_choices(desk: Desk, viewer: SignedIn, typed: Typed) -> list[AccountChoice]:
    found = []
    for account in desk.accounts.shown_to(viewer):
        health = desk.health.of(account.id)
        found.append(
            AccountChoice(
                id=account.id,
                name=account.name,
                mode=mode_word(account, health.mode),
                state=state_word(account, health),
                reason=reason_of(account, health, live_sending=desk.settings.live_sending),
                chosen=str(account.id) in typed.chosen,
                multiplier=typed.multipliers.get(str(account.id), plain(account.multiplier)),
                limits={name: typed.limits.get(f"{name}-{account.id}", "") for name in NAMES},
            )
        )
    return found
