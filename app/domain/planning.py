"""From a strategy and one reading of the market to exactly what every account would send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.books import BrokerPosition
from app.domain.contracts import Contract, ContractKey, ContractMaster, Kind, Product, Side
from app.domain.errors import InvalidInput, NoFreshPrice, Refused
from app.domain.expiries import resolve_expiry
from app.domain.money import ZERO, Lots, Units, units_of
from app.domain.plan import AccountPlan, Mode, PlannedLeg, PlannedOrder, ResolvedLeg
from app.domain.price_types import check_tick
from app.domain.size_words import shortage, size_lines
from app.domain.sizing import Basis, Sizing, size_of
from app.domain.slicing import slices
from app.domain.strategy import LegSpec, StrategySpec, StrikeMethod
from app.domain.strategy_check import check_strategy
from app.domain.strikes import StrikeChoice, resolve_strike

__all__ = ["AccountTerms", "LegPrice", "check_strategy", "opposite_exposure", "plan_account", "resolve_legs"]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The one reading of the market that all legs are resolved from."""

    master: ContractMaster
    spots: Mapping[str, Decimal]
    premiums: Mapping[ContractKey, Decimal]
    today: date
    closed_today: bool


def resolve_legs(
    spec: StrategySpec,
    master: ContractMaster,
    spots: Mapping[str, Decimal],
    premiums: Mapping[ContractKey, Decimal],
    today: date,
    closed_today: bool,
) -> tuple[ResolvedLeg, ...]:
    """The contract of every leg, or none at all.

    `spots` maps underlyings to one reading each, `premiums` contracts to their last valid price (only PREMIUM_NEAR
    looks). `closed_today`: today's session is over. Raises InvalidInput naming the leg's field, or NoFreshPrice when a
    price is missing.
    """
    check_strategy(spec)
    reading = _Reading(master, spots, premiums, today, closed_today)
    resolved = tuple(_resolve(index, leg, reading) for index, leg in enumerate(spec.legs))
    _refuse_opposites(resolved)
    return resolved


def _resolve(index: int, leg: LegSpec, reading: _Reading) -> ResolvedLeg:
    futures = leg.kind is Kind.FUT
    listed = reading.master.expiries(leg.underlying, futures=futures)
    field = "expiry"
    try:
        expiry = resolve_expiry(leg.expiry, listed, reading.today, reading.closed_today, leg.underlying)
        field = "strike"
        contract, note = _future(leg, expiry, reading) if futures else _option(leg, expiry, reading)
        check_tick(leg.pricing, contract.tick)
    except InvalidInput as wrong:
        raise InvalidInput(f"legs[{index}].{wrong.field}", f"Leg {leg.number}: {wrong}") from wrong
    except Refused as refusal:
        raise InvalidInput(f"legs[{index}].{field}", f"Leg {leg.number}: {refusal}") from refusal
    except NoFreshPrice as missing:
        raise NoFreshPrice(f"Leg {leg.number}: {missing}") from missing
    return ResolvedLeg(leg.number, contract, leg.side, leg.ratio, leg.product, note, leg.pricing)


def _future(leg: LegSpec, expiry: date, reading: _Reading) -> tuple[Contract, str]:
    return reading.master.future(leg.underlying, expiry), f"future of {expiry:%d %b %y}"


def _option(leg: LegSpec, expiry: date, reading: _Reading) -> tuple[Contract, str]:
    choice = _strike(leg, expiry, reading)
    note = choice.note if choice.warning is None else f"{choice.note}. {choice.warning}"
    return reading.master.option(leg.underlying, expiry, leg.kind, choice.strike), note


def _strike(leg: LegSpec, expiry: date, reading: _Reading) -> StrikeChoice:
    if leg.strike is None:  # check_strategy has refused it already; said again for the type
        raise Refused("An option needs a strike rule.")
    strikes = reading.master.strikes(leg.underlying, expiry, leg.kind)
    premiums: dict[Decimal, Decimal] = {}
    if leg.strike.method is StrikeMethod.PREMIUM_NEAR:
        for strike in strikes:
            key = reading.master.option(leg.underlying, expiry, leg.kind, strike).key
            if key in reading.premiums:
                premiums[strike] = reading.premiums[key]
    spot = reading.spots.get(leg.underlying, ZERO)
    if leg.strike.method in {StrikeMethod.ATM, StrikeMethod.ITM, StrikeMethod.OTM} and not spot > 0:
        raise NoFreshPrice(f"{leg.underlying} has no spot price to choose a strike from. Wait for it to tick.")
    return resolve_strike(leg.strike, leg.kind, strikes, spot, premiums)


