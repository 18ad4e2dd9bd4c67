"""A sizing in the words of a trader: the sum as it was done, whose numbers it used, and of when."""

from decimal import ROUND_FLOOR, Decimal

from app.domain.calendar import IST
from app.domain.sizing import Basis, Figure, Profile, Sizing, before_caps, size_of
from app.domain.wording import grouped, inr

_THOUSANDTH = Decimal("0.001")


def size_lines(sizing: Sizing, lots: str = "") -> tuple[str, ...]:
    """The sum, one step in a line. `lots` is the size in lots, for the line of the result.

    >>> from app.domain.sizing import Basket, Cap
    >>> from datetime import datetime, timezone
    >>> at = datetime(2026, 11, 30, 4, 1, 7, tzinfo=timezone.utc)
    >>> sizing = Sizing(
    ...     profile=Profile.BALANCED,
    ...     free=Figure(Decimal(620000), "broker", at),
    ...     percent=Figure(Decimal(65), "grade B"),
    ...     basis=Basis.BROKER,
    ...     one=Figure(Decimal(94000), "broker", at),
    ...     caps=(Cap(10, "the strategy"),),
    ... )
    >>> "; ".join(size_lines(sizing, "4 lots (260 units)"))
    'free 6,20,000 x 65 % = 4,03,000; basket 94,000 (broker, 09:31:07); 4.287 -> 4; \
max 10 -> 4 structures, 4 lots (260 units)'
    """
    begun = _by_lots(sizing) if sizing.profile is Profile.FIXED_LOTS else _by_margin(sizing)
    size = size_of(sizing).structures
    result = f"{counted(size)}{f', {lots}' if lots else ''}"
    if sizing.caps:
        tightest = min(sizing.caps, key=lambda cap: cap.structures)
        bites = f" of {tightest.whose}" if before_caps(sizing) >= tightest.structures + 1 else ""
        begun.append(f"max {tightest.structures}{bites} -> {result}")
    elif sizing.profile is not Profile.FIXED_LOTS:
        begun.append(f"-> {result}")
    return (*begun, *_priced(sizing))


def size_brief(sizing: Sizing) -> str:
    """What decided, for a row among fifty: `4.287 -> 4; max 3 of the strategy -> 3 structures`."""
    lines = size_lines(sizing)
    first = 0 if sizing.profile is Profile.FIXED_LOTS else 2
    return "; ".join(lines[first : len(lines) - len(sizing.baskets)])


def _by_lots(sizing: Sizing) -> list[str]:
    if sizing.wanted is None or sizing.multiplier is None:
        raise ValueError("Sizing by lots needs the structures that are wanted and a multiplier.")
    exact = before_caps(sizing)
    whole = int(exact.to_integral_value(ROUND_FLOOR))
    rounded = "" if exact == whole else f", rounded down to {whole}"
    whose = f" ({sizing.multiplier.source})" if "group " in sizing.multiplier.source else ""
    by = f"multiplier {_plain(sizing.multiplier.value)}{whose}"
    return [f"{counted(int(sizing.wanted.value))} x {by} = {_plain(exact)}{rounded}"]


def _by_margin(sizing: Sizing) -> list[str]:
    if sizing.free is None or sizing.percent is None or sizing.one is None or sizing.usable is None:
        raise ValueError("Sizing by margin needs what is free, a percentage, and what one structure needs.")
    word = "cash" if sizing.basis is Basis.CASH else "free"
    held = "" if sizing.reserved is None else f" - {money(sizing.reserved.value)} reserved"
    exact = before_caps(sizing).quantize(_THOUSANDTH, ROUND_FLOOR)
    what = "premium" if sizing.basis is Basis.CASH else "basket"
    return [
        f"{word} {money(sizing.free.value)}{held} x {_plain(sizing.percent.value)} % = {money(sizing.usable)}",
        f"{what} {money(sizing.one.value)} ({sourced(sizing.one)})",
        f"{_plain(exact)} -> {int(exact)}",
    ]


def _priced(sizing: Sizing) -> list[str]:
    """What whole sizes need, as far as they were asked for."""
    lines = []
    for basket in sizing.baskets:
        over = sizing.usable is not None and basket.needs.value > sizing.usable
        beside = "" if sizing.usable is None else f", {'more than' if over else 'of'} {money(sizing.usable)}"
        need = "needs" if basket.structures == 1 else "need"
        lines.append(
            f"{counted(basket.structures)} {need} {money(basket.needs.value)} ({sourced(basket.needs)}){beside}"
        )
    return lines


def shortage(sizing: Sizing) -> str:
    """Why an account takes no part, in a sentence. Of a sizing that came to nothing."""
    usable = sizing.usable
    if sizing.free is not None and sizing.free.value == 0 and before_caps(sizing) < 1:
        return "Its broker says that nothing is free. Outside trading hours some say so of every account."
    if sizing.profile is not Profile.FIXED_LOTS and sizing.one is not None and usable is not None:
        if usable < sizing.one.value:
            return f"One structure needs {inr(sizing.one.value)}, and {inr(usable)} may be used for it."
    elif before_caps(sizing) < 1:
        return "The multiplier leaves no whole structure. Raise it, or the strategy's structures."
    if (tightest := min(sizing.caps, key=lambda cap: cap.structures, default=None)) and not tightest.structures:
        return f"The most that {tightest.whose} allows is less than one structure. Raise it."
    if sizing.baskets and usable is not None:
        return f"Needs a margin of {inr(sizing.baskets[-1].needs.value)} and has {inr(usable)} free."
    return "Nothing can be taken."


def sourced(figure: Figure) -> str:
    """Who gave it, and when in India: `broker, 09:31:07`."""
    return figure.source if figure.at is None else f"{figure.source}, {figure.at.astimezone(IST):%H:%M:%S}"


def counted(structures: int) -> str:
    return f"{structures} structure{'' if structures == 1 else 's'}"


def money(amount: Decimal) -> str:
    """Rupees grouped as in India, paise only where there are any: `4,03,000`."""
    if amount == amount.to_integral_value():
        return grouped(int(amount))
    return inr(amount).replace("₹", "")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
