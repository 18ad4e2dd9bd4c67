"""Price paths: one day of one underlying as an array of log prices, made whole from the seed before the day begins."""

import math
import random
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np

from simulator.clock import STEP_S
from simulator.noise import FloatArray, StepArray, key_of
from simulator.underlyings import Underlying

SESSION_S = 385 * 60
CASH_SESSION_S = 375 * 60
DAY_STEPS = round(SESSION_S / STEP_S)
"""Steps of a lived session, 09:15 to 15:40."""
PAST_STEP_S = 15.0
PAST_STEPS = round(SESSION_S / PAST_STEP_S)
"""Steps of a synthesised earlier day: bars are all anyone can still see of it."""

TRADING_DAYS = 252
GAP_SHARE = 0.15
"""Share of a day's variance that happens overnight."""
LEVERAGE = 5.0
"""Relative rise of implied volatility for a fall of 1 in the log price."""


@dataclass
class Push:
    """An outside move laid over the path: `log_size` spread evenly over `steps` from `start`; 0 steps is at once."""

    start: int
    steps: int
    log_size: float

    def done(self, steps: StepArray) -> FloatArray:
        """How much of it has happened at each step, in log price."""
        progress = (steps - self.start) / self.steps if self.steps else (steps >= self.start).astype(np.float64)
        return np.clip(progress, 0.0, 1.0) * self.log_size


@dataclass
class DayPath:
    """One day of one underlying. Step 0 is the opening; arrays have one more point than the day has steps."""

    day: date
    step_s: float
    prev_close: float
    log_price: FloatArray
    log_volatility: FloatArray
    seed: int
    underlying: Underlying
    _pushes: list[Push] = field(default_factory=list)
    _scales: list[tuple[int, float]] = field(default_factory=list)
    _worked_out: tuple[FloatArray, FloatArray] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Kept as what it is made from: the arrays are large, and the same each time they are made."""
        made = (self.seed, self.underlying, self.day, self.prev_close, self.last_step)
        return _made_again, (made, self._scales, self._pushes)

    @property
    def last_step(self) -> int:
        """The step of the close."""
        return len(self.log_price) - 1

    @property
    def cash_steps(self) -> int:
        """The step of the cash market's close, after which indices and equities stand still."""
        return round(CASH_SESSION_S / self.step_s)

    def price(self, steps: StepArray) -> FloatArray:
        """Prices in rupees at steps 0..last_step."""
        return self._whole_day()[0][steps]

    def implied_volatility(self, steps: StepArray) -> FloatArray:
        """At-the-money volatility per year as a fraction; rises when the price falls."""
        return self._whole_day()[1][steps]

    def close(self) -> float:
        """The price at the last step."""
        return float(self._whole_day()[0][-1])

    def lay(self, push: Push) -> None:
        """Lay an outside move over the path."""
        self._pushes.append(push)
        self._worked_out = None

    def scale(self, step: int, factor: float) -> None:
        """Wander `factor` times as far from `step` on."""
        self._scales.append((step, factor))
        start = self.log_price[step]
        self.log_price[step:] = start + (self.log_price[step:] - start) * factor
        self._worked_out = None

    def _whole_day(self) -> tuple[FloatArray, FloatArray]:
        """Prices and volatilities of all steps, worked out once until a push changes them."""
        if self._worked_out is None:
            steps = np.arange(len(self.log_price), dtype=np.int64)
            total = self.log_price + sum(push.done(steps) for push in self._pushes)
            fall = math.log(self.prev_close) - total
            volatility = np.exp(self.log_volatility + np.clip(LEVERAGE * fall, -0.5, 1.5))
            self._worked_out = (np.exp(total), volatility)
        return self._worked_out


def day_return(seed: int, underlying: Underlying, day: date) -> tuple[float, float]:
    """Log return of the day from the previous close, and the part of it that is the opening gap."""
    market = random.Random(key_of(seed, "day", day))
    own = random.Random(key_of(seed, "day", day, underlying.name))
    sigma = underlying.volatility / math.sqrt(TRADING_DAYS)
    share = _common_share(underlying)
    total = sigma * (share * _fat(market) + math.sqrt(1 - share * share) * _fat(own))
    gap = total * 0.3 + sigma * math.sqrt(GAP_SHARE) * 0.5 * (share * _fat(market) + (1 - share) * _fat(own))
    return total, gap


def make_day(seed: int, underlying: Underlying, day: date, prev_close: float, steps: int) -> DayPath:
    """The path of a day from the previous close, on a grid of `steps` steps."""
    total, gap = day_return(seed, underlying, day)
    share = _common_share(underlying)
    common = _bridge(key_of(seed, "path", day), steps)
    own = _bridge(key_of(seed, "path", day, underlying.name), steps)
    sigma = underlying.volatility / math.sqrt(TRADING_DAYS)
    shape = sigma * (share * common + math.sqrt(1 - share * share) * own)
    line = np.linspace(gap, total, steps + 1)
    return DayPath(
        day=day,
        step_s=SESSION_S / steps,
        prev_close=prev_close,
        log_price=math.log(prev_close) + line + shape,
        log_volatility=_volatility(seed, underlying, day, steps),
        seed=seed,
        underlying=underlying,
    )


