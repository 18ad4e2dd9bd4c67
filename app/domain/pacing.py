"""How long it takes an account to send what is planned, when a broker takes only so many calls in a second."""

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.contracts import Side

WINDOW_S = 1.0
"""The exchange counts calls in any sliding second, for each account and segment."""

LEAST_PER_SECOND, MOST_PER_SECOND = 1, 10
LEAST_WORKERS, MOST_WORKERS = 1, 10


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders of one wave in one segment: BUYs go first, SELLs when all of them have filled."""

    side: Side
    segment: str
    orders: int


@dataclass(frozen=True, slots=True)
class SlowedBatch:
    """A batch of which the last order is sent `seconds` after its first, because no more fit into a second."""

    side: Side
    segment: str
    orders: int
    seconds: float


@dataclass(frozen=True, slots=True)
class AccountPace:
    """What bounds an account's sending and what that means. `total_s` is until the last order is sent and answered.

    `total_s` leaves out how long the BUYs take to fill, which nobody knows.
    """

    per_second: int
    workers: int
    slowed: tuple[SlowedBatch, ...]
    total_s: float

    def words(self) -> tuple[str, ...]:
        """`20 BUY orders in NFO: the last goes 2 s after the first, as 8 in a second are taken.`"""
        return tuple(
            f"{batch.orders} {batch.side} orders in {batch.segment}: the last goes {batch.seconds:.0f} s after the "
            f"first, as {self.per_second} in a second are taken."
            for batch in self.slowed
        )


def pace(batches: Sequence[Batch], per_second: int, workers: int, *, call_s: float = 0.0) -> AccountPace:
    """The pace of one account whose lane keeps at most `workers` calls under way, each of `call_s` seconds.

    SELLs are taken to follow at once when the BUYs are answered, which is the worst that can be for the limit.
    """
    if not LEAST_PER_SECOND <= per_second <= MOST_PER_SECOND or not LEAST_WORKERS <= workers <= MOST_WORKERS:
        raise ValueError(f"{per_second} calls in a second and {workers} at once cannot be paced.")
    limited = {segment: deque[float](maxlen=per_second) for segment in {batch.segment for batch in batches}}
    slowed: list[SlowedBatch] = []
    start = 0.0
    for side in (Side.BUY, Side.SELL):
        wave = [batch for batch in batches if batch.side is side and batch.orders]
        freely = _last_sent(wave, {}, workers, start, call_s)
        really = _last_sent(wave, limited, workers, start, call_s)
        for batch, last, alone in zip(wave, really, freely, strict=True):
            if last > alone:
                slowed.append(SlowedBatch(side, batch.segment, batch.orders, last - alone))
        start = max((last + call_s for last in really), default=start)
    return AccountPace(per_second, workers, tuple(slowed), start)


def _last_sent(
    wave: Sequence[Batch], limited: Mapping[str, deque[float]], workers: int, start: float, call_s: float
) -> list[float]:
    """When the last order of each batch is sent. Whoever may go first does; a worker waits for an answer, not a turn.

    `limited` holds the newest calls of each segment, as many as fit into a second, and is kept up to date.
    """
    free, left = [start] * workers, [batch.orders for batch in wave]
    sent = [start] * len(wave)
    while any(left):
        earliest = {i: _turn(limited.get(wave[i].segment), start) for i, orders in enumerate(left) if orders}
        chosen = min(earliest, key=lambda i: earliest[i])
        sent[chosen] = max(heapq.heappop(free), earliest[chosen])
        left[chosen] -= 1
        if wave[chosen].segment in limited:
            limited[wave[chosen].segment].append(sent[chosen])
        heapq.heappush(free, sent[chosen] + call_s)
    return sent


def _turn(newest: deque[float] | None, start: float) -> float:
    full = newest is not None and len(newest) == newest.maxlen
    return max(start, newest[0] + WINDOW_S) if newest is not None and full else start
