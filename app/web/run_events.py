"""Events of runs as people read them: a sentence once for all it is true of, fills together, contracts by name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain import wording
from app.domain.contracts import Side

TOGETHER = timedelta(seconds=10)
"""What is said again within this time of the first is one line."""

ONE_WAVE = timedelta(seconds=2)
"""Fills within this time of the first are one line. Longer, and a fill would stand before what asked for it."""

_MOST_NAMES = 3

_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+: ")
"""The stable code of a denial, which is for programs: the sentence after it says the same."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that happened. `who` are the accounts or runs it is about, empty for the whole run; `times` from 1."""

    at: datetime
    kind: str
    sentence: str
    who: tuple[str, ...] = ()
    times: int = 1

    @property
    def detail(self) -> str | None:
        """Whom it is about, and how often it happened when that says more."""
        parts = [named(self.who)] if self.who else []
        if self.times > max(1, len(self.who)):
            parts.append(f"{self.times} times")
        return ", ".join(parts) or None


@dataclass(frozen=True, slots=True)
class Filled:
    """One fill. `units` are unsigned, `contract` is the name to show."""

    at: datetime
    account: str
    side: Side
    contract: str
    units: int
    lot_size: int
    price: Decimal


def named(names: Sequence[str]) -> str:
    """`Asha, Ravi`; only their number when there are many."""
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} accounts"


def once(events: Iterable[Said]) -> list[Said]:
    """From the oldest to the newest: repeats of a sentence within 10 s join the first."""
    told: list[Said] = []
    places: dict[tuple[str, str], int] = {}
    for event in events:
        key = (event.kind, event.sentence)
        place = places.get(key)
        if place is None or event.at - told[place].at > TOGETHER:
            places[key] = len(told)
            told.append(event)
        else:
            first = told[place]
            told[place] = replace(first, who=_joined(first.who, event.who), times=first.times + event.times)
    return told


def fills_together(fills: Iterable[Filled]) -> list[Said]:
    """One line for each contract and side: what changed hands within 2 s, over all accounts, at the average."""
    groups: list[list[Filled]] = []
    places: dict[tuple[Side, str], int] = {}
    for fill in fills:
        key = (fill.side, fill.contract)
        place = places.get(key)
        if place is None or fill.at - groups[place][0].at > ONE_WAVE:
            places[key] = len(groups)
            groups.append([fill])
        else:
            groups[place].append(fill)
    return [_fill_line(group) for group in groups]


def with_names(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with brokers' symbols replaced by the names that the page uses, and without codes of denials."""
    sentence = _CODE.sub("", sentence)
    for symbol in sorted(names, key=len, reverse=True):
        sentence = _units_of(sentence, symbol, names[symbol]).replace(symbol, names[symbol])
    return sentence


def _units_of(sentence: str, symbol: str, name: str) -> str:
    """`130 NIFTY...CE` as `130 units of 25,500 CE`: side by side two numbers would read as one."""
    return re.sub(rf"\b(\d+) {re.escape(symbol)}", lambda found: f"{found[1]} units of {name}", sentence)


def _fill_line(group: Sequence[Filled]) -> Said:
    first = group[0]
    units = sum(fill.units for fill in group)
    average = sum((fill.price * fill.units for fill in group), Decimal(0)) / units
    verb = "Bought" if first.side is Side.BUY else "Sold"
    sentence = f"{verb} {wording.lots(units, first.lot_size)} {first.contract} at {wording.price(average)}"
    return Said(first.at, "filled", sentence, tuple(dict.fromkeys(fill.account for fill in group)))


def _joined(first: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))
