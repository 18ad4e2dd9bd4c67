"""A measured load on a real desk: people who look at pages, first with no live page open and then with many.

`make load`, or `python -m tests.load.load_test`, starts a simulator and a desk of its own. Loopback only.
"""

import argparse
import math
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import urllib3

from tests.desk_people import add_person
from tests.desk_process import DeskProcess, desk_process
from tests.desk_visitor import Visitor
from tests.load.browsers import Browsers
from tests.simulator_process import start_simulator

MOST_USERS = 9
"""With the first user's, as many sign-ins as the desk takes from one address in a minute."""
MOST_SOCKETS = 360
MOST_SECONDS = 600
PAUSE_S = 0.25
"""What each user waits between two pages: well below the desk's own limit for one user."""


@dataclass(frozen=True)
class Size:
    """How much is asked, for how long."""

    users: int = 8
    sockets: int = 100
    seconds: float = 30.0


@dataclass
class Measured:
    """Seconds that each answer of a page took, and what went wrong with the others."""

    took: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def percentile_ms(self, share: float) -> float:
        """The smallest time that this share of the answers kept to; NaN when there was no answer."""
        ordered = sorted(self.took)
        return ordered[max(0, math.ceil(len(ordered) * share) - 1)] * 1000 if ordered else math.nan


Results = dict[str, Measured]


@dataclass(frozen=True)
class Weight:
    """What the desk's process takes; `cpu_s` since it began."""

    threads: int
    memory_mb: float
    cpu_s: float


@dataclass(frozen=True)
class Looked:
    """What each page took; what the process weighed after that, and the share of a core that it took meanwhile."""

    pages: Results
    weight: Weight
    cpu: float


@dataclass(frozen=True)
class Load:
    """Pages and weight with no live page open, and with all of them; how many were let in, and lost on the way."""

    before: "Looked"
    during: "Looked"
    let_in: int
    lost: int

    def failed(self, size: Size) -> bool:
        pages = [*self.before.pages.values(), *self.during.pages.values()]
        return self.lost > 0 or self.let_in < size.sockets or any(one.failures or not one.took for one in pages)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every page was answered, every socket let in and none lost, else 1."""
    size = _size(arguments)
    load = measure(size)
    sys.stdout.write(table(load, size))
    return 1 if load.failed(size) else 0


def measure(size: Size) -> Load:
    of_one = max(1, math.ceil(size.sockets / size.users))
    room = {"LIVE_PAGES": str(of_one * size.users), "LIVE_PAGES_PER_USER": str(of_one)}
    with tempfile.TemporaryDirectory(prefix="desk-load-") as place, start_simulator() as simulator:
        folder, port = Path(place), _free_port()
        with desk_process(simulator, folder, port, "gunicorn", more=room) as desk:
            first = Visitor(desk.url)
            first.register(desk.token, "load0")
            first.add_simulator()
            run = first.send_straddle()
            for number in range(1, size.users):
                add_person(f"sqlite:///{folder / 'desk.sqlite3'}", f"load{number}", "admin")
            return _measured(desk, run, size)


def table(load: Load, size: Size) -> str:
    """The figures as text, one line for each page, in milliseconds."""
    lines = [f"{size.users} users, {size.seconds:g} s without and {size.seconds:g} s with {size.sockets} sockets", ""]
    lines.append(f"{'page':<28}{'requests':>9}{'p50':>7}{'p95':>7}{'with: p50':>11}{'p95':>7}{'failures':>10}")
    before, during = load.before.pages, load.during.pages
    for page, one in [*during.items(), ("all", _together(during))]:
        idle = _together(before) if page == "all" else before[page]
        times = f"{idle.percentile_ms(0.5):>7.0f}{idle.percentile_ms(0.95):>7.0f}"
        times += f"{one.percentile_ms(0.5):>11.0f}{one.percentile_ms(0.95):>7.0f}"
        asked, failed = (sum(len(each) for each in (idle.took, one.took)), len(idle.failures) + len(one.failures))
        lines.append(f"{page:<28}{asked:>9}{times}{failed:>10}")
    ratio = _together(during).percentile_ms(0.95) / _together(before).percentile_ms(0.95)
    lines += ["", f"p95 with sockets is {ratio:.2f} x that without", _weighed(load)]
    lines.append(f"sockets let in: {load.let_in}; sockets lost: {load.lost}")
    failures = {f"{page}: {words}" for part in (before, during) for page, one in part.items() for words in one.failures}
    return "\n".join([*lines, *sorted(failures)]) + "\n"


def _weighed(load: Load) -> str:
    idle, loaded = load.before.weight, load.during.weight
    threads, memory = loaded.threads - idle.threads, loaded.memory_mb - idle.memory_mb
    each = f", {threads / load.let_in:.1f} and {memory / load.let_in:.2f} MB for each socket" if load.let_in else ""
    cpu = f"CPU of a core {load.before.cpu:.0%} -> {load.during.cpu:.0%}"
    memory_mb = f"memory {idle.memory_mb:.0f} -> {loaded.memory_mb:.0f} MB"
    return f"{cpu}\nthreads {idle.threads} -> {loaded.threads}, {memory_mb}{each}"


def _together(results: Results) -> Measured:
    return Measured(
        [took for one in results.values() for took in one.took],
        [words for one in results.values() for words in one.failures],
    )


def _measured(desk: DeskProcess, run: str, size: Size) -> Load:
    visitors = [Visitor(desk.url) for _ in range(size.users)]
    for number, visitor in enumerate(visitors):
        if visitor.sign_in(f"load{number}").status != 303:
            raise SystemExit(f"load{number} cannot sign in.")
    worker = worker_of(desk.program.pid)
    for path in _pages(run):  # what is slow only once is not counted
        visitors[0].get(path)
    before = _looked_at(visitors, run, size, worker)
    browsers = Browsers(desk.url)
    try:
        topics = ("desk", "dashboard", chain_topic(visitors[0]), f"run:{run.rsplit('/', 1)[1]}")
        for number in range(size.sockets):
            browsers.open(visitors[number % size.users].cookie, topics[number % len(topics)], reads=True)
        browsers.start()
        during = _looked_at(visitors, run, size, worker)
        return Load(before, during, len(browsers.all), sum(browser.is_lost for browser in browsers.all))
    finally:
        browsers.stop()


def _looked_at(visitors: list[Visitor], run: str, size: Size, worker: int) -> Looked:
    begun, light = time.monotonic(), _weight(worker)
    results = {path: Measured() for path in _pages(run)}
    guard, end = threading.Lock(), begun + size.seconds

    def look(number: int) -> None:
        pause = threading.Event()
        for turn in count(number):
            if time.monotonic() >= end and turn >= number + len(results):  # each page at least once by each user
                return
            path = tuple(results)[turn % len(results)]
            _time(visitors[number], path, results[path], guard)
            pause.wait(PAUSE_S)

    with ThreadPoolExecutor(size.users) as people:
        for done in [people.submit(look, number) for number in range(size.users)]:
            done.result()
    weight = _weight(worker)
    return Looked(results, weight, (weight.cpu_s - light.cpu_s) / (time.monotonic() - begun))


def worker_of(master: int) -> int:
    """The process that gunicorn's master started to do the work."""
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def _weight(worker: int) -> Weight:
    lines = [line.split() for line in Path(f"/proc/{worker}/status").read_text().splitlines()]
    figures = {words[0]: words[1] for words in lines if len(words) > 1}
    ticks = Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[11:13]  # of user and of kernel
    cpu_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return Weight(int(figures["Threads:"]), int(figures["VmRSS:"]) / 1024, cpu_s)


