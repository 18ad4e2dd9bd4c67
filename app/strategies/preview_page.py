"""What the preview shows: what exactly would be sent, to whom and why, and for how much longer it may be."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import ceil

from sqlalchemy import select

from app.domain import leg_rules
from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey
from app.domain.leg_rules import RuledLeg
from app.domain.money import ZERO
from app.domain.plan import AccountPlan, Plan, PlannedLeg, PlannedOrder, ResolvedLeg
from app.domain.price_types import PriceTerms
from app.domain.size_words import size_brief
from app.domain.sizing import Profile
from app.persistence.tables import Run
from app.services.preview_maker import FrozenPreview
from app.services.run_charges import of_plans
from app.strategies.leg_now import fresh_price
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.modes import brokers_of, joint_mode, mode_called
from app.web.size_view import FigureView, figure_views


@dataclass(frozen=True, slots=True)
class SpotView:
    underlying: str
    spot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """A leg as all accounts get it. Prices are None when no account takes part in it; `ltp` also when it is old.

    `limit` is None for SL-M, `worst` for every typed price, `trigger` where the price type has none.
    """

    number: int
    side: str
    contract: str
    expiry: date
    ratio: int
    product: str
    note: str
    warning: str | None
    price_type: str
    ltp: Decimal | None
    limit: Decimal | None
    worst: Decimal | None
    trigger: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLegView:
    number: int
    side: str
    contract: str
    lots: int
    units: int
    slices: list[int]
    limit: Decimal | None
    worst: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account's part. Rupees are None where the gateway gives no figure.

    `sending_s` is how long sending takes, `slowed` a sentence for each batch that the limit of calls slows.
    """

    id: int
    name: str
    mode: str
    structures: int
    legs: list[AccountLegView]
    orders: int
    margin_needed: Decimal | None
    funds_free: Decimal | None
    free_after: Decimal | None
    sending_s: float
    slowed: list[str]
    decided_by: str
    explanation: list[str]
    figures: list[FigureView]
    skipped: str | None
    skip_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """`state`: alive, expired, or sent, which makes `run_id` known. `refusal` is why nothing can be sent.

    `sending_s` is of the account that takes longest, `slowed` counts accounts that the limit of calls slows.
    """

    id: int
    hash: str
    strategy_id: int
    strategy_name: str
    made_at: datetime
    seconds_left: int
    state: str
    run_id: int | None
    mode: str | None
    spots: list[SpotView]
    legs: list[LegView]
    accounts: list[AccountView]
    ready: int
    skipped: int
    order_count: int
    units: int
    sending_s: float
    slowed: int
    margin_total: Decimal | None
    charges: Decimal | None
    charges_note: str | None
    max_loss: Decimal | None
    max_profit: Decimal | None
    failure: str
    floors: tuple[str, ...]
    exits: tuple[str, ...]
    refusal: str | None


def preview_page(desk: Desk, preview: FrozenPreview) -> dict[str, object]:
    plan = preview.plan
    labels = contract_labels(leg.contract for leg in plan.legs)
    brokers = brokers_of(desk, [account.account_id for account in plan.accounts])
    modes = {account.account_id: mode_called(brokers[account.account_id], account.mode) for account in plan.accounts}
    run_id = _run_id(desk, preview.id)
    seconds_left = max(0, ceil((preview.expires_at - desk.clock.now()).total_seconds()))
    accounts = [_account(account, plan, labels, modes[account.account_id]) for account in plan.accounts]
    accounts.sort(key=lambda account: account.skipped is None)  # who gets nothing is what must not be overlooked
    ready = plan.taking_part
    day = trading_date(plan.made_at)
    tariffs = desk.tariffs.on([account.account_id for account in ready], day)
    costs = of_plans(ready, plan.legs, day, desk.market_rules.book(), tariffs)
    view = PreviewView(
        id=preview.id,
        hash=preview.digest,
        strategy_id=plan.strategy_id,
        strategy_name=plan.strategy_name,
        made_at=plan.made_at,
        seconds_left=0 if run_id is not None else seconds_left,
        state="sent" if run_id is not None else "alive" if seconds_left else "expired",
        run_id=run_id,
        mode=joint_mode(modes[account.account_id] for account in ready or plan.accounts),
        spots=[SpotView(underlying, spot) for underlying, spot in plan.spots],
        legs=[_leg(desk, leg, plan, labels) for leg in plan.legs],
        accounts=accounts,
        ready=len(ready),
        skipped=len(plan.accounts) - len(ready),
        order_count=plan.order_count,
        units=sum(leg.units for account in ready for leg in account.legs),
        sending_s=max((account.sending_s for account in accounts), default=0.0),
        slowed=sum(1 for account in accounts if account.slowed),
        margin_total=_margin_total(ready),
        charges=None if costs.charges is None else costs.charges.total,
        charges_note=costs.note,
        max_loss=plan.max_loss,
        max_profit=plan.max_profit,
        failure=plan.failure.words(),
        floors=plan.floors.words(),
        exits=exit_words(plan),
        refusal=None if ready else "Every account is skipped. The reasons stand beside them below.",
    )
    return {"preview": view}


