"""How amounts, sizes and moments are written for people; the same in pages and in what is pushed to them.

Everything takes None, which means unknown, and gives a dash for it: never 0. Minus is the real one.
"""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from app.domain.calendar import IST
from app.domain.contracts import Contract

UNKNOWN = "—"
MINUS = "−"

_LAKH, _CRORE = 100_000, 10_000_000
LAKH = Decimal(_LAKH)
CRORE = Decimal(_CRORE)

_DATED = re.compile(r"\S*\d{2}\S*[ T](\d{2}:\d{2}:\d{2})\Z")
"""A broker's own moment: a date in whatever form, and the time of day."""


def grouped(whole: int) -> str:
    """Digits of a whole number grouped as in India: 3, then 2, 2, 2 ... `12345678` is `1,23,45,678`."""
    digits = str(abs(whole))
    head, tail = digits[:-3], digits[-3:]
    parts = []
    while head:
        parts.append(head[-2:])
        head = head[:-2]
    return (MINUS if whole < 0 else "") + ",".join([*reversed(parts), tail])


@lru_cache(maxsize=16_384)  # the same prices stand on many rows and pages, several times a second
def _fixed(value: Decimal | int, places: int) -> str:
    """Grouped, rounded half up; never a minus before a zero."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    text = grouped(int(whole)) + (f".{fraction}" if fraction else "")
    return MINUS + text if rounded < 0 else text


def inr(value: Decimal | int | None) -> str:
    """Rupees in full: `₹1,23,456.50`."""
    if value is None:
        return UNKNOWN
    text = _fixed(value, 2)
    return f"{MINUS}₹{text[1:]}" if text.startswith(MINUS) else f"₹{text}"


def inr_short(value: Decimal | int | None) -> str:
    """Rupees where they are scanned: `98,450`, `1.23 L`, `2.10 Cr`. No rupee sign."""
    if value is None:
        return UNKNOWN
    if isinstance(value, int):
        return _whole_short(value)
    amount = Decimal(value)
    if abs(amount) >= CRORE - 500:
        return f"{_fixed(amount / CRORE, 2)} Cr"
    if abs(amount) >= LAKH:
        return f"{_fixed(amount / LAKH, 2)} L"
    return _fixed(amount, 0)


def _whole_short(units: int) -> str:
    """`inr_short` of a whole number, by whole numbers alone: chains say a hundred of them several times a second."""
    size = abs(units)
    if size < _LAKH:
        return grouped(units)
    scale, word = (_CRORE, "Cr") if size >= _CRORE - 500 else (_LAKH, "L")
    hundredths = (200 * size + scale) // (2 * scale)
    sign = MINUS if units < 0 else ""
    return f"{sign}{grouped(hundredths // 100)}.{hundredths % 100:02d} {word}"


def signed(value: Decimal | int | None) -> str:
    """Profit and loss in whole rupees: `+1,840`, `−2,260`, `0`. What would round to zero keeps its paise: `+0.45`."""
    if value is None:
        return UNKNOWN
    text = _fixed(value, 0)
    if text == "0":
        text = _fixed(value, 2)
    if text in {"0", "0.00"}:
        return "0"
    return text if text.startswith(MINUS) else f"+{text}"


def price(value: Decimal | int | None) -> str:
    """Two decimals: `26,184.35`."""
    return UNKNOWN if value is None else _fixed(value, 2)


def fixed(value: Decimal | int | None, places: int) -> str:
    """So many decimals: `12.4` with one."""
    return UNKNOWN if value is None else _fixed(value, places)


def signed_price(value: Decimal | None) -> str:
    """Two decimals with a sign: `+1.25`, `−0.40`, `0.00`."""
    return _plus(value) + price(value)


def signed_short(value: Decimal | int | None) -> str:
    """As `inr_short`, with a sign: `+1.30 L`, `−650`, `0`."""
    return _plus(value) + inr_short(value)


def _plus(value: Decimal | int | None) -> str:
    return "+" if value is not None and value > 0 else ""


def lots(units: int | None, lot_size: int | None) -> str:
    """`4 lots (260)` of 260 units; plain `70 units` where the lot is not known or they are not whole lots."""
    if units is None:
        return UNKNOWN
    if not lot_size or units % lot_size:
        return f"{grouped(units)} {'unit' if abs(units) == 1 else 'units'}"
    count = units // lot_size
    return f"{grouped(count)} {'lot' if abs(count) == 1 else 'lots'} ({grouped(abs(units))})"


def expiry(day: date | None) -> str:
    """`01 DEC 26 Tue`."""
    return UNKNOWN if day is None else f"{day:%d} {day:%b} {day:%y}".upper() + f" {day:%a}"


def days_left(day: date | None, today: date) -> str:
    """Days from `today` (the trading date) to an expiry: `2d`, `today`, `expired`."""
    if day is None:
        return UNKNOWN
    left = (day - today).days
    if left < 0:
        return "expired"
    return f"{left}d" if left else "today"


def ist(moment: datetime | str | None) -> str:
    """Time of day in India with seconds: `11:42:07`. Text is a broker's own, of India: it only loses its date."""
    if moment is None:
        return UNKNOWN
    if isinstance(moment, str):
        dated = _DATED.match(moment)
        return dated[1] if dated else moment
    return f"{moment.astimezone(IST):%H:%M:%S}"


def damaged(found: str) -> str:
    """About a database file in which `found` is wrong."""
    return (
        f"The database file is damaged ({found}). This desk sends nothing and changes nothing; what can still be read "
        "is shown. Close what is open at the brokers, stop the desk, put the newest backup of it in its place and "
        "start again: positions that came since then are shown as foreign and can be adopted."
    )


def ist_date(moment: datetime | date | None) -> str:
    """Date in India: `23 Nov 2026`."""
    if moment is None:
        return UNKNOWN
    day = moment.astimezone(IST) if isinstance(moment, datetime) else moment
    return f"{day:%d %b %Y}"


def age(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 120:
        return f"{int(seconds)} s"
    if seconds < 7200:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h"


def contract_name(contract: Contract) -> str:
    """`NIFTY 01 DEC 26 26,400 CE`, `NIFTY 29 DEC 26 FUT`."""
    day = f"{contract.expiry:%d %b %y}".upper()
    if contract.strike is None:
        return f"{contract.underlying} {day} {contract.kind.value}"
    whole = contract.strike == contract.strike.to_integral_value()
    return f"{contract.underlying} {day} {_fixed(contract.strike, 0 if whole else 2)} {contract.kind.value}"
