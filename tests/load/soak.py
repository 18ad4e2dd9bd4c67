"""A soak of a real desk: prices at a rate, browsers some of whom never read, people on pages; memory must stay flat.

`python -m tests.load.soak --minutes 20`, or `make soak`. Loopback only; ends by itself and prints a verdict.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.stage import GatewayControl, part
from tests.desk_people import add_person
from tests.desk_process import desk_process
from tests.desk_visitor import Visitor, within
from tests.load.browsers import Browsers
from tests.load.load_test import Measured, _free_port, _pages, _time, chain_topic, memory_mb, worker_of
from tests.simulator_process import SimulatorProcess, start_simulator

USERS = 8
SAMPLES = 40
PAUSE_S = 0.25
MOST_GROWTH_MB = 10.0
MOST_GROWTH = 0.05
"""Of the memory at the half: what may come on top of it until the end, whichever is more."""
LEAST_RATE = 0.9
MOST_AGE_S = 3.0
MOST_GAP_S = 5.0
MOST_PAGE_MS = 1500.0


@dataclass(frozen=True)
class Size:
    minutes: float = 20.0
    per_second: int = 1500
    sockets: int = 100
    stuck: int = 30


@dataclass
class Found:
    """What was seen. `memory_mb` in order; `rates` and `ages` are what the desk itself said meanwhile."""

    memory_mb: list[float] = field(default_factory=list)
    cpu_pct: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    pages: Measured = field(default_factory=Measured)
    told: dict[str, Any] = field(default_factory=dict)
    ticks_per_s: float = 0.0
    let_in: int = 0
    refused: int = 0
    lost: int = 0
    gap_s: float = 0.0
    price_age_s: float = 0.0

    @property
    def growth_mb(self) -> float:
        """From the second quarter of the time to the last: the first is warming up."""
        quarter = max(1, len(self.memory_mb) // 4)
        return statistics.median(self.memory_mb[-quarter:]) - statistics.median(self.memory_mb[quarter : 2 * quarter])

    def faults(self, size: Size) -> list[str]:
        """What is not as it must be; empty is the good verdict."""
        allowed = max(MOST_GROWTH_MB, MOST_GROWTH * statistics.median(self.memory_mb))
        age_s = max(self.ages_s, default=99.0)
        page_ms = self.pages.percentile_ms(0.95)
        checks = (
            (self.growth_mb <= allowed, f"memory grew by {self.growth_mb:.1f} MB, allowed are {allowed:.1f}"),
            (
                self.ticks_per_s >= LEAST_RATE * size.per_second,
                f"{self.ticks_per_s:.0f} ticks/s came, {size.per_second} were sent",
            ),
            (not self.told.get("drops"), f"dropped: {self.told.get('drops')}"),
            (age_s <= MOST_AGE_S, f"the newest price was {age_s:.1f} s old"),
            (self.gap_s <= MOST_GAP_S, f"a browser that reads heard nothing for {self.gap_s:.1f} s"),
            (self.refused == 0, f"{self.refused} browsers were not let in"),
            (self.lost == 0, f"{self.lost} browsers that read were hung up on"),
            (page_ms <= MOST_PAGE_MS, f"pages took {page_ms:.0f} ms at p95"),
            (not self.pages.failures, f"pages failed: {sorted(set(self.pages.failures))}"),
        )
        return [words for is_good, words in checks if not is_good]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the verdict is good."""
    size = _size(arguments)
    found = soak(size)
    sys.stdout.write(report(found, size))
    return 1 if found.faults(size) else 0


def soak(size: Size) -> Found:
    found = Found()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="desk-soak-")))
        simulator = opened.enter_context(start_simulator("--limits", "off", accounts=1))
        ready = opened.enter_context(_relay(simulator))
        relay = GatewayControl(ready)
        desk = opened.enter_context(desk_process(simulator, folder, _free_port(), "gunicorn", guarded=True))
        database = folder / "desk.sqlite3"
        admin = Visitor(desk.url)
        admin.register(desk.token, "soak0")
        admin.add_simulator()
        _pass_through(database, ready["feed"])
        run = admin.send_straddle()
        visitors = [admin, *(_person(desk.url, database, number) for number in range(1, USERS))]
        within(60.0, lambda: _state(admin)["confirmed"] > 100, "a chain is subscribed")
        browsers = Browsers(desk.url)
        opened.callback(browsers.stop)
        topics = ("desk", chain_topic(admin), f"run:{run.rsplit('/', 1)[1]}")
        for number in range(size.sockets):
            browsers.open(visitors[number % USERS].cookie, topics[number % 3], reads=number >= size.stuck)
        browsers.start()
        relay.ask("flow", per_second=size.per_second)
        _watch(admin, visitors[1], run, worker_of(desk.program.pid), size, found)
        relay.ask("flow", per_second=0)
        good = browsers.good()
        found.let_in, found.refused = len(browsers.all), browsers.refused
        found.lost = sum(browser.is_lost for browser in good)
        found.gap_s = max((browser.gap_s for browser in good), default=0.0)
        found.price_age_s = max((browser.price_age_s for browser in good), default=0.0)
    return found


