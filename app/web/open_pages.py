"""The live pages of this process: how many there may be, whose they are, and who is hung up on.

A live page keeps a thread of the server until its connection ends, whatever Socket.IO has made of it meanwhile. A
browser that stopped reading is given up after a missed ping, and its thread would wait on for as long as its machine
runs. So what is counted here is threads, and whoever is no page any more is hung up on.
"""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.ports.clock import Clock

LOOK_S = 1.0
ABSENT_S = 5.0
"""For a browser to say hello after it was let in, and to leave by itself after it was told good-bye."""


class TooManyPages(Exception):
    """There is no room for another live page. Its words are for whoever asked."""


@dataclass(eq=False, slots=True)
class Page:
    """`peer` None where the server gives no socket away: then nobody can hang up on it."""

    user_id: int
    peer: socket.socket | None
    present_at: float


class OpenPages:
    """Thread-safe; `step` is for one thread."""

    def __init__(
        self, most: int, most_of_one: int, clock: Clock, present: Callable[[], AbstractSet[socket.socket]]
    ) -> None:
        """`most` in this process, `most_of_one` by one user; `present` are the connections that are pages now."""
        self._most = most
        self._most_of_one = most_of_one
        self._clock = clock
        self._present = present
        self._is_serving: Callable[[], bool] = lambda: True
        self._lock = threading.Lock()
        self._pages: set[Page] = set()
        self._of: Counter[int] = Counter()

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """From when the server ends, all pages are hung up on: they must not keep it from ending."""
        self._is_serving = is_serving

    def enter(self, user_id: int, peer: socket.socket | None) -> Page:
        """A thread for the page of that user, until `leave`. Raises TooManyPages."""
        page = Page(user_id, peer, self._clock.monotonic())
        with self._lock:
            if len(self._pages) >= self._most:
                raise TooManyPages(f"All {self._most} live pages of this desk are open. Close some of them.")
            if self._of[user_id] >= self._most_of_one:
                raise TooManyPages(f"You have {self._most_of_one} live pages open, which is the most. Close some.")
            self._pages.add(page)
            self._of[user_id] += 1
        return page

    def leave(self, page: Page) -> None:
        """Its thread is free again."""
        with self._lock:
            self._pages.remove(page)
            self._of[page.user_id] -= 1
            if not self._of[page.user_id]:
                del self._of[page.user_id]

    def step(self) -> float:
        """Hang up on whoever has been no page for a while. Returns the seconds until the next look."""
        now, present, serving = self._clock.monotonic(), self._present(), self._is_serving()
        with self._lock:
            pages = list(self._pages)
        for page in pages:
            if serving and page.peer in present:
                page.present_at = now
            elif page.peer is not None and (not serving or now - page.present_at >= ABSENT_S):
                _hang_up(page.peer)
        return LOOK_S


def _hang_up(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already: its thread is on its way out
        peer.shutdown(socket.SHUT_RDWR)
