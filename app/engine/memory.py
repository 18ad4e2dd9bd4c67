"""Keeps the garbage collector from what stays anyway: a pass over all of it stops every thread for a tenth of a second.

Measured with the contracts of two exchanges on a slow core: 120 to 140 ms, while an exit waited.
"""

import gc
from collections.abc import Callable

LOOK_S = 5.0

YOUNG = 10_000
"""New objects between two passes over the youngest; Python's own 700 are one order's worth of rows."""


class Memory:
    """`step` is for one thread. Changes the collector of the whole process."""

    def __init__(self, version: Callable[[], object | None]) -> None:
        """`version` names what large thing is in memory now, such as the day's contracts; None while there is none."""
        self._version = version
        self._kept: object | None = None

    def step(self) -> float:
        """When something large has come, collect once and leave what lives out of later passes."""
        version = self._version()
        if version is not None and version != self._kept:
            self._kept = version
            gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
            gc.unfreeze()  # what went with the former one is collected too
            gc.collect()
            gc.freeze()
        return LOOK_S
