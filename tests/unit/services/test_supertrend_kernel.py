"""The compiled pass is the walker bit for bit, and the indicator of the openalgo package to a billionth."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.supertrend import Supertrend
from app.services.kernels import REST_S, SETTLE_S, Kernels

ROOT = Path(__file__).resolve().parents[3]
Floats = NDArray[np.float64]


def series(name: str, bars: int = 2000) -> tuple[Floats, Floats, Floats]:
    """High, low and close of days as they come: wandering, with gaps overnight, standing still, negative."""
    chance = np.random.default_rng(7)
    close = 100 + np.cumsum(chance.normal(0, 0.4, bars))
    if name == "gaps":
        close[::75] += chance.normal(0, 15, len(close[::75]))
    if name == "still":
        close = np.repeat(close[::50], 50)[:bars]
    if name == "spread":
        close = close - 100
    width = np.zeros(bars) if name == "still" else chance.random(bars)
    return close + width, close - width * chance.random(bars), close


SERIES = ["wandering", "gaps", "still", "spread"]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(("period", "multiplier"), [(10, 3.0), (7, 1.5), (1, 1.0)])
def test_the_pass_and_the_walker_are_equal_bit_for_bit(name: str, period: int, multiplier: float) -> None:
    from app.services.supertrend_kernel import supertrend  # noqa: PLC0415 - loads numba

    high, low, close = series(name)
    line, direction = supertrend(high, low, close, period, multiplier)
    trend = Supertrend(period, multiplier)
    for bar in range(len(close)):
        assert trend.add(float(high[bar]), float(low[bar]), float(close[bar])) == direction[bar]
        assert np.array_equal(trend.line, line[bar], equal_nan=True)


@pytest.mark.parametrize("name", SERIES)
def test_it_is_the_openalgo_packages_indicator(name: str) -> None:
    from openalgo import ta  # noqa: PLC0415 - heavy

    from app.services.supertrend_kernel import supertrend  # noqa: PLC0415 - loads numba

    high, low, close = series(name)
    line, direction = supertrend(high, low, close, 10, 3.0)
    theirs, ways = ta.supertrend(high, low, close, 10, 3.0)
    assert np.allclose(line, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert np.array_equal(direction[9:], np.asarray(ways)[9:])


def test_numbers_may_be_missing_before_the_first_candle_and_nowhere_else() -> None:
    from app.services.supertrend_kernel import supertrend  # noqa: PLC0415 - loads numba

    high, low, close = (np.concatenate([np.full(5, np.nan), each]) for each in series("wandering", 200))
    line, direction = supertrend(high, low, close, 10, 3.0)
    alone = supertrend(high[5:], low[5:], close[5:], 10, 3.0)
    assert np.array_equal(line[5:], alone[0], equal_nan=True)
    assert not direction[:14].any()
    high[100] = np.nan
    with pytest.raises(ValueError, match="between others"):
        supertrend(high, low, close, 10, 3.0)
    with pytest.raises(ValueError, match="no series"):
        supertrend(high, low[1:], close, 10, 3.0)


def test_kernels_are_made_by_a_loop_of_the_engine() -> None:
    loop = Kernels()
    assert loop.step() == SETTLE_S
    assert loop.step() == REST_S
    assert "app.services.supertrend_kernel" in sys.modules
    assert loop.step() == REST_S


def test_the_program_starts_without_numba() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import app, app.bootstrap, sys; print('numba' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "False"
