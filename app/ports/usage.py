"""What this process takes of the machine."""

from typing import Protocol


class ProcessUsage(Protocol):
    """Thread-safe."""

    def memory_mb(self) -> float | None:
        """Resident memory now; None where the system does not tell."""
        ...

    def cpu_s(self) -> float:
        """Seconds of processor time of all its threads since it began."""
        ...
