"""A sample of `make chaos-process` in each run of the tests: real processes die, sleep, lose their database."""

from collections.abc import Iterator

import pytest

from tests.chaos_process.__main__ import main
from tests.chaos_process.rig import Rig, rig
from tests.chaos_process.runner import Shown, Task, play, tasks
from tests.chaos_process.scenarios import EVERY, Phase

SEEDS = (1, 2, 3)
WHOLE = 8
"""Two legs in two accounts, in and out."""


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[Rig]:
    with rig("postgresql", quick=True) as made:
        yield made


def held(on: Rig, scenario: str, phase: Phase) -> Shown:
    """One broker order for each intent, and equal books.

    A slow machine may be struck before anything was sent, after which nothing is: that must hold too, but it shows
    little, so another moment is tried.
    """
    for seed in SEEDS:
        shown = play(on, Task(seed, scenario, phase, "postgresql"))
        assert not shown.troubles, "\n".join(shown.troubles)
        if shown.orders >= WHOLE:
            return shown
    raise AssertionError(f"in {len(SEEDS)} tries it never went in and came out in two accounts: {shown}")


@pytest.mark.timeout(300)
def test_row_02_an_engine_that_died_with_the_answer_in_hand_doubles_nothing(on_postgresql: Rig) -> None:
    assert held(on_postgresql, "killed after send", "entry").led_s is not None


@pytest.mark.timeout(300)
def test_row_14_an_engine_that_slept_beyond_its_lease_sends_nothing_and_ends_itself(on_postgresql: Rig) -> None:
    assert held(on_postgresql, "suspended, replaced", "entry").led_s is not None


@pytest.mark.timeout(300)
def test_row_35_an_engine_whose_connections_are_cut_while_it_sends_doubles_nothing(on_postgresql: Rig) -> None:
    held(on_postgresql, "database cut", "exit")


@pytest.mark.timeout(300)
def test_row_03_an_engine_that_died_with_what_a_book_taught_uncommitted_learns_it_again(on_postgresql: Rig) -> None:
    assert held(on_postgresql, "killed during reconcile", "exit").led_s is not None


def test_forty_play_every_scenario_in_every_phase() -> None:
    played = {(task.scenario, task.phase) for task in tasks(40)}
    assert played == {(scenario.name, phase) for scenario in EVERY for phase in scenario.phases}
    assert {task.database for task in tasks(40)} == {"sqlite", "postgresql"}


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_a_whole_round() -> None:
    assert main(["--count", "40"]) == 0
