"""Two loops for each account: its books are read in their turns, less often where its order updates are pushed."""

from collections.abc import Iterable
from typing import Any

import pytest

from app.engine.book_turns import BookTurns
from app.engine.roster import PUSHED_PAUSE_S, RESTING_S, Roster
from app.engine.supervisor import Supervisor
from tests.unit.engine.test_lanes import HandClock


class Feeds:
    """Order feeds, as far as the roster knows them."""

    def __init__(self) -> None:
        self.needed: frozenset[int] = frozenset()
        self.open: set[int] = set()

    def need(self, account_ids: Iterable[int]) -> None:
        self.needed = frozenset(account_ids)

    def is_open(self, account_id: int) -> bool:
        return account_id in self.open

    def step(self, account_id: int) -> float:
        raise AssertionError(f"nobody started the loop of {account_id}")


class Desk:
    def __init__(self) -> None:
        self.clock, self.feeds, self.supervisor = HandClock(), Feeds(), Supervisor()
        self.active, self.read, self.lanes = [3, 4], list[int](), list[int]()
        self.turns = BookTurns(self.clock, lambda _account_id: None)
        feeds: Any = self.feeds
        self.roster = Roster(
            self.supervisor,
            feeds,
            self.turns,
            active=lambda: self.active,
            at_work=lambda: frozenset({4, 5}),
            read_books=self._read,
            open_lane=self.lanes.append,
        )
        self.roster.step()

    def _read(self, account_id: int) -> float:
        self.read.append(account_id)
        return 1.0

    def turn(self, account_id: int) -> float:
        return self.roster._read(account_id)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_active_account_gets_its_loops_and_its_lane_once(desk: Desk) -> None:
    desk.roster.step()
    assert [pulse.name for pulse in desk.supervisor.pulses()] == ["books-3", "orders-3", "books-4", "orders-4"]
    assert desk.lanes == [3, 4]
    assert desk.feeds.needed == {4}, "updates are for who is active and at work"


def test_books_are_read_in_their_turn_and_sooner_when_asked_for(desk: Desk) -> None:
    assert (desk.turn(3), desk.read) == (1.0, [3])
    assert (desk.turn(3), desk.read) == (1.0, [3]), "woken before its time"
    desk.turns.ask(3)
    desk.turn(3)
    assert desk.read == [3, 3]


def test_where_updates_are_pushed_books_are_read_less_often_unless_asked_for(desk: Desk) -> None:
    desk.feeds.open.add(3)
    assert desk.turn(3) == PUSHED_PAUSE_S
    desk.turns.ask(3, 0.5)
    assert desk.turn(3) == 0.5


def test_an_archived_account_rests(desk: Desk) -> None:
    desk.active = [4]
    desk.roster.step()
    assert (desk.turn(3), desk.read) == (RESTING_S, [])
