"""Candles: one-minute bars from the same trade prices the ticks show, and longer ones joined from them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from itertools import groupby

import numpy as np

from simulator.activity import open_interests, volumes
from simulator.calendar import CASH_OPEN, ist
from simulator.pricing import sweep
from simulator.quotes import Bar
from simulator.tapes import Tape
from simulator.tracks import trade_steps

INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "10m": 10, "15m": 15, "30m": 30, "1h": 60}
"""Minutes of the intraday intervals the broker serves; D is served as well."""


def minute_bars(tape: Tape, last: int) -> list[Bar]:
    """One-minute bars of the tape's day from the opening to step `last`; the newest may be unfinished."""
    steps = trade_steps(tape, 0, last)
    if not len(steps):
        return []
    prices = sweep([tape], steps).ltp[0]
    per_minute = round(60 / tape.path.step_s)
    minutes = np.minimum(steps, tape.last_step - 1) // per_minute
    starts = np.flatnonzero(np.diff(minutes, prepend=-1))
    ends = np.append(starts[1:], len(steps)) - 1
    high, low = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    traded = volumes(tape, steps[ends])
    units = np.diff(traded, prepend=0.0)
    interest = open_interests(tape, steps[ends])
    opening = int(ist(tape.path.day, CASH_OPEN).timestamp())
    return [
        Bar(
            timestamp=opening + int(minutes[start]) * 60,
            open=float(prices[start]),
            high=float(high[n]),
            low=float(low[n]),
            close=float(prices[ends[n]]),
            volume=int(units[n]),
            oi=int(interest[n]),
        )
        for n, start in enumerate(starts)
    ]


def longer_bars(minutes: Iterable[Bar], size: int, opening: int) -> list[Bar]:
    """Join minute bars of one day into bars of `size` minutes aligned to the opening (epoch seconds)."""
    grouped = groupby(minutes, key=lambda bar: (bar.timestamp - opening) // (size * 60))
    return [_joined(list(bars), opening + number * size * 60) for number, bars in grouped]


def day_bar(minutes: list[Bar], tape: Tape) -> Iterator[Bar]:
    """The daily bar, or nothing for a day without trades; stamped 00:00 UTC of the date, as the gateway does."""
    if minutes:
        midnight = datetime.combine(tape.path.day, time(), UTC)
        yield _joined(minutes, int(midnight.timestamp()))


def _joined(bars: list[Bar], timestamp: int) -> Bar:
    return Bar(
        timestamp=timestamp,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=sum(bar.volume for bar in bars),
        oi=bars[-1].oi,
    )
