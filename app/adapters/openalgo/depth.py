"""The levels in a frame's depth: kept as they came, read when somebody asks; most are replaced unread."""

import re
from collections.abc import Mapping

import msgspec

from app.adapters.openalgo import answers, numbers
from app.ports.feed import Levels

NOTHING = msgspec.Raw()
_HIGHEST_PRICE = 1e9
_MOST_UNITS = 1e15

_BEGINS_WITH_A_BID = re.compile(
    rb'\{"buy": ?\[\{"price": ?(?:0\.0?)?[1-9][0-9.]{0,8}, ?"quantity": ?[1-9][0-9]{0,14}[,}]'
).match
"""Nearly every depth begins like this; what does not is read."""


class _Level(msgspec.Struct, gc=False):
    price: float | None = None
    quantity: int | float | None = None


class _Bids(msgspec.Struct, gc=False):
    buy: list[_Level] = []


class _Asks(msgspec.Struct, gc=False):
    sell: list[_Level] = []


_BIDS = msgspec.json.Decoder(_Bids)
_ASKS = msgspec.json.Decoder(_Asks)


def has_touch(raw: msgspec.Raw) -> bool:
    """Whether there is any level to trade at. Never raises."""
    if not raw:
        return False
    return _BEGINS_WITH_A_BID(raw) is not None or bool(bids(raw) or asks(raw))


def bids(raw: msgspec.Raw) -> Levels:
    """Best first, as they come; levels of nothing pad the frame to five and are left out. Never raises."""
    if not raw:
        return ()
    try:
        return _levels(_BIDS.decode(raw).buy)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _levels(_loosely(raw, "buy"))


def asks(raw: msgspec.Raw) -> Levels:
    """As `bids`."""
    if not raw:
        return ()
    try:
        return _levels(_ASKS.decode(raw).sell)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _levels(_loosely(raw, "sell"))


def _levels(side: list[_Level]) -> Levels:
    return tuple((level.price or 0.0, int(level.quantity or 0)) for level in side if _counts(level))


def _counts(level: _Level) -> bool:
    price, quantity = level.price, level.quantity
    return price is not None and quantity is not None and 0 < price < _HIGHEST_PRICE and 0 < quantity < _MOST_UNITS


def _loosely(raw: msgspec.Raw, side: str) -> list[_Level]:
    """Levels whose numbers come as text."""
    depth: Mapping[str, object] = answers.decode(bytes(raw)) or {}
    given = depth.get(side)
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return [_Level(_float(row.get("price")), _float(row.get("quantity"))) for row in rows]


def _float(raw: object) -> float | None:
    value = numbers.number(raw)
    return None if value is None else float(value)
