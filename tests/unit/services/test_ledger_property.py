"""Random days at a random broker, a sample of `make chaos`: nothing is doubled, nothing lost, nothing crosses zero."""

import pytest

from tests.chaos.__main__ import main
from tests.chaos.runner import run
from tests.chaos.schedule import Day
from tests.chaos.watched_broker import WatchedBroker
from tests.chaos.world import ChaosWorld
from tests.unit.services.pretend_broker import PretendBroker

SAMPLE = range(1, 41)


@pytest.fixture(scope="module")
def world() -> ChaosWorld:
    return ChaosWorld()


def test_random_days(world: ChaosWorld) -> None:
    for seed in SAMPLE:
        Day(world, seed).live()


@pytest.mark.parametrize("seed", [3, 17])
def test_a_seed_is_the_same_whatever_ran_before_it(world: ChaosWorld, seed: int) -> None:
    told = []
    for before in ((), (1, 2), (9,)):
        for other in before:
            Day(world, other).live()
        day = Day(world if before else ChaosWorld(), seed)
        day.live()
        told.append(day.words("the end"))
    assert told[0] == told[1] == told[2]
    assert len(told[0].splitlines()) > 3


def test_a_broker_with_two_orders_for_one_call_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    once = PretendBroker.accept
    monkeypatch.setattr(
        WatchedBroker, "accept", lambda broker, request: once(broker, request) and once(broker, request)
    )
    seed = next(seed for seed in SAMPLE if run(seed) is not None)
    assert main(["--seed", str(seed)]) == 1
    said = capsys.readouterr().out
    assert f"make chaos SEED={seed}" in said
    assert "0 passed, 1 failed" in said
    assert "duplicates 0, lost 0, over-closed 0" not in said
