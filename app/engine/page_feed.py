"""Tells open pages what changed, a few times a second: one message for each chain and for the top bar."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from app.domain import wording
from app.domain.calendar import Closed, Phase, Session
from app.domain.contracts import UNDERLYINGS, ContractKey
from app.domain.errors import NotFound, Unavailable
from app.engine import page_cells
from app.engine.chain_rows_sent import AGE_MOVED_S, GREEKS, PRICES, RowsSent
from app.engine.page_cells import Cells
from app.ports.clock import Clock, MarketClock
from app.ports.publisher import Publisher
from app.services.chain_view import ChainView
from app.services.feed_state import FeedState
from app.services.run_board import RunBoard
from app.services.session_hours import SessionHours
from app.services.shown_chains import Chains
from app.services.shown_prices import Prices

STEP_S = 0.25
SLOW_PAGES_S = 1.0
"""Between two rounds while memory or time is short."""
WHOLE_EVERY_S = 5.0
"""Everything is sent again this often: a page that lost a message, or came late, is right again by then."""
SECOND_S = 1.0

_CHAIN = re.compile(r"chain:([A-Z0-9]+):(\d{4}-\d{2}-\d{2})(:greeks)?")
_RUN = re.compile(r"run:(\d+)")
_USER = re.compile(r"user:(\d+)")


class Feed(Protocol):
    """Whoever knows how the feed is, here or where it is led."""

    def state(self) -> FeedState: ...


ClockNote = Callable[[Phase, Session | Closed | None, datetime], str]
"""What the phase of the day means for trading, in a few words; the page's own."""


@dataclass(slots=True)
class _Sent:
    """What the pages of one topic were told last: cells, marks, the age of a chain, and when all was sent."""

    cells: Cells = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    oldest: float | None = None
    rows: RowsSent | None = None
    whole_at: float = float("-inf")


