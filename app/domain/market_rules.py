"""Dated market rules: what exchanges say that no gateway tells, each with its first day and its source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import Kind
from app.domain.errors import Refused
from app.domain.money import Units
from app.domain.prices import FUTURE_BUFFER, PriceBand

LOW_PREMIUM = Decimal(50)
"""Up to this reference price an option's band is counted in rupees, above it as a fraction."""


class RuleKind(StrEnum):
    """What a rule's value means. FREEZE: units. LOT: units, of contracts that expire on or after its first day.
    CUT_OFF: minutes since midnight in India. BAND_OPTION_LOW: rupees either side. BROKERAGE: rupees an order. Taxes
    and fees, which are those after it: percent. All others: a fraction.
    """

    FREEZE = "freeze"
    LOT = "lot"
    CUT_OFF = "cut_off"
    BAND_OPTION_LOW = "band_option_low"
    BAND_OPTION = "band_option"
    BAND_FUTURE = "band_future"
    PROTECTION_UNDER_10 = "protection_under_10"
    PROTECTION_UNDER_100 = "protection_under_100"
    PROTECTION_UNDER_500 = "protection_under_500"
    PROTECTION_FROM_500 = "protection_from_500"
    PROTECTION_FUTURE = "protection_future"
    BUYER_BUFFER = "buyer_buffer"
    BROKERAGE = "brokerage"
    STT_OPTION = "stt_option"
    STT_FUTURE = "stt_future"
    STT_EXERCISE = "stt_exercise"
    FEE_NFO_OPTION = "fee_nfo_option"
    FEE_BFO_OPTION = "fee_bfo_option"
    FEE_NFO_FUTURE = "fee_nfo_future"
    FEE_BFO_FUTURE = "fee_bfo_future"
    SEBI_FEE = "sebi_fee"
    STAMP_OPTION = "stamp_option"
    STAMP_FUTURE = "stamp_future"
    GST = "gst"


_PROTECTION_SLABS: tuple[tuple[Decimal | None, RuleKind], ...] = (
    (Decimal(10), RuleKind.PROTECTION_UNDER_10),
    (Decimal(100), RuleKind.PROTECTION_UNDER_100),
    (Decimal(500), RuleKind.PROTECTION_UNDER_500),
    (None, RuleKind.PROTECTION_FROM_500),
)


@dataclass(frozen=True, slots=True)
class MarketRule:
    """One rule from `valid_from` on, until a later one of the same kind and underlying. `underlying` None: all."""

    kind: RuleKind
    underlying: str | None
    value: Decimal
    valid_from: date
    source: str


class MissingRule(Refused):
    """The table has no such rule for that date. Nothing is sent on a guess; an admin adds the rule."""

    def __init__(self, kind: RuleKind, underlying: str | None, on: date) -> None:
        of_what = f" for {underlying}" if underlying else ""
        super().__init__(f"The market rules have no {kind}{of_what} valid on {on:%d %b %Y}. Add it under Market rules.")
        self.kind = kind
        self.underlying = underlying


