"""How amounts, sizes and moments read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import wording

MONEY = st.decimals(min_value=-(10**11), max_value=10**11, places=2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "₹0.00"),
        ("999", "₹999.00"),
        ("1000", "₹1,000.00"),
        ("123456.5", "₹1,23,456.50"),
        ("-123456.5", "−₹1,23,456.50"),
        ("123456789.126", "₹12,34,56,789.13"),
        ("-0.004", "₹0.00"),
    ],
)
def test_rupees_in_full(value: str, text: str) -> None:
    assert wording.inr(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("98450", "98,450"),
        ("-4500", "−4,500"),
        ("123000", "1.23 L"),
        ("9949999", "99.50 L"),
        ("9999999", "1.00 Cr"),
        ("21000000", "2.10 Cr"),
        ("-21000000", "−2.10 Cr"),
        ("12345600000", "1,234.56 Cr"),
    ],
)
def test_rupees_where_they_are_scanned(value: str, text: str) -> None:
    assert wording.inr_short(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1840", "+1,840"),
        ("-2260", "−2,260"),
        ("0", "0"),
        ("0.45", "+0.45"),
        ("-0.45", "−0.45"),
        ("0.001", "0"),
        ("1234567.5", "+12,34,568"),
    ],
)
def test_profit_and_loss_has_its_sign(value: str, text: str) -> None:
    assert wording.signed(Decimal(value)) == text


@pytest.mark.parametrize(
    ("units", "lot_size", "text"),
    [
        (260, 65, "4 lots (260)"),
        (65, 65, "1 lot (65)"),
        (-260, 65, "−4 lots (260)"),
        (0, 65, "0 lots (0)"),
        (70, 65, "70 units"),
        (260, None, "260 units"),
        (1, None, "1 unit"),
        (None, 65, "—"),
    ],
)
def test_sizes_are_lots_with_units(units: int | None, lot_size: int | None, text: str) -> None:
    assert wording.lots(units, lot_size) == text


def test_expiries_and_the_days_to_them() -> None:
    today = date(2026, 11, 29)
    assert wording.expiry(date(2026, 12, 1)) == "01 DEC 26 Tue"
    assert wording.days_left(date(2026, 12, 1), today) == "2d"
    assert wording.days_left(today, today) == "today"
    assert wording.days_left(date(2026, 11, 28), today) == "expired"


def test_moments_are_shown_in_india() -> None:
    late = datetime(2026, 11, 23, 19, 42, 7, tzinfo=UTC)
    assert wording.ist(late) == "01:12:07"
    assert wording.ist_date(late) == "24 Nov 2026"
    assert wording.ist_date(date(2026, 11, 23)) == "23 Nov 2026"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("23-Nov-2026 09:15:00", "09:15:00"),
        ("2026-11-23 09:15:11", "09:15:11"),
        ("2026-11-23T09:15:11", "09:15:11"),
        ("09:15:11", "09:15:11"),
        ("a moment ago", "a moment ago"),
        ("", ""),
    ],
)
def test_a_brokers_own_moment_loses_its_date_and_nothing_else(text: str, shown: str) -> None:
    assert wording.ist(text) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (-1, "0.0 s"), (12.9, "12 s"), (119, "119 s"), (185, "3 min"), (7300, "2 h")],
)
def test_ages(seconds: float, text: str) -> None:
    assert wording.age(seconds) == text


def test_unknown_is_a_dash_and_never_zero() -> None:
    today = date(2026, 11, 29)
    shown = [
        wording.inr(None),
        wording.inr_short(None),
        wording.signed(None),
        wording.price(None),
        wording.lots(None, None),
        wording.expiry(None),
        wording.days_left(None, today),
        wording.ist(None),
        wording.ist_date(None),
        wording.age(None),
    ]
    assert shown == ["—"] * len(shown)


@given(MONEY)
def test_rupees_read_back_as_what_they_were(value: Decimal) -> None:
    text = wording.inr(value).replace("₹", "").replace(",", "").replace("−", "-")
    assert Decimal(text) == value


@given(MONEY)
def test_groups_are_of_three_then_of_two(value: Decimal) -> None:
    whole = wording.price(value).partition(".")[0].removeprefix("−")
    *front, last = whole.split(",")
    assert len(last) == 3 if front else len(last) <= 3
    assert all(len(group) == 2 for group in front[1:])
    assert not front or 1 <= len(front[0]) <= 2


@given(MONEY)
def test_profit_and_loss_is_signed_unless_it_is_zero(value: Decimal) -> None:
    text = wording.signed(value)
    assert text[0] == ("0" if value == 0 else "+" if value > 0 else "−")
    assert "-" not in text


@given(MONEY)
def test_short_rupees_are_within_half_a_step_of_the_truth(value: Decimal) -> None:
    number, _, unit = wording.inr_short(value).replace(",", "").replace("−", "-").partition(" ")
    scale = {"": Decimal(1), "L": wording.LAKH, "Cr": wording.CRORE}[unit]
    step = Decimal(1) if unit == "" else scale / 100
    assert abs(Decimal(number) * scale - value) <= step / 2


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_are_said_as_the_same_amounts_are(units: int) -> None:
    assert wording.inr_short(units) == wording.inr_short(Decimal(units))
