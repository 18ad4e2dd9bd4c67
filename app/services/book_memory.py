"""What the loop of one account remembers between reads of its books, on the monotonic clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.domain.books import BrokerOrder, OrderStatus
from app.services.settling import Holding

IDLE_ROUNDS = 2

BLED_S = 6.0
"""How long a row must repeat the word of the row above it to be believed. A gateway that does not know the state an
order is in shows the one of the row above, in every read until that state has passed: it lies between two others and
lasts moments.
"""


@dataclass(slots=True)
class _Word:
    """A final word of an order, read again and again since `since`. `is_own`: in one read the row above had another."""

    status: OrderStatus
    since: float
    is_own: bool
    is_proven: bool = False


@dataclass(slots=True)
class Memory:
    """Not shared between threads; begins anew with each process, which makes it wait longer and never less.

    `final_words` are those read last, by order id; `quiet_reads` counts clean reads since an intent's quiet window
    ended; `ids` are the order ids of the last read. `lost_since` is when an intent was first seen without an
    order id, `doubt_since` when its order was first read as cancelled while positions and trades disagreed. `carried`
    is what a holding carries beside the day's trades, and since when.
    """

    final_words: dict[str, _Word] = field(default_factory=dict)
    quiet_reads: dict[int, int] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    day: date | None = None
    is_clean: bool = True
    lost_since: dict[int, float] = field(default_factory=dict)
    doubt_since: dict[int, float] = field(default_factory=dict)
    carried: dict[Holding, tuple[int, float]] = field(default_factory=dict)
    _written: object = None
    _idle: int = 0

    def read_failed(self) -> None:
        """Reads that prove absence must follow one another without a gap."""
        self.quiet_reads.clear()
        self.carried.clear()

    def begin(self, day: date, ids: frozenset[str]) -> None:
        """A new read. One that lost ids of the same day is not clean."""
        if self.day != day:
            self.final_words.clear()  # an id may be given out again, and this row's word is read for the first time
        self.is_clean = self.day != day or self.ids <= ids
        if not self.is_clean:
            self.quiet_reads.clear()
        self.day, self.ids = day, ids

    def weigh(self, carries: Mapping[Holding, int], now: float) -> None:
        """Remember since when each holding carries what it does beside the day's trades."""
        for holding in carries.keys() | self.carried.keys():
            carry = carries.get(holding, 0)
            known = self.carried.get(holding)
            if known is None or known[0] != carry:
                self.carried[holding] = (carry, now)

    def steady_for_s(self, holding: Holding, now: float) -> float:
        """Seconds for which positions and trades have differed by the same amount in this holding."""
        known = self.carried.get(holding)
        return 0.0 if known is None else now - known[1]

    def has_proven(self, order: BrokerOrder, above: OrderStatus | None, now: float) -> bool:
        """Whether the final word of this row is its own: read twice in a row, and not merely that of the row above it.

        `above` is the word of that row, None for the first of the book; `now` is monotonic.
        """
        known = self.final_words.get(order.order_id)
        if known is None or known.status is not order.status:
            self.final_words.pop(order.order_id, None)
            if order.status.is_final:
                self.final_words[order.order_id] = _Word(order.status, now, above is not order.status)
            return False
        known.is_own = known.is_own or above is not order.status
        known.is_proven = known.is_proven or known.is_own or now - known.since >= BLED_S
        return known.is_proven

    def lost_for_s(self, intent_id: int, now: float) -> float:
        """Seconds since this intent was first seen without its order."""
        return now - self.lost_since.setdefault(intent_id, now)

    def in_doubt_for_s(self, intent_id: int, now: float) -> float:
        return now - self.doubt_since.setdefault(intent_id, now)

    def wrote(self, reading: object, *, changed: bool) -> None:
        """What was just applied: the books, and the intents they were applied to."""
        same = reading == self._written and not changed
        self._idle = self._idle + 1 if same else 0
        self._written = reading

    def is_known(self, reading: object) -> bool:
        """Whether applying this reading would write nothing: it did not the last times, and no clock is running.

        Some words count when they are read a second time, so one idle round is not enough.
        """
        doubted = self.doubt_since or any(not word.is_proven for word in self.final_words.values())
        return self._idle >= IDLE_ROUNDS and not doubted and reading == self._written

    def keep(self, intent_ids: Iterable[int]) -> None:
        """Forget all intents but these."""
        wanted = set(intent_ids)
        for kept in (self.quiet_reads, self.lost_since, self.doubt_since):
            for intent_id in kept.keys() - wanted:
                del kept[intent_id]
