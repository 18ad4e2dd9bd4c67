"""The simulator beside the application, where there is one: whose accounts one click adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SimulatorAccount:
    """One account that the simulator runs. `api_key` is secret like any other: the repr hides it."""

    name: str
    host_url: str
    websocket_url: str
    api_key: str

    def __repr__(self) -> str:
        return f"SimulatorAccount({self.name!r}, {self.host_url})"


class Simulator(Protocol):
    """Thread-safe."""

    def accounts(self) -> Sequence[SimulatorAccount]:
        """All its accounts, in its own order. Raises Unavailable when it does not answer, or not as it should."""
        ...
