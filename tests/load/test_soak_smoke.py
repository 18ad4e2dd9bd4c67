"""The soak itself works: a short one has all its figures, and each thing that must not be is said."""

import statistics
from dataclasses import replace

import pytest

from tests.load.load_test import Measured
from tests.load.soak import Found, Size, main, report, soak

GOOD = Found(memory_mb=[100.0] * 40, cpu_pct=[20.0], ages_s=[0.1], pages=Measured([0.1]), ticks_per_s=1500.0)


@pytest.mark.timeout(300)
def test_a_short_soak_has_all_its_figures() -> None:
    size = Size(minutes=0.1, per_second=300, sockets=12, stuck=4)
    found = soak(size)
    assert found.let_in == 12
    assert found.lost == 0
    assert found.ticks_per_s > 100
    # On a busy machine the relay's own prices may overtake those it passes on; the long soak allows not even that.
    assert {kind for kind, _ in found.told["drops"]} <= {"older than the last"}
    assert statistics.median(found.memory_mb) > 50
    assert found.pages.took
    assert found.gap_s > 0
    assert "verdict" in report(found, size)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"memory_mb": [100.0] * 20 + [150.0] * 20}, "memory grew"),
        ({"ticks_per_s": 100.0}, "ticks/s"),
        ({"told": {"drops": [["older than the last", 3]]}}, "dropped"),
        ({"ages_s": [0.1, 9.0]}, "9.0 s old"),
        ({"gap_s": 20.0}, "heard nothing"),
        ({"lost": 1}, "hung up"),
        ({"refused": 1}, "not let in"),
        ({"pages": Measured([5.0])}, "p95"),
        ({"pages": Measured([0.1], ["status 500"])}, "status 500"),
    ],
)
def test_what_must_not_be_is_said(change: dict[str, object], word: str) -> None:
    size = Size()
    assert GOOD.faults(size) == []
    [fault] = replace(GOOD, **change).faults(size)  # type: ignore[arg-type]
    assert word in fault
    assert "NOT GOOD" in report(replace(GOOD, **change), size)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [["--minutes", "0"], ["--sockets", "500"], ["--sockets", "5", "--stuck", "5"]])
def test_it_cannot_be_asked_for_more_than_its_bounds(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
