"""Dated rules: the right one for the day, or none."""

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind
from app.domain.market_rules import DEFAULT_RULES, MarketRule, MissingRule, RuleBook, RuleKind
from app.domain.prices import PriceBand, protection_buffer

BOOK = RuleBook(DEFAULT_RULES)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("underlying", "on", "units"),
    [
        ("NIFTY", TODAY, 1800),
        ("BANKNIFTY", TODAY, 600),
        ("FINNIFTY", TODAY, 1800),
        ("MIDCPNIFTY", TODAY, 2800),
        ("SENSEX", TODAY, 1000),
        ("BANKEX", TODAY, 900),
        ("BANKNIFTY", date(2025, 10, 15), 900),
        ("BANKNIFTY", date(2025, 12, 15), 600),
        ("BANKNIFTY", date(2026, 6, 30), 900),
        ("BANKNIFTY", date(2026, 7, 1), 600),
        ("FINNIFTY", date(2026, 3, 15), 1200),
    ],
)
def test_freeze_limits_as_dated(underlying: str, on: date, units: int) -> None:
    assert BOOK.freeze(underlying, on) == units


@pytest.mark.parametrize(
    ("underlying", "units"),
    [("NIFTY", 65), ("BANKNIFTY", 30), ("FINNIFTY", 60), ("MIDCPNIFTY", 120), ("SENSEX", 20), ("BANKEX", 30)],
)
def test_lots_as_dated(underlying: str, units: int) -> None:
    assert BOOK.lot(underlying, date(2026, 12, 29)) == units
    with pytest.raises(MissingRule, match=f"no lot for {underlying} valid on 30 Dec 2025"):
        BOOK.lot(underlying, date(2025, 12, 30))


def test_the_usual_cut_off() -> None:
    assert BOOK.cut_off(TODAY) == time(15, 15)
    with pytest.raises(MissingRule, match="no cut_off valid on"):
        RuleBook(()).cut_off(TODAY)


def test_a_missing_rule_is_named() -> None:
    with pytest.raises(MissingRule, match="no freeze for NIFTYNXT50 valid on 23 Nov 2026"):
        BOOK.freeze("NIFTYNXT50", TODAY)
    with pytest.raises(MissingRule) as missing:
        BOOK.freeze("SENSEX", date(2020, 1, 1))
    assert (missing.value.kind, missing.value.underlying) == (RuleKind.FREEZE, "SENSEX")
    with pytest.raises(MissingRule, match="band_option"):
        RuleBook(()).price_band(Decimal(100), TODAY)
    with pytest.raises(MissingRule, match="protection_future"):
        RuleBook(()).protection(Kind.FUT, Decimal(25000), TODAY)


def test_a_stored_one_says_unknown() -> None:
    book = RuleBook([MarketRule(RuleKind.FREEZE, "NIFTY", Decimal(1), date(2026, 1, 1), "a gateway")])
    with pytest.raises(MissingRule):
        book.freeze("NIFTY", TODAY)


@pytest.mark.parametrize(
    ("premium", "kind", "low", "high"),
    [
        (10, Kind.CE, 0, 30),
        (50, Kind.PE, 30, 70),
        ("50.05", Kind.CE, "30.03", "70.07"),
        (80, Kind.CE, 48, 112),
        (25000, Kind.FUT, 24500, 25500),
    ],
)
def test_price_bands(premium: object, kind: Kind, low: object, high: object) -> None:
    band = BOOK.price_band(Decimal(str(premium)), TODAY, kind)
    assert band == PriceBand(Decimal(str(low)), Decimal(str(high)))


def test_no_band_around_nothing() -> None:
    with pytest.raises(ValueError, match="not a price"):
        BOOK.price_band(Decimal(0), TODAY)


@given(st.sampled_from(Kind), st.decimals("0.05", 100000, places=2))
def test_the_default_table_agrees_with_the_written_slabs(kind: Kind, premium: Decimal) -> None:
    assert BOOK.protection(kind, premium, TODAY) == protection_buffer(kind, premium)


@given(st.lists(st.dates(date(2025, 1, 1), date(2027, 1, 1)), unique=True), st.dates(date(2025, 1, 1)))
def test_the_latest_rule_that_has_begun_counts(days: list[date], on: date) -> None:
    rules = [MarketRule(RuleKind.FREEZE, "X", Decimal(day.toordinal()), day, "") for day in days]
    begun = [day for day in days if day <= on]
    if begun:
        assert RuleBook(rules).freeze("X", on) == max(begun).toordinal()
    else:
        with pytest.raises(MissingRule):
            RuleBook(rules).freeze("X", on)


def test_every_default_names_its_source() -> None:
    assert all(rule.source for rule in DEFAULT_RULES)
    assert len({(r.kind, r.underlying, r.valid_from) for r in DEFAULT_RULES}) == len(DEFAULT_RULES)
