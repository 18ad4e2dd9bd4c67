"""When books are read: after their own pause, sooner when somebody asks, never later than the soonest who asked."""

import pytest

from app.engine.book_turns import HOLD_S, LONGEST_HOLD_S, BookTurns
from tests.unit.engine.test_lanes import HandClock


class Turns:
    def __init__(self) -> None:
        self.clock, self.woken = HandClock(), list[int]()
        self.of = BookTurns(self.clock, self.woken.append)


@pytest.fixture
def turns() -> Turns:
    return Turns()


def test_the_first_read_waits_for_nothing(turns: Turns) -> None:
    assert turns.of.wait_s(3) == 0


def test_after_a_read_its_own_pause_is_kept_however_often_the_loop_is_woken(turns: Turns) -> None:
    assert turns.of.rest(3, 8.0) == 8.0
    turns.clock.second += 3
    assert turns.of.wait_s(3) == 5.0
    turns.clock.second += 5
    assert turns.of.wait_s(3) == 0


@pytest.mark.parametrize(("within_s", "wait_s"), [(0.0, 0.0), (1.0, 1.0), (9.0, 8.0)])
def test_asking_brings_a_read_forward_and_never_back(turns: Turns, within_s: float, wait_s: float) -> None:
    turns.of.rest(3, 8.0)
    turns.of.ask(3, within_s)
    assert turns.of.wait_s(3) == wait_s
    assert turns.woken == ([3] if wait_s < 8 else [])


def test_the_soonest_of_those_who_ask_counts(turns: Turns) -> None:
    turns.of.rest(3, 8.0)
    for within_s in (1.0, 0.5, 2.0):
        turns.of.ask(3, within_s)
    assert turns.of.wait_s(3) == 0.5


def test_what_is_asked_while_a_read_goes_on_asks_for_another(turns: Turns) -> None:
    turns.of.ask(3)
    assert turns.of.wait_s(3) == 0
    turns.of.ask(3, 1.0)
    assert turns.of.rest(3, 8.0) == 1.0
    turns.clock.second += 1
    assert turns.of.wait_s(3) == 0
    assert turns.of.rest(3, 8.0) == 8.0


def test_accounts_have_turns_of_their_own(turns: Turns) -> None:
    turns.of.rest(3, 8.0)
    turns.of.ask(4)
    assert (turns.of.wait_s(3), turns.of.wait_s(4)) == (8.0, 0.0)


def test_while_orders_go_out_a_pause_lasts_longer_but_not_for_ever_and_who_asks_is_not_held(turns: Turns) -> None:
    turns.of.rest(3, 8.0)
    turns.clock.second += 8
    turns.of.hold()
    assert turns.of.wait_s(3) == pytest.approx(HOLD_S)
    turns.of.ask(4)
    turns.of.rest(4, 8.0)
    assert turns.of.wait_s(4) == 0
    for _ in range(4):
        turns.clock.second += LONGEST_HOLD_S / 4
        turns.of.hold()
    assert turns.of.wait_s(3) == 0


def test_an_ask_is_kept_though_the_pause_would_have_ended_sooner_without_a_hold(turns: Turns) -> None:
    turns.of.rest(3, 0.5)
    turns.of.ask(3, 0.6)
    turns.clock.second += 0.5
    turns.of.hold()
    assert turns.of.wait_s(3) == pytest.approx(0.1)
