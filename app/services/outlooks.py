"""What the legs of a strategy would be worth: found and priced from what pages show of the market, asked of nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from app.domain import wording
from app.domain.black76 import implied_volatility, years_left
from app.domain.calendar import Phase, trading_date
from app.domain.contracts import Contract, ContractKey, ContractMaster, underlying_named
from app.domain.errors import InvalidInput, NotFound, Refused, Unavailable
from app.domain.money import ZERO
from app.domain.parity import middle
from app.domain.payoff import Payoff, payoff
from app.domain.plan import ResolvedLeg
from app.domain.planning import resolve_legs
from app.domain.price_types import AT_MARKET
from app.domain.strategy import LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.strikes import PREMIUM_TOLERANCE
from app.domain.worth import HeldLeg, at_first_expiry
from app.ports.clock import Clock, MarketClock
from app.services.chain_view import STALE_S, ChainView
from app.services.contract_list import ContractList
from app.services.price_board import BoardPrice
from app.services.session_hours import SessionHours
from app.services.shown_chains import Chains
from app.services.shown_prices import Prices


@dataclass(frozen=True, slots=True)
class PricedLeg:
    """A leg with its price. `number` is its place on the page, from 1; `units` are signed, of one structure.

    `entry` is rupees per unit: what was typed, else `market`, the middle of a young touch or else the last price, of
    which `age_s` tells. `volatility` is a fraction per year, None for a future and where there is none to tell.
    """

    number: int
    leg: ResolvedLeg
    entry: Decimal
    market: Decimal
    age_s: float
    volatility: float | None

    @property
    def contract(self) -> Contract:
        return self.leg.contract

    @property
    def units(self) -> int:
        return self.leg.side.sign * self.leg.ratio * self.contract.lot_size

    @property
    def is_young(self) -> bool:
        return self.age_s < STALE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One structure of the legs, as of the market's time `at`.

    `missing` says why there is no payoff, empty when there is one; `notes` what to know of the prices used. `held` is
    what the model values before the expiry, None where `why_not_before` says what that lacks. `deviation` is one
    standard deviation of the index until `first_expiry`, in points, None while the volatility at the money is unknown.
    """

    underlying: str | None
    at: datetime | None = None
    spot: Decimal | None = None
    spot_age_s: float | None = None
    legs: tuple[PricedLeg, ...] = ()
    first_expiry: date | None = None
    payoff: Payoff | None = None
    held: tuple[HeldLeg, ...] | None = None
    deviation: float | None = None
    why_not_before: str = ""
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def net_premium(self) -> Decimal:
        """Rupees of one structure's options: positive is received, negative is paid. A future has no premium."""
        options = (leg for leg in self.legs if leg.contract.kind.is_option)
        return sum((-leg.entry * leg.units for leg in options), ZERO)


@dataclass(frozen=True, slots=True)
class _Market:
    """What is the same for all legs. `views` are the chains of the legs' expiries, those that are listed."""

    master: ContractMaster
    at: datetime
    nearest: ChainView
    views: dict[date, ChainView]
    is_closed: bool


class _Missing(Exception):
    """Why there is no picture."""