def memory_mb(worker: int) -> float:
    return _weight(worker).memory_mb


def chain_topic(visitor: Visitor) -> str:
    """The room of the nearest chain, as its page names it."""
    page = visitor.get("/trading/chain/NIFTY").data.decode()
    begin = page.index("chain:NIFTY:")
    return page[begin : begin + len("chain:NIFTY:2026-12-01")]


def _pages(run: str) -> tuple[str, ...]:
    books = ("orders", "trades", "positions", "holdings", "funds")
    return ("/", "/live", "/trading/chain/NIFTY", run, f"{run}/live", *(f"/trading/{book}" for book in books),
            "/accounts/", "/strategies/", "/activity", "/api/session", "/readyz")  # fmt: skip


def _time(visitor: Visitor, path: str, measured: Measured, guard: threading.Lock) -> None:
    begun = time.monotonic()
    try:
        status = visitor.get(path).status
    except urllib3.exceptions.HTTPError as error:
        status, words = 0, type(error).__name__
    else:
        words = f"status {status}"
    took = time.monotonic() - begun
    with guard:
        if status == 200:
            measured.took.append(took)
        else:
            measured.failures.append(words)


def _size(arguments: Sequence[str] | None) -> Size:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=Size.users, help=f"1 to {MOST_USERS}")
    parser.add_argument("--sockets", type=int, default=Size.sockets, help=f"0 to {MOST_SOCKETS}")
    parser.add_argument("--seconds", type=float, default=Size.seconds, help=f"1 to {MOST_SECONDS}")
    asked = parser.parse_args(arguments)
    bounds = (("users", 1, MOST_USERS), ("sockets", 0, MOST_SOCKETS), ("seconds", 1, MOST_SECONDS))
    for name, least, most in bounds:
        if not least <= getattr(asked, name) <= most:
            parser.error(f"--{name} must be from {least} to {most}.")
    return Size(asked.users, asked.sockets, asked.seconds)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
