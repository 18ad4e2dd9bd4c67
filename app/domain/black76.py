"""Black-76 on a forward: price, implied volatility and greeks of European options, undiscounted (interest 0).

Source: F. Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976). Interest is left out as
the gateways do: prices near the money are small beside the strike, and the forward of parity carries the cost already.
Everything is float64, which nothing that trades is reckoned with.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from app.domain.contracts import Kind

YEAR_S = 365 * 86_400.0
"""Calendar seconds of the year that volatilities and times are told in."""
DAYS = 365.0
MOST_TOTAL = 10.0
"""Volatility times the root of years beyond which every option is worth its limit and tells nothing."""
_ROUNDS = 60
_CLOSE = 1e-10
_ROOT_2 = math.sqrt(2.0)
_DENSITY_0 = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Greeks:
    """What an option's price does, in points (rupees of premium per unit), for a holder of one unit.

    `delta`: per point of the forward; 0..1 of a call, -1..0 of a put. `gamma`: change of delta per point, never
    negative. `theta`: per calendar day that passes, never positive. `vega`: per percentage point of volatility, never
    negative.
    """

    delta: float
    gamma: float
    theta: float
    vega: float


def years_left(now: datetime, expires: datetime) -> float:
    """Years from `now` to the instant of expiry, both aware; zero and below when that has passed."""
    return (expires - now).total_seconds() / YEAR_S


def price(kind: Kind, forward: float, strike: float, years: float, volatility: float) -> float:
    """Premium in points. `volatility` is per year as a fraction (0.12); all but `kind` positive, else ValueError."""
    total = _total(forward, strike, years, volatility)
    return _intrinsic(kind, forward, strike) + math.sqrt(forward * strike) * _time_value(
        _distance(forward, strike), total
    )


def greeks(kind: Kind, forward: float, strike: float, years: float, volatility: float) -> Greeks:
    """As `price`, for what that price does. Raises ValueError as it does."""
    total = _total(forward, strike, years, volatility)
    d1 = math.log(forward / strike) / total + total / 2.0
    density = _density(d1)
    return Greeks(
        delta=_normal(d1) if kind is Kind.CE else -_normal(-d1),
        gamma=density / (forward * total),
        theta=-forward * density * volatility / (2.0 * math.sqrt(years)) / DAYS,
        vega=forward * density * math.sqrt(years) / 100.0,
    )


def implied_volatility(
    kind: Kind,
    premium: float,
    forward: float,
    strike: float,
    years: float,
    *,
    least: float = 0.0,
    near: float | None = None,
) -> float | None:
    """The volatility (a fraction per year) whose price is `premium`; None where there is none to tell.

    That is: no time left, a figure that is not positive and finite, a premium at or below what exercise would pay, one
    above what any volatility gives, and a time value below `least` points, the smallest step of prices: it could be
    any number below that step. `near` is a volatility to begin from: it saves time and changes nothing.
    """
    if kind is Kind.FUT or not all(0.0 < each < math.inf for each in (premium, forward, strike, years)):
        return None
    beyond = premium - _intrinsic(kind, forward, strike)
    if beyond <= 0.0 or beyond < least:
        return None
    begin = None if near is None else near * math.sqrt(years)
    total = _total_for(beyond / math.sqrt(forward * strike), _distance(forward, strike), begin)
    return None if total is None else total / math.sqrt(years)


def _total(forward: float, strike: float, years: float, volatility: float) -> float:
    if not all(0.0 < each < math.inf for each in (forward, strike, years, volatility)):
        raise ValueError("Forward, strike, years and volatility are positive.")
    return volatility * math.sqrt(years)


def _intrinsic(kind: Kind, forward: float, strike: float) -> float:
    return max(0.0, forward - strike if kind is Kind.CE else strike - forward)


def _distance(forward: float, strike: float) -> float:
    """How far from the money, as a logarithm; never positive, since only the option that is out of the money counts."""
    return -abs(math.log(forward / strike))


def _time_value(distance: float, total: float) -> float:
    """Premium of the option out of the money over the root of forward times strike, below exp(distance / 2)."""
    along, half = distance / total, total / 2.0
    return math.exp(distance / 2.0) * _normal(along + half) - math.exp(-distance / 2.0) * _normal(along - half)


def _slope(distance: float, total: float) -> float:
    """How fast `_time_value` grows with `total`."""
    return _density(math.hypot(distance / total, total / 2.0))


def _total_for(wanted: float, distance: float, near: float | None) -> float | None:
    """The `total` at which `_time_value` is `wanted`: Newton's steps, kept between two bounds that close in on it.

    `_time_value` bends at the root of twice the distance. Above it the steps go by the value itself, below by one over
    its logarithm, which is nearly a parabola there (P. Jaeckel, By Implication, 2006).
    """
    if wanted >= _time_value(distance, MOST_TOTAL):
        return None
    low, high = 0.0, MOST_TOTAL
    bend = math.sqrt(-2.0 * distance)
    below = bend > 0.0 and wanted < _time_value(distance, bend)
    total = near or _beginning(wanted, distance)
    total = min(bend, total) if below else max(bend, total)
    for _ in range(_ROUNDS):
        value = _time_value(distance, total)
        step = _step(value, wanted, _slope(distance, total), by_logarithm=below)
        if step is not None and abs(step) <= _CLOSE * total:
            return total - step
        low, high = (total, high) if value < wanted else (low, total)
        total = (low + high) / 2.0 if step is None or not low < total - step < high else total - step
    return total


def _beginning(wanted: float, distance: float) -> float:
    """Where to begin: the better of what holds far from the money and what holds at it."""
    return max(-distance / math.sqrt(-2.0 * math.log(min(wanted, 0.5))), wanted / _DENSITY_0)


def _step(value: float, wanted: float, slope: float, *, by_logarithm: bool) -> float | None:
    """None where the curve is too flat for a step to mean anything."""
    if slope <= 0.0 or (by_logarithm and not 0.0 < value < 1.0):
        return None
    if by_logarithm:
        logarithm = math.log(value)
        return logarithm * (logarithm / math.log(wanted) - 1.0) * value / slope
    return (value - wanted) / slope


def _normal(at: float) -> float:
    return 0.5 * math.erfc(-at / _ROOT_2)


def _density(at: float) -> float:
    return _DENSITY_0 * math.exp(-0.5 * at * at)
