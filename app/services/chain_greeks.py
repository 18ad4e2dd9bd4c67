"""Volatilities and greeks of a chain: Black-76 on the forward of parity, of young prices alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.black76 import greeks, implied_volatility, years_left
from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.parity import NEAREST, Pair, middle, parity_forward
from app.services.chain_view import STALE_S, ChainListing, OptionFigures
from app.services.price_board import BoardPrice

PACE_S = 0.5
"""An option is worked out at most this often: each tick moves the forward, and with it every option of the chain."""
AGAIN_S = 1.0
"""Figures of unchanged prices are worked out again this often: time passes for them as well."""
KEPT_FOR_S = 120.0

Prices = Mapping[ContractKey, BoardPrice]


@dataclass(frozen=True, slots=True)
class _Worked:
    """What was worked out of which premium and forward, and when."""

    premium: float
    forward: float
    at: float
    figures: OptionFigures | None


def forward_of(listing: ChainListing, spot: Decimal, prices: Prices, now: float) -> float | None:
    """The forward of parity from the strikes nearest the spot; None when too few of them are quoted and young."""
    nearest = sorted(listing.strikes, key=lambda strike: abs(strike - spot))[:NEAREST]
    return parity_forward([_pair(listing, strike, prices, now) for strike in nearest])


class ChainGreeks:
    """Works out again only what changed. Thread-safe: what is remembered is replaced row by row."""

    def __init__(self) -> None:
        self._worked: dict[ContractKey, _Worked] = {}
        self._swept_at = 0.0

    def of(
        self,
        contracts: Sequence[Contract],
        prices: Prices,
        forward: float,
        closes: datetime,
        *,
        at: datetime,
        now: float,
    ) -> dict[ContractKey, OptionFigures | None]:
        """Figures at the market's time `at` and the monotonic `now`; None for each that has no volatility.

        The premium is the middle of a young touch, else a young last price that such a touch does not contradict.
        """
        years = years_left(at, closes)
        self._forget(now)
        return {contract.key: self._one(contract, prices, forward, years, now) for contract in contracts}

    def _one(
        self, contract: Contract, prices: Prices, forward: float, years: float, now: float
    ) -> OptionFigures | None:
        premium = _premium(prices.get(contract.key), now)
        if premium is None:
            return None
        known = self._worked.get(contract.key)
        if known is not None:
            same = known.premium == premium and known.forward == forward
            if now - known.at < (AGAIN_S if same else PACE_S):
                return known.figures
        before = None if known is None or known.figures is None else float(known.figures.iv) / 100
        figures = _figures(contract, premium, forward, years, before)
        self._worked[contract.key] = _Worked(premium, forward, now, figures)
        return figures

    def _forget(self, now: float) -> None:
        """Let go of chains that nobody looks at any more."""
        if now - self._swept_at < KEPT_FOR_S:
            return
        self._swept_at = now
        for key, worked in list(self._worked.items()):
            if now - worked.at > KEPT_FOR_S:
                self._worked.pop(key, None)


def _figures(
    contract: Contract, premium: float, forward: float, years: float, near: float | None
) -> OptionFigures | None:
    strike = float(contract.strike or 0)
    least = float(contract.tick)
    volatility = implied_volatility(contract.kind, premium, forward, strike, years, least=least, near=near or None)
    if volatility is None:
        return None
    found = greeks(contract.kind, forward, strike, years, volatility)
    return OptionFigures(
        iv=Decimal(f"{volatility * 100:.2f}"),
        delta=Decimal(f"{found.delta:.3f}"),
        gamma=Decimal(f"{found.gamma:.6f}"),
        theta=Decimal(f"{found.theta:.2f}"),
        vega=Decimal(f"{found.vega:.2f}"),
    )


def _premium(price: BoardPrice | None, now: float) -> float | None:
    if price is None:
        return None
    between = _middle(price, now)
    if between is not None:
        return between
    return float(price.ltp) if now - price.received < STALE_S and _is_within(price, now) else None


def _is_within(price: BoardPrice, now: float) -> bool:
    """Whether the last trade lies within the young touch of now, which may lack a side, or be the wrong way round.

    A gateway's quote repeats a trade of this morning as its price of now: bids and offers since then know better.
    """
    if price.touch_received is None or now - price.touch_received > STALE_S:
        return True
    return (price.bid is None or price.bid <= price.ltp) and (price.ask is None or price.ltp <= price.ask)


def _middle(price: BoardPrice, now: float) -> float | None:
    bid, ask = (None if each is None else float(each) for each in (price.bid, price.ask))
    age_s = None if price.touch_received is None else now - price.touch_received
    return middle(bid, ask, age_s, oldest_s=STALE_S)


def _pair(listing: ChainListing, strike: Decimal, prices: Prices, now: float) -> Pair | None:
    found = []
    for kind in (Kind.CE, Kind.PE):
        contract = listing.options.get((strike, kind))
        price = None if contract is None else prices.get(contract.key)
        between = None if price is None else _middle(price, now)
        if between is None:
            return None
        found.append(between)
    return Pair(float(strike), *found)