class Outlooks:
    """Thread-safe. Looking keeps the prices of the legs' chains coming, as looking at a chain does."""

    def __init__(
        self,
        contracts: ContractList,
        chains: Chains,
        prices: Prices,
        hours: SessionHours,
        *,
        market_clock: MarketClock,
        clock: Clock,
    ) -> None:
        self._contracts = contracts
        self._chains = chains
        self._prices = prices
        self._hours = hours
        self._market_clock = market_clock
        self._clock = clock

    def of(self, legs: Sequence[LegSpec]) -> Outlook:
        """What is missing is said in the answer; nothing is raised for it."""
        names = list(dict.fromkeys(leg.underlying for leg in legs))
        if not legs:
            return Outlook(underlying=None, missing=("There are no legs yet.",))
        if len(names) > 1:
            reason = f"A payoff is drawn for the legs of one index; these are of {' and '.join(names)}."
            return Outlook(underlying=None, missing=(reason,))
        try:
            return self._of(names[0], legs)
        except (Unavailable, NotFound) as reason:
            return Outlook(underlying=names[0], missing=(str(reason),))

    def _of(self, name: str, legs: Sequence[LegSpec]) -> Outlook:
        market = self._market(name)
        found: list[PricedLeg] = []
        missing: list[str] = []
        for number, leg in enumerate(legs, 1):
            try:
                found.append(self._priced(number, leg, market))
            except _Missing as reason:
                missing.append(f"Leg {number}: {reason}")
        spot = market.nearest.spot
        if spot is None:
            missing.append(market.nearest.note or f"There is no price of {name} yet.")
        outlook = Outlook(
            underlying=name,
            at=market.at,
            spot=spot,
            spot_age_s=market.nearest.spot_age_s,
            legs=tuple(found),
            first_expiry=min((leg.contract.expiry for leg in found), default=None),
            missing=tuple(missing),
            notes=tuple(_notes(market.nearest, found)),
        )
        return outlook if missing else _valued(outlook, market)

    def _market(self, name: str) -> _Market:
        nearest = self._chains.view(name)
        if nearest.expiry is None:
            raise Unavailable(nearest.note or f"No options of {name} are listed.")
        closed = self._hours.phase(underlying_named(name).exchange) is Phase.CLOSED
        return _Market(self._contracts.master(), self._market_clock.now(), nearest, {}, closed)

    def _view(self, market: _Market, expiry: date) -> ChainView | None:
        """The chain of that day; None for a day without options. It is looked at from here on."""
        name = market.nearest.underlying
        if expiry not in market.nearest.expiries:
            return None
        if expiry not in market.views:
            market.views[expiry] = self._chains.view(name, expiry)
            self._chains.looked_at(name, expiry)
        return market.views[expiry]

    def _priced(self, number: int, spec: LegSpec, market: _Market) -> PricedLeg:
        leg = self._resolved(spec, market)
        view = self._view(market, leg.contract.expiry)
        latest = self._prices.latest(leg.contract.key)
        if latest is None:
            raise _Missing(f"{_name(leg.contract)} has had no price yet.")
        age_s = max(0.0, self._clock.monotonic() - latest.received)
        premium = self._premium(latest)
        _check_near(spec, premium)
        typed = leg.pricing.limit or leg.pricing.trigger
        volatility = None
        if age_s < STALE_S and leg.contract.kind.is_option and view is not None:
            volatility = _volatility(leg.contract, premium, view, market.at)
        return PricedLeg(number, leg, typed or premium, premium, age_s, volatility)

    def _premium(self, price: BoardPrice) -> Decimal:
        age_s = None if price.touch_received is None else self._clock.monotonic() - price.touch_received
        bid, ask = (None if each is None else float(each) for each in (price.bid, price.ask))
        if middle(bid, ask, age_s, oldest_s=STALE_S) is None or price.bid is None or price.ask is None:
            return price.ltp
        return (price.bid + price.ask) / 2

    def _resolved(self, spec: LegSpec, market: _Market) -> ResolvedLeg:
        name = market.nearest.underlying
        spots = {} if market.nearest.spot is None else {name: market.nearest.spot}
        alone = StrategySpec("one leg", (replace(spec, number=1),), 1, None, None)
        today = trading_date(market.at)
        premiums: dict[ContractKey, Decimal] = {}
        if spec.strike is not None and spec.strike.method is StrikeMethod.PREMIUM_NEAR:
            at_money = replace(spec, number=1, strike=StrikeRule(StrikeMethod.ATM), pricing=AT_MARKET)
            one_leg = StrategySpec("one leg", (at_money,), 1, None, None)
            expiry = _leg(one_leg, market, spots, {}, today).contract.expiry
            premiums = _young_premiums(self._view(market, expiry))
        return _leg(alone, market, spots, premiums, today)


def _leg(
    alone: StrategySpec, market: _Market, spots: dict[str, Decimal], premiums: dict[ContractKey, Decimal], today: date
) -> ResolvedLeg:
    try:
        return resolve_legs(alone, market.master, spots, premiums, today, market.is_closed)[0]
    except (InvalidInput, Refused, Unavailable) as reason:
        raise _Missing(str(reason).removeprefix("Leg 1: ")) from reason


