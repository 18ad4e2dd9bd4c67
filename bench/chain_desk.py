"""The page feed of a chain with pages that look: `python -m bench.chain_desk`, a process of its own.

The market is made here: every contract has a new price, touch and volume before each update, so that all rows change.
Commands come as lines of JSON and are answered as such. Ends when its input ends.
"""

import json
import logging
import random
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO, join_room
from werkzeug.serving import make_server

from app.adapters.publisher import SocketPublisher
from app.domain.calendar import Phase
from app.domain.contracts import Kind
from app.engine.page_feed import PageFeed
from app.ports.feed import Tick
from app.services.chain_view import ChainView
from app.services.feed_state import FeedPhase
from tests.unit.services.market_fakes import EXPIRY, NIFTY, option
from tests.unit.services.test_chain_figures import Quoted

STRIKES = range(24_000, 26_001, 50)
ROOM = f"chain:NIFTY:{EXPIRY.isoformat()}"


class Market:
    """A chain of 82 contracts in which everything moves."""

    def __init__(self) -> None:
        self.world = Quoted()
        self._draw = random.Random(7)
        self._keys = [option(strike, kind).key for strike in STRIKES for kind in (Kind.CE, Kind.PE)]
        self._prices = {key: float(price.ltp) for key in self._keys if (price := self.world.board.latest(key))}
        self._volume = 4_000_000

    def move(self, passed_s: float) -> None:
        self.world.clock.advance(passed_s)
        self._volume += 65 * 40
        spot = 25_012.4 + self._draw.choice((-0.35, -0.1, 0.1, 0.35))
        self.world.put(NIFTY, spot, previous_close=24_900.0)
        for key, before in self._prices.items():
            ltp = max(0.15, round(before + self._draw.choice((-0.1, -0.05, 0.05, 0.1)), 2))
            self._prices[key] = ltp
            bids, asks = ((round(ltp - 0.05, 2), 65),), ((round(ltp + 0.05, 2), 65),)
            tick = Tick(key, ltp, None, previous_close=150.0, volume=self._volume, bids=bids, asks=asks)
            self.world.board.put(tick)

    def view(self) -> ChainView:
        return self.world.chains.view("NIFTY", EXPIRY)


class ChainDesk:
    """Serves Socket.IO as the desk does, on a free port."""

    def __init__(self) -> None:
        app = Flask("bench")
        self._socketio = SocketIO(app, async_mode="threading", ping_interval=20, ping_timeout=10)
        self._viewers: list[str] = []
        self._socketio.on_event("watch", self._watch)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.port: int = self._server.server_port
        self._socketio.start_background_task(self._server.serve_forever)
        self._market = Market()
        self._feed = self._page_feed()

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Updates at `hz` for `seconds`: CPU seconds of this process, those of making the market left out."""
        update: Callable[[], object] = self._each_alone if asked["how"] == "each alone" else self._feed.step
        every_s = 1 / asked["hz"]
        market_s, pause = 0.0, threading.Event()
        begun, cpu = time.monotonic(), _cpu_s()
        for number in range(round(asked["seconds"] * asked["hz"])):
            at = time.thread_time()
            self._market.move(every_s)
            market_s += time.thread_time() - at
            update()
            pause.wait(max(0.0, begun + (number + 1) * every_s - time.monotonic()))
        return {"cpu_s": _cpu_s() - cpu - market_s, "took_s": time.monotonic() - begun}

    def _watch(self, message: Mapping[str, str]) -> None:
        join_room(message["topic"])
        self._viewers.append(request.sid)  # type: ignore[attr-defined]

    def _each_alone(self) -> None:
        """As the plain way is: each page gets all rows, encoded for it."""
        view = self._market.view()
        for sid in self._viewers:
            rows = [
                {
                    "strike": str(row.strike),
                    **{
                        kind: {
                            "ltp": float(side.ltp or 0),
                            "bid": float(side.bid or 0),
                            "ask": float(side.ask or 0),
                            "change": float(side.change or 0),
                            "volume": side.volume,
                            "oi": side.oi,
                            "iv": None if side.figures is None else float(side.figures.iv),
                            "delta": None if side.figures is None else float(side.figures.delta),
                        }
                        for kind, side in (("ce", row.ce), ("pe", row.pe))
                        if side is not None
                    },
                }
                for row in view.rows
            ]
            self._socketio.emit("patch", {"topic": ROOM, "rows": rows}, to=sid)

    def _page_feed(self) -> PageFeed:
        world, nothing = self._market.world, SimpleNamespace()
        quiet: Any = SimpleNamespace(state=lambda: SimpleNamespace(phase=FeedPhase.LIVE, last_tick_age_s=0.1))
        hours: Any = SimpleNamespace(session=lambda _: None, phase=lambda _: Phase.LIVE)
        runs: Any = nothing
        return PageFeed(
            SocketPublisher(self._socketio),
            world.board,
            world.chains,
            quiet,
            runs,
            hours=hours,
            clock=world.clock,
            market_clock=world.clock,
            watched=lambda: frozenset({ROOM}),
            mtm=lambda _: None,
            clock_note=lambda phase, _session, _now: phase.value,
        )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    desk = ChainDesk()
    print(json.dumps({"port": desk.port, "room": ROOM}), flush=True)
    for line in sys.stdin:
        print(json.dumps(desk.run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
