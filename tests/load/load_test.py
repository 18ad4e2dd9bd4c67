"""A measured load on a real desk: people who look at pages while sockets are open. Loopback only; ends by itself.

`python -m tests.load.load_test` starts a simulator and a desk of its own, or `make load`.
"""

import argparse
import math
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import urllib3

from tests.desk_people import add_person
from tests.desk_process import desk_process
from tests.desk_visitor import Visitor
from tests.simulator_process import start_simulator

MOST_USERS = 9
"""With the first user's, as many sign-ins as the desk takes from one address in a minute."""
MOST_SOCKETS = 40
MOST_SECONDS = 600
PAUSE_S = 0.25
"""What each user waits between two pages: well below the desk's own limit for one user."""


@dataclass(frozen=True)
class Size:
    """How much is asked, for how long."""

    users: int = 8
    sockets: int = 20
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


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every page was answered and no socket was lost, else 1."""
    size = _size(arguments)
    results, lost = measure(size)
    sys.stdout.write(table(results, lost, size))
    return 1 if lost or any(one.failures or not one.took for one in results.values()) else 0


def measure(size: Size) -> tuple[Results, int]:
    """What each page took, and how many sockets were lost on the way."""
    with tempfile.TemporaryDirectory(prefix="desk-load-") as place, start_simulator() as simulator:
        folder, port = Path(place), _free_port()
        with desk_process(simulator, folder, port, "gunicorn") as desk:
            first = Visitor(desk.url)
            first.register(desk.token, "load0")
            first.add_simulator()
            run = first.send_straddle()
            for number in range(1, size.users):
                add_person(f"sqlite:///{folder / 'desk.sqlite3'}", f"load{number}", "admin")
            return _looked_at(desk.url, run, size)


def table(results: Results, lost: int, size: Size) -> str:
    """The figures as text, one line for each page."""
    lines = [f"{size.users} users, {size.sockets} sockets, {size.seconds:g} s", ""]
    lines.append(f"{'page':<28}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'failures':>10}")
    for page, one in results.items():
        times = f"{one.percentile_ms(0.5):>9.0f}{one.percentile_ms(0.95):>9.0f}"
        lines.append(f"{page:<28}{len(one.took) + len(one.failures):>9}{times}{len(one.failures):>10}")
    lines.append(f"\nsockets lost: {lost}")
    lines += [f"{page}: {words}" for page, one in results.items() for words in sorted(set(one.failures))]
    return "\n".join(lines) + "\n"


def _looked_at(url: str, run: str, size: Size) -> tuple[Results, int]:
    visitors = [Visitor(url) for _ in range(size.users)]
    for number, visitor in enumerate(visitors):
        if visitor.sign_in(f"load{number}").status != 303:
            raise SystemExit(f"load{number} cannot sign in.")
    results = {path: Measured() for path in _pages(run)}
    guard, end = threading.Lock(), time.monotonic() + size.seconds

    def look(number: int) -> None:
        pause = threading.Event()
        for turn in count(number):
            if time.monotonic() >= end and turn >= number + len(results):  # each page at least once by each user
                return
            path = tuple(results)[turn % len(results)]
            _time(visitors[number], path, results[path], guard)
            pause.wait(PAUSE_S)

    with _open_sockets(visitors, run, size.sockets) as lost, ThreadPoolExecutor(size.users) as people:
        for done in [people.submit(look, number) for number in range(size.users)]:
            done.result()
        return results, lost()


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


@contextmanager
def _open_sockets(visitors: list[Visitor], run: str, wanted: int) -> Iterator["Lost"]:
    """Sockets shared out among the visitors, each watching the dashboard, the chain's frame and the run."""
    topics = ("desk", "dashboard", f"run:{run.rsplit('/', 1)[1]}")
    with ExitStack() as closing:
        clients = []
        for number in range(wanted):
            client = visitors[number % len(visitors)].connected()
            closing.callback(client.disconnect)
            client.emit("watch", {"topic": topics[number % len(topics)]})
            clients.append(client)
        yield Lost(clients)


class Lost:
    """How many of the sockets are not connected any more, when called."""

    def __init__(self, clients: Sequence[object]) -> None:
        self._clients = clients

    def __call__(self) -> int:
        return sum(1 for client in self._clients if not getattr(client, "connected", False))


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
