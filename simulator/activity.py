"""Volume, last traded size, open interest and resting depth: closed forms of the tape and the step."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from simulator.noise import FloatArray, StepArray, uniform, uniform_at
from simulator.quotes import Depth, DepthLevel, Quote
from simulator.tapes import Tape

LEVELS = 5
DEPTH_HOLD = 4
"""Depth quantities stay for this many steps (one second)."""
OI_HOLD_S = 60.0
NO_LEVEL = DepthLevel(0.0, 0, 0)
NO_DEPTH = Depth((NO_LEVEL,) * LEVELS, (NO_LEVEL,) * LEVELS, 0, 0)

_LTQ_SALT = 0x2545F4914F6CDD1D
_OI_SALT = 0x6A09E667F3BCC909


def volume(tape: Tape, step: int) -> int:
    """Units traded from the opening to a step: busier early and late, never falling."""
    if not tape.lots_a_day or step < 0:
        return 0
    share = min(step, tape.last_step) / tape.last_step
    shape = share + 0.25 / math.pi * math.sin(2 * math.pi * share)
    return (math.floor(tape.lots_a_day * shape) + 1) * tape.contract.lot_units


def volumes(tape: Tape, steps: StepArray) -> FloatArray:
    """`volume` at many steps."""
    share = np.minimum(steps, tape.last_step) / tape.last_step
    shape = share + 0.25 / math.pi * np.sin(2 * math.pi * share)
    lots = np.floor(tape.lots_a_day * shape) + (steps >= 0)
    result: FloatArray = lots * tape.contract.lot_units if tape.lots_a_day else np.zeros_like(share)
    return result


def last_units(tape: Tape, step: int) -> int:
    """Units of the trade at a step: whole lots, mostly few, at times many."""
    if not tape.contract.tradable:
        return 0
    u = uniform_at(int(tape.key) ^ _LTQ_SALT, step)
    per_trade = tape.lots_a_day / max(1, tape.last_step // tape.interval)
    lots = 1 + int(max(2.0, per_trade) * 2 * u**4)
    return lots * tape.contract.lot_units


def open_interest(tape: Tape, step: int) -> int:
    """Units outstanding at a step, in whole lots; changes once a minute."""
    if not tape.open_interest_lots:
        return 0
    minute = int(max(step, 0) * tape.path.step_s // OI_HOLD_S)
    share = min(minute * OI_HOLD_S / tape.path.step_s, tape.last_step) / tape.last_step
    flicker = uniform_at(int(tape.key) ^ _OI_SALT, minute + 1) - 0.5
    traded = share + 0.25 / math.pi * math.sin(2 * math.pi * share)
    return math.floor(_lots_open(tape, traded, flicker * (1 - share))) * tape.contract.lot_units


def open_interests(tape: Tape, steps: StepArray) -> FloatArray:
    """`open_interest` at many steps."""
    keys = np.array([int(tape.key) ^ _OI_SALT], np.uint64)
    minutes = (np.maximum(steps, 0) * tape.path.step_s // OI_HOLD_S).astype(np.int64)
    shares = np.minimum(minutes * OI_HOLD_S / tape.path.step_s, tape.last_step) / tape.last_step
    flickers = uniform(keys, minutes + 1) - 0.5
    traded = shares + 0.25 / math.pi * np.sin(2 * math.pi * shares)
    result: FloatArray = np.floor(_lots_open(tape, traded, flickers * (1 - shares))) * tape.contract.lot_units
    return result


Share = TypeVar("Share", float, FloatArray)


def _lots_open(tape: Tape, traded: Share, flicker: Share) -> Share:
    """Lots open when that share of the day's volume is traded: on the way to the close, with some to and fro."""
    drift = tape.closing_interest_lots - tape.open_interest_lots
    sway = min(0.02 * tape.open_interest_lots, 0.3 * tape.lots_a_day)
    return tape.open_interest_lots + (drift + sway * flicker) * traded


def depth(tape: Tape, step: int, quote: Quote) -> Depth:
    """Five levels a side around the quote; a side without price has five empty levels."""
    if not tape.contract.tradable:
        return NO_DEPTH
    steps = np.full(2 * LEVELS, step // DEPTH_HOLD, np.int64) * (4 * LEVELS) + np.arange(2 * LEVELS)
    draws = uniform(np.array([[int(tape.key) ^ (direction + 7)] for direction in (-1, 1)], np.uint64), steps).tolist()
    bids = _side(tape, quote.bid, -1, draws[0])
    asks = _side(tape, quote.ask, 1, draws[1])
    behind = 12 + int(30 * uniform_at(int(tape.key) ^ 5, step // DEPTH_HOLD))
    return Depth(
        bids, asks, sum(level.units for level in bids) * behind, sum(level.units for level in asks) * (behind + 2)
    )


def _side(tape: Tape, best: float, direction: int, draws: Sequence[float]) -> tuple[DepthLevel, ...]:
    if best <= 0:
        return (NO_LEVEL,) * LEVELS
    tick, lot = tape.contract.tick_size, tape.contract.lot_units
    gap = tick * max(1, round(best * tape.spread_share / tick / 3)) if tape.contract.is_option else tick
    return tuple(_level(round(best + direction * n * gap, 2), lot, draws[n], draws[LEVELS + n]) for n in range(LEVELS))


def _level(price: float, lot: int, size: float, crowd: float) -> DepthLevel:
    if price <= 0:
        return NO_LEVEL
    lots = 1 + int(40 * size**2)
    return DepthLevel(price, lots * lot, min(lots, 1 + int(9 * crowd)))
