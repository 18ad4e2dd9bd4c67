"""The checker sees what it is there to see: with one rule of the product taken out, a schedule fails and says why."""

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.runner import run

MOST_TRIED = 60


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_product_without_one_of_its_rules_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    mutant.takes_out(monkeypatch)
    failures = (run(seed, long=True) for seed in range(mutant.first_seed, mutant.first_seed + MOST_TRIED))
    found = next((failure for failure in failures if failure is not None), None)
    assert found is not None, f"{MOST_TRIED} schedules held although {name}"
    assert found.message.split()[0] in mutant.breaks, found.message.splitlines()[0]
