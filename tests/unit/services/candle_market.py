"""A desk that makes candles, with a clock that is moved by hand and a feed that can be lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.domain.calendar import IST, Closed, Session
from app.domain.candles import MinuteBar, Ohlc
from app.domain.contracts import ContractKey
from app.ports.feed import FeedMode, Tick
from app.ports.gateway import MinuteHistory
from app.services.candle_history import CandleHistory
from app.services.candle_series import Subject
from app.services.candle_store import CandleStore, CandleView
from app.services.feed_state import FeedPhase, FeedState
from app.services.price_board import PriceBoard
from tests.unit.services.feed_desk import CALL, PUT
from tests.unit.services.market_fakes import NIFTY, FakeClock, FakeGateways

OPENS = datetime(2026, 11, 23, 9, 15, tzinfo=IST).astimezone(UTC)
TODAY = Session(OPENS, OPENS + timedelta(hours=6, minutes=25))
INDEX, STRADDLE = Subject.of(NIFTY), Subject(((CALL, 1.0), (PUT, 1.0)))


@dataclass
class SeenFeed:
    """As much of the WebSocket manager as candles look at."""

    clock: FakeClock
    newest: float | None = None
    gap: float | None = None
    wanted: frozenset[ContractKey] = frozenset()

    def state(self) -> FeedState:
        age = None if self.newest is None else self.clock.monotonic() - self.newest
        return FeedState(1, "Account 1", FeedPhase.LIVE, OPENS, age, 1, 1, (), 0, "The gateway hung up.")

    def gap_from(self) -> float | None:
        return self.gap

    def want(self, _consumer: str, keys: Iterable[ContractKey], _mode: FeedMode) -> None:
        self.wanted = frozenset(keys)


@dataclass
class KnownHours:
    known: Session | Closed | None = TODAY

    def session(self, _exchange: str) -> Session | Closed | None:
        return self.known

    def note(self, _exchange: str) -> str:
        return "No gateway answers." if self.known is None else ""


class Market:
    """A desk in the middle of a day, with a clock that is moved by hand; `second` counts from the opening."""

    def __init__(self, second: float) -> None:
        self.clock = FakeClock(OPENS + timedelta(seconds=second))
        self.board = PriceBoard(self.clock)
        self.feed, self.hours, self.gateways = SeenFeed(self.clock), KnownHours(), FakeGateways(1)
        self.store = self.begin()
        self.rings = 0

    def begin(self) -> CandleStore:
        """As a program that starts."""
        history = CandleHistory(self.gateways, self.gateways.order, self.clock)  # type: ignore[arg-type]
        return CandleStore(self.board, self.feed, self.hours, history, self.clock, self.clock)  # type: ignore[arg-type]

    def ring(self) -> None:
        self.rings += 1

    def run(self, seconds: float, *prices: tuple[ContractKey, float]) -> None:
        """Let time pass in tenths of a second, with these prices pushed in each; with none the feed is quiet."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            for key, price in prices:
                self.board.put(Tick(key, price, None, volume=100), "feed of Account 1")
                self.feed.newest = self.clock.monotonic()
            self.store.step()

    def lose(self) -> None:
        """The feed is cut: its newest price is the last of before the gap."""
        self.feed.gap, self.feed.newest = self.feed.newest, None

    def history(self, key: ContractKey, *closes: float, first: int = 0) -> None:
        bars = [
            MinuteBar(OPENS + timedelta(minutes=first + n), Ohlc(close - 1, close + 2, close - 2, close), 10)
            for n, close in enumerate(closes)
        ]
        self.gateways.of(1).minutes[key] = MinuteHistory(tuple(bars), 0)

    def read_history(self, times: int = 1) -> None:
        for _ in range(times):
            self.store.history_step()

    def view(self, subject: Subject = INDEX, size: int = 1) -> CandleView:
        return self.store.view(subject, size)
