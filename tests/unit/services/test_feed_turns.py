"""Tries at growing pauses that chance spreads, so that many desks do not come back to one gateway at once."""

import pytest

from app.services.feed_turns import FIRST_PAUSE_S, LONGEST_PAUSE_S, TRIES, FeedTurns

ALONE = [1]


def pauses(jitter: float, count: int) -> list[float]:
    turns = FeedTurns(lambda: jitter)
    turns.account(ALONE)
    return [turns.failed(ALONE, hopeless=False) for _ in range(count)]


def test_each_pause_is_twice_the_one_before_and_none_is_longer_than_four_seconds() -> None:
    assert pauses(1.0, 6) == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0]
    assert LONGEST_PAUSE_S == 4.0


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
def test_chance_takes_up_to_half_of_a_pause(jitter: float) -> None:
    assert pauses(jitter, 5) == [pause * (0.5 + 0.5 * jitter) for pause in pauses(1.0, 5)]


def test_three_tries_and_then_somebody_else_at_once() -> None:
    turns, order = FeedTurns(lambda: 1.0), [1, 2, 3]
    assert turns.account(order) == 1
    for _ in range(TRIES):
        assert turns.failed(order, hopeless=False) >= FIRST_PAUSE_S
        assert turns.account(order) == 1
    assert turns.failed(order, hopeless=False) == 0.0
    assert turns.account(order) == 2
    assert turns.failed(order, hopeless=True) == 0.0, "wrong key: no use in another try"
    assert turns.account(order) == 3


def test_an_account_that_left_the_order_is_not_tried_again() -> None:
    turns = FeedTurns(lambda: 1.0)
    assert turns.account([1, 2]) == 1
    assert turns.account([2]) == 2
    assert turns.account([]) is None
