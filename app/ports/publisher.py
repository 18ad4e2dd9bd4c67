"""The way outward to browsers."""

from collections.abc import Mapping
from typing import Protocol


class Publisher(Protocol):
    """Emits to rooms of browsers. Thread-safe; losing a message must not matter, since pages refetch."""

    def publish(self, room: str, event: str, payload: Mapping[str, object]) -> None: ...
