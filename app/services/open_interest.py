"""Open interest as gateways quote it, kept out while it is not plausible, forgotten when nobody says it any more."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.books import Quote
from app.domain.contracts import ContractKey

FORGOTTEN_AFTER_S = 600.0
"""A reading this old is not shown any more: it may be of the day before."""
FORGET_EVERY_S = 30.0
MOST_TIMES = 3
"""A reading this many times larger or smaller than the last has to be seen twice before it is believed."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A reading that waits for a second one like it."""

    units: int


class OpenInterest:
    """Units of open interest by contract. `take` and `forget` are for one thread; `known` may be read by any."""

    def __init__(self) -> None:
        self.known: Mapping[ContractKey, int] = {}
        """Replaced at each change, never changed."""
        self.in_doubt: frozenset[ContractKey] = frozenset()
        """Contracts whose last reading was not believed. Replaced as `known` is."""
        self._doubts: dict[ContractKey, _Doubt] = {}
        self._last: dict[ContractKey, int] = {}
        self._read_at: dict[ContractKey, float] = {}
        self._looked_at = float("-inf")
        self.doubted = 0

    def take(self, quotes: Mapping[ContractKey, Quote], now: float) -> None:
        """Believe what is plausible at the monotonic time `now`. A quote without open interest changes nothing."""
        known = dict(self.known)
        for key, quote in quotes.items():
            units = quote.open_interest
            if units is None or units < 0:
                continue
            if self._plausible(key, self._last.get(key), units):
                known[key] = self._last[key] = units
                self._read_at[key] = now
        self.known, self.in_doubt = known, frozenset(self._doubts)

    def forget(self, now: float) -> None:
        """Let go of what nobody has said for ten minutes. A later reading is still held against it."""
        if now - self._looked_at < FORGET_EVERY_S:
            return
        self._looked_at = now
        known = {key: units for key, units in self.known.items() if now - self._read_at[key] < FORGOTTEN_AFTER_S}
        if len(known) < len(self.known):
            self.known = known

    def _plausible(self, key: ContractKey, before: int | None, units: int) -> bool:
        doubt = self._doubts.pop(key, None)
        if before is None or _alike(before, units) or (doubt is not None and _alike(doubt.units, units)):
            return True
        self._doubts[key] = _Doubt(units)
        self.doubted += 1
        return False


def _alike(one: int, other: int) -> bool:
    low, high = sorted((one, other))
    return high <= low * MOST_TIMES
