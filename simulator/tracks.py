"""A track: what has been seen of one contract today, brought up to the present only when somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.noise import StepArray
from simulator.pricing import Sweep, sweep
from simulator.tapes import Tape

SHORT_GAP = 64
"""Gaps up to this many steps are priced for a whole expiry in one sweep."""


@dataclass
class Track:
    """Day's figures up to `done`, the last step taken in; before the opening done is -1 and prices are 0."""

    tape: Tape
    done: int = -1
    ltp: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = float("inf")
    bid: float = 0.0
    ask: float = 0.0
    price_sum: float = 0.0
    trades: int = 0
    prev_close: float = 0.0
    """Yesterday's last price; 0.0 until somebody asks."""

    def take(self, prices: Sequence[float]) -> None:
        """Take in trade prices, oldest first."""
        if not self.trades:
            self.open = prices[0]
        self.ltp = prices[-1]
        self.high = max(self.high, *prices)
        self.low = min(self.low, *prices)
        self.price_sum += sum(prices)
        self.trades += len(prices)


def catch_up(tracks: Sequence[Track], step: int) -> None:
    """Bring tracks of one expiry (see `sweep`) up to `step`; does nothing for those already there."""
    late = [track for track in tracks if track.done < step]
    if not late:
        return
    oldest = min(track.done for track in late)
    if step - oldest <= SHORT_GAP:
        seen = sweep([track.tape for track in late], np.arange(oldest + 1, step + 1, dtype=np.int64))
        for row, track in enumerate(late):
            _take_row(track, seen, row)
    else:
        for track in late:
            _take_alone(track, step)
        _take_books(late, step)
    for track in late:
        track.done = step


def trade_steps(tape: Tape, first: int, last: int) -> StepArray:
    """Steps in first..last at which the tape prints a trade; the opening always does."""
    last = min(last, tape.last_step)
    start = first + (tape.phase - first) % tape.interval
    steps = np.arange(start, last + 1, tape.interval, dtype=np.int64)
    if first <= 0 <= last and tape.phase:
        steps = np.concatenate((np.zeros(1, np.int64), steps))
    return steps


def _take_row(track: Track, seen: Sweep, row: int) -> None:
    fresh = seen.traded[row] & (seen.steps > track.done)
    prices = seen.ltp[row][fresh]
    if len(prices):
        track.take(prices.tolist())
    track.bid, track.ask = float(seen.bid[row, -1]), float(seen.ask[row, -1])


def _take_alone(track: Track, step: int) -> None:
    steps = trade_steps(track.tape, track.done + 1, step)
    if len(steps):
        track.take(sweep([track.tape], steps).ltp[0].tolist())


def _take_books(tracks: Sequence[Track], step: int) -> None:
    now = sweep([track.tape for track in tracks], np.array([step], np.int64))
    for row, track in enumerate(tracks):
        track.bid, track.ask = float(now.bid[row, 0]), float(now.ask[row, 0])
