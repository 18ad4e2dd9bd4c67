"""The floors of a strategy or run as they stand in a row."""

import msgspec

from app.domain.trailing import NO_FLOORS, Floors

_FLOORS = msgspec.json.Decoder(Floors)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""


def written(floors: Floors) -> str | None:
    """None for none."""
    return None if floors == NO_FLOORS else msgspec.json.encode(floors, order="deterministic").decode()


def read(text: str | None) -> Floors:
    return NO_FLOORS if text is None else _FLOORS.decode(text)
