"""A cache that may forget anything at any time; nothing that decides about money is read from it."""

from typing import Protocol


class Cache(Protocol):
    """Thread-safe."""

    def get(self, key: str) -> bytes | None:
        """None when absent or expired."""
        ...

    def put(self, key: str, value: bytes, ttl_s: float) -> None: ...

    def forget(self, key: str) -> None: ...
