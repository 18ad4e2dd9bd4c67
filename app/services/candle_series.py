"""Candles of one subject as they grow: its legs' newest prices, what was seen of the market, what history repaired."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.calendar import Session, trading_date
from app.domain.candles import Candle, MinuteBar, Standing, combined, combined_bars
from app.domain.contracts import ContractKey
from app.domain.day_candles import DayCandles, fresh, in_other_hours, priced, repaired, repaired_by, unwatched, watched
from app.domain.errors import InvalidInput
from app.domain.history_check import SETTLED_AFTER
from app.domain.proven import NOTHING, weighed
from app.ports.gateway import MinuteHistory
from app.services.candle_sight import Sight
from app.services.price_board import PriceBoard, Watch
from app.services.prints import print_of

STALE_AFTER_S = 20.0
"""A leg's price counts for so long: one that is silent is quoted every ten seconds while the market moves."""
MOST_LEGS = 8
KEPT_DAYS = 2
"""Sessions before today's: with today's they are three warm-ups of ten candles of 15 minutes and more."""
TRIES = 5
"""So often history is asked about the same gap: what it lacks then it will not have."""
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 120.0

_HOURS_OF = {"NSE_INDEX": "NSE", "BSE_INDEX": "BSE"}

Bell = Callable[[], None]
"""Called when a candle is complete, or was repaired. Must return at once and not raise."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What candles are of: one contract or index (one leg with ratio 1), or the premium of several together.

    `legs` are contracts with signed ratios, sold ones positive. Raises InvalidInput.
    """

    legs: tuple[tuple[ContractKey, float], ...]

    def __post_init__(self) -> None:
        keys = [key for key, _ in self.legs]
        if not 0 < len(keys) <= MOST_LEGS:
            raise InvalidInput("leg", f"Candles are made of 1 to {MOST_LEGS} legs; these are {len(keys)}.")
        if len(set(keys)) != len(keys):
            raise InvalidInput("leg", "A contract can be one leg only: put its ratios together.")
        if not all(math.isfinite(ratio) and ratio for _, ratio in self.legs):
            raise InvalidInput("leg", "The ratio of a leg must be a number other than 0.")
        if len({key.exchange for key in keys}) > 1:
            raise InvalidInput("leg", "All legs must be of one exchange: others have other hours.")

    @classmethod
    def of(cls, key: ContractKey) -> "Subject":
        return cls(((key, 1.0),))

    @property
    def exchange(self) -> str:
        """The exchange whose hours count."""
        exchange = self.legs[0][0].exchange
        return _HOURS_OF.get(exchange, exchange)

    @property
    def is_plain(self) -> bool:
        """One contract as it is quoted: its volume is known, and history has all its prices."""
        return len(self.legs) == 1 and self.legs[0][1] == 1

    def __str__(self) -> str:
        if self.is_plain:
            return self.legs[0][0].symbol
        return " ".join(f"{ratio:+g} {key.symbol}" for key, ratio in self.legs)


class Leg:
    """One contract's newest price that is borne out. `touch` is called by the price board on the thread that brings
    prices.
    """

    __slots__ = ("belief", "is_narrow", "key", "price", "ratio", "received", "touched", "traded")

    def __init__(self, key: ContractKey, ratio: float) -> None:
        self.key = key
        self.ratio = ratio
        self.touched = True
        self.belief = NOTHING
        self.is_narrow = key.exchange in _HOURS_OF or key.symbol.endswith("FUT")
        self.price: float | None = None
        self.traded: int | None = None
        self.received = -math.inf

    def touch(self) -> None:
        self.touched = True

    def look(self, board: PriceBoard, gap_from: float) -> bool:
        """Whether a new price came since the last look that is borne out; it is taken. One bad print shapes no candle.

        Prices of until `gap_from` (monotonic) are of before the feed was lost.
        """
        if not self.touched:
            return False
        self.touched = False  # first: a price that comes now is looked at the next time
        found = board.latest(self.key)
        if found is None:
            return False
        self.belief = weighed(self.belief, print_of(found), is_future=self.is_narrow, gap_from=gap_from)
        proven = self.belief.proven
        if self.belief.doubted is not None or proven is None:
            return False
        is_new = proven.received > self.received
        self.price, self.traded, self.received = float(proven.value), found.volume, proven.received
        return is_new

    @property
    def doubted_for_s(self) -> float:
        """How much younger than the newest price that counts is one that does not yet; 0 without one."""
        doubted = self.belief.doubted
        return 0.0 if doubted is None else doubted.received - self.received


