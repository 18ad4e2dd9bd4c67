"""What a page shows of one option chain: rows around the money, totals below them, each figure with its age."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from app.domain.contracts import Contract, ContractKey, Kind
from app.services.price_board import BoardPrice

LATE_S = 3.0
STALE_S = 10.0
NO_FORWARD = "Too few strikes near the money are quoted on both sides: no forward to reckon volatilities with."

PriceOf = Callable[[ContractKey], BoardPrice | None]
Tag = Literal["ITM", "ATM", "OTM"]


@dataclass(frozen=True, slots=True)
class OptionFigures:
    """Black-76 of one option: `iv` in percent per year, the others as in `domain.black76.Greeks`."""

    iv: Decimal
    delta: Decimal
    gamma: Decimal
    theta: Decimal
    vega: Decimal


@dataclass(frozen=True, slots=True)
class ChainSide:
    """A call or a put. Prices in rupees, volume and open interest in units; None where nobody said.

    `oi_change` is against the end of the last trading day, None where that is not known or cannot be: open interest
    moves by no more units than are traded. `oi_bar` is 0..100, the share of the largest in view. `age_s` is of the
    price, `touch_age_s` of bid and ask, None without one. `staleness`: fresh, late (from 3 s) or stale (from 10 s, or
    none). `tag` is by the spot. `figures` is None where no implied volatility exists. `in_use`: somebody beside the
    chains wants its price, as a run that holds it.
    """

    key: ContractKey
    tag: Tag
    ltp: Decimal | None = None
    change: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    volume: int | None = None
    oi: int | None = None
    oi_change: int | None = None
    oi_bar: int = 0
    age_s: float | None = None
    touch_age_s: float | None = None
    staleness: str = "stale"
    figures: OptionFigures | None = None
    in_use: bool = False

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

    @property
    def sides(self) -> tuple[ChainSide | None, ChainSide | None]:
        return self.ce, self.pe


@dataclass(frozen=True, slots=True)
class FutureLine:
    """The future that this expiry is priced from. `basis` is its price over spot."""

    expiry: date
    ltp: Decimal | None
    basis: Decimal | None


@dataclass(frozen=True, slots=True)
class SyntheticLine:
    """The forward that calls and puts of this expiry agree on: over spot by `basis`; `atm` is the strike nearest it."""

    price: Decimal
    basis: Decimal
    atm: Decimal


@dataclass(frozen=True, slots=True)
class ChainTotals:
    """Over all strikes of the expiry whose call and put are both known; None where there are none.

    `pcr` and `pcr_volume` are puts over calls. `straddle` is call and put at the money, None unless both prices are
    young. `atm_iv` in percent, of the call and the put at the money that have one. Of the `listed` strikes those of
    open interest rest on `oi_strikes`, that of volume on `volume_strikes`.
    """

    call_oi: int | None
    put_oi: int | None
    pcr: Decimal | None
    pcr_volume: Decimal | None
    straddle: Decimal | None
    atm_iv: Decimal | None
    max_pain: Decimal | None
    listed: int
    oi_strikes: int
    volume_strikes: int


@dataclass(frozen=True, slots=True)
class ChainView:
    """Everything about one chain. `note` says why there are no rows, or what is wrong with them; None when nothing is.

    `age_s` is of the oldest price shown. `expiry` is None when nothing is listed. `closes` is the instant of expiry,
    None while it is not known. `no_greeks` says why there are no volatilities at all. `oi_doubted` counts figures of
    open interest in view that were not believed. `layout` names the rows: it is another when they are other strikes.
    `told_age_s`: so long ago another process told it, its ages grown by that; None where it is our own.
    """

    underlying: str
    underlyings: tuple[str, ...]
    expiry: date | None
    expiries: tuple[date, ...]
    spot: Decimal | None = None
    spot_change: Decimal | None = None
    spot_change_pct: Decimal | None = None
    spot_age_s: float | None = None
    atm: Decimal | None = None
    future: FutureLine | None = None
    synthetic: SyntheticLine | None = None
    closes: datetime | None = None
    no_greeks: str | None = None
    lot_size: int | None = None
    age_s: float | None = None
    note: str | None = None
    oi_doubted: int = 0
    told_age_s: float | None = None
    layout: int = 0
    rows: tuple[ChainRow, ...] = ()
    totals: ChainTotals | None = None


@dataclass(frozen=True, slots=True)
class ChainListing:
    """The contracts of one expiry: strikes ascending, and what is listed at each."""

    underlying: str
    exchange: str
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
