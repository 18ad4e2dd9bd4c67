"""Supertrend over whole columns at once, compiled; bit for bit what domain/supertrend.py makes candle by candle.

Importing this module loads numba and compiles, or takes what an earlier process compiled: half a second and more. The
engine does it on a thread of its own (`Kernels`); nothing that pages wait for imports it.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Directions = NDArray[np.int8]


def supertrend(high: Floats, low: Floats, close: Floats, period: int, multiplier: float) -> tuple[Floats, Directions]:
    """Line and direction of each candle; NaN and 0 where there is none yet. Not a number may stand only at the start.

    Raises ValueError for columns of different lengths, and where a number is missing after the first.
    """
    if not len(high) == len(low) == len(close):
        raise ValueError(f"Columns of {len(high)}, {len(low)} and {len(close)} candles belong to no series.")
    high, low, close = (np.ascontiguousarray(each, dtype=np.float64) for each in (high, low, close))
    line, direction = np.empty(len(close)), np.empty(len(close), np.int8)
    if _pass(high, low, close, period, multiplier, line, direction) >= 0:
        raise ValueError("A candle without a number stands between others: leave it out.")
    return line, direction


@numba.njit(
    "int64(float64[::1], float64[::1], float64[::1], int64, float64, float64[::1], int8[::1])", cache=True, nogil=True
)
def _pass(  # type: ignore[no-untyped-def]  # noqa: ANN202, PLR0917, C901 - one loop without a call is the point
    high: Floats, low: Floats, close: Floats, period: int, multiplier: float, line: Floats, direction: Directions
):
    """The place of the first candle that is none, of those after the first that is one; -1 where all are."""
    keep, share = (period - 1.0) / period, 1.0 / period
    total = atr = upper = lower = before = standing = 0.0
    first = 0
    while first < len(close) and not np.isfinite(high[first] - low[first] + close[first]):
        line[first], direction[first] = np.nan, 0
        first += 1
    for i in range(first, len(close)):
        top, bottom, last = high[i], low[i], close[i]
        spread = top - bottom
        if not -np.inf < spread + last < np.inf:
            return i
        if i > first:
            spread = max(max(spread, top - before), before - bottom)  # noqa: PLW3301 - of two it is one instruction
        middle = (top + bottom) / 2.0
        if i - first >= period:
            atr = keep * atr + share * spread
            width = multiplier * atr
            was_above = standing == upper
            new_upper, new_lower = middle + width, middle - width
            if not (new_upper < upper or before > upper):
                new_upper = upper
            if not (new_lower > lower or before < lower):
                new_lower = lower
            upper, lower = new_upper, new_lower
            is_up = last > upper if was_above else last >= lower
            standing = lower if is_up else upper
            line[i], direction[i] = standing, (-1 if is_up else 1)
        else:
            total += spread
            line[i], direction[i] = np.nan, 0
            if i - first == period - 1:
                atr = total / period
                upper, lower = middle + multiplier * atr, middle - multiplier * atr
                standing = upper
                line[i], direction[i] = upper, 1
        before = last
    return -1
