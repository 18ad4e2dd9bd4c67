"""Who listens to which contract in which mode, over all clients of one account's stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simulator.quotes import ContractKey
from simulator.stream_client import StreamClient

LTP, QUOTE, DEPTH = 1, 2, 3
MODE_LABELS = {LTP: "LTP", QUOTE: "Quote", DEPTH: "Depth"}


@dataclass
class Subscriptions:
    """Counts a contract once however many clients hold it, as the broker connection does."""

    _clients: dict[ContractKey, dict[StreamClient, None]] = field(default_factory=dict)

    def add(self, client: StreamClient, key: ContractKey, mode: int) -> bool:
        """True if nobody held the contract in so high a mode: only then the broker sends a first price."""
        raised = mode > self.highest(key)
        client.modes.setdefault(key, set()).add(mode)
        self._clients.setdefault(key, {})[client] = None
        return raised

    def remove(self, client: StreamClient, key: ContractKey, mode: int) -> bool:
        """True if nobody holds the contract any more. Removing what is not held changes nothing."""
        held = client.modes.get(key)
        if held is None:
            return False
        held.discard(mode)
        if held:
            return False
        del client.modes[key]
        return self._release(client, key)

    def drop(self, client: StreamClient) -> list[ContractKey]:
        """Forgets a client; answers the contracts nobody holds any more."""
        keys = list(client.modes)
        client.modes.clear()
        return [key for key in keys if self._release(client, key)]

    def _release(self, client: StreamClient, key: ContractKey) -> bool:
        clients = self._clients[key]
        clients.pop(client, None)
        if clients:
            return False
        del self._clients[key]
        return True

    def highest(self, key: ContractKey) -> int:
        """The highest mode anyone holds; 0 for none."""
        return max((mode for client in self._clients.get(key, ()) for mode in client.modes[key]), default=0)

    def modes(self, key: ContractKey) -> set[int]:
        return {mode for client in self._clients.get(key, ()) for mode in client.modes[key]}

    def clients(self, key: ContractKey) -> Iterator[StreamClient]:
        return iter(tuple(self._clients.get(key, ())))

    def keys(self) -> Iterable[ContractKey]:
        return self._clients.keys()

    def __contains__(self, key: ContractKey) -> bool:
        return key in self._clients