class RuleBook:
    """The rules, asked by date. Immutable, so any thread may read it."""

    def __init__(self, rules: Iterable[MarketRule]) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.valid_from))

    def rule(self, kind: RuleKind, underlying: str | None, on: date) -> MarketRule:
        """The latest rule that has begun by `on`. Raises MissingRule."""
        for rule in reversed(self._rules):
            if rule.kind is kind and rule.underlying == underlying and rule.valid_from <= on:
                return rule
        raise MissingRule(kind, underlying, on)

    def freeze(self, underlying: str, on: date) -> Units:
        """The most units in one order. Raises MissingRule, also for a stored 1: that says unknown, not one unit."""
        found = self.rule(RuleKind.FREEZE, underlying, on)
        if found.value <= 1:
            raise MissingRule(RuleKind.FREEZE, underlying, on)
        return Units(int(found.value))

    def lot(self, underlying: str, expiry: date) -> int:
        """Units in a lot of the contracts that expire then. Raises MissingRule."""
        return int(self.rule(RuleKind.LOT, underlying, expiry).value)

    def cut_off(self, on: date) -> time:
        """India's time at which brokers begin to close intraday positions by themselves. Raises MissingRule."""
        hour, minute = divmod(int(self.rule(RuleKind.CUT_OFF, None, on).value), 60)
        return time(hour, minute)

    def price_band(self, premium: Decimal, on: date, kind: Kind = Kind.CE) -> PriceBand:
        """Prices the exchange takes around a recent price of an option (default) or future. Raises MissingRule.

        Options: 20 rupees either side up to 50, 40 % above. `low` is never below 0.
        """
        if not premium > 0:
            raise ValueError(f"{premium} is not a price to lay a band around.")
        if kind is Kind.FUT:
            width = premium * self.rule(RuleKind.BAND_FUTURE, None, on).value
        elif premium <= LOW_PREMIUM:
            width = self.rule(RuleKind.BAND_OPTION_LOW, None, on).value
        else:
            width = premium * self.rule(RuleKind.BAND_OPTION, None, on).value
        return PriceBand(max(premium - width, Decimal(0)), premium + width)

    def protection(self, kind: Kind, premium: Decimal, on: date) -> Decimal:
        """The fraction a protected limit may give away at that price. Raises MissingRule."""
        if kind is Kind.FUT:
            return self.rule(RuleKind.PROTECTION_FUTURE, None, on).value
        slab = next(rule for below, rule in _PROTECTION_SLABS if below is None or premium < below)
        return self.rule(slab, None, on).value


def _lot(underlying: str, units: int, source: str) -> MarketRule:
    return MarketRule(RuleKind.LOT, underlying, Decimal(units), date(2026, 1, 1), source)


def _freeze(underlying: str, units: int, valid_from: date, source: str) -> MarketRule:
    return MarketRule(RuleKind.FREEZE, underlying, Decimal(units), valid_from, source)


_MONTHLY = "NSE quantity freeze circular of the month"
_AUGUST = "NSE FAOP75521, quantity freeze from 3 Aug 2026"
_BSE = "BSE quantity freeze as published by ICICI Direct, Aug 2026; confirm"
_LOT = "NSE FAOP70616, series from Jan 2026; a review of Oct 2026 may change series of Jan 2027 on: confirm"
_LOT_BSE = "BSE lot as published by brokers, Nov 2026; confirm"
_CUT_OFF = "Brokers say 15:15 to 15:25, OpenAlgo's sandbox 15:15; confirm, and type your broker's with the account"
_LPP = "NSE FAOP54242, limit price protection for index options"
_LPP_FUTURE = "Limit price protection for index futures: brokers state 2 % or 3 %, the narrower is kept; confirm"
_FEE_NFO_FUTURE = "NSE circular of 27 Sep 2024 as the press reported it, without IPFT; confirm"
_FEE_BFO_FUTURE = "BSE takes none for index futures, the press on 27 Sep 2024; confirm"
_EXERCISE = "ClearTax, rates from 1 Apr 2026; of the intrinsic value, paid by who holds a bought option"
_OWN = "AlgoMirror's own default for protected limits"
_OWN_BUYERS = "AlgoMirror's own default for what option buyers keep ready"
_OWN_FROM = date(2025, 1, 1)

