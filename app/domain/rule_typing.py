"""Market rules as people type them: what each kind means, what its value may be, and what is wrong with it."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput
from app.domain.market_rules import MarketRule, RuleKind

LONGEST_SOURCE = 200
EARLIEST = date(2020, 1, 1)
LATEST = date(2099, 12, 31)
OTHER_INDICES = ("FINNIFTY", "MIDCPNIFTY", "BANKEX", "NIFTYNXT50")
"""Indices that rules may be kept of though this desk follows others."""

_TIME = re.compile(r"(09|1[0-9]|2[0-3]):[0-5][0-9]")
_VALUE = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")


class Unit(StrEnum):
    UNITS = "units"
    RUPEES = "₹"
    PERCENT = "%"
    FRACTION = "fraction"
    CLOCK = "IST"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What a kind of rule is called, what its value counts, and whether each index has its own."""

    label: str
    unit: Unit
    most: Decimal
    per_index: bool = False

    def words(self, value: Decimal) -> str:
        """With its unit, as a page shows it; fractions as percent, minutes of the day as a time."""
        if self.unit is Unit.CLOCK:
            return f"{int(value) // 60:02d}:{int(value) % 60:02d} IST"
        if self.unit is Unit.FRACTION:
            return f"{(value * 100).normalize():f} %"
        plain = f"{value.normalize():f}"
        return f"₹{plain}" if self.unit is Unit.RUPEES else f"{plain} {self.unit.value}"


def _fraction(label: str) -> KindFacts:
    return KindFacts(label, Unit.FRACTION, Decimal(1))


def _percent(label: str, most: int = 5) -> KindFacts:
    return KindFacts(label, Unit.PERCENT, Decimal(most))


FACTS: dict[RuleKind, KindFacts] = {
    RuleKind.FREEZE: KindFacts("Most units in one order", Unit.UNITS, Decimal(1_000_000), per_index=True),
    RuleKind.LOT: KindFacts("Units in a lot, where a gateway gives none", Unit.UNITS, Decimal(10_000), per_index=True),
    RuleKind.CUT_OFF: KindFacts("Brokers' intraday cut-off, where an account has none", Unit.CLOCK, Decimal(24 * 60)),
    RuleKind.BAND_OPTION_LOW: KindFacts("Price band, options up to ₹50", Unit.RUPEES, Decimal(1_000)),
    RuleKind.BAND_OPTION: _fraction("Price band, options above ₹50"),
    RuleKind.BAND_FUTURE: _fraction("Price band, futures"),
    RuleKind.PROTECTION_UNDER_10: _fraction("Protected limit, premium under ₹10"),
    RuleKind.PROTECTION_UNDER_100: _fraction("Protected limit, ₹10 to under ₹100"),
    RuleKind.PROTECTION_UNDER_500: _fraction("Protected limit, ₹100 to under ₹500"),
    RuleKind.PROTECTION_FROM_500: _fraction("Protected limit, ₹500 and above"),
    RuleKind.PROTECTION_FUTURE: _fraction("Protected limit, futures"),
    RuleKind.BUYER_BUFFER: _fraction("What option buyers keep ready beyond the premium"),
    RuleKind.BROKERAGE: KindFacts("Brokerage for each order", Unit.RUPEES, Decimal(1_000)),
    RuleKind.STT_OPTION: _percent("Transaction tax, options sold, of the premium"),
    RuleKind.STT_FUTURE: _percent("Transaction tax, futures sold"),
    RuleKind.STT_EXERCISE: _percent("Transaction tax, bought options settled, of the settlement"),
    RuleKind.FEE_NFO_OPTION: _percent("Exchange fee, NSE options, of the premium"),
    RuleKind.FEE_BFO_OPTION: _percent("Exchange fee, BSE options, of the premium"),
    RuleKind.FEE_NFO_FUTURE: _percent("Exchange fee, NSE futures"),
    RuleKind.FEE_BFO_FUTURE: _percent("Exchange fee, BSE futures"),
    RuleKind.SEBI_FEE: _percent("SEBI fee"),
    RuleKind.STAMP_OPTION: _percent("Stamp duty, options bought, of the premium"),
    RuleKind.STAMP_FUTURE: _percent("Stamp duty, futures bought"),
    RuleKind.GST: _percent("GST on brokerage and fees", 100),
}
"""Every kind has its facts, in the order in which a page shows them."""

_ZERO_ALLOWED = frozenset({RuleKind.BROKERAGE, *(kind for kind, facts in FACTS.items() if facts.unit is Unit.PERCENT)})


@dataclass(frozen=True, slots=True)
class TypedRule:
    """As typed. Fractions are typed as percent: `5` for a twentieth."""

    kind: str
    underlying: str
    value: str
    valid_from: str
    source: str


def rule_of(typed: TypedRule) -> MarketRule:
    """Raises InvalidInput naming the field."""
    if typed.kind not in set(RuleKind):
        raise InvalidInput("kind", "Choose what the rule is about from the list.")
    kind = RuleKind(typed.kind)
    facts = FACTS[kind]
    return MarketRule(
        kind,
        _underlying(facts, typed.underlying),
        _value(kind, facts, typed.value),
        first_day(typed.valid_from),
        _source(typed.source),
    )


def _underlying(facts: KindFacts, text: str) -> str | None:
    names = (*(each.name for each in UNDERLYINGS), *OTHER_INDICES)
    if facts.per_index and text not in names:
        raise InvalidInput("underlying", f"This rule is of one index. Choose one of {', '.join(names)}.")
    if not facts.per_index and text:
        raise InvalidInput("underlying", "This rule holds for all indices. Choose “all”.")
    return text or None


def _value(kind: RuleKind, facts: KindFacts, text: str) -> Decimal:
    if facts.unit is Unit.CLOCK:
        return _minutes(text)
    scale = Decimal(100) if facts.unit is Unit.FRACTION else Decimal(1)
    value = Decimal(text) / scale if _VALUE.fullmatch(text) else None
    least_ok = value is not None and (value > 0 or (value == 0 and kind in _ZERO_ALLOWED))
    if value is None or not least_ok or value > facts.most:
        what = {Unit.FRACTION: "percent", Unit.PERCENT: "percent", Unit.RUPEES: "rupees"}.get(facts.unit, "units")
        raise InvalidInput("value", f"Type {what} without commas, at most {facts.most * scale:f}.")
    if facts.unit is Unit.UNITS and (value != int(value) or value <= 1):
        raise InvalidInput("value", "Type a whole number of units above 1: a 1 says that it is not known.")
    if value != value.quantize(Decimal("0.000001")):
        raise InvalidInput("value", "This has too many decimals to be kept.")
    return value


def _minutes(text: str) -> Decimal:
    """Of the day, from a time when exchanges may be open."""
    if not _TIME.fullmatch(text):
        raise InvalidInput("value", "Type a time of the day in India from 09:00 on, as 15:15.")
    return Decimal(int(text[:2]) * 60 + int(text[3:]))


def first_day(text: str) -> date:
    """The typed day from which something dated holds. Raises InvalidInput for `valid_from`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or not EARLIEST <= day <= LATEST:
        raise InvalidInput("valid_from", f"Type the first day it holds as 2026-12-01, from {EARLIEST} on.")
    return day


def _source(text: str) -> str:
    source = text.strip()
    if not 3 <= len(source) <= LONGEST_SOURCE or not source.isprintable():
        raise InvalidInput("source", f"Say in 3 to {LONGEST_SOURCE} characters where this was read.")
    return source
