"""Candles for whoever wants them: of contracts, indices and combined premiums, grown from the board while wanted."""

import threading
from dataclasses import dataclass
from datetime import datetime

from app.domain.calendar import Session
from app.domain.candles import SIZES, Candle, Columns, columns
from app.domain.day_candles import gaps
from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.ports.clock import Clock, MarketClock
from app.ports.feed import FeedMode
from app.services.candle_history import LOOK_EVERY_S as LOOK_FOR_GAPS_S
from app.services.candle_history import SPACED_S, CandleHistory, found_in
from app.services.candle_series import Bell, Series, Subject
from app.services.candle_sight import FeedSight
from app.services.price_board import PriceBoard
from app.services.session_hours import SessionHours
from app.services.websocket_manager import WebSocketManager

LOOK_EVERY_S = 0.1
KEPT_FOR_S = 60.0
"""How long a series is kept after somebody looked at it last."""
MOST_SERIES = 60
CONSUMER = "candles"


@dataclass(frozen=True, slots=True)
class CandleView:
    """Candles of one subject at one moment, earlier sessions first; the last may still grow.

    `session` is today's, None while it is unknown or the exchange is closed. `gaps` are the stretches that nobody saw
    and history has not repaired. `trouble` says why something is missing just now, empty when nothing is; `note` what
    was wrong with the history that was read.
    """

    subject: Subject
    size: int
    session: Session | None
    candles: tuple[Candle, ...]
    gaps: tuple[tuple[datetime, datetime], ...]
    trouble: str
    note: str

    @property
    def ended(self) -> tuple[Candle, ...]:
        """Those whose time is over. One that is GAPPED may still be repaired; the others are final."""
        return self.candles if not self.candles or self.candles[-1].is_complete else self.candles[:-1]

    @property
    def growing(self) -> Candle | None:
        """The one in progress; None outside the session."""
        return None if not self.candles or self.candles[-1].is_complete else self.candles[-1]

    @property
    def columns(self) -> Columns:
        """All candles for numpy, the growing one last when there is one."""
        return columns(self.candles)


class Following:
    """Somebody's lasting interest in a subject; ends with `close`."""

    def __init__(self, store: "CandleStore", subject: Subject, bell: Bell) -> None:
        self._store = store
        self._subject = subject
        self._bell: Bell | None = bell

    def view(self, size: int, *, of_closes: bool = False) -> CandleView:
        """Never blocks. Raises InvalidInput for a size that is not offered."""
        return self._store.view(self._subject, size, of_closes=of_closes)

    def close(self) -> None:
        """May be called twice."""
        bell, self._bell = self._bell, None
        if bell is not None:
            self._store._unfollow(self._subject, bell)  # noqa: SLF001 - the two are one thing


