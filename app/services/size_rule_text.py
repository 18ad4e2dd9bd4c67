"""How a strategy sizes its accounts, as it stands in a row."""

import msgspec

from app.domain.sizing import BY_LOTS, SizeRule

_RULE = msgspec.json.Decoder(SizeRule)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""


def written(rule: SizeRule) -> str | None:
    """None for structures by lots, without any cap."""
    return None if rule == BY_LOTS else msgspec.json.encode(rule, order="deterministic").decode()


def read(text: str | None) -> SizeRule:
    return BY_LOTS if text is None else _RULE.decode(text)
