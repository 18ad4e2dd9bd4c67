"""What a leg would be at this moment, for the builder: looked up in memory, asked of nobody."""

from dataclasses import replace
from decimal import Decimal

from app.domain import wording
from app.domain.calendar import trading_date
from app.domain.contracts import ContractKey, ContractMaster, underlying_named
from app.domain.errors import Refused, Unavailable
from app.domain.planning import resolve_legs
from app.domain.pnl import MARK_MAX_AGE_S
from app.domain.price_types import AT_MARKET
from app.domain.strategy import LegSpec, StrategySpec, StrikeMethod
from app.web.contract_names import contract_label
from app.web.desk import Desk
from app.web.expiry_choices import closed_today


def leg_now(desk: Desk, master: ContractMaster, leg: LegSpec) -> str | None:
    """`26,200 CE at 128.20`; None while nobody can say.

    A strike by premium is left to the preview, which quotes every strike: the few that tick here would mislead.
    """
    if leg.strike is not None and leg.strike.method is StrikeMethod.PREMIUM_NEAR:
        return None
    underlying = underlying_named(leg.underlying)
    spot = fresh_price(desk, underlying.spot)
    spots = {} if spot is None else {leg.underlying: spot}
    alone = StrategySpec("one leg", (replace(leg, number=1, pricing=AT_MARKET),), 1, None, None)
    today = trading_date(desk.market_clock.now())
    try:
        found = resolve_legs(alone, master, spots, {}, today, closed_today(desk, underlying))[0].contract
    except (Refused, Unavailable):
        return None  # the preview gives the reason; here there is only nothing to show
    price = fresh_price(desk, found.key)
    label = contract_label(found)
    return label if price is None else f"{label} at {wording.price(price)}"


def fresh_price(desk: Desk, key: ContractKey) -> Decimal | None:
    """The last price on the board; None when there is none young enough to be shown as today's."""
    latest = desk.prices.latest(key)
    if latest is None or desk.clock.monotonic() - latest.received > MARK_MAX_AGE_S:
        return None
    return latest.ltp
