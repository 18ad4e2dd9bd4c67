"""What the executor looks at next: at once what may ask for something, with the next thing what hardly ever does."""

import pytest

from app.services.touches import SOON_S, Touches
from tests.unit.engine.test_lanes import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def touches(clock: HandClock) -> Touches:
    return Touches(clock)


def test_each_run_is_taken_once_in_the_order_asked_for(touches: Touches) -> None:
    touches.add(1, 7)
    touches.add(2, 8)
    touches.add(1, 9)
    order = lambda runs: sorted(runs, reverse=True)  # noqa: E731 - it is data here
    assert [touches.take(order) for _ in range(3)] == [(2, {8}), (1, {7, 9}), None]


@pytest.mark.parametrize("accounts", [(None, 7), (7, None)])
def test_who_knows_where_means_everywhere(touches: Touches, accounts: tuple[int | None, ...]) -> None:
    for account_id in accounts:
        touches.add(1, account_id)
    assert touches.take(sorted) == (1, None)


def test_what_may_wait_is_taken_with_the_next_thing_of_its_run(touches: Touches) -> None:
    touches.add_soon(1, 7)
    touches.add_soon(2, 8)
    assert touches.take(sorted) is None
    touches.add(1, 9)
    assert touches.take(sorted) == (1, {7, 9})
    assert touches.take(sorted) is None
    assert touches.wait_s() == pytest.approx(SOON_S), "of the other run"


def test_what_may_wait_does_not_wait_longer_for_being_said_again(touches: Touches, clock: HandClock) -> None:
    touches.add_soon(1, 7)
    clock.second += SOON_S / 2
    touches.add_soon(1, 7)
    assert touches.wait_s() == pytest.approx(SOON_S / 2)
    clock.second += SOON_S / 2
    assert touches.take(sorted) == (1, {7})
    assert touches.wait_s() == float("inf")


def test_a_run_that_is_looked_at_whole_has_nothing_left_to_wait_for(touches: Touches) -> None:
    touches.add_soon(1, 7)
    touches.add_all([1])
    assert touches.take(sorted) == (1, None)
    assert touches.wait_s() == float("inf")
