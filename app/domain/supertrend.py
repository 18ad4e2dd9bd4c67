"""Supertrend: a line that follows a price at some true ranges' distance and changes sides when the price crosses it.

True range: the widest of high - low, high - close before and close before - low; of the first candle high - low.
Averaged as Wilder does, beginning with the simple mean of the first `period` ranges. Source: the rule as TradingView's
`ta.supertrend` has it, whose directions these are: -1 up, the line below the price; +1 down, the line above it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.candles import SIZES, Candle, Standing
from app.domain.errors import InvalidInput

UP, DOWN, UNKNOWN = -1, 1, 0
WARM_UP_PERIODS = 3
"""So many periods of candles are seen before a change of direction means anything: the first average is a guess."""
PERIODS = (2, 100)
MULTIPLIERS = (0.5, 20.0)


class Supertrend:
    """Fed one candle after another; each costs the same. Not thread-safe.

    Bit for bit what the kernel of services/supertrend_kernel.py makes of the same candles: same steps, same order.
    """

    __slots__ = ("_atr", "_close", "_keep", "_lower", "_multiplier", "_period", "_share", "_total", "_upper", "bars",
                 "direction", "line")  # fmt: skip

    def __init__(self, period: int = 10, multiplier: float = 3.0) -> None:
        self._period, self._multiplier = period, multiplier
        self._keep, self._share = (period - 1.0) / period, 1.0 / period
        self._total = self._atr = self._upper = self._lower = self._close = 0.0
        self.bars = 0
        self.direction = UNKNOWN
        """UP, DOWN, or UNKNOWN while the first `period` candles are not there. The first one is a seed: DOWN."""
        self.line = math.nan

    def add(self, high: float, low: float, close: float) -> int:  # noqa: C901 - without a call it costs a third
        """The direction with this candle. Raises ValueError for what is no number, and changes nothing then."""
        spread, before = high - low, self._close
        if not -math.inf < spread + close < math.inf:
            raise ValueError(f"A candle of {high}, {low}, {close} is none.")
        if self.bars:
            up, down = high - before, before - low
            if up > spread:  # noqa: PLR1730 - a call of max costs as much as all the rest
                spread = up
            if down > spread:  # noqa: PLR1730
                spread = down
        self._close = close
        self.bars += 1
        if self.bars <= self._period:
            return self._warm(spread, (high + low) / 2.0)
        self._atr = atr = self._keep * self._atr + self._share * spread
        middle, width = (high + low) / 2.0, self._multiplier * atr
        upper, lower, old_upper, old_lower = middle + width, middle - width, self._upper, self._lower
        was_above = self.line == old_upper
        if upper >= old_upper >= before:
            upper = old_upper
        if lower <= old_lower <= before:
            lower = old_lower
        self._upper, self._lower = upper, lower
        if close > upper if was_above else close >= lower:
            self.direction, self.line = UP, lower
        else:
            self.direction, self.line = DOWN, upper
        return self.direction

    def _warm(self, spread: float, middle: float) -> int:
        self._total += spread
        if self.bars == self._period:
            self._begin(middle)
        return self.direction

    def _begin(self, middle: float) -> None:
        self._atr = self._total / self._period
        width = self._multiplier * self._atr
        self._upper, self._lower = middle + width, middle - width
        self.direction, self.line = DOWN, self._upper


class TrendOf(StrEnum):
    """What the candles are of: the combined premium of the run's legs, one leg, or the index."""

    PREMIUM = "premium"
    LEG = "leg"
    UNDERLYING = "underlying"


class TrendTurn(StrEnum):
    """Which turn takes the run out: BREAKOUT to up, BREAKDOWN to down."""

    BREAKOUT = "breakout"
    BREAKDOWN = "breakdown"

    @property
    def direction(self) -> int:
        return UP if self is TrendTurn.BREAKOUT else DOWN


@dataclass(frozen=True, slots=True)
class SupertrendExit:
    """A run is left when the trend of `of` turns, on candles of so many minutes. `leg` is a number for TrendOf.LEG."""

    turn: TrendTurn
    of: TrendOf = TrendOf.PREMIUM
    leg: int | None = None
    minutes: int = 5
    period: int = 10
    multiplier: float = 3.0

    def words(self) -> str:
        """As `Leaves when the Supertrend (10, 3) of the combined premium turns up, on 5-minute candles.`"""
        what = {
            TrendOf.PREMIUM: "the combined premium",
            TrendOf.LEG: f"leg {self.leg}",
            TrendOf.UNDERLYING: "the index",
        }[self.of]
        way = "up" if self.turn is TrendTurn.BREAKOUT else "down"
        return (
            f"Leaves when the Supertrend ({self.period}, {self.multiplier:g}) of {what} turns {way}, "
            f"on {self.minutes}-minute candles."
        )


def check_supertrend(rule: SupertrendExit, legs: Iterable[int]) -> None:
    """Raises InvalidInput naming the builder's field."""
    if rule.minutes not in SIZES:
        offered = ", ".join(map(str, SIZES))
        raise InvalidInput("trend_minutes", f"Candles are offered of {offered} minutes; take one of these.")
    if not PERIODS[0] <= rule.period <= PERIODS[1]:
        raise InvalidInput("trend_period", f"Average {PERIODS[0]} to {PERIODS[1]} candles.")
    if not MULTIPLIERS[0] <= rule.multiplier <= MULTIPLIERS[1]:
        raise InvalidInput("trend_multiplier", f"Take {MULTIPLIERS[0]:g} to {MULTIPLIERS[1]:g} true ranges.")
    if rule.of is TrendOf.LEG and rule.leg not in set(legs):
        raise InvalidInput("trend_leg", "Say which leg's candles count, by its number in the table of legs.")
    if rule.of is not TrendOf.LEG and rule.leg is not None:
        raise InvalidInput("trend_leg", "Only the trend of a single leg names one. Empty this.")


@dataclass(frozen=True, slots=True)
class TrendSeen:
    """Where the trend stands after the newest complete candle, and the first turn after the entry that counts.

    `direction` UNKNOWN, `line` None and `candle` None while there are too few candles; `wanting` is how many more it
    takes until a turn means anything, 0 once it does.
    """

    direction: int
    line: float | None
    candle: Candle | None
    wanting: int
    turned_at: Candle | None = None
    turned_line: float | None = None


def seen_in(candles: Iterable[Candle], rule: SupertrendExit, entered_at: datetime) -> TrendSeen:
    """Judges complete candles alone, from the oldest to the newest; one without a price is passed over.

    A turn counts on a candle that is FINAL and opened at or after the entry, from the direction that the FINAL candle
    before had: one that history may still repair decides nothing, and what it would have decided the next one does.
    """
    trend, needed = Supertrend(rule.period, rule.multiplier), WARM_UP_PERIODS * rule.period
    wanted, before, last = rule.turn.direction, UNKNOWN, None
    turned_at, turned_line = None, None
    for candle in candles:
        if candle.prices is None or not candle.is_complete:
            continue
        direction, last = trend.add(candle.prices.high, candle.prices.low, candle.prices.close), candle
        if candle.standing is not Standing.FINAL or trend.bars < needed:
            continue
        is_turn = before not in {UNKNOWN, direction} and direction == wanted and candle.opens >= entered_at
        if is_turn and turned_at is None:
            turned_at, turned_line = candle, trend.line
        before = direction
    line = None if trend.direction == UNKNOWN else trend.line
    return TrendSeen(trend.direction, line, last, max(0, needed - trend.bars), turned_at, turned_line)