def _refuse_opposites(legs: tuple[ResolvedLeg, ...]) -> None:
    for index, leg in enumerate(legs):
        for other in legs[:index]:
            if leg.contract.key == other.contract.key and leg.side is not other.side:
                raise InvalidInput(
                    f"legs[{index}].strike",
                    f"Legs {other.number} and {leg.number} both come to {leg.contract.key.symbol} on opposite sides. "
                    "Change a strike or remove one of them.",
                )


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An entry of a run that is not settled yet. `product` is our word for it."""

    contract: ContractKey
    product: str
    side: Side
    run_id: int


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """What one account brings to a plan: its settled size, and its whole book, ours and foreign.

    `positions` is None when the book could not be read. `under_way` is what our own runs are just entering there.
    """

    account_id: int
    account_name: str
    mode: Mode
    sizing: Sizing
    positions: Sequence[BrokerPosition] | None
    under_way: Sequence[UnderWay] = ()


@dataclass(frozen=True, slots=True)
class LegPrice:
    """The protected limit of a leg and the worst it may be moved to; of a typed price both are that price."""

    limit: Decimal
    worst: Decimal


def plan_account(
    account: AccountTerms,
    legs: Sequence[ResolvedLeg],
    *,
    freezes: Mapping[ContractKey, Units],
    prices: Mapping[int, LegPrice],
) -> AccountPlan:
    """What the account will send, or why it takes no part.

    `freezes` holds a known limit for every contract and `prices` one entry per leg number: whoever asks has refused
    already what is unknown. Raises Refused when a freeze limit is missing all the same.
    """
    size = size_of(account.sizing).structures
    reason = _reason_to_skip(account, legs, size)
    if reason is not None:
        return _account_plan(account, size, (), (*size_lines(account.sizing), reason), reason)
    planned = tuple(_planned_leg(leg, size, freezes, prices[leg.number]) for leg in legs)
    lines = (
        *size_lines(account.sizing, _lots(legs, size)),
        *(_leg_line(leg, sized) for leg, sized in zip(legs, planned, strict=True)),
        *_margin_lines(account.sizing),
        *_unnamed_lines(account),
    )
    return _account_plan(account, size, planned, lines, None)


def _account_plan(
    account: AccountTerms, size: int, legs: tuple[PlannedLeg, ...], lines: tuple[str, ...], skipped: str | None
) -> AccountPlan:
    sizing = account.sizing
    return AccountPlan(
        account.account_id,
        account.account_name,
        account.mode,
        size,
        legs,
        sizing.needs,
        None if sizing.free is None else sizing.free.value,
        lines,
        skipped,
        sizing=sizing,
    )


def _lots(legs: Sequence[ResolvedLeg], size: int) -> str:
    """The size in lots where all legs have the same: `4 lots (260 units)`; of several legs `in each leg`."""
    sizes = {(size * leg.ratio, size * leg.ratio * leg.contract.lot_size) for leg in legs}
    if len(sizes) > 1:
        return ""
    lots, units = sizes.pop()
    return f"{lots} lot{'' if lots == 1 else 's'} ({units} units){' in each leg' if len(legs) > 1 else ''}"


def _reason_to_skip(account: AccountTerms, legs: Sequence[ResolvedLeg], size: int) -> str | None:
    if size == 0:
        return shortage(account.sizing)
    if account.positions is None:
        return "Its positions could not be read, so opposite exposure cannot be ruled out. Preview again."
    opposite = (*opposite_exposure(legs, account.positions), *opposite_entries(legs, account.under_way))
    return " ".join(opposite) if opposite else None


def _planned_leg(
    leg: ResolvedLeg, structures: int, freezes: Mapping[ContractKey, Units], price: LegPrice
) -> PlannedLeg:
    contract = leg.contract
    if contract.key not in freezes:
        raise Refused(f"The freeze limit of {contract.key.symbol} is unknown. Add it to the market rules.")
    lots = Lots(structures * leg.ratio)
    units = units_of(lots, contract.lot_size)
    pieces = slices(units, contract.lot_size, freezes[contract.key])
    orders = tuple(
        PlannedOrder(leg.number, number, piece, price.limit, price.worst) for number, piece in enumerate(pieces, 1)
    )
    return PlannedLeg(leg.number, lots, units, orders, leg.pricing)


def _leg_line(leg: ResolvedLeg, sized: PlannedLeg) -> str:
    cut = "" if len(sized.orders) == 1 else f" in slices {' + '.join(str(order.units) for order in sized.orders)}"
    lots = "lot" if sized.lots == 1 else "lots"
    at = f" at {leg.pricing.words()}" if leg.pricing.is_typed else ""
    return f"Leg {leg.number}: {leg.side} {leg.contract.key.symbol}, {sized.lots} {lots} ({sized.units} units){cut}{at}"


def _margin_lines(sizing: Sizing) -> tuple[str, ...]:
    if sizing.basis is None:
        return ("The gateway gives no margin figure, so margin was not checked.",)
    if sizing.basis is Basis.TABLE:
        return ("The broker gives no figure: the margin is the requirements table's, without a hedge benefit.",)
    return ()


def _unnamed_lines(account: AccountTerms) -> tuple[str, ...]:
    unnamed = sum(1 for position in account.positions or () if position.contract is None and position.net != 0)
    return (f"Positions the gateway could not name, not compared: {unnamed}.",) if unnamed else ()


def opposite_exposure(legs: Sequence[ResolvedLeg], positions: Sequence[BrokerPosition]) -> tuple[str, ...]:
    """One sentence for each leg that would trade against what the account holds in that contract and product.

    A net-zero book leaves neither side able to exit. A product in words that are not ours may be the same: it counts.
    """
    return tuple(
        f"Leg {leg.number} would {leg.side} {leg.contract.key.symbol} {leg.product}, where the account holds "
        f"{position.net:+d} units. Close that position first, or leave the account out."
        for leg in legs
        for position in positions
        if position.contract == leg.contract.key
        and _same_product(position.product, leg.product)
        and position.net * leg.side.sign < 0
    )


def opposite_entries(legs: Sequence[ResolvedLeg], entries: Sequence[UnderWay]) -> tuple[str, ...]:
    """One sentence for each leg and each run that is just entering the other side of it, as `opposite_exposure`."""
    return tuple(
        f"Leg {leg.number} would {leg.side} {leg.contract.key.symbol} {leg.product}, which run {run_id} "
        "is just entering on the other side. Wait for that run, or leave the account out."
        for leg in legs
        for run_id in dict.fromkeys(
            entry.run_id
            for entry in entries
            if entry.contract == leg.contract.key
            and _same_product(entry.product, leg.product)
            and entry.side is not leg.side
        )
    )


def _same_product(theirs: str, ours: Product) -> bool:
    return theirs == ours.value or theirs not in set(Product)
