"""Prices with their age, and the protected limits that stand in for market orders."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import Kind, Side
from app.domain.errors import NoFreshPrice, Refused
from app.domain.money import tick_down, tick_up

OPTION_BUFFERS: tuple[tuple[Decimal | None, Decimal], ...] = (
    (Decimal(10), Decimal("0.05")),
    (Decimal(100), Decimal("0.03")),
    (Decimal(500), Decimal("0.02")),
    (None, Decimal("0.01")),
)
"""Slabs by premium: below the first figure (None: no end) the fraction that follows."""

FUTURE_BUFFER = Decimal("0.0005")

DEFAULT_SLIP_STEPS = 3
"""How many buffers from the touch an order may be re-priced, the first limit being one of them."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price that can be believed: positive, with where and when it came from.

    `exchange_at` is the exchange's own time, None where the source has none. `received_at` is when we got it or when
    the feed last confirmed it. Both aware. Raises ValueError for a value that is not positive and finite.
    """

    value: Decimal
    source: str
    exchange_at: datetime | None
    received_at: datetime

    def __post_init__(self) -> None:
        _credible(self.value)
        if self.received_at.tzinfo is None:
            raise ValueError("A price needs the aware moment at which it was received.")


@dataclass(frozen=True, slots=True)
class Touch:
    """One reading of a contract: best bid and ask (None: nobody there) and last price, all of the same moment."""

    bid: Decimal | None
    ask: Decimal | None
    last: Price

    def __post_init__(self) -> None:
        for side in (self.bid, self.ask):
            if side is not None:
                _credible(side)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """The lowest and highest price the exchange takes just now, both included. `low` may be 0."""

    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if not (self.low.is_finite() and self.high.is_finite() and 0 <= self.low < self.high):
            raise ValueError(f"{self.low} to {self.high} is not a price band.")


def _credible(value: Decimal) -> None:
    if not (value.is_finite() and value > 0):
        raise ValueError(f"{value} is not a price.")


def is_fresh(price: Price, now: datetime, max_age_s: float) -> bool:
    """True when the price was received or confirmed at most `max_age_s` seconds before `now`.

    One from the future by more than that is not fresh either: the clock was set back.
    """
    return abs((now - price.received_at).total_seconds()) <= max_age_s


def protection_buffer(kind: Kind, premium: Decimal) -> Decimal:
    """The fraction of the price a protected limit may give away.

    >>> 99 * protection_buffer(Kind.CE, Decimal(99)), 100 * protection_buffer(Kind.PE, Decimal(100))
    (Decimal('2.97'), Decimal('2.00'))
    >>> protection_buffer(Kind.FUT, Decimal(25000))
    Decimal('0.0005')
    """
    _credible(premium)
    if kind is Kind.FUT:
        return FUTURE_BUFFER
    return next(fraction for below, fraction in OPTION_BUFFERS if below is None or premium < below)


BufferOf = Callable[[Kind, Decimal], Decimal]
"""`protection_buffer`, or the dated rule table's answer to the same question."""


def protected_limit(
    side: Side,
    kind: Kind,
    touch: Touch,
    tick: Decimal,
    *,
    band: PriceBand,
    now: datetime,
    max_age_s: float,
    buffer_of: BufferOf = protection_buffer,
) -> Decimal:
    """The limit price that stands for "market": the far touch plus (BUY) or minus (SELL) the buffer.

    Always on the tick, inside the band, and never worse than the buffer: rounding goes towards the touch. Without
    anybody on the far side the last price is taken. Raises NoFreshPrice when the reading is too old.
    """
    if not is_fresh(touch.last, now, max_age_s):
        raise NoFreshPrice(f"The last price is more than {max_age_s:g} s old. Wait for the market to be quoted again.")
    far = touch.ask if side is Side.BUY else touch.bid
    base = touch.last.value if far is None else far
    return _inside(_give(side, base, base * buffer_of(kind, base), tick), band, tick)


def worst_limit(
    side: Side,
    kind: Kind,
    limit: Decimal,
    tick: Decimal,
    *,
    band: PriceBand,
    slip_steps: int = DEFAULT_SLIP_STEPS,
    buffer_of: BufferOf = protection_buffer,
) -> Decimal:
    """The worst price an order first limited at `limit` may be moved to: what the preview shows and holds to.

    `slip_steps` counts buffers from the touch; `limit` is one away already, so 1 means that it is never moved.
    """
    if slip_steps < 1:
        raise ValueError(f"{slip_steps} slip steps: the limit itself is the first.")
    worst = _give(side, limit, _step(kind, limit, tick, buffer_of) * (slip_steps - 1), tick)
    return more_aggressive(side, limit, _inside(worst, band, tick))


def next_limit(
    side: Side,
    kind: Kind,
    current: Decimal,
    worst: Decimal,
    tick: Decimal,
    *,
    fresh: Decimal | None = None,
    buffer_of: BufferOf = protection_buffer,
) -> Decimal:
    """Where to move an order that is still unfilled at `current`: one step on, never past `worst`.

    `fresh` is a newly made protected limit, None when there is no fresh price; the order follows the market if that
    is further. The answer equals `current` once there is nowhere further to go.
    """
    wanted = _give(side, current, _step(kind, current, tick, buffer_of), tick)
    if fresh is not None:
        wanted = more_aggressive(side, wanted, fresh)
    return more_aggressive(side, current, less_aggressive(side, wanted, worst))


def within_worst(side: Side, limit: Decimal, worst: Decimal) -> bool:
    """True when a limit refreshed at send still keeps to what the preview showed."""
    return limit <= worst if side is Side.BUY else limit >= worst


def more_aggressive(side: Side, one: Decimal, other: Decimal) -> Decimal:
    """The one that fills sooner: the higher for BUY, the lower for SELL."""
    return max(one, other) if side is Side.BUY else min(one, other)


def less_aggressive(side: Side, one: Decimal, other: Decimal) -> Decimal:
    """The one that gives away less: the lower for BUY, the higher for SELL."""
    return min(one, other) if side is Side.BUY else max(one, other)


def band_edge(side: Side, band: PriceBand, tick: Decimal) -> Decimal:
    """The most aggressive price the exchange takes: an exit's last resort. Raises Refused when no tick is inside."""
    return _highest(band, tick) if side is Side.BUY else _lowest(band, tick)


def _step(kind: Kind, price: Decimal, tick: Decimal, buffer_of: BufferOf) -> Decimal:
    # The buffer of a cheap option is less than a tick; an order that cannot move by one could never follow.
    return max(price * buffer_of(kind, price), tick)


def _give(side: Side, base: Decimal, amount: Decimal, tick: Decimal) -> Decimal:
    if side is Side.BUY:
        return tick_down(base + amount, tick)
    return tick_up(base - amount, tick)


def _inside(price: Decimal, band: PriceBand, tick: Decimal) -> Decimal:
    return min(max(price, _lowest(band, tick)), _highest(band, tick))


def _lowest(band: PriceBand, tick: Decimal) -> Decimal:
    lowest = max(tick_up(band.low, tick), tick)
    if lowest > band.high:
        raise Refused(f"No price on the tick of {tick} lies between {band.low} and {band.high}.")
    return lowest


def _highest(band: PriceBand, tick: Decimal) -> Decimal:
    highest = tick_down(band.high, tick)
    if highest < max(band.low, tick):
        raise Refused(f"No price on the tick of {tick} lies between {band.low} and {band.high}.")
    return highest