@contextmanager
def _relay(simulator: SimulatorProcess) -> Iterator[Mapping[str, Any]]:
    """Prices pass through a relay, which can send more of them than the simulator does."""
    now_ms = int(simulator.get("/clock")["now_ms"])
    shape = ["--accounts", "1", "--market-ms", str(now_ms), "--upstream", simulator.accounts[0].ws_url]
    with part("bench.gateway", *shape) as gateway:
        yield gateway.hear()


def _pass_through(database: Path, feed: str) -> None:
    """The desk's account gets its prices from there."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        connection.execute("update trading_accounts set websocket_url = ?", (feed,))


def _person(url: str, database: Path, number: int) -> Visitor:
    add_person(f"sqlite:///{database}", f"soak{number}", "admin")
    visitor = Visitor(url)
    if visitor.sign_in(f"soak{number}").status != 303:
        raise SystemExit(f"soak{number} cannot sign in.")
    return visitor


def _state(visitor: Visitor) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(visitor.get("/api/market-data").data)
    return state


def _watch(admin: Visitor, reader: Visitor, run: str, worker: int, size: Size, found: Found) -> None:
    """Look at pages all the time, and at the desk itself at even distances, until the time is over."""
    seconds, guard, pause = size.minutes * 60, threading.Lock(), threading.Event()
    begun = time.monotonic()
    before, pages = _state(admin), _pages(run)
    for sample in range(SAMPLES):
        until = begun + seconds * (sample + 1) / SAMPLES
        turn = 0
        while time.monotonic() < until:
            _time(reader, pages[turn % len(pages)], found.pages, guard)
            turn += 1
            pause.wait(PAUSE_S)
        state = _state(admin)
        found.memory_mb.append(memory_mb(worker))
        found.ages_s.append(99.0 if state["tick_age_s"] is None else state["tick_age_s"])
        found.cpu_pct.append(state["resources"]["cpu_pct"] or 0.0)
        found.steps.add(state["resources"]["step"])
    passed_s = time.monotonic() - begun
    found.told = state
    found.ticks_per_s = (state["accepted"] - before["accepted"]) / passed_s


def report(found: Found, size: Size) -> str:
    quarters = [found.memory_mb[place] for place in range(0, len(found.memory_mb), max(1, len(found.memory_mb) // 8))]
    faults = found.faults(size)
    lines = [
        f"{size.minutes:g} min, {size.per_second} ticks/s, {size.sockets} sockets of whom {size.stuck} never read",
        f"memory MB        {' '.join(f'{each:.0f}' for each in quarters)}; growth {found.growth_mb:+.1f}",
        f"CPU of a core    median {statistics.median(found.cpu_pct):.0f} %, most {max(found.cpu_pct):.0f} %",
        f"resource guard   {', '.join(sorted(found.steps))}",
        f"ticks/s taken    {found.ticks_per_s:.0f}; dropped {found.told.get('drops') or 'none'}",
        f"newest price     at most {max(found.ages_s):.2f} s old; told to browsers at most {found.price_age_s:.2f} s",
        f"sockets          {found.let_in} let in, {found.refused} refused at the door, {found.lost} good ones lost",
        f"longest silence  {found.gap_s:.1f} s at a browser that reads",
        f"pages            {len(found.pages.took)} read, {len(found.pages.failures)} failed",
        f"pages took       p50 {found.pages.percentile_ms(0.5):.0f} ms, p95 {found.pages.percentile_ms(0.95):.0f} ms",
        "verdict          " + ("good" if not faults else "NOT GOOD: " + "; ".join(faults)),
    ]
    return "\n".join(lines) + "\n"


def _size(arguments: Sequence[str] | None) -> Size:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=Size.minutes, help="0.1 to 600")
    parser.add_argument("--per-second", type=int, default=Size.per_second, help="1 to 5000 ticks")
    parser.add_argument("--sockets", type=int, default=Size.sockets, help="2 to 120")
    parser.add_argument("--stuck", type=int, default=Size.stuck, help="of the sockets: those that never read")
    asked = parser.parse_args(arguments)
    bounds = (("minutes", 0.1, 600), ("per_second", 1, 5000), ("sockets", 2, 120), ("stuck", 0, asked.sockets - 1))
    for name, least, most in bounds:
        if not least <= getattr(asked, name) <= most:
            parser.error(f"--{name.replace('_', '-')} must be from {least} to {most}.")
    return Size(asked.minutes, asked.per_second, asked.sockets, asked.stuck)


if __name__ == "__main__":
    sys.exit(main())