class CandleStore:
    """`step` and `history_step` are for a thread each; everything else is thread-safe and does not block.

    A series lives while it is followed, and for a minute after it was looked at. A program that starts again begins
    with what history has, so that a restart shows in no candle that history knows.
    """

    def __init__(
        self,
        board: PriceBoard,
        feed: WebSocketManager,
        hours: SessionHours,
        history: CandleHistory,
        market_clock: MarketClock,
        clock: Clock,
    ) -> None:
        self._board = board
        self._feed = feed
        self._hours = hours
        self._history = history
        self._market_clock = market_clock
        self._clock = clock
        self._sight = FeedSight(feed.state, feed.gap_from)
        self._series: dict[Subject, Series] = {}
        self._wanted: frozenset[object] = frozenset()
        self._lock = threading.RLock()
        self._blocked = "No candles are made by this process: they are where the engine runs."

    def follow(self, subject: Subject, bell: Bell) -> Following:
        """From now on its candles are kept, and `bell` is rung after each that is complete or was repaired.

        The bell is rung on the thread that makes candles. Raises Conflict when too many are kept already.
        """
        with self._lock:
            self._of(subject).bells.append(bell)
        return Following(self, subject, bell)

    def view(self, subject: Subject, size: int, *, of_closes: bool = False) -> CandleView:
        """The candles of now; the series is kept for a minute from here on. Raises Conflict, InvalidInput.

        `of_closes` makes all of them of the minutes' last prices alone, as history has a combined premium.
        """
        check_size(size)
        with self._lock:
            series = self._of(subject)
            series.looked_until = self._clock.monotonic() + KEPT_FOR_S
            past, day, reading, blind = series.past, series.day, series.reading, series.blind
            missing = self._missing(subject)
            begun = "" if series.now else "These candles were begun just now: ask again in a second."
        days = past if day is None else (*past, day)
        troubles = (self._blocked or missing or begun or blind, reading.trouble)
        session = self._hours.session(subject.exchange)
        return CandleView(
            subject=subject,
            size=size,
            session=session if isinstance(session, Session) else None,
            candles=tuple(candle for each in days for candle in each.candles(size, of_closes=of_closes)),
            gaps=tuple(gap for each in days for gap in gaps(each)),
            trouble=" ".join(filter(None, troubles)),
            note=reading.note or ("" if reading.warmed else "Nothing has been read from history yet."),
        )

    def step(self) -> float:
        """Bring every series to this moment. Returns the seconds until the next look."""
        now = self._clock.monotonic()
        try:
            sight = self._sight.look(now, self._market_clock.now())
        except Unavailable as error:
            self._blocked = str(error)
            return LOOK_EVERY_S
        self._blocked = ""
        ringing: list[Bell] = []
        with self._lock:
            self._drop_unwanted(now)
            for series in self._series.values():
                session = self._hours.session(series.subject.exchange)
                if isinstance(session, Session) and series.grow(self._board, sight, session):
                    ringing += series.bells
            self._subscribe()
        _ring(ringing)
        return LOOK_EVERY_S

    def history_step(self) -> float:
        """Ask a gateway for one contract's minutes, where they are missing. Blocks on the network."""
        now = self._clock.monotonic()
        with self._lock:
            due = [each for each in self._series.values() if each.wants_history(now)]
            if not due:
                return LOOK_FOR_GAPS_S
            series = min(due, key=lambda each: each.reading.due)
            reading = series.reading
            key = next(leg.key for leg in series.legs if leg.key not in reading.parts)
        try:
            found = self._history.read(key, warm=not reading.warmed)
        except Unavailable as error:
            with self._lock:
                reading.failed(self._clock.monotonic(), str(error))
            return SPACED_S
        with self._lock:
            reading.parts[key] = found
            is_whole = len(reading.parts) == len(series.legs) and reading is series.reading
            ringing = self._take(series) if is_whole else []
        _ring(ringing)
        return SPACED_S

    def _take(self, series: Series) -> list[Bell]:
        if series.day is None or series.now is None:
            return []
        found = found_in(series.subject, series.reading.parts, series.day.session, series.now)
        changed = series.take_history(found.past, found.today)
        series.reading.succeeded(self._clock.monotonic(), found.note)
        return list(series.bells) if changed else []

    def _of(self, subject: Subject) -> Series:
        found = self._series.get(subject)
        if found is None:
            if len(self._series) >= MOST_SERIES:
                raise Conflict(f"Candles of {MOST_SERIES} subjects are kept already. Let go of one, or wait a minute.")
            found = self._series[subject] = Series(subject, self._board)
        return found

    def _unfollow(self, subject: Subject, bell: Bell) -> None:
        with self._lock:
            series = self._series.get(subject)
            if series is not None and bell in series.bells:
                series.bells.remove(bell)

    def _drop_unwanted(self, now: float) -> None:
        for subject in [key for key, each in self._series.items() if not each.bells and each.looked_until <= now]:
            self._series.pop(subject).close()

    def _subscribe(self) -> None:
        wanted = frozenset(leg.key for series in self._series.values() for leg in series.legs)
        if wanted != self._wanted:
            self._feed.want(CONSUMER, wanted, FeedMode.QUOTE)
            self._wanted = wanted

    def _missing(self, subject: Subject) -> str:
        """Why there is no session to make candles of; empty when there is one."""
        session = self._hours.session(subject.exchange)
        if session is None:
            return f"The hours of {subject.exchange} are not known. {self._hours.note(subject.exchange)}".strip()
        return "" if isinstance(session, Session) else f"{subject.exchange} is closed today."


def check_size(size: int) -> None:
    """Raises InvalidInput for candles of so many minutes that are not offered."""
    if size not in SIZES:
        offered = ", ".join(map(str, SIZES))
        raise InvalidInput("minutes", f"Candles are offered of {offered} minutes; {size} is none of these.")


def _ring(bells: list[Bell]) -> None:
    """Each once, though several of its series have something new."""
    for bell in dict.fromkeys(bells):
        bell()