class PageFeed:
    """For one thread. Sends only to topics that somebody watches, and only what changed since."""

    def __init__(
        self,
        publisher: Publisher,
        prices: Prices,
        chains: Chains,
        feed: Feed,
        run_board: RunBoard,
        *,
        hours: SessionHours,
        clock: Clock,
        market_clock: MarketClock,
        watched: Callable[[], frozenset[str]],
        mtm: Callable[[int], Decimal | None],
        clock_note: ClockNote,
        pause_s: Callable[[], float] = lambda: STEP_S,
    ) -> None:
        """`watched` gives the rooms that have somebody in them; `mtm` is today's gross profit and loss of a user.

        `mtm` and `clock_note` must be the ones that pages are rendered with, or a figure would change by itself.
        """
        self._publisher = publisher
        self._prices = prices
        self._chains = chains
        self._feed = feed
        self._run_board = run_board
        self._hours = hours
        self._clock = clock
        self._market_clock = market_clock
        self._watched = watched
        self._mtm = mtm
        self._clock_note = clock_note
        self._pause_s = pause_s
        self._sent: dict[str, _Sent] = {}
        self._touchable: dict[str, set[ContractKey]] = {}
        self._second_at = float("-inf")

    def step(self) -> float:
        """One round. Returns the seconds until the next."""
        now = self._clock.monotonic()
        rooms = self._watched()
        for room in self._sent.keys() - rooms - {"desk"}:
            del self._sent[room]
        self._tell("desk", "desk", self._bar_cells(), now)
        views: dict[tuple[str, date], ChainView | None] = {}
        for room in rooms:
            if found := _CHAIN.fullmatch(room):
                chain = (found[1], date.fromisoformat(found[2]))
                if chain not in views:
                    views[chain] = self._look(*chain)
                if (view := views[chain]) is not None:
                    tell = self._tell_greeks if found[3] else self._tell_chain
                    tell(room, view, now)
        self._note_prices(rooms)
        if now - self._second_at >= SECOND_S:
            self._second_at = now
            self._each_second(rooms, now)
        return self._pause_s()

    def _each_second(self, rooms: frozenset[str], now: float) -> None:
        age_s = self._feed.state().last_tick_age_s
        self._publish("desk", "desk", {"feed.age": {"age_s": age_s}})
        for room in rooms:
            if found := _USER.fullmatch(room):
                self._tell(room, "desk", {"mtm": page_cells.profit(self._mtm(int(found[1])))}, now)
        for room in [room for room, keys in self._touchable.items() if keys]:
            self._touchable[room].clear()
            self._publisher.publish(room, "touch", {"topic": room})

    def _note_prices(self, rooms: frozenset[str]) -> None:
        """Remember which watched runs have a new price in what they hold; their pages fetch their fragment."""
        changed = self._prices.take_dirty("pages")
        runs = {room: int(found[1]) for room in rooms if (found := _RUN.fullmatch(room))}
        self._touchable = {room: self._touchable.get(room, set()) for room in runs}
        if changed:
            for room, run_id in runs.items():
                self._touchable[room] |= changed & self._run_board.view(run_id).held

    def _look(self, underlying: str, expiry: date) -> ChainView | None:
        """None where the expiry has passed or the list is being read: the page's last figures grow old."""
        try:
            self._chains.looked_at(underlying, expiry)
            return self._chains.view(underlying, expiry)
        except (NotFound, Unavailable):
            return None

    def _tell_chain(self, room: str, view: ChainView, now: float) -> None:
        sent = self._sent.setdefault(room, _Sent())
        sent.rows = sent.rows or RowsSent(PRICES)
        extra: dict[str, object] = {}
        if rows := sent.rows.news(view, now):
            extra = {"layout": view.layout, "rows": rows}
        marks = page_cells.marks(view)
        whole = now - sent.whole_at >= WHOLE_EVERY_S
        extra |= {name: strike for name, strike in marks.items() if whole or sent.marks.get(name) != strike}
        sent.marks = marks
        self._tell(room, room, page_cells.chain_cells(view), now, ages=_age(sent, view, now, whole), extra=extra)

    def _tell_greeks(self, room: str, view: ChainView, now: float) -> None:
        sent = self._sent.setdefault(room, _Sent())
        sent.rows = sent.rows or RowsSent(GREEKS, with_ages=False)
        if rows := sent.rows.news(view, now):
            self._publish(room, room, {}, {"layout": view.layout, "rows": rows})

    def _tell(
        self,
        room: str,
        topic: str,
        cells: Cells,
        now: float,
        *,
        ages: Cells | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Send the cells that differ from those sent before; all of them when that was long ago. Ages always go."""
        sent = self._sent.setdefault(room, _Sent())
        whole = now - sent.whole_at >= WHOLE_EVERY_S
        if whole:
            sent.whole_at = now
        news = _changed(cells, {} if whole else sent.cells) | (ages or {})
        sent.cells |= cells
        if news or extra:
            self._publish(room, topic, news, extra)

    def _publish(self, room: str, topic: str, cells: Cells, extra: Mapping[str, object] | None = None) -> None:
        self._publisher.publish(room, "patch", {"topic": topic, "cells": cells, **(extra or {})})

    def _clock_cells(self) -> Cells:
        exchange = UNDERLYINGS[0].exchange
        try:
            now = self._market_clock.now()
            session, phase = self._hours.session(exchange), self._hours.phase(exchange)
        except Unavailable:
            return {"clock.now": wording.UNKNOWN, "clock.note": "Market time unknown"}
        return {"clock.now": wording.ist(now), "clock.note": self._clock_note(phase, session, now)}

    def _bar_cells(self) -> Cells:
        feed = self._feed.state().phase
        cells = self._clock_cells()
        cells["feed.state"] = {"text": page_cells.FEED_WORDS[feed], "tone": feed.value}
        for underlying in UNDERLYINGS:
            price = self._prices.latest(underlying.spot)
            before = None if price is None else price.previous_close
            moved = (price.ltp - before) * 100 / before if price is not None and before else None
            cells[f"index.{underlying.name}.ltp"] = wording.price(None if price is None else price.ltp)
            cells[f"index.{underlying.name}.chg"] = page_cells.percent(moved)
        return cells


def _changed(cells: Cells, before: Cells) -> Cells:
    return {key: cell for key, cell in cells.items() if before.get(key) != cell}


def _age(sent: _Sent, view: ChainView, now: float, whole: bool) -> Cells:
    """The age of the oldest price, when it became younger: pages let ages grow by themselves."""
    received, before = None if view.age_s is None else now - view.age_s, sent.oldest
    moved = received != before if received is None or before is None else received - before >= AGE_MOVED_S
    if not (whole or moved):
        return {}
    sent.oldest = received
    return {"chain.age": {"age_s": None if view.age_s is None else round(view.age_s, 1)}}