def exit_words(plan: Plan) -> tuple[str, ...]:
    """A sentence for each rule by which a part of the run is left."""
    legs = [RuledLeg(leg.number, leg.contract.underlying, leg.contract.kind, leg.side) for leg in plan.legs]
    trend = () if plan.exits.supertrend is None else (plan.exits.supertrend.words(),)
    return (*leg_rules.words(plan.exits.legs, legs), *trend, *plan.times.words())


def _run_id(desk: Desk, preview_id: int) -> int | None:
    with desk.database.reading() as session:
        return session.scalars(select(Run.id).where(Run.preview_id == preview_id)).one_or_none()


def _margin_total(accounts: tuple[AccountPlan, ...]) -> Decimal | None:
    """None when it is not known of every account that takes part."""
    needed = [account.margin_needed for account in accounts]
    return None if None in needed else sum((one for one in needed if one is not None), ZERO)


def _leg(desk: Desk, leg: ResolvedLeg, plan: Plan, labels: dict[ContractKey, str]) -> LegView:
    # A warning is the second sentence of the note: the plan keeps both as the one text that was hashed.
    note, _, warning = leg.note.partition(". ")
    order = _first_order(plan, leg.number)
    return LegView(
        number=leg.number,
        side=leg.side.value,
        contract=labels[leg.contract.key],
        expiry=leg.contract.expiry,
        ratio=leg.ratio,
        product=leg.product.value,
        note=note,
        warning=warning or None,
        price_type=leg.pricing.type.value,
        ltp=fresh_price(desk, leg.contract.key),
        limit=None if order is None else _limit(order, leg.pricing),
        worst=None if order is None or leg.pricing.is_typed else order.worst,
        trigger=leg.pricing.trigger,
    )


def _limit(order: PlannedOrder, pricing: PriceTerms) -> Decimal | None:
    return pricing.limit if pricing.is_typed else order.limit


def _first_order(plan: Plan, leg: int) -> PlannedOrder | None:
    """One order of that leg stands for all: they have the same limit and worst price in every account."""
    orders = (
        order for account in plan.taking_part for part in account.legs if part.leg == leg for order in part.orders
    )
    return next(orders, None)


def _account(account: AccountPlan, plan: Plan, labels: dict[ContractKey, str], mode: str) -> AccountView:
    by_number = {leg.number: leg for leg in plan.legs}
    needed, free = account.margin_needed, account.funds_free
    return AccountView(
        id=account.account_id,
        name=account.account_name,
        mode=mode,
        structures=account.structures,
        legs=[_account_leg(part, by_number[part.leg], labels) for part in account.legs],
        orders=sum(len(part.orders) for part in account.legs),
        margin_needed=needed,
        funds_free=free,
        free_after=None if needed is None or free is None else free - needed,
        sending_s=0.0 if account.pace is None else account.pace.total_s,
        slowed=[] if account.pace is None else list(account.pace.words()),
        decided_by=_decided_by(account),
        explanation=[*_explained(account), *_own_limits(plan, account)],
        figures=[] if account.sizing is None else figure_views(account.sizing),
        skipped=account.skipped,
        skip_code=account.skip_code,
    )


def _decided_by(account: AccountPlan) -> str:
    if account.sizing is not None and account.sizing.profile is not Profile.FIXED_LOTS and account.skipped is None:
        return size_brief(account.sizing)
    return account.explanation[0] if account.explanation else "nothing"


def _explained(account: AccountPlan) -> tuple[str, ...]:
    """What stands beneath what decided: all of it where that was put in other words."""
    first = account.explanation[:1]
    return account.explanation if (_decided_by(account),) != first else account.explanation[1:]


def _own_limits(plan: Plan, account: AccountPlan) -> tuple[str, ...]:
    rule = None if account.skipped else plan.exits.of_account(account.account_id)
    return () if rule is None else rule.words()


def _account_leg(part: PlannedLeg, leg: ResolvedLeg, labels: dict[ContractKey, str]) -> AccountLegView:
    return AccountLegView(
        number=part.leg,
        side=leg.side.value,
        contract=labels[leg.contract.key],
        lots=part.lots,
        units=part.units,
        slices=[order.units for order in part.orders],
        limit=_limit(part.orders[0], part.pricing),
        worst=None if part.pricing.is_typed else part.orders[0].worst,
    )
