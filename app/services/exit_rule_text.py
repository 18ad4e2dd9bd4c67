"""The exit rules of a strategy or run as they stand in a row."""

import msgspec

from app.domain.exit_rules import NO_EXIT_RULES, ExitRules

_RULES = msgspec.json.Decoder(ExitRules)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""


def written(rules: ExitRules) -> str | None:
    """None for none."""
    return None if rules == NO_EXIT_RULES else msgspec.json.encode(rules, order="deterministic").decode()


def read(text: str | None) -> ExitRules:
    """What a row of an older version does not name yet is not there."""
    return NO_EXIT_RULES if text is None else _RULES.decode(text)
