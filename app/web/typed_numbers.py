"""Numbers as people type them: digits and at most one point, within bounds, or a sentence that says what to type."""

import re
from decimal import Decimal

_WHOLE = re.compile(r"[0-9]{1,9}")
_WITH_POINT = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,3})?")


class NotThat(ValueError):
    """What was typed cannot be taken. `str` is a sentence with the fix."""


def quoted(text: str) -> str:
    """As typed, shortened, in quotation marks."""
    return f"“{text[:30]}…”" if len(text) > 30 else f"“{text}”"


def whole(text: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`. Raises NotThat."""
    fix = f"Type a whole number from {least} to {most}."
    if not text:
        raise NotThat(f"This is empty. {fix}")
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise NotThat(f"{quoted(text)} cannot be used. {fix}")
    return int(text)


def amount(text: str, most: Decimal, places: int, example: str) -> Decimal:
    """A number above 0, up to `most`, with at most `places` decimals. Raises NotThat."""
    fix = f"Type a number above 0 without commas, such as {example}; at most {most:f}."
    if not text:
        raise NotThat(f"This is empty. {fix}")
    if not _WITH_POINT.fullmatch(text):
        raise NotThat(f"{quoted(text)} cannot be used. {fix}")
    value = Decimal(text)
    if not 0 < value <= most:
        raise NotThat(f"{quoted(text)} cannot be used. {fix}")
    if -int(str(value.normalize().as_tuple().exponent)) > places:
        raise NotThat(f"{quoted(text)} has too many decimals. At most {places} are kept.")
    return value
