"""Supertrend: the compiled pass and the walker beside the indicator of the openalgo package and a plain reference."""

import importlib.metadata
import statistics
from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from app.domain.supertrend import Supertrend
from app.services.supertrend_kernel import supertrend
from bench.rows import Row

PERIOD, MULTIPLIER = 10, 3.0
RUST_FROM = 2
"""The openalgo package has its indicators in Rust from this version on; it needs Python 3.12."""
RUST_US = 16.0
"""What its 1,000 bars took where it was measured: the target where it cannot be installed."""
FASTER = 1.5


def trends(rounds: int, sizes: tuple[int, ...] = (1_000, 100_000, 1_000_000)) -> list[Row]:
    """A row for each number of bars, in turns within one process, and one for a single bar."""
    found = [_pass_row(bars, max(3, rounds)) for bars in sizes]
    return [*found, _bar_row(max(3, rounds))]


def _columns(bars: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    close = 100 + np.cumsum(chance.normal(0, 0.1, bars))
    return close + chance.random(bars), close - chance.random(bars), close


def _pass_row(bars: int, rounds: int) -> Row:
    high, low, close = _columns(bars)
    rust = _rust()
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: supertrend(high, low, close, PERIOD, MULTIPLIER),
        "copy": lambda: (high.copy(), low.copy(), close.copy()),
    }
    if rust is not None:
        runs["openalgo-rust"] = lambda: rust(high, low, close, PERIOD, MULTIPLIER)
    if bars <= 1_000:
        runs["plain python"] = lambda: _walk(high, low, close)
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            took[name].append(_us(run, 200 if bars <= 1_000 else 3))
    found = {name: round(statistics.median(each), 2) for name, each in took.items()}
    theirs = found.get("openalgo-rust")
    peers = {"openalgo-rust": theirs, **({"plain python": found["plain python"]} if bars <= 1_000 else {})}
    target = theirs / FASTER if theirs is not None else _target_us(bars)
    return Row(f"Supertrend, {bars} bars", "us", found["ours"], peers, found["copy"], round(target, 2))


def _target_us(bars: int) -> float:
    return 8_000.0 if bars >= 1_000_000 else bars / 1_000 * RUST_US / FASTER


def _bar_row(rounds: int) -> Row:
    high, low, close = (column.tolist() for column in _columns(20_000))
    bars = list(zip(high, low, close, strict=True))

    def walk() -> None:
        add = Supertrend(PERIOD, MULTIPLIER).add
        for bar in bars:
            add(*bar)

    took = [_us(walk, 1) / len(bars) for _ in range(rounds)]
    return Row("Supertrend, one more bar", "us", round(statistics.median(took), 3), {}, None, 2.0)


def _walk(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> None:
    """Average and bands of every bar, as one would write it down first."""
    upper, lower, average, line, before = 0.0, 0.0, 0.0, 0.0, 0.0
    ranges: list[float] = []
    for number, (top, bottom, last) in enumerate(zip(high, low, close, strict=True)):
        ranges.append(max(top - bottom, abs(top - before), abs(bottom - before)) if number else top - bottom)
        before_last, before = before, last
        if number < PERIOD - 1:
            continue
        average = sum(ranges) / PERIOD if number == PERIOD - 1 else (average * (PERIOD - 1) + ranges[-1]) / PERIOD
        high_band, low_band = (top + bottom) / 2 + MULTIPLIER * average, (top + bottom) / 2 - MULTIPLIER * average
        was_upper = number == PERIOD - 1 or line == upper
        upper = high_band if number == PERIOD - 1 or high_band < upper or before_last > upper else upper
        lower = low_band if number == PERIOD - 1 or low_band > lower or before_last < lower else lower
        line = (lower if last > upper else upper) if was_upper else (upper if last < lower else lower)


def _us(run: Callable[[], object], times: int) -> float:
    begun = perf_counter_ns()
    for _ in range(times):
        run()
    return (perf_counter_ns() - begun) / times / 1_000


def _rust() -> Callable[..., object] | None:
    """None where the package here is not the one in Rust: that is said to be missing."""
    if int(importlib.metadata.version("openalgo").split(".")[0]) < RUST_FROM:
        return None
    from openalgo import ta  # noqa: PLC0415 - heavy, and of interest only in that version

    found: Callable[..., object] = ta.supertrend
    return found
