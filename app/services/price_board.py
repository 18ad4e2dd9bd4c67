"""The newest price of each contract, and who is to be woken when it changes. There is no queue anywhere."""

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.books import Quote
from app.domain.contracts import ContractKey
from app.ports.clock import Clock
from app.ports.feed import Drop, Tick, fault_of
from app.services.board_row import Arrival, BoardArrival, BoardRow
from app.services.exact_figures import all_levels, best, exact, perhaps
from app.services.exchange_time import ExchangeTime
from app.services.quote_tick import tick_of
from app.services.tick_lag import TickLag

HIGHEST_PRICE = 10_000_000.0
"""Rupees. No contract trades anywhere near it: a price above is a broken frame."""
STUCK_AFTER_S = 5.0
"""A tick that looks older than the last is believed after this long without any other: the last had the wrong time."""

Wake = Callable[[], None]


@dataclass(frozen=True, slots=True)
class BoardPrice:
    """What is known of one contract. Prices in rupees; a figure that nobody has given yet is None.

    `received` is on the monotonic clock and `received_at` in UTC: when the price came, or when it was last confirmed;
    of a tick that came late by the exchange's time, when it was true.
    `touch_received` is the monotonic time of `bid` and `ask`, which may be older; None when there never were any.
    `exchange_at` is the exchange's own time, None for a REST quote, which carries none. `serial` tells a price from
    those of the contract before it, a repetition of the same tick excepted. `quoted`: a REST quote, asked for after all
    earlier prices had come. `touched`: bid and ask came with this price or after it. None of these is known of a price
    that another process told.
    """

    ltp: Decimal
    bid: Decimal | None
    ask: Decimal | None
    volume: int | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    previous_close: Decimal | None
    source: str
    exchange_at: datetime | None
    received: float
    received_at: datetime
    touch_received: float | None
    serial: int = 0
    quoted: bool = False
    touched: bool = False


@dataclass(frozen=True, slots=True)
class BoardDepth:
    """Who bids and offers, best first: price in rupees, units (0: nobody said how many). `received` is monotonic."""

    bids: tuple[tuple[Decimal, int], ...]
    asks: tuple[tuple[Decimal, int], ...]
    received: float


@dataclass(frozen=True, slots=True)
class BoardCounts:
    """`dropped` by kind; `reordered` looked older than the last and began a new order of time."""

    accepted: int
    dropped: Mapping[Drop, int]
    reordered: int

    @property
    def older(self) -> int:
        return self.dropped.get(Drop.OLDER, 0)

    @property
    def invalid(self) -> int:
        """Those that were no price at all."""
        return sum(self.dropped.values()) - self.older


class Watch:
    """Somebody's interest in some contracts; ends with `close`."""

    def __init__(self, board: "PriceBoard", keys: frozenset[ContractKey], wake: Wake) -> None:
        self._board = board
        self._keys = keys
        self._wake = wake

    def close(self) -> None:
        """Wake no more. May be called twice."""
        self._board._unwatch(self._keys, self._wake)  # noqa: SLF001 - the two are one thing
        self._keys = frozenset()


