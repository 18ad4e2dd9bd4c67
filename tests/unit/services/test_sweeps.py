"""Each living run is looked at as a whole a second after its last look, a calm one after three."""

import pytest

from app.services.sweeps import CALM_SWEEP_S, SWEEP_S, Sweeps
from tests.unit.services.market_fakes import FakeClock


class World:
    def __init__(self) -> None:
        self.clock, self.living, self.read = FakeClock(), {1, 2}, 0
        self.sweeps = Sweeps(self.clock, self._living)

    def _living(self) -> set[int]:
        self.read += 1
        return set(self.living)

    def look(self) -> set[int]:
        due = self.sweeps.due()
        for run_id in due:
            self.sweeps.seen(run_id)
        return due


def test_what_was_never_seen_is_due_and_then_a_second_after_its_own_last_look() -> None:
    world = World()
    assert world.look() == {1, 2}
    world.clock.advance(0.75)
    world.sweeps.seen(2)
    assert world.look() == set()
    assert world.sweeps.wait_s() == pytest.approx(0.25)
    world.clock.advance(0.25)
    assert world.look() == {1}
    world.clock.advance(0.75)
    assert world.look() == {2}


def test_a_calm_run_waits_longer_until_something_moves_in_it() -> None:
    world = World()
    world.look()
    world.sweeps.rests(1, calm=True)
    world.clock.advance(SWEEP_S)
    assert world.look() == {2}
    world.clock.advance(CALM_SWEEP_S - SWEEP_S)
    assert world.look() == {1, 2}
    world.sweeps.rests(1, calm=False)
    world.clock.advance(SWEEP_S)
    assert world.look() == {1, 2}


def test_what_lives_is_read_once_in_a_second() -> None:
    world = World()
    for _ in range(3):
        world.look()
    assert world.read == 1
    world.living = {3}
    world.clock.advance(SWEEP_S)
    assert world.look() == {3}
    assert world.read == 2