DEFAULT_RULES: tuple[MarketRule, ...] = (
    _freeze("NIFTY", 1800, date(2026, 8, 3), _AUGUST),
    _freeze("BANKNIFTY", 600, date(2025, 8, 1), _MONTHLY),
    _freeze("BANKNIFTY", 900, date(2025, 9, 1), _MONTHLY),
    _freeze("BANKNIFTY", 600, date(2025, 11, 3), _MONTHLY),
    _freeze("BANKNIFTY", 900, date(2026, 4, 1), _MONTHLY),
    _freeze("BANKNIFTY", 600, date(2026, 7, 1), _MONTHLY),
    _freeze("BANKNIFTY", 600, date(2026, 8, 3), _AUGUST),
    _freeze("FINNIFTY", 1200, date(2025, 12, 1), _MONTHLY),
    _freeze("FINNIFTY", 1800, date(2026, 2, 2), _MONTHLY),
    _freeze("FINNIFTY", 1200, date(2026, 3, 2), _MONTHLY),
    _freeze("FINNIFTY", 1800, date(2026, 4, 1), _MONTHLY),
    _freeze("FINNIFTY", 1800, date(2026, 8, 3), _AUGUST),
    _freeze("MIDCPNIFTY", 2800, date(2026, 8, 3), _AUGUST),
    _freeze("SENSEX", 1000, date(2026, 8, 3), _BSE),
    _freeze("BANKEX", 900, date(2026, 8, 3), _BSE),
    _lot("NIFTY", 65, _LOT),
    _lot("BANKNIFTY", 30, _LOT),
    _lot("FINNIFTY", 60, _LOT),
    _lot("MIDCPNIFTY", 120, _LOT),
    _lot("SENSEX", 20, _LOT_BSE),
    _lot("BANKEX", 30, _LOT_BSE),
    MarketRule(RuleKind.CUT_OFF, None, Decimal(15 * 60 + 15), date(2025, 1, 1), _CUT_OFF),
    MarketRule(RuleKind.BAND_OPTION_LOW, None, Decimal(20), date(2022, 10, 31), _LPP),
    MarketRule(RuleKind.BAND_OPTION, None, Decimal("0.40"), date(2022, 10, 31), _LPP),
    MarketRule(RuleKind.BAND_FUTURE, None, Decimal("0.02"), date(2023, 2, 3), _LPP_FUTURE),
    MarketRule(RuleKind.PROTECTION_UNDER_10, None, Decimal("0.05"), _OWN_FROM, _OWN),
    MarketRule(RuleKind.PROTECTION_UNDER_100, None, Decimal("0.03"), _OWN_FROM, _OWN),
    MarketRule(RuleKind.PROTECTION_UNDER_500, None, Decimal("0.02"), _OWN_FROM, _OWN),
    MarketRule(RuleKind.PROTECTION_FROM_500, None, Decimal("0.01"), _OWN_FROM, _OWN),
    MarketRule(RuleKind.PROTECTION_FUTURE, None, FUTURE_BUFFER, _OWN_FROM, _OWN),
    MarketRule(RuleKind.BUYER_BUFFER, None, Decimal("0.05"), _OWN_FROM, _OWN_BUYERS),
    *(
        MarketRule(RuleKind(kind), None, Decimal(value), valid_from, source)
        for kind, value, valid_from, source in (
            ("brokerage", "20", date(2025, 1, 1), "The usual flat fee for an order; type your broker's"),
            ("stt_option", "0.1", date(2024, 10, 1), "Finance (No. 2) Act 2024"),
            ("stt_option", "0.15", date(2026, 4, 1), "Finance Act 2026, as published by ClearTax"),
            ("stt_future", "0.02", date(2024, 10, 1), "Finance (No. 2) Act 2024"),
            ("stt_future", "0.05", date(2026, 4, 1), "Finance Act 2026, as published by ClearTax"),
            ("stt_exercise", "0.15", date(2026, 4, 1), _EXERCISE),
            ("fee_nfo_option", "0.03553", date(2024, 10, 1), "NSE with IPFT, as brokers show it in 2026; confirm"),
            (
                "fee_bfo_option",
                "0.0325",
                date(2024, 10, 1),
                "BSE for SENSEX and BANKEX, as brokers show it in 2026; confirm",
            ),
            ("fee_nfo_future", "0.00173", date(2024, 10, 1), _FEE_NFO_FUTURE),
            ("fee_bfo_future", "0", date(2024, 10, 1), _FEE_BFO_FUTURE),
            ("sebi_fee", "0.0001", date(2021, 6, 1), "Ten rupees a crore"),
            ("stamp_option", "0.003", date(2020, 7, 1), "Indian Stamp Act, options"),
            ("stamp_future", "0.002", date(2020, 7, 1), "Indian Stamp Act, futures, as nseindia.com lists it"),
            ("gst", "18", date(2020, 1, 1), "GST on services"),
        )
    ),
)
"""What the table starts with; the running product reads the table, which an admin edits."""
