"""The one reading of a number off the wire: brokers send them as numbers, as text, as dashes, as nothing at all."""

from decimal import Decimal, InvalidOperation

_DIGITS_BEFORE_POINT = 15
_DIGITS_AFTER_POINT = 30


def number(raw: object) -> Decimal | None:
    """The finite number in `raw`, or None when there is none: null, "", "--", NaN, True, a list, 1e99.

    Text may carry commas and blanks: "1,23,456.50". Absurdly large or small ones are not numbers of this trade.
    """
    if raw is None or isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return None
    text = raw.replace(",", "").strip() if isinstance(raw, str) else str(raw)
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or not -_DIGITS_AFTER_POINT < value.adjusted() < _DIGITS_BEFORE_POINT:
        return None
    return value


def positive(raw: object) -> Decimal | None:
    """The number in `raw` when it is above zero; None otherwise. For prices, where 0 means that nobody said."""
    value = number(raw)
    return value if value is not None and value > 0 else None


def whole(raw: object) -> int | None:
    """The whole number in `raw`: 65, 65.0, "65"; None when there is none or it has a fraction."""
    value = number(raw)
    if value is None or value != value.to_integral_value():
        return None
    return int(value)
