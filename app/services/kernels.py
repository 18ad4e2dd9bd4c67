"""Compiles what is compiled once, on a thread of the engine's own, before anybody asks for it."""

from importlib import import_module

SETTLE_S = 5.0
"""The first seconds of a start belong to contracts, books and prices."""
REST_S = 3600.0
MODULES = ("app.services.supertrend_kernel",)


class Kernels:
    """`step` belongs to one loop. Importing them is compiling them."""

    def __init__(self) -> None:
        self._left = list(MODULES)
        self._settled = False

    def step(self) -> float:
        """Nothing at first, then one module at a time; an hour between looks when all are there."""
        if not self._settled:
            self._settled = True
            return SETTLE_S
        if not self._left:
            return REST_S
        import_module(self._left.pop(0))
        return 0.0 if self._left else REST_S
