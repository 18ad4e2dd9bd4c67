"""A chain page's updates: how large one is, and what many who look cost, beside a message made for each of them."""

import statistics
from collections import defaultdict
from dataclasses import dataclass, field

from bench.rows import Row
from bench.stage import part

EACH_ALONE = "each alone"
KB_TARGET = 4.5
LOOKS = ((20, 10, 8.0), (100, 4, 10.0))
"""Viewers, updates a second, and the most of a core in percent."""


@dataclass(frozen=True)
class ChainSize:
    """Seconds of each measurement of ours; the plain way gets a part of it, it takes long."""

    seconds: float = 4.0
    plain_seconds: float = 1.0


@dataclass
class _Found:
    kb: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    percent: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))


def chains(rounds: int, size: ChainSize) -> list[Row]:
    """Ours and the plain way in turn, with the same pages looking; new pages for each number of them."""
    found = _Found()
    for viewers, hz, _ in LOOKS:
        with part("bench.chain_desk") as desk:
            told = desk.hear()
            with part("bench.chain_viewers", str(told["port"]), told["room"], str(viewers)) as pages:
                pages.hear()
                for how in ("ours", EACH_ALONE) * rounds:
                    seconds = size.plain_seconds if how == EACH_ALONE else size.seconds
                    pages.ask({})
                    cost = desk.ask({"how": how, "hz": hz, "seconds": seconds})
                    sizes = pages.ask({})["sizes"]
                    found.percent[how, viewers].append(100 * cost["cpu_s"] / seconds)
                    found.kb[how].append(statistics.median(sizes) / 1000)
    return [
        _row("chain page update, 82 rows", "kB", found.kb["ours"], found.kb[EACH_ALONE], KB_TARGET),
        *(
            _row(
                f"chain page, {viewers} viewers at {hz} Hz",
                "% of a core",
                found.percent["ours", viewers],
                found.percent[EACH_ALONE, viewers],
                target,
            )
            for viewers, hz, target in LOOKS
        ),
    ]


def _row(name: str, unit: str, ours: list[float], plain: list[float], target: float) -> Row:
    return Row(name, unit, statistics.median(ours), {EACH_ALONE: statistics.median(plain)}, None, target)
