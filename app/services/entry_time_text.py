"""When a strategy may be entered, as it stands in a row."""

import msgspec

from app.domain.entry_times import ANY_TIME, EntryTimes

_TIMES = msgspec.json.Decoder(EntryTimes)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""


def written(times: EntryTimes) -> str | None:
    """None for any time."""
    return None if times == ANY_TIME else msgspec.json.encode(times, order="deterministic").decode()


def read(text: str | None) -> EntryTimes:
    return ANY_TIME if text is None else _TIMES.decode(text)
