"""Makes a preview: one reading of the market for all accounts, then what each account would do, frozen and stored."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain import gate
from app.domain.account_groups import WHOLE, Part, Share
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.entry_times import EntryTimes, refusal
from app.domain.errors import Denied, DeskError, InvalidInput, NotFound, Refused
from app.domain.leg_rules import check_reach
from app.domain.money import Units
from app.domain.pacing import Batch, pace
from app.domain.plan import AccountPlan, Mode, Plan, ResolvedLeg
from app.domain.planning import AccountTerms, LegPrice, plan_account
from app.domain.strategy import StrategySpec
from app.persistence.database import Database
from app.persistence.tables import Preview, Strategy, TradingAccount
from app.ports.clock import Clock, MarketClock
from app.services import trading_states
from app.services.account_health import HealthBoard
from app.services.account_sizes import AccountSizes, SizeFacts
from app.services.claim_facts import who_of
from app.services.entries_under_way import under_way
from app.services.foreseen_limits import foreseen
from app.services.gateways import Gateways
from app.services.leg_finder import LegFinder
from app.services.order_pricing import OrderPricing
from app.services.pace_settings import PaceSettings
from app.services.previews import freeze, plan_of
from app.services.session_hours import SessionHours
from app.services.square_off import Leaving, SquareOffTimes
from app.services.strategies import SavedStrategy, Strategies


@dataclass(frozen=True, slots=True)
class FrozenPreview:
    """A stored preview. After `expires_at` it can be looked at but not sent."""

    id: int
    plan: Plan
    digest: str
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Where a preview reads the market from."""

    legs: LegFinder
    hours: SessionHours
    pricing: OrderPricing
    market_clock: MarketClock
    square_off: SquareOffTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Where a preview reads accounts from. `readers` runs one account's reads beside another's."""

    paces: PaceSettings
    gateways: Gateways
    sizes: AccountSizes
    health: HealthBoard
    readers: Executor


class Previews:
    """Thread-safe. Making one calls gateways; nothing is held open meanwhile."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        strategies: Strategies,
        market: Market,
        money: Money,
        *,
        life_s: int,
        live_sending: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._strategies = strategies
        self._market = market
        self._money = money
        self._life = timedelta(seconds=life_s)
        self._live_sending = live_sending

    def make(self, strategy_id: int, user_id: int, *, part: Part = WHOLE) -> FrozenPreview:
        """Freeze what the strategy would send now, in that part of its accounts.

        Raises when any leg cannot be resolved or priced.
        """
        saved = replace(self._strategies.one(strategy_id, user_id), part=part)
        plan = self._plan(saved)
        text, digest = freeze(plan)
        now = self._clock.now()
        with self._database.transaction() as session:
            row = Preview(
                strategy_id=saved.id,
                user_id=user_id,
                made_at=now,
                expires_at=now + self._life,
                digest=digest,
                plan=text,
            )
            session.add(row)
            session.flush()
            return FrozenPreview(row.id, plan, digest, row.made_at, row.expires_at)

    def one(self, preview_id: int, user_id: int) -> FrozenPreview:
        """Raises NotFound when it is not this user's."""
        with self._database.reading() as session:
            row = session.get(Preview, preview_id)
            if row is None or row.user_id != user_id:
                raise NotFound("There is no such preview. Make a new one from the strategy.")
            return FrozenPreview(row.id, plan_of(row), row.digest, row.made_at, row.expires_at)

    def check_slip(self, plan: Plan) -> None:
        """Raises Denied when an exchange takes nothing new now, when what is entered would be left at once by the
        clock, or a price has left the worst that the plan showed.
        """
        self._refuse_late(plan)
        self._refuse_time(plan.times, plan.legs)
        self._market.pricing.bring(leg.contract for leg in plan.legs)
        for leg in plan.legs:
            phase = self._market.hours.phase(leg.contract.key.exchange)
            if phase is not Phase.UNKNOWN:  # the gate waits a little for hours that are only not read yet
                gate.may_enter(leg.contract.key.exchange, phase)
            if leg.pricing.is_typed:
                self._market.pricing.typed(leg.contract, leg.side, leg.pricing)
                continue
            limit, _ = self._market.pricing.entry(leg.contract, leg.side)
            worst = _worst(plan, leg.number)
            if worst is not None and (limit - worst) * leg.side.sign > 0:
                raise Denied(
                    "PRICE_MOVED",
                    f"{leg.contract.key.symbol} now needs {limit:.2f}, beyond the {worst:.2f} shown. "
                    "Preview again and check.",
                )

    def _refuse_late(self, plan: Plan) -> None:
        now = self._market.market_clock.now()
        accounts = self._accounts(part.account_id for part in plan.taking_part)
        times = {(each.mis_cut_off, plan.exits.square_off_of(each.id, plan.square_off)) for each in accounts}
        for cut_off, asked in times:  # of fifty accounts nearly all have the same
            self._market.square_off.of_entry(plan.legs, of_account=cut_off, asked=asked, now=now)

    def _refuse_time(self, times: EntryTimes, legs: Iterable[ResolvedLeg]) -> None:
        """Raises Denied when the strategy may not be entered at this time or on this day."""
        why = refusal(times, (leg.contract.expiry for leg in legs), self._market.market_clock.now())
        if why is not None:
            raise Denied(gate.Code.ENTRY_TIME, why)

    def _plan(self, saved: SavedStrategy) -> Plan:
        spots = self._market.legs.spots(saved.spec)
        legs = self._market.legs.legs(saved.spec, spots)
        self._market.pricing.bring(leg.contract for leg in legs)
        prices = {leg.number: self._price(leg) for leg in legs}
        _check_levels(saved.spec, prices)
        return Plan(
            strategy_id=saved.id,
            strategy_name=saved.spec.name,
            made_at=self._market.market_clock.now(),
            spots=tuple(spots.items()),
            legs=legs,
            accounts=self._account_plans(saved, legs, prices),
            max_loss=saved.spec.max_loss,
            max_profit=saved.spec.max_profit,
            failure=saved.spec.failure,
            square_off=saved.spec.square_off,
            floors=saved.spec.floors,
            exits=saved.spec.exits,
            times=saved.spec.times,
        )

    def _price(self, leg: ResolvedLeg) -> LegPrice:
        """Raises Denied naming the leg when its typed price cannot be sent now, NoFreshPrice."""
        if not leg.pricing.is_typed:
            return LegPrice(*self._market.pricing.entry(leg.contract, leg.side))
        try:
            typed = self._market.pricing.typed(leg.contract, leg.side, leg.pricing)
        except Denied as no:
            raise Denied(no.code, f"Leg {leg.number}: {no}") from no
        return LegPrice(typed, typed)

    def _accounts(self, ids: Iterable[int]) -> list[TradingAccount]:
        with self._database.reading() as session:
            return list(
                session.scalars(select(TradingAccount).where(TradingAccount.id.in_(ids)).order_by(TradingAccount.id))
            )

    def _account_plans(
        self, saved: SavedStrategy, legs: tuple[ResolvedLeg, ...], prices: Mapping[int, LegPrice]
    ) -> tuple[AccountPlan, ...]:
        """One for each account: each is read beside the others, then they are sized together."""
        shares = self._strategies.shares(saved)
        accounts = self._accounts(shares)
        today = self._market.legs.today()
        facts = self._money.sizes.facts(saved.spec.size_rule, saved.spec.structures, legs, today)
        with self._database.reading() as session:
            entering = under_way(session)
        begun = list(
            self._money.readers.map(lambda account: self._begun(account, saved, shares[account.id], facts), accounts)
        )
        terms = {
            each.account_name: replace(each, under_way=entering.get(each.account_id, ()))
            for each in begun
            if isinstance(each, AccountTerms)
        }
        sizes, failed = self._money.sizes.together(
            {name: (each.account_id, each.sizing) for name, each in terms.items()}, facts
        )
        plans = [
            _skipped(account, failed[account.name])
            if account.name in failed
            else each
            if isinstance(each, AccountPlan)
            else self._account_plan(
                account, saved, legs, prices, replace(terms[account.name], sizing=sizes[account.name])
            )
            for account, each in zip(accounts, begun, strict=True)
        ]
        with self._database.reading() as session:
            return foreseen(session, zip(accounts, plans, strict=True), today)

    def _begun(
        self, account: TradingAccount, saved: SavedStrategy, share: Share, facts: SizeFacts
    ) -> AccountTerms | AccountPlan:
        """What the account brings, its size by its own money; or the plan of one that takes no part."""
        try:
            gate.may_trade(who_of(account, live_sending=self._live_sending), entry=True)
            self._refuse_stopped(account, saved)
            self._refuse_time(saved.spec.times, facts.legs)
            self._leaving(account, saved, facts.legs)
            return self._terms(account, share, facts)
        except DeskError as reason:
            return _skipped(account, reason)

    def _leaving(self, account: TradingAccount, saved: SavedStrategy, legs: tuple[ResolvedLeg, ...]) -> Leaving | None:
        """When the clock will leave it. Raises Denied when that would be at once."""
        return self._market.square_off.of_entry(
            legs,
            of_account=account.mis_cut_off,
            asked=saved.spec.exits.square_off_of(account.id, saved.spec.square_off),
            now=self._market.market_clock.now(),
        )

    def _account_plan(
        self,
        account: TradingAccount,
        saved: SavedStrategy,
        legs: tuple[ResolvedLeg, ...],
        prices: Mapping[int, LegPrice],
        terms: AccountTerms,
    ) -> AccountPlan:
        freezes = {leg.contract.key: leg.contract.freeze or Units(0) for leg in legs}
        plan = plan_account(terms, legs, freezes=freezes, prices=prices)
        if plan.skipped is not None:
            return plan
        try:
            leaving = self._leaving(account, saved, legs)
        except DeskError as late:
            return _skipped(account, late)
        if leaving is not None:
            plan = replace(plan, explanation=(*plan.explanation, f"Left {leaving.words()}"))
        return self._paced(plan, legs, saved.id)

    def _paced(self, plan: AccountPlan, legs: tuple[ResolvedLeg, ...], strategy_id: int) -> AccountPlan:
        """With what will be slowed, and for how long, as far as the account's last answered call tells."""
        by_number = {leg.number: leg for leg in legs}
        batches: dict[tuple[Side, str], int] = {}
        for part in plan.legs:
            leg = by_number[part.leg]
            place = (leg.side, leg.contract.key.exchange)
            batches[place] = batches.get(place, 0) + len(part.orders)
        paces = self._money.paces.now()
        found = pace(
            [Batch(side, segment, orders) for (side, segment), orders in batches.items()],
            paces.rate_of(plan.account_id),
            paces.width_of(strategy_id),
            call_s=(self._money.health.of(plan.account_id).latency_ms or 0) / 1000,
        )
        return replace(plan, pace=found, explanation=(*plan.explanation, *found.words()))

    def _refuse_stopped(self, account: TradingAccount, saved: SavedStrategy) -> None:
        """Raises Denied while the kill switch or reduce-only takes no entries of this account."""
        with self._database.reading() as session:
            owner = session.get_one(Strategy, saved.id).owner_id  # whoever previews sends, and only owners can
            trading_states.refuse_entry(session, user_id=owner, account_id=account.id, strategy_id=saved.id)

    def _terms(self, account: TradingAccount, share: Share, facts: SizeFacts) -> AccountTerms:
        gateway = self._money.gateways.of(account.id)
        mode = gateway.mode()
        self._money.health.report(account.id, mode=mode)
        if mode != account.expected_mode:
            raise Denied("WRONG_MODE", f"Its gateway is in {mode.value} mode, it was added in {account.expected_mode}.")
        return AccountTerms(
            account_id=account.id,
            account_name=account.name,
            mode=mode,
            sizing=self._money.sizes.begun(account, share, facts),
            positions=gateway.position_book(),
        )


def _skipped(account: TradingAccount, reason: DeskError | str) -> AccountPlan:
    return AccountPlan(
        account_id=account.id,
        account_name=account.name,
        mode=Mode(account.expected_mode),
        structures=0,
        legs=(),
        margin_needed=None,
        funds_free=None,
        explanation=(str(reason),),
        skipped=str(reason),
        skip_code=reason.code if isinstance(reason, Denied) else None,
    )


def _check_levels(spec: StrategySpec, prices: Mapping[int, LegPrice]) -> None:
    """Raises Refused naming a leg that would be left as soon as it is entered, or whose stop no price could reach."""
    for leg in spec.legs:
        rule = spec.exits.legs.of(leg.number)
        if rule is None:
            continue
        try:
            check_reach(rule, leg.side, prices[leg.number].limit)
        except InvalidInput as wrong:
            raise Refused(f"Leg {leg.number}: {wrong}") from wrong


def _worst(plan: Plan, leg: int) -> Decimal | None:
    """The worst price of that leg, the same in every account; None when no account takes part in it."""
    orders = (
        order for account in plan.taking_part for part in account.legs if part.leg == leg for order in part.orders
    )
    first = next(orders, None)
    return None if first is None else first.worst