class PriceBoard:
    """Thread-safe. A tick costs about a microsecond; readers hold the lock for no longer than that."""

    def __init__(self, clock: Clock, exchange: ExchangeTime | None = None) -> None:
        """Without the `exchange`'s time, or while it is not known, every tick is as old as it is here."""
        self._clock = clock
        self._exchange = exchange
        self._lag = TickLag(self.late_after_s)
        self._rows: dict[ContractKey, BoardRow] = {}
        self._dirty: dict[str, set[BoardRow]] = {}
        self._lock = threading.Lock()
        self._accepted = 0
        self._dropped: Counter[Drop] = Counter()
        self._reordered = 0

    def put(self, tick: Tick, source: str = "feed") -> bool:
        """Take one pushed tick; False when it was dropped."""
        return self.put_all((tick,), source) == 1

    def put_all(self, ticks: Sequence[Tick], source: str) -> int:
        """Take ticks that came together, in their order; how many were not dropped. Whoever watches is woken once.

        What is older by the exchange's time than the price that is here is dropped, whichever connection brought that.
        """
        arrival = Arrival(self._clock.monotonic(), self._clock.now(), source)
        exchange_now, speed, oldest = self._exchange_now()
        changed: list[BoardRow] = []
        watchers: dict[Wake, None] = {}  # each once, in their order
        with self._lock:
            for tick in ticks:
                row = self._row_for(tick, arrival.received)
                if row is None:
                    continue
                if tick.stamp is None or tick.stamp >= oldest or not tick.dated:
                    row.take(tick, arrival)
                elif not self._take_late(row, tick, arrival, (exchange_now - tick.stamp) / speed):
                    continue
                changed.append(row)
                for wake in row.watchers:
                    watchers[wake] = None
            self._note(changed)
            last = ticks[-1] if ticks else None
            if last is not None and last.dated and last.stamp is not None and oldest > -math.inf:
                self._lag.saw((exchange_now - last.stamp) / speed, arrival.received)
        for wake in watchers:
            wake()
        return len(changed)

    def _exchange_now(self) -> tuple[float, float, float]:
        """The exchange's time, its speed, and the time of a tick that is just not late."""
        exchange = self._exchange
        now = None if exchange is None else exchange.now()
        if exchange is None or now is None:
            return self._clock.now().timestamp(), 1.0, -math.inf
        speed = exchange.speed
        return now, speed, now - exchange.late_after_s * speed

    def _take_late(self, row: BoardRow, tick: Tick, arrival: Arrival, late_s: float) -> bool:
        """A late price is as old as it is; False when what is here is younger than that."""
        true = arrival.received - late_s
        if row.latest is not None and row.confirmed.received >= true:
            self._dropped[Drop.OLDER] += 1
            return False
        row.take(tick, Arrival(true, arrival.at - timedelta(seconds=late_s), arrival.source))
        return True

    def late_by_s(self) -> float | None:
        """By how much all ticks of late are behind (negative: ahead of) the exchange's time; None within the limit."""
        lag_s = self.lag_s()
        return None if lag_s is None or abs(lag_s) <= self.late_after_s else lag_s

    def lag_s(self) -> float | None:
        """The smallest lag of the ticks of late; None where none told its time, or the exchange's is unknown."""
        with self._lock:
            return self._lag.least(self._clock.monotonic())

    def on_time_at(self) -> float | None:
        """The monotonic time at which the newest tick came that is known not to be late; None before the first."""
        return self._lag.on_time_at

    def lag_of(self, tick: Tick) -> float | None:
        """How far this one is behind (negative: ahead), whether or not it is put here; None as for `lag_s`."""
        exchange_now, speed, oldest = self._exchange_now()
        if not tick.dated or tick.stamp is None or oldest == -math.inf:
            return None
        return (exchange_now - tick.stamp) / speed

    @property
    def late_after_s(self) -> float:
        """A lag above is late; infinite without the exchange's time."""
        return math.inf if self._exchange is None else self._exchange.late_after_s

    def _row_for(self, tick: Tick, now: float) -> BoardRow | None:
        """Where the tick belongs; None when it is dropped."""
        if not 0.0 < tick.ltp < HIGHEST_PRICE:  # false for NaN and infinity as well
            self._dropped[fault_of(tick.ltp)] += 1
            return None
        row, stamp = self._rows.get(tick.key) or self._row(tick.key), tick.stamp
        if stamp is not None:
            last = row.stamp
            if last is not None and stamp < last and self._is_older(row, last, now):
                self._dropped[Drop.OLDER] += 1
                return None
            row.stamp = stamp
        return row

    def _note(self, changed: Sequence[BoardRow]) -> None:
        self._accepted += len(changed)
        for dirty in self._dirty.values():
            dirty.update(changed)

    def seed(self, key: ContractKey, quote: Quote, source: str, *, asked: float) -> bool:
        """Take a REST quote asked for at that monotonic time. Whatever was pushed since is newer and stays."""
        tick = tick_of(key, quote)
        arrival = Arrival(self._clock.monotonic(), self._clock.now(), source)
        with self._lock:
            if not 0.0 < tick.ltp < HIGHEST_PRICE:
                self._dropped[fault_of(tick.ltp)] += 1
                return False
            row = self._row(key)
            if row.touch_received <= asked:
                row.touch, row.touch_received = tick, arrival.received
            newest = row.latest is None or row.arrived.received <= asked
            if newest:
                row.take(tick, arrival, quoted=True)
                self._note((row,))
        for wake in row.watchers:
            wake()
        return newest

    def confirm(self, key: ContractKey) -> None:
        """The price still stands though nothing was traded. Nothing happens to a contract without a price."""
        with self._lock:
            row = self._rows.get(key)
            if row is not None and row.latest is not None:
                row.confirmed = Arrival(self._clock.monotonic(), self._clock.now(), row.arrived.source)

    def latest(self, key: ContractKey) -> BoardPrice | None:
        """None when no price ever came. Says nothing about age: see `received`."""
        with self._lock:
            row = self._rows.get(key)
            if row is None or row.latest is None:
                return None
            tick, newest = row.latest, row.latest.figures
            day, touch = (row.day or row.latest).figures, None if row.touch is None else row.touch.figures
            confirmed, serial, quoted = row.confirmed, row.serial, row.quoted
            touched = touch is not None and row.touch_received >= row.arrived.received
            touch_received = None if touch is None else row.touch_received
        return BoardPrice(
            ltp=exact(tick.ltp),
            bid=None if touch is None else best(touch.bids),
            ask=None if touch is None else best(touch.asks),
            volume=day.volume if newest.volume is None else newest.volume,
            open=perhaps(day.open),
            high=perhaps(day.high),
            low=perhaps(day.low),
            previous_close=perhaps(day.previous_close),
            source=confirmed.source,
            exchange_at=tick.at,
            received=confirmed.received,
            received_at=confirmed.at,
            touch_received=touch_received,
            serial=serial,
            quoted=quoted,
            touched=touched,
        )

    def arrivals(self, keys: Iterable[ContractKey]) -> list[tuple[ContractKey, BoardArrival | None]]:
        """As `latest` for who looks at hundreds and asks little of each."""
        with self._lock:
            return [(key, None if (row := self._rows.get(key)) is None else row.newest) for key in keys]

    def depth(self, key: ContractKey) -> BoardDepth | None:
        """All levels that came last; None when there never were any. A REST quote has one level of unknown size."""
        with self._lock:
            row = self._rows.get(key)
            if row is None or row.touch is None:
                return None
            figures, received = row.touch.figures, row.touch_received
        return BoardDepth(all_levels(figures.bids), all_levels(figures.asks), received)

    def age_s(self, key: ContractKey) -> float | None:
        """Seconds since the price came or was confirmed; None when there is none."""
        row = self._rows.get(key)
        if row is None or row.latest is None:
            return None
        return max(0.0, self._clock.monotonic() - row.confirmed.received)

    def watch(self, keys: Iterable[ContractKey], wake: Wake) -> Watch:
        """Call `wake` after each new price of these contracts, on the thread that brought it.

        It must return at once and must not raise: setting an event is what it is for.
        """
        wanted = frozenset(keys)
        with self._lock:
            for key in wanted:
                row = self._row(key)
                row.watchers = (*row.watchers, wake)
        return Watch(self, wanted, wake)

    def take_dirty(self, consumer: str) -> set[ContractKey]:
        """Contracts with a new price since this consumer last asked; every known one the first time."""
        with self._lock:
            taken = self._dirty.get(consumer)
            self._dirty[consumer] = set()
            if taken is None:
                taken = {row for row in self._rows.values() if row.latest is not None}
        return {row.key for row in taken}

    def heard_since(self, moment: float) -> list[ContractKey]:
        """Contracts whose price came, or was confirmed, at that monotonic time or later."""
        with self._lock:
            return [row.key for row in self._rows.values() if row.latest and row.confirmed.received >= moment]

    def counts(self) -> BoardCounts:
        with self._lock:
            return BoardCounts(self._accepted, dict(self._dropped), self._reordered)

    def _row(self, key: ContractKey) -> BoardRow:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = BoardRow(key)
        return row

    def _is_older(self, row: BoardRow, last: float, now: float) -> bool:
        """Whether a tick stamped before `last`, the newest, is to be dropped."""
        if now - row.arrived.received < STUCK_AFTER_S or last <= self._exchange_now()[0]:
            return True
        # The last tick claimed a time that has not come yet; holding on to it would silence this contract for good.
        self._reordered += 1
        return False

    def _unwatch(self, keys: frozenset[ContractKey], wake: Wake) -> None:
        with self._lock:
            for key in keys:
                row = self._row(key)
                remaining = list(row.watchers)
                if wake in remaining:
                    remaining.remove(wake)
                row.watchers = tuple(remaining)
