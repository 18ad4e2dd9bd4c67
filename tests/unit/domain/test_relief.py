"""When a process that is short of memory or time gives something up, and when it takes it back: as tables."""

import pytest

from app.domain.relief import Relief, ReliefLimits, Strain, Usage, judged

LIMITS = ReliefLimits(memory_mb=500, cpu=0.7, after_s=10, calm_s=60)
CALM, BETWEEN, BUSY, FULL = Usage(300, 0.2), Usage(300, 0.66), Usage(300, 0.9), Usage(501, 0.1)


@pytest.mark.parametrize(
    ("usages", "step"),
    [  # each usage lasts from its second on
        ({0: CALM}, 0),
        ({0: BUSY, 9: BUSY}, 0),
        ({0: BUSY, 10: BUSY}, 1),
        ({0: FULL, 10: FULL}, 1),
        ({0: BUSY, 5: FULL, 10: BUSY}, 1),  # whichever limit it is
        ({0: BUSY, 5: BETWEEN, 6: BUSY, 12: BUSY}, 0),  # a break begins anew
        ({0: BUSY, 10: BUSY, 19: BUSY}, 1),
        ({0: BUSY, 10: BUSY, 20: BUSY, 30: BUSY}, 3),
        ({0: BUSY, 10: BUSY, 20: BUSY, 30: BUSY, 90: BUSY}, 3),  # there is nothing more to give up
        ({0: BUSY, 10: BUSY, 20: BETWEEN, 500: BETWEEN}, 1),  # neither too much nor calm: nothing moves
        ({0: BUSY, 10: BUSY, 20: CALM, 79: CALM}, 1),
        ({0: BUSY, 10: BUSY, 20: CALM, 80: CALM}, 0),
        ({0: BUSY, 10: BUSY, 20: BUSY, 30: CALM, 90: CALM}, 1),  # one step at a time
        ({0: BUSY, 10: BUSY, 20: BUSY, 30: CALM, 90: CALM, 150: CALM}, 0),
        ({0: BUSY, 10: BUSY, 20: CALM, 70: BETWEEN, 80: CALM, 130: CALM}, 1),
    ],
)
def test_steps(usages: dict[int, Usage], step: int) -> None:
    strain = Strain()
    for second, usage in usages.items():
        strain = judged(strain, usage, LIMITS, float(second))
    assert strain.step == step


def test_memory_that_nobody_tells_is_neither_too_much_nor_in_the_way_of_calm() -> None:
    assert LIMITS.excess(Usage(None, 0.1)) is None
    assert LIMITS.is_calm(Usage(None, 0.1))


def test_the_limit_that_is_exceeded_is_named() -> None:
    assert LIMITS.excess(FULL) == "memory 501 MB, limit 500 MB"
    assert LIMITS.excess(BUSY) == "CPU 90% of a core, limit 70%"
    assert max(Relief) is Relief.NO_IDLE_CHAINS
