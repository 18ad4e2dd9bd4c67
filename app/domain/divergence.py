"""How far accounts that were to do the same have come apart: each entry against the median of its leg."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from statistics import median

from app.domain.contracts import Side

NEAR_PCT = Decimal("0.5")
"""So far from the median an average is like the others: the difference of some ticks of an option."""

FAR_PCT = Decimal(2)
"""Further than that is worth a look at the account's gateway or broker."""


class Tone(StrEnum):
    """How an entry compares. WORSE and FAR cost its account money, BETTER brought some; UNKNOWN: nothing was filled."""

    BETTER = "better"
    NEAR = "near"
    WORSE = "worse"
    FAR = "far"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What one account's entry into one leg has become. `average` in rupees, None before its first fill; `last_at` is
    when the newest fill of the entry was.
    """

    account_id: int
    leg: int
    side: Side
    wanted: int
    units: int
    average: Decimal | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """`slip` is rupees a unit against the median of the leg, + is worse for whoever paid or got it, and `cost` that
    times the units that were filled. `delay_s` is how long after the first account its last fill came. All None before
    a fill. `short` are units that are missing to what was wanted, never negative.
    """

    slip: Decimal | None
    cost: Decimal | None
    delay_s: float | None
    short: int
    tone: Tone


def medians(entries: Iterable[Entered]) -> dict[int, Decimal]:
    """The median average of each leg over the accounts that have one; a leg nobody filled is not in it."""
    averages: dict[int, list[Decimal]] = {}
    for each in entries:
        if each.average is not None:
            averages.setdefault(each.leg, []).append(each.average)
    return {leg: median(found) for leg, found in averages.items()}


def divergence(entries: Iterable[Entered]) -> dict[tuple[int, int], Deviation]:
    """Of each entry, by account and leg. An account alone is its own median."""
    entries = tuple(entries)
    middle = medians(entries)
    first: dict[int, datetime] = {}
    for each in entries:
        if each.last_at is not None:
            first[each.leg] = min(each.last_at, first.get(each.leg, each.last_at))
    return {
        (each.account_id, each.leg): _deviation(each, middle.get(each.leg), first.get(each.leg)) for each in entries
    }


def _deviation(entered: Entered, middle: Decimal | None, first: datetime | None) -> Deviation:
    short = max(0, entered.wanted - entered.units)
    if entered.average is None or middle is None:
        return Deviation(slip=None, cost=None, delay_s=None, short=short, tone=Tone.UNKNOWN)
    slip = (entered.average - middle) * entered.side.sign
    delay = None if entered.last_at is None or first is None else (entered.last_at - first).total_seconds()
    return Deviation(slip=slip, cost=slip * entered.units, delay_s=delay, short=short, tone=_tone(slip, middle))


def _tone(slip: Decimal, middle: Decimal) -> Tone:
    """A median of nothing is a price that nobody can be far from."""
    away = slip / middle * 100 if middle > 0 else Decimal(0)
    if abs(away) <= NEAR_PCT:
        return Tone.NEAR
    if away < 0:
        return Tone.BETTER
    return Tone.FAR if away > FAR_PCT else Tone.WORSE
