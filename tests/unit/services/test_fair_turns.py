"""Whoever crashes comes last, and nobody is kept out for good."""

import pytest

from app.services.fair_turns import FairTurns


def crash(turns: FairTurns, one: int) -> None:
    with pytest.raises(ValueError, match="a bug"), turns.turn(one):
        raise ValueError("a bug")


def test_one_that_crashed_comes_last_until_its_turn_ends_well() -> None:
    turns = FairTurns()
    crash(turns, 1)
    assert turns.order({1, 2, 3}) == [2, 3, 1]
    with turns.turn(1):
        pass
    assert turns.order({1, 2, 3}) == [1, 2, 3]


def test_a_lasting_crash_does_not_keep_one_that_crashed_once_from_its_second_try() -> None:
    turns = FairTurns()
    crash(turns, 2)
    crash(turns, 1)
    assert turns.order({1, 2, 3}) == [3, 2, 1]
    crash(turns, 2)
    assert turns.order({1, 2, 3}) == [3, 1, 2]