@dataclass(slots=True)
class Reading:
    """What history has to be asked for. `tries` counts those for the same gap, `due` is monotonic."""

    warmed: bool = False
    due: float = 0.0
    failures: int = 0
    tries: int = 0
    asked_for: int = 0
    parts: dict[ContractKey, MinuteHistory] = field(default_factory=dict)
    trouble: str = ""
    note: str = ""

    def failed(self, now: float, why: str) -> None:
        self.failures += 1
        self.due = now + min(FIRST_WAIT_S * 2**self.failures, LONGEST_WAIT_S)
        self.trouble, self.parts = why, {}

    def succeeded(self, now: float, note: str) -> None:
        self.tries += 1
        self.due = now + min(FIRST_WAIT_S * 2**self.tries, LONGEST_WAIT_S)
        self.warmed, self.failures, self.trouble, self.note, self.parts = True, 0, "", note, {}


class Series:
    """Owned by the store, which locks. `past` are earlier sessions, oldest first."""

    def __init__(self, subject: Subject, board: PriceBoard) -> None:
        self.subject = subject
        self.legs = [Leg(key, ratio) for key, ratio in subject.legs]
        self.past: tuple[DayCandles, ...] = ()
        self.day: DayCandles | None = None
        self.now: datetime | None = None
        """The market's time when it was last looked at."""
        self.reading = Reading()
        self.bells: list[Bell] = []
        self.looked_until = -math.inf
        self.blind = ""
        """Why the market is not seen just now, in words; empty while it is."""
        self._watches: list[Watch] = [board.watch([leg.key], leg.touch) for leg in self.legs]

    def close(self) -> None:
        for watch in self._watches:
            watch.close()

    def grow(self, board: PriceBoard, sight: Sight, session: Session) -> bool:
        """Bring today's candles to this moment. True when one has been completed."""
        self.now = sight.now
        self._begin(session, sight)
        day = self.day
        if day is None:
            return False
        before = len(day.ended)
        touched = [leg.look(board, sight.gap_from) for leg in self.legs]
        self.blind = sight.why or self._unknown_leg(board, sight)
        if self.blind:
            day = unwatched(day, sight.now)
        else:
            day = watched(day, sight.seen_until)
            if any(touched):
                day = priced(day, sight.now, self._premium(), self.legs[0].traded if self.subject.is_plain else None)
        self.day = day
        return len(day.ended) > before

    def gapped(self) -> tuple[Candle, ...]:
        """Minutes of today that history may repair by now."""
        if self.day is None or self.now is None:
            return ()
        ready = self.now - SETTLED_AFTER
        return tuple(each for each in self.day.ended if each.standing is Standing.GAPPED and each.closes <= ready)

    def wants_history(self, now: float) -> bool:
        reading = self.reading
        if self.day is None or now < reading.due:
            return False
        if not reading.warmed or reading.parts:
            return True
        missing = len(self.gapped())
        if missing > reading.asked_for:
            reading.tries = 0  # another gap than the one that was asked about
        reading.asked_for = missing
        return missing > 0 and reading.tries < TRIES

    def take_history(self, days: Sequence[DayCandles], today: Sequence[Mapping[datetime, MinuteBar]]) -> bool:
        """Earlier sessions where there were none yet, and bars of today of each leg. True when something is new."""
        if not self.reading.warmed:
            read = {each.session.opens: each for each in days}
            made = {each.session.opens: each for each in self.past}  # what was seen here stays as it is
            both = {opens: repaired_by(made[opens], each) for opens, each in read.items() if opens in made}
            self.past = tuple(each for _, each in sorted({**read, **made, **both}.items()))[-KEPT_DAYS:]
        if self.day is None:
            return False
        mended = repaired(self.day, combined_bars(today, [leg.ratio for leg in self.legs]))
        changed = mended is not self.day
        self.day = mended
        return changed or bool(self.past)

    def _begin(self, session: Session, sight: Sight) -> None:
        """Another session than the one so far: a new day, or other hours of this one that its candles may not fit."""
        if self.day is not None and self.day.session == session:
            return
        fitting = None if self.day is None else in_other_hours(self.day, session)
        if fitting is not None:
            self.day = fitting
            return
        if self.day is not None and trading_date(self.day.session.opens) < trading_date(session.opens):
            over = unwatched(self.day, self.day.session.closes)  # a machine that slept may have seen only its beginning
            self.past = (*self.past, over)[-KEPT_DAYS:]
        self.day = unwatched(fresh(session), sight.now)
        self.reading = Reading()

    def _unknown_leg(self, board: PriceBoard, sight: Sight) -> str:
        for leg in self.legs:
            age_s = board.age_s(leg.key)
            if leg.price is None or age_s is None:
                return f"{leg.key.symbol} has no price yet."
            if leg.received <= sight.gap_from:
                return f"{leg.key.symbol} has no price since the feed was lost."
            if leg.doubted_for_s > STALE_AFTER_S:
                return f"The newest prices of {leg.key.symbol} are far from those before, and nothing bears them out."
            if age_s > STALE_AFTER_S:
                return f"The price of {leg.key.symbol} is {age_s:.0f} s old."
        return ""

    def _premium(self) -> float:
        """Called while every leg has a price."""
        prices = [leg.price for leg in self.legs if leg.price is not None]
        return prices[0] if self.subject.is_plain else combined(prices, [leg.ratio for leg in self.legs])
