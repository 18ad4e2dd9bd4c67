"""Bid, ask and trade prices of contracts at grid steps; a whole expiry is priced in one sweep."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.noise import FloatArray, StepArray, uniform
from simulator.tapes import Tape
from simulator.underlyings import VIX
from simulator.volatility import YEAR_S, forward, option_value, smile

_BID_SALT = np.uint64(0x51ED2701A3C5B7E9)
_TRADE_SALT = np.uint64(0x1F83D9ABFB41BD6B)
_LEAST = 1e-9
VIX_SCALE = 110.0
"""India VIX stands a little above the at-the-money volatility in percent."""


@dataclass(frozen=True)
class Sweep:
    """Prices by contract (rows) and step (columns). `traded` marks the steps at which a trade printed."""

    steps: StepArray
    bid: FloatArray
    ask: FloatArray
    ltp: FloatArray
    traded: npt.NDArray[np.bool_]


def sweep(tapes: Sequence[Tape], steps: StepArray) -> Sweep:
    """Price tapes that share underlying, day, expiry and being an option or not; steps ascending, within the day."""
    first = tapes[0]
    steps = np.minimum(steps, first.last_step)
    keys = np.array([t.key for t in tapes], np.uint64)[:, np.newaxis]
    ticks = _floats([t.contract.tick_size or 0.01 for t in tapes])
    middle = _middles(tapes, steps)
    traded = _traded(tapes, steps)
    if not first.contract.tradable:
        price = np.round(middle, 2)
        nothing = np.zeros_like(price)
        return Sweep(steps, nothing, nothing, price, traded)
    half = _half_spread(tapes, middle, ticks)
    sway = (uniform(keys ^ _BID_SALT, steps) - 0.5) * half * 0.6
    bid_ticks = np.maximum(np.floor((middle + sway - half) / ticks + 1e-6), 0.0)
    ask_ticks = np.maximum(np.ceil((middle + sway + half) / ticks - 1e-6), bid_ticks + 1)
    inside = np.round((ask_ticks - bid_ticks) * uniform(keys ^ _TRADE_SALT, steps))
    trade_ticks = np.maximum(bid_ticks + inside, 1.0)
    return Sweep(
        steps, np.round(bid_ticks * ticks, 2), np.round(ask_ticks * ticks, 2), np.round(trade_ticks * ticks, 2), traded
    )


def moved_value(tape: Tape, step: int, moves: FloatArray) -> FloatArray:
    """Model value of a future or option at a step if its underlying moved by these fractions, volatility unchanged."""
    steps = np.array([step])
    years = years_left(tape, steps)
    future = forward(tape.path.price(steps) * (1.0 + moves), years)
    if not tape.contract.is_option:
        return future
    strike = np.array([tape.contract.strike])
    volatility = smile(tape.path.implied_volatility(steps), future, strike, years)
    sign = np.array([1.0 if tape.contract.kind == "CE" else -1.0])
    return option_value(future, strike, volatility, years, sign)


def years_left(tape: Tape, steps: StepArray) -> FloatArray:
    """Years to the expiry's close at each step, never negative."""
    result: FloatArray = np.maximum(tape.years_at_open - steps * tape.path.step_s / YEAR_S, 0.0)
    return result


def _middles(tapes: Sequence[Tape], steps: StepArray) -> FloatArray:
    first = tapes[0]
    if first.contract.symbol == VIX.name:
        return first.path.implied_volatility(steps)[np.newaxis, :] * VIX_SCALE
    spot = first.path.price(steps)[np.newaxis, :]
    if not first.contract.is_derivative:
        values = np.repeat(spot, len(tapes), axis=0)
    else:
        years = years_left(first, steps)[np.newaxis, :]
        future = forward(spot, years)
        values = np.repeat(future, len(tapes), axis=0)
        if first.contract.is_option:
            values = _option_values(tapes, steps, future, years)
    return _with_offsets(tapes, steps, values)


def _option_values(tapes: Sequence[Tape], steps: StepArray, future: FloatArray, years: FloatArray) -> FloatArray:
    strikes = _floats([t.contract.strike for t in tapes])
    signs = _floats([1.0 if t.contract.kind == "CE" else -1.0 for t in tapes])
    at_the_money = tapes[0].path.implied_volatility(steps)[np.newaxis, :]
    return option_value(future, strikes, smile(at_the_money, future, strikes, years), years, signs)


def _with_offsets(tapes: Sequence[Tape], steps: StepArray, values: FloatArray) -> FloatArray:
    for row, tape in enumerate(tapes):
        for offset in tape.offsets:
            values[row] += np.where(steps >= offset.start, offset.rupees, 0.0)
    return np.maximum(values, _LEAST)


def _half_spread(tapes: Sequence[Tape], middle: FloatArray, ticks: FloatArray) -> FloatArray:
    contract = tapes[0].contract
    if contract.kind == "EQ":
        return ticks * 0.4
    if contract.kind == "FUT":
        return np.maximum(ticks * 0.6, middle * 0.00002)
    shares = _floats([t.spread_share for t in tapes])
    return np.maximum(ticks * 0.5, middle * shares)


def _traded(tapes: Sequence[Tape], steps: StepArray) -> npt.NDArray[np.bool_]:
    intervals = _integers([t.interval for t in tapes])
    phases = _integers([t.phase for t in tapes])
    result: npt.NDArray[np.bool_] = (steps % intervals == phases) | (steps == 0)
    return result


def _floats(values: Sequence[float]) -> FloatArray:
    return np.array(values, np.float64)[:, np.newaxis]


def _integers(values: Sequence[int]) -> StepArray:
    return np.array(values, np.int64)[:, np.newaxis]
