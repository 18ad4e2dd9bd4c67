"""Carries price changes from the market to the streams of all accounts, no more often than a real feed does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from simulator.quotes import ContractKey
from simulator.stream_ticks import TickFrames
from simulator.venue import Venue

QUIET_S = 0.45
"""Real seconds between two ticks of one tradable contract; an index ticks at every publication."""


class TickReceiver(Protocol):
    """A stream that wants the ticks of some contracts."""

    def holds(self, key: ContractKey) -> bool: ...

    def deliver(self, frames: TickFrames) -> None: ...

    def publish(self) -> None:
        """Called at each publication, before any tick."""


@dataclass
class TickHub:
    """Collects what changed in the steps since the last publication. One event loop, no locks."""

    venue: Venue
    monotonic: Callable[[], float]
    receivers: list[TickReceiver] = field(default_factory=list)
    _changed: dict[ContractKey, None] = field(default_factory=dict)
    _sent_at: dict[ContractKey, float] = field(default_factory=dict)

    def note(self, changed: set[ContractKey]) -> None:
        """Listens to the venue; newest wins, so a key is noted once."""
        self._changed.update(dict.fromkeys(sorted(changed)))

    def publish(self) -> None:
        """Sends every noted change that is due; the rest waits for a later publication."""
        now = self.monotonic()
        for receiver in self.receivers:
            receiver.publish()
        due = [key for key in self._changed if self._is_due(key, now)]
        self._look_at(due)
        for key in due:
            del self._changed[key]
            self._sent_at[key] = now
            self._send(key)

    def _look_at(self, keys: Iterable[ContractKey]) -> None:
        """Prices what is about to be sent in one sweep for each expiry, not in one for each contract."""
        wanted = [key for key in keys if any(receiver.holds(key) for receiver in self.receivers)]
        found = [self.venue.contracts.find(*key) for key in wanted]
        self.venue.market.look_at(contract for contract in found if contract is not None)

    def _is_due(self, key: ContractKey, now: float) -> bool:
        return key.exchange.endswith("_INDEX") or now - self._sent_at.get(key, 0.0) >= QUIET_S

    def _send(self, key: ContractKey) -> None:
        wanting = [receiver for receiver in self.receivers if receiver.holds(key)]
        frames = self.frames(key) if wanting else None
        if frames is not None:
            for receiver in wanting:
                receiver.deliver(frames)

    def frames(self, key: ContractKey) -> TickFrames | None:
        """Frames of a contract now; None once it is no longer listed."""
        contract = self.venue.contracts.find(*key)
        return None if contract is None else TickFrames(contract, self.venue.market, self.venue.clock.now_ms)

    def forget(self) -> None:
        self._changed.clear()
        self._sent_at.clear()
