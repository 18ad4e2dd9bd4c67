"""How many live pages a process keeps, of whom, and who is hung up on."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.web.open_pages import ABSENT_S, OpenPages, Page, TooManyPages
from tests.unit.adapters.hand_clock import HandClock

ASHA, MIRA = 1, 2


@dataclass
class Rig:
    """`present` are the ends of those that are pages now."""

    clock: HandClock
    present: set[socket.socket] = field(default_factory=set)
    browsers: dict[socket.socket, socket.socket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pages = OpenPages(3, 2, self.clock, lambda: frozenset(self.present))

    def enter(self, user_id: int = ASHA, *, greets: bool = True) -> Page:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.browsers[ours] = theirs
        page = self.pages.enter(user_id, ours)
        if greets:
            self.present.add(ours)
        return page

    def is_hung_up(self, page: Page) -> bool:
        assert page.peer is not None
        try:
            return self.browsers[page.peer].recv(1) == b""
        except BlockingIOError:
            return False

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.pages.step()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig(HandClock())
    yield made
    for ours, theirs in made.browsers.items():
        ours.close()
        theirs.close()


def test_there_is_room_for_so_many_and_no_more(rig: Rig) -> None:
    first = rig.enter(ASHA)
    rig.enter(ASHA)
    rig.enter(MIRA)
    with pytest.raises(TooManyPages, match="All 3 live pages"):
        rig.enter(MIRA)
    rig.pages.leave(first)
    rig.enter(MIRA)


def test_one_user_has_fewer(rig: Rig) -> None:
    first = rig.enter(ASHA)
    rig.enter(ASHA)
    with pytest.raises(TooManyPages, match="You have 2"):
        rig.enter(ASHA)
    rig.pages.leave(first)
    rig.enter(ASHA)


def test_who_is_a_page_is_never_hung_up_on(rig: Rig) -> None:
    page = rig.enter()
    for _ in range(5):
        rig.later(ABSENT_S)
    assert not rig.is_hung_up(page)


def test_who_never_says_hello_is_hung_up_on(rig: Rig) -> None:
    page = rig.enter(greets=False)
    rig.later(ABSENT_S - 0.1)
    assert not rig.is_hung_up(page)
    rig.later(0.1)
    assert rig.is_hung_up(page)


def test_who_was_given_up_is_hung_up_on_after_time_to_leave_by_itself(rig: Rig) -> None:
    page, other = rig.enter(), rig.enter(MIRA)
    rig.later(100)
    assert page.peer is not None
    rig.present.remove(page.peer)
    rig.later(ABSENT_S - 0.1)
    assert not rig.is_hung_up(page)
    rig.later(0.1)
    assert rig.is_hung_up(page)
    assert not rig.is_hung_up(other)


def test_its_room_is_free_only_when_its_thread_is(rig: Rig) -> None:
    pages = [rig.enter(user_id, greets=False) for user_id in (ASHA, ASHA, MIRA)]
    rig.later(ABSENT_S)
    with pytest.raises(TooManyPages):
        rig.enter(MIRA)
    rig.pages.leave(pages[0])
    rig.enter(MIRA)


def test_a_server_that_ends_hangs_up_on_all_at_once(rig: Rig) -> None:
    page = rig.enter()
    rig.pages.serve_while(lambda: False)
    rig.pages.step()
    assert rig.is_hung_up(page)


def test_one_that_is_gone_already_and_one_without_a_socket_harm_nobody(rig: Rig) -> None:
    gone = rig.enter(greets=False)
    rig.pages.enter(MIRA, None)
    other = rig.enter(ASHA, greets=False)
    assert gone.peer is not None
    gone.peer.close()
    rig.later(ABSENT_S)
    assert rig.is_hung_up(other)
