"""Option prices and greeks: Black-76 on the forward with a smile. All arrays are elementwise float64."""

import math

import numpy as np

from simulator.noise import FloatArray
from simulator.quotes import Greeks

RATE = 0.065
"""Carry per year that puts the forward above spot."""
YEAR_S = 365 * 24 * 3600.0
SHORTEST_YEARS = 30.0 / YEAR_S
SKEW, CURVE = -0.06, 0.018
MONEYNESS_CAP = 5.0


def forward(spot: FloatArray, years: FloatArray) -> FloatArray:
    """Spot carried to expiry."""
    result: FloatArray = spot * np.exp(RATE * years)
    return result


def smile(at_the_money: FloatArray, future: FloatArray, strike: FloatArray, years: FloatArray) -> FloatArray:
    """Volatility of a strike: dearer below the forward than above, dearer far away, flatter for long expiries."""
    term = at_the_money * (0.96 + 0.12 * np.sqrt(np.minimum(years, 1.0)))
    scale = term * np.sqrt(np.maximum(years, SHORTEST_YEARS))
    moneyness = np.clip(np.log(strike / future) / scale, -MONEYNESS_CAP, MONEYNESS_CAP)
    result: FloatArray = term * (1.0 + SKEW * moneyness + CURVE * moneyness * moneyness)
    return result


def option_value(
    future: FloatArray, strike: FloatArray, volatility: FloatArray, years: FloatArray, sign: FloatArray
) -> FloatArray:
    """Discounted value in rupees; `sign` +1 call, -1 put. call - put is exactly discount * (future - strike)."""
    time_left = np.maximum(years, SHORTEST_YEARS)
    scale = volatility * np.sqrt(time_left)
    upper = np.log(future / strike) / scale + scale / 2
    discount = np.exp(-RATE * years)
    value = sign * (future * _normal(sign * upper) - strike * _normal(sign * (upper - scale)))
    result: FloatArray = np.maximum(discount * value, 0.0)
    return result


def greeks(future: float, strike: float, volatility: float, years: float, sign: int) -> Greeks:
    """Greeks in the gateway's units: theta per calendar day, vega and rho per one percent."""
    left = max(years, SHORTEST_YEARS)
    root = math.sqrt(left)
    scale = volatility * root
    upper = math.log(future / strike) / scale + scale / 2
    discount = math.exp(-RATE * years)
    density = math.exp(-upper * upper / 2) / math.sqrt(2 * math.pi)
    cumulative = 0.5 * math.erfc(-sign * upper / math.sqrt(2))
    lower = 0.5 * math.erfc(-sign * (upper - scale) / math.sqrt(2))
    value = discount * sign * (future * cumulative - strike * lower)
    return Greeks(
        implied_volatility=volatility * 100,
        delta=sign * discount * cumulative,
        gamma=discount * density / (future * scale),
        theta=(-discount * future * density * volatility / (2 * root) + RATE * value) / 365,
        vega=discount * future * density * root / 100,
        rho=-years * value / 100,
    )


def _normal(x: FloatArray) -> FloatArray:
    """Cumulative normal, error below 1e-7 (Abramowitz and Stegun 26.2.17), exactly symmetric about 0."""
    size = np.abs(x)
    t = 1.0 / (1.0 + 0.2316419 * size)
    tail = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail *= np.exp(-0.5 * size * size) * 0.3989422804014327
    result: FloatArray = np.where(x >= 0, 1.0 - tail, tail)
    return result
