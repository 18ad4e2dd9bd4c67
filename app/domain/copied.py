"""What a strategy hands on when it is copied or kept as a template, and what stays with it."""

import re
from collections.abc import Collection
from dataclasses import replace

from app.domain.account_groups import WHOLE
from app.domain.strategy import StrategySpec
from app.domain.strategy_check import MAX_NAME

_COPY = re.compile(r"(.*?) copy(?: [0-9]+)?", re.DOTALL)


def copy_name(name: str, taken: Collection[str]) -> str:
    """A name for a copy that none of `taken` has, at most as long as names may be.

    >>> copy_name("Straddle", []), copy_name("Straddle copy", ["Straddle", "Straddle copy"])
    ('Straddle copy', 'Straddle copy 2')
    """
    found = _COPY.fullmatch(name)
    base = found[1] if found else name
    number = 1
    while True:
        ending = " copy" if number == 1 else f" copy {number}"
        wanted = f"{base[: MAX_NAME - len(ending)].rstrip()}{ending}"
        if wanted not in taken:
            return wanted
        number += 1


def unscheduled(spec: StrategySpec) -> StrategySpec:
    """The same, started by people only: two that start side by side would trade everything twice."""
    return replace(spec, times=replace(spec.times, start=None, days=(), part=WHOLE))
