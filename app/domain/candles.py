"""Candles: what a price did in each part of a session, minute by minute, and in longer parts joined from minutes.

Prices are floats, in rupees or points: candles feed indicators and charts and never price an order. A combined premium
may be zero or negative. A minute in which no price came has none: nothing is carried over and nothing is invented.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from app.domain.calendar import Session

MINUTE = timedelta(minutes=1)
NOTHING = timedelta()
SIZES = (1, 3, 5, 10, 15)
"""Minutes of the candles that are offered."""

_PLACES = 4
"""A sum of legs is rounded to what a price can have: 101.5 + 98.35 is 199.85, not its binary neighbour."""


@dataclass(frozen=True, slots=True)
class Ohlc:
    """First, highest, lowest and last of the prices that were looked at.

    The board keeps the newest price only and is looked at ten times a second, so that a price which stood for less may
    lie outside `low` and `high`. Of a combined premium they are the extremes of the *sum*, each formed from the legs'
    prices of one moment; they are not made of the legs' own highs and lows, which no one moment had together.
    """

    open: float
    high: float
    low: float
    close: float

    @classmethod
    def of(cls, price: float) -> "Ohlc":
        return cls(price, price, price, price)

    def then(self, price: float) -> "Ohlc":
        """With one more price, newer than all before."""
        return Ohlc(self.open, max(self.high, price), min(self.low, price), price)


class Standing(StrEnum):
    """GROWING: its time is not over. GAPPED: it is over, and part of it was not seen; history may still repair it.

    FINAL: it is over and never changes again.
    """

    GROWING = "growing"
    GAPPED = "gapped"
    FINAL = "final"


class Origin(StrEnum):
    """Whether a candle was made here from ticks, read from a gateway's history, or joined from both."""

    TICKS = "ticks"
    HISTORY = "history"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Candle:
    """From `opens` until just before `closes`, both aware UTC; the last of a session may be shorter than the others.

    `prices` None: no price came; nobody traded when `unseen` is zero, and nobody can say otherwise. `unseen` is how
    much of its time the market could not be seen (no feed, or the price of a leg was too old). `volume` in units, None
    where it is not known. `closes_only`: of a combined premium read from history, where only the legs' last prices of
    a minute belong to one moment: all four prices are made of those closes, so that its high and low may fall short.
    """

    opens: datetime
    closes: datetime
    prices: Ohlc | None = None
    volume: int | None = None
    unseen: timedelta = NOTHING
    standing: Standing = Standing.GROWING
    origin: Origin = Origin.TICKS
    closes_only: bool = False

    @property
    def is_complete(self) -> bool:
        """Its time is over, whether all of it was seen or not."""
        return self.standing is not Standing.GROWING


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute as a gateway's history has it. `opens` aware UTC. `closes_only` as of a Candle."""

    opens: datetime
    prices: Ohlc
    volume: int | None
    closes_only: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Candles side by side, for `numpy.frombuffer` without a copy. NaN stands where there is no price or volume.

    `opens` in seconds since 1970; `final` is 1.0 for a candle that never changes again.
    """

    opens: "array[float]"
    open: "array[float]"
    high: "array[float]"
    low: "array[float]"
    close: "array[float]"
    volume: "array[float]"
    final: "array[float]"


def columns(candles: Sequence[Candle]) -> Columns:
    none = Ohlc.of(math.nan)
    prices = [candle.prices or none for candle in candles]
    return Columns(
        opens=array("d", (candle.opens.timestamp() for candle in candles)),
        open=array("d", (each.open for each in prices)),
        high=array("d", (each.high for each in prices)),
        low=array("d", (each.low for each in prices)),
        close=array("d", (each.close for each in prices)),
        volume=array("d", (math.nan if candle.volume is None else candle.volume for candle in candles)),
        final=array("d", (candle.standing is Standing.FINAL for candle in candles)),
    )


def joined(minutes: Iterable[Candle], session: Session, size: int) -> tuple[Candle, ...]:
    """Candles of `size` minutes, aligned to the session's opening, of one session's minutes in their order.

    Exactly what the same prices would have made directly: the first open, the extremes, the last close. Raises
    ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(f"A candle cannot last {size} minutes.")
    if size == 1:
        return tuple(minutes)
    step = size * MINUTE
    grouped = groupby(minutes, key=lambda each: (each.opens - session.opens) // step)
    return tuple(_join(list(parts), session, session.opens + number * step, step) for number, parts in grouped)


def of_closes(minutes: Iterable[Candle]) -> Iterator[Candle]:
    """The same minutes, each reduced to its last price, as history gives them for a combined premium.

    What judges a combined premium over a stretch partly read from history judges all of it alike through these.
    """
    for each in minutes:
        prices = None if each.prices is None else Ohlc.of(each.prices.close)
        yield Candle(
            each.opens, each.closes, prices, each.volume, each.unseen, each.standing, each.origin, closes_only=True
        )


def _join(parts: Sequence[Candle], session: Session, opens: datetime, step: timedelta) -> Candle:
    closes = min(opens + step, session.closes)
    priced = [each.prices for each in parts if each.prices is not None]
    origins = {each.origin for each in parts}
    return Candle(
        opens=opens,
        closes=closes,
        prices=_prices(priced),
        volume=_volume(parts),
        unseen=sum((each.unseen for each in parts), NOTHING),
        standing=_standing(parts, closes),
        origin=origins.pop() if len(origins) == 1 else Origin.MIXED,
        closes_only=any(each.closes_only for each in parts),
    )


def _prices(parts: Sequence[Ohlc]) -> Ohlc | None:
    if not parts:
        return None
    return Ohlc(parts[0].open, max(each.high for each in parts), min(each.low for each in parts), parts[-1].close)


def _volume(parts: Sequence[Candle]) -> int | None:
    """None as soon as one part's is unknown. A minute that was seen and had no price had no trade either."""
    traded = [each for each in parts if each.prices is not None or each.unseen]
    known = [each.volume for each in traded if each.volume is not None]
    return sum(known) if known and len(known) == len(traded) else None


def _standing(parts: Sequence[Candle], closes: datetime) -> Standing:
    standings = {each.standing for each in parts}
    if parts[-1].closes < closes or Standing.GROWING in standings:
        return Standing.GROWING
    return Standing.GAPPED if Standing.GAPPED in standings else Standing.FINAL


def combined(prices: Iterable[float], ratios: Iterable[float]) -> float:
    """The premium of several legs together: each price of the same moment times its signed ratio (sold +, bought -)."""
    return round(math.fsum(price * ratio for price, ratio in zip(prices, ratios, strict=True)), _PLACES)


def combined_bars(legs: Sequence[Mapping[datetime, MinuteBar]], ratios: Sequence[float]) -> dict[datetime, MinuteBar]:
    """A combined premium's minutes of its legs' histories: those minutes alone in which every leg has a bar.

    Only the closes are added up; a leg that was not traded in a minute has no price of that moment.
    """
    if len(legs) == 1 and ratios[0] == 1:
        return dict(legs[0])
    shared = sorted(set(legs[0]).intersection(*legs[1:]))
    found: dict[datetime, MinuteBar] = {}
    for opens in shared:
        close = combined((leg[opens].prices.close for leg in legs), ratios)
        found[opens] = MinuteBar(opens, Ohlc.of(close), None, closes_only=True)
    return found