def _made_again(
    made: tuple[int, Underlying, date, float, int], scales: list[tuple[int, float]], pushes: list[Push]
) -> DayPath:
    path = make_day(*made)
    for step, factor in scales:
        path.scale(step, factor)
    for push in pushes:
        path.lay(push)
    return path


def _common_share(underlying: Underlying) -> float:
    """Correlation with the market's common factor: indices near 0.95, equities less."""
    return 0.96 if underlying.is_index else min(0.7, 0.6 * underlying.beta)


def _fat(rng: random.Random) -> float:
    """A unit-variance draw with fatter tails than the normal."""
    return rng.gauss(0.0, 1.0) * (1.6 if rng.random() < 0.15 else 0.86)


@lru_cache(maxsize=32)
def _bridge(key: int, steps: int) -> FloatArray:
    """A day's wandering that ends where it began, in units of the day's standard deviation.

    Regimes follow one another (a trend, a range, a reversal), volatility is high early and late and drifts, and a
    few jumps fall at random; the straight line between the ends is taken out, since the day's return is drawn apart.
    """
    rng = random.Random(key)
    noise = np.random.Generator(np.random.PCG64(rng.getrandbits(64))).standard_normal(steps)
    at = np.linspace(0.0, 1.0, steps + 1)
    smile = 0.75 + 1.4 * (at[:-1] - 0.45) ** 2 * 2
    burst = np.exp(np.interp(at[:-1], np.linspace(0, 1, 40), _walk_knots(rng, 40, 0.35)))
    moves = noise * smile * burst / math.sqrt(steps) * 0.75
    path = np.concatenate(([0.0], np.cumsum(moves))) + _regimes(rng, at) + _jumps(rng, at)
    result: FloatArray = path - at * path[-1]
    return result


def _regimes(rng: random.Random, at: FloatArray) -> FloatArray:
    """Drift as straight pieces between turning points, about eight regimes a day."""
    knots, heights = [0.0], [0.0]
    while knots[-1] < 1.0:
        length = rng.uniform(0.05, 0.22)
        kind = rng.choice(("up", "down", "range", "reversal"))
        size = rng.uniform(0.25, 0.9)
        heights += _regime_heights(kind, size, heights[-1])
        knots += [knots[-1] + length / 2, knots[-1] + length]
    result: FloatArray = np.interp(at, knots, heights) * 0.6
    return result


def _regime_heights(kind: str, size: float, start: float) -> list[float]:
    """Where a regime stands at its middle and at its end."""
    return {
        "up": [start + size / 2, start + size],
        "down": [start - size / 2, start - size],
        "range": [start + size * 0.05, start],
        "reversal": [start - size if start > 0 else start + size, start],
    }[kind]


def _jumps(rng: random.Random, at: FloatArray) -> FloatArray:
    """Zero to three sudden moves, half of which are taken back within minutes."""
    total = np.zeros_like(at)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        moment, size = rng.uniform(0.05, 0.95), rng.choice((-1, 1)) * rng.uniform(0.12, 0.4)
        total += np.where(at >= moment, size, 0.0)
        if rng.random() < 0.5:
            total -= np.clip((at - moment - 0.01) / 0.03, 0.0, 1.0) * size
    return total


def _walk_knots(rng: random.Random, count: int, size: float) -> list[float]:
    """A slow mean-reverting walk sampled at knots."""
    values = [0.0]
    for _ in range(count - 1):
        values.append(values[-1] * 0.85 + rng.gauss(0.0, size * 0.5))
    return values


@lru_cache(maxsize=32)
def _volatility(seed: int, underlying: Underlying, day: date, steps: int) -> FloatArray:
    """Log of implied volatility over the day, before the price's own influence; continuous from day to day."""
    rng = random.Random(key_of(seed, "vol", day, underlying.name))
    start = _volatility_level(seed, underlying.name, day.toordinal() - 1)
    end = _volatility_level(seed, underlying.name, day.toordinal())
    knots = np.array(_walk_knots(rng, 60, 0.012))
    at = np.linspace(0.0, 1.0, steps + 1)
    wander = np.interp(at, np.linspace(0, 1, 60), knots - np.linspace(0, knots[-1], 60))
    result: FloatArray = math.log(underlying.volatility) + start + (end - start) * at + wander
    result.setflags(write=False)  # kept for the next market of this seed
    return result


def _volatility_level(seed: int, name: str, ordinal: int) -> float:
    """Deviation of log volatility at a day's end: slow, small and found without walking through the days before."""
    draws = (random.Random(key_of(seed, "vol-level", name, ordinal - back)).gauss(0.0, 0.03) for back in range(8))
    return sum(draw * 0.8**back for back, draw in enumerate(draws))