def _young_premiums(view: ChainView | None) -> dict[ContractKey, Decimal]:
    sides = [side for row in (view.rows if view else ()) for side in row.sides if side is not None]
    return {side.key: side.ltp for side in sides if side.ltp is not None and side.staleness != "stale"}


def _check_near(spec: LegSpec, premium: Decimal) -> None:
    """A preview quotes every strike; here only some are priced, so one that is far off may be the wrong one."""
    if spec.strike is None or spec.strike.method is not StrikeMethod.PREMIUM_NEAR or spec.strike.value is None:
        return
    wanted = spec.strike.value
    if abs(premium - wanted) > wanted * PREMIUM_TOLERANCE:
        raise _Missing(f"no premium near {wording.price(wanted)} is priced at this moment; a preview asks for all.")


def _volatility(contract: Contract, premium: Decimal, view: ChainView, at: datetime) -> float | None:
    if view.synthetic is None or view.closes is None or contract.strike is None:
        return None
    return implied_volatility(
        contract.kind,
        float(premium),
        float(view.synthetic.price),
        float(contract.strike),
        years_left(at, view.closes),
        least=float(contract.tick),
    )


def _notes(nearest: ChainView, legs: Iterable[PricedLeg]) -> Iterable[str]:
    if nearest.spot is not None and (nearest.spot_age_s is None or nearest.spot_age_s >= STALE_S):
        age = "of an unknown age" if nearest.spot_age_s is None else f"{nearest.spot_age_s:.0f} s old"
        yield f"The price of {nearest.underlying} is {age}."
    for leg in legs:
        if not leg.is_young:
            yield f"Leg {leg.number}: the price of {_name(leg.contract)} is {leg.age_s:.0f} s old."


def _valued(outlook: Outlook, market: _Market) -> Outlook:
    """With its payoff, and what is needed for the days before, as far as they can be had."""
    try:
        held: tuple[HeldLeg, ...] | None = tuple(_held(leg, outlook, market) for leg in outlook.legs)
        why_not = ""
    except _Missing as reason:
        held, why_not = None, str(reason)
    if len({leg.contract.expiry for leg in outlook.legs}) > 1:
        if held is None:
            later = f"Legs of several expiries are valued at the first one by a model. {why_not}"
            return replace(outlook, missing=(later,))
        found = at_first_expiry(held)
    else:
        found = payoff([(leg.leg, leg.entry) for leg in outlook.legs])
    deviation = None if outlook.first_expiry is None else _deviation(market, outlook.first_expiry)
    return replace(outlook, payoff=found, held=held, why_not_before=why_not, deviation=deviation)


def _held(leg: PricedLeg, outlook: Outlook, market: _Market) -> HeldLeg:
    contract, view = leg.contract, market.views.get(leg.contract.expiry)
    if view is None or view.closes is None:
        raise _Missing(f"The session of {contract.expiry:%d %b} is not known yet, and with it the time that is left.")
    years = years_left(market.at, view.closes)
    if years <= 0.0:
        raise _Missing(f"{_name(contract)} has expired.")
    if not leg.is_young:
        raise _Missing(f"{_name(contract)} has no fresh price, so its volatility is unknown.")
    spot = float(outlook.spot or 0)
    if contract.strike is None:
        basis = float(leg.market) - spot
    elif view.synthetic is None:
        raise _Missing(view.no_greeks or f"The forward of {contract.expiry:%d %b} is not known.")
    elif leg.volatility is None:
        raise _Missing(f"{_name(contract)} has no implied volatility at its price of {wording.price(leg.market)}.")
    else:
        basis = float(view.synthetic.price) - spot
    strike = None if contract.strike is None else float(contract.strike)
    return HeldLeg(contract.kind, strike, leg.units, float(leg.entry), contract.expiry, years, basis, leg.volatility)


def _deviation(market: _Market, expiry: date) -> float | None:
    view = market.views.get(expiry)
    if view is None or view.totals is None or view.totals.atm_iv is None or view.closes is None or view.spot is None:
        return None
    years = years_left(market.at, view.closes)
    return None if years <= 0.0 else float(view.spot) * float(view.totals.atm_iv) / 100 * float(years**0.5)


def _name(contract: Contract) -> str:
    return wording.contract_name(contract)
