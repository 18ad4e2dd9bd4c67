"""Plain stand-ins for the product's template filters, so that the gallery needs nothing but templates."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

IST = timezone(timedelta(hours=5, minutes=30))
TODAY = date(2026, 11, 27)
MISSING = "—"


def grouped(digits: str) -> str:
    """Indian grouping of a run of digits: 12345678 -> 1,23,45,678."""
    head, tail = digits[:-3], digits[-3:]
    parts = [tail]
    while head:
        parts.append(head[-2:])
        head = head[:-2]
    return ",".join(reversed(parts))


def number(value: Decimal, places: int) -> str:
    text = f"{abs(value):.{places}f}"
    whole, _, rest = text.partition(".")
    return grouped(whole) + (f".{rest}" if rest else "")


def inr(value: Decimal | None) -> str:
    return MISSING if value is None else f"{'−' if value < 0 else ''}₹{number(value, 2)}"


def inr_short(value: Decimal | int | None) -> str:
    if value is None:
        return MISSING
    for size, name in ((10**7, "Cr"), (10**5, "L")):
        if abs(value) >= size:
            return f"{'−' if value < 0 else ''}{abs(value) / size:.2f} {name}"
    return f"{'−' if value < 0 else ''}{number(Decimal(value), 0)}"


def signed(value: Decimal | None) -> str:
    if value is None:
        return MISSING
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{number(Decimal(value), 0)}"


def price(value: Decimal | None) -> str:
    return MISSING if value is None else number(value, 2)


def lots(units: int | None, lot_size: int | None) -> str:
    if units is None or not lot_size:
        return MISSING if units is None else f"{units} units"
    count = abs(units) // lot_size
    return f"{count} {'lot' if count == 1 else 'lots'} ({grouped(str(abs(units)))})"


def expiry(value: date | None) -> str:
    return MISSING if value is None else value.strftime("%d %b %y %a").upper()[:9] + value.strftime(" %a")


def days_left(value: date | None) -> str:
    return MISSING if value is None else f"{(value - TODAY).days}d"


def ist(value: datetime | None) -> str:
    return MISSING if value is None else value.astimezone(IST).strftime("%H:%M:%S")


def ist_date(value: datetime | None) -> str:
    return MISSING if value is None else value.astimezone(IST).strftime("%d %b %y").upper()


def age(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


FILTERS: dict[str, Callable[..., str]] = {
    "inr": inr,
    "inr_short": inr_short,
    "signed": signed,
    "price": price,
    "lots": lots,
    "expiry": expiry,
    "days_left": days_left,
    "ist": ist,
    "ist_date": ist_date,
    "age": age,
}
