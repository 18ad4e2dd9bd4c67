"""From prices and open interest to the rows of a chain and the totals below them."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.strikes import atm as nearest_strike
from app.services.chain_view import (
    ChainListing,
    ChainRow,
    ChainSide,
    ChainTotals,
    FutureLine,
    OptionFigures,
    PriceOf,
    Tag,
    plain,
    staleness,
)
from app.services.chain_whole import WholeChain
from app.services.price_board import BoardPrice


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures of a chain come from at the monotonic time `now`."""

    prices: Mapping[ContractKey, BoardPrice]
    open_interest: Mapping[ContractKey, int]
    earlier_interest: Mapping[ContractKey, int | None]
    figures: Mapping[ContractKey, OptionFigures | None]
    in_use: frozenset[ContractKey]
    now: float


def rows_of(listing: ChainListing, strikes: Sequence[Decimal], spot: Decimal, sources: Sources) -> tuple[ChainRow, ...]:
    """The rows of these strikes, which ascend."""
    at_money = nearest_strike(listing.strikes, spot)
    known = sources.open_interest
    keys = [contract.key for contract in listing.contracts(strikes)]
    most = max((known[key] for key in keys if key in known), default=0)
    above_spot = next((strike for strike in strikes if strike > spot), None)

    def side(strike: Decimal, kind: Kind) -> ChainSide | None:
        contract = listing.options.get((strike, kind))
        if contract is None:
            return None
        return _side(contract.key, tag_of(kind, strike, spot, at_money), most, sources)

    return tuple(
        ChainRow(plain(strike), strike == at_money, strike == above_spot, side(strike, Kind.CE), side(strike, Kind.PE))
        for strike in strikes
    )


def tag_of(kind: Kind, strike: Decimal, spot: Decimal, at_money: Decimal) -> Tag:
    """Both sides of the strike nearest the spot are at the money; below it calls are in, above it puts."""
    if strike == at_money:
        return "ATM"
    return "ITM" if (strike < spot) == (kind is Kind.CE) else "OTM"


def totals_of(rows: Sequence[ChainRow], whole: WholeChain) -> ChainTotals:
    return ChainTotals(
        call_oi=whole.interest.calls,
        put_oi=whole.interest.puts,
        pcr=whole.interest.pcr,
        pcr_volume=whole.pcr_volume,
        straddle=straddle_of(rows),
        atm_iv=volatility_of(rows),
        max_pain=whole.interest.max_pain,
        listed=whole.listed,
        oi_strikes=whole.interest.strikes,
        volume_strikes=whole.volume_strikes,
    )


def straddle_of(rows: Sequence[ChainRow]) -> Decimal | None:
    """Call and put at the money together; None unless both prices are young."""
    at_money = next((row for row in rows if row.is_atm), None)
    return None if at_money is None else _straddle(at_money)


def volatility_of(rows: Sequence[ChainRow]) -> Decimal | None:
    """Of the call and the put at the money that have one, in percent; None where neither has."""
    at_money = next((row for row in rows if row.is_atm), None)
    return None if at_money is None else _volatility(at_money)


def oldest(rows: Sequence[ChainRow]) -> float | None:
    """Age of the oldest price in these rows; None when none has one."""
    ages = (side.age_s for row in rows for side in row.sides if side is not None)
    return max((age_s for age_s in ages if age_s is not None), default=None)


def future_line(contract: Contract | None, spot: Decimal | None, price_of: PriceOf) -> FutureLine | None:
    if contract is None:
        return None
    price = price_of(contract.key)
    basis = None if price is None or spot is None else price.ltp - spot
    return FutureLine(contract.expiry, None if price is None else price.ltp, basis)


def interest_change(now: int | None, earlier: int | None, volume: int | None) -> int | None:
    """Units of open interest more than when the last trading day ended; None where that cannot be said.

    Each unit traded opens or closes at most one, so a change beyond the volume is not one: one of the figures is wrong.
    """
    if now is None or earlier is None or volume is None or abs(now - earlier) > volume:
        return None
    return now - earlier


def doubted(
    rows: Sequence[ChainRow], in_doubt: Collection[ContractKey], earlier: Mapping[ContractKey, int | None]
) -> int:
    """How many figures of open interest in these rows were not believed: a jump seen once, a change that cannot be."""
    sides = [side for row in rows for side in row.sides if side is not None]
    impossible = sum(
        side.oi_change is None
        and side.volume is not None
        and interest_change(side.oi, earlier.get(side.key), sys.maxsize) is not None
        for side in sides
    )
    return impossible + sum(side.key in in_doubt for side in sides)


def _side(key: ContractKey, tag: Tag, most: int, sources: Sources) -> ChainSide:
    units, price, in_use = sources.open_interest.get(key), sources.prices.get(key), key in sources.in_use
    bar = round(100 * units / most) if units and most else 0
    if price is None:
        return ChainSide(key, tag, oi=units, oi_bar=bar, in_use=in_use)
    age_s, touched = max(0.0, sources.now - price.received), price.touch_received
    return ChainSide(
        key=key,
        tag=tag,
        ltp=price.ltp,
        change=None if price.previous_close is None else price.ltp - price.previous_close,
        bid=price.bid,
        ask=price.ask,
        volume=price.volume,
        oi=units,
        oi_change=interest_change(units, sources.earlier_interest.get(key), price.volume),
        oi_bar=bar,
        age_s=age_s,
        touch_age_s=None if touched is None else max(0.0, sources.now - touched),
        staleness=staleness(age_s),
        figures=sources.figures.get(key),
        in_use=in_use,
    )


def _straddle(row: ChainRow) -> Decimal | None:
    prices = [side.ltp for side in row.sides if side is not None and side.staleness != "stale"]
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if len(known) == 2 else None


def _volatility(row: ChainRow) -> Decimal | None:
    found = [side.figures.iv for side in row.sides if side is not None and side.figures is not None]
    return sum(found, Decimal(0)) / len(found) if found else None
