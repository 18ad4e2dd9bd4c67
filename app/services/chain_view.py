"""One option chain as a page shows it: rows around the money, totals below them, each figure with its age."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.strikes import atm as nearest_strike
from app.services.price_board import BoardPrice

LATE_S = 3.0
STALE_S = 10.0

PriceOf = Callable[[ContractKey], BoardPrice | None]


@dataclass(frozen=True, slots=True)
class ChainSide:
    """A call or a put. Prices in rupees, volume and open interest in units; None where nobody said.

    `oi_change` stays None: no gateway tells yesterday's open interest. `oi_bar` is 0..100, the share of the largest in
    view. `age_s` is of the price, None without one. `staleness`: fresh, late (from 3 s) or stale (from 10 s, or none).
    """

    key: ContractKey
    ltp: Decimal | None
    change: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    volume: int | None
    oi: int | None
    oi_change: int | None
    oi_bar: int
    age_s: float | None
    staleness: str
    itm: bool

    @property
    def symbol(self) -> str:
        return self.key.symbol


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One strike. `ce` or `pe` is None when it is not listed. `spot_before`: the spot line belongs above this row."""

    strike: Decimal
    is_atm: bool
    spot_before: bool
    ce: ChainSide | None
    pe: ChainSide | None


@dataclass(frozen=True, slots=True)
class FutureLine:
    """The future that this expiry is priced from. `basis` is its price over spot."""

    expiry: date
    ltp: Decimal | None
    basis: Decimal | None


@dataclass(frozen=True, slots=True)
class ChainTotals:
    """Sums over the rows in view whose call and put are both known; None where there are none.

    `pcr` is put over call open interest. `straddle` is call and put at the money, None unless both prices are young.
    """

    call_oi: int | None
    put_oi: int | None
    pcr: Decimal | None
    straddle: Decimal | None
    max_pain: Decimal | None


@dataclass(frozen=True, slots=True)
class ChainView:
    """Everything about one chain. `note` says why there are no rows, or what is wrong with them; None when nothing is.

    `age_s` is of the oldest price shown. `expiry` is None when nothing is listed.
    """

    underlying: str
    underlyings: tuple[str, ...]
    expiry: date | None
    expiries: tuple[date, ...]
    spot: Decimal | None
    spot_change: Decimal | None
    spot_change_pct: Decimal | None
    spot_age_s: float | None
    atm: Decimal | None
    future: FutureLine | None
    lot_size: int | None
    age_s: float | None
    note: str | None
    rows: tuple[ChainRow, ...]
    totals: ChainTotals | None


@dataclass(frozen=True, slots=True)
class ChainListing:
    """The contracts of one expiry: strikes ascending, and what is listed at each."""

    underlying: str
    expiry: date
    strikes: tuple[Decimal, ...]
    options: Mapping[tuple[Decimal, Kind], Contract]
    future: Contract | None
    lot_size: int

    def window(self, centre: Decimal, reach: int) -> tuple[Decimal, ...]:
        """Strikes at most `reach` places from `centre`, which is a listed one."""
        place = self.strikes.index(centre)
        return self.strikes[max(0, place - reach) : place + reach + 1]

    def contracts(self, strikes: Sequence[Decimal]) -> list[Contract]:
        pairs = ((strike, kind) for strike in strikes for kind in (Kind.CE, Kind.PE))
        return [self.options[pair] for pair in pairs if pair in self.options]


def plain(strike: Decimal) -> Decimal:
    """The strike as it is written and sent: `26200`, not `26200.0` nor `2.62E+4`."""
    return Decimal(f"{strike.normalize():f}")


def staleness(age_s: float | None) -> str:
    if age_s is None or age_s >= STALE_S:
        return "stale"
    return "late" if age_s >= LATE_S else "fresh"


def rows_of(
    listing: ChainListing,
    strikes: Sequence[Decimal],
    spot: Decimal,
    *,
    price_of: PriceOf,
    open_interest: Mapping[ContractKey, int],
    now: float,
) -> tuple[ChainRow, ...]:
    """The rows of these strikes at the monotonic time `now`."""
    at_money = nearest_strike(listing.strikes, spot)
    keys = [contract.key for contract in listing.contracts(strikes)]
    most = max((open_interest[key] for key in keys if key in open_interest), default=0)
    above_spot = next((strike for strike in strikes if strike > spot), None)

    def side(strike: Decimal, kind: Kind) -> ChainSide | None:
        contract = listing.options.get((strike, kind))
        if contract is None:
            return None
        in_money = strike < spot if kind is Kind.CE else strike > spot
        return _side(contract.key, price_of(contract.key), open_interest.get(contract.key), most, now, itm=in_money)

    return tuple(
        ChainRow(plain(strike), strike == at_money, strike == above_spot, side(strike, Kind.CE), side(strike, Kind.PE))
        for strike in strikes
    )


def totals_of(rows: Sequence[ChainRow]) -> ChainTotals:
    known = [
        (row.strike, row.ce.oi, row.pe.oi)
        for row in rows
        if row.ce is not None and row.pe is not None and row.ce.oi is not None and row.pe.oi is not None
    ]
    straddle = next((_straddle(row) for row in rows if row.is_atm), None)
    if not known:
        return ChainTotals(None, None, None, straddle, None)
    calls, puts = sum(call for _, call, _ in known), sum(put for _, _, put in known)
    pcr = Decimal(puts) / Decimal(calls) if calls else None
    return ChainTotals(calls, puts, pcr, straddle, _max_pain(known) if calls or puts else None)


def oldest(rows: Sequence[ChainRow]) -> float | None:
    """Age of the oldest price in these rows; None when none has one."""
    sides = (side for row in rows for side in (row.ce, row.pe) if side is not None)
    return max((side.age_s for side in sides if side.age_s is not None), default=None)


def future_line(contract: Contract | None, spot: Decimal | None, price_of: PriceOf) -> FutureLine | None:
    if contract is None:
        return None
    price = price_of(contract.key)
    basis = None if price is None or spot is None else price.ltp - spot
    return FutureLine(contract.expiry, None if price is None else price.ltp, basis)


def _side(
    key: ContractKey, price: BoardPrice | None, units: int | None, most: int, now: float, *, itm: bool
) -> ChainSide:
    bar = round(100 * units / most) if units and most else 0
    if price is None:
        return ChainSide(key, None, None, None, None, None, units, None, bar, None, "stale", itm)
    age_s = max(0.0, now - price.received)
    change = None if price.previous_close is None else price.ltp - price.previous_close
    return ChainSide(
        key=key,
        ltp=price.ltp,
        change=change,
        bid=price.bid,
        ask=price.ask,
        volume=price.volume,
        oi=units,
        oi_change=None,
        oi_bar=bar,
        age_s=age_s,
        staleness=staleness(age_s),
        itm=itm,
    )


def _straddle(row: ChainRow) -> Decimal | None:
    prices = [side.ltp for side in (row.ce, row.pe) if side is not None and side.staleness != "stale"]
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if len(known) == 2 else None


def _max_pain(known: Sequence[tuple[Decimal, int, int]]) -> Decimal:
    """The strike at which an expiry there would pay all holders together the least; the lower one of two alike."""
    points = [(float(strike), calls, puts) for strike, calls, puts in known]

    def paid_at(at: float) -> float:
        return sum(calls * max(0.0, at - strike) + puts * max(0.0, strike - at) for strike, calls, puts in points)

    return min(known, key=lambda each: (paid_at(float(each[0])), each[0]))[0]
