"""Numbers off the wire: whatever a broker sends becomes a number or nothing, never a wrong number."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.openalgo.numbers import number, positive, whole

NOTHING: list[Any] = [
    None, "", " ", "--", "-", "NaN", "nan", "inf", "-Infinity", float("nan"), float("inf"), "abc", "12abc",
    True, False, [], {}, [1], "1e99", "1e999999999", "1e-99999999", b"12", Decimal("NaN"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (812.46, "812.46"),
        ("812.46", "812.46"),
        ("1,23,456.50", "123456.50"),
        (" 5000000.00 ", "5000000.00"),
        ("0.00", "0"),
        (-611.0, "-611"),
        ("-217.80", "-217.80"),
        (65, "65"),
        (0, "0"),
        (Decimal("1.5"), "1.5"),
        (1.1368683772161603e-13, "1.1368683772161603e-13"),
    ],
)
def test_reads(raw: object, expected: str) -> None:
    assert number(raw) == Decimal(expected)


@pytest.mark.parametrize("raw", NOTHING, ids=repr)
def test_reads_nothing_as_nothing(raw: object) -> None:
    assert number(raw) is None
    assert whole(raw) is None
    assert positive(raw) is None


@pytest.mark.parametrize(("raw", "expected"), [(65, 65), (65.0, 65), ("65", 65), ("1,800.00", 1800), (-10, -10)])
def test_whole(raw: object, expected: int) -> None:
    assert whole(raw) == expected


@pytest.mark.parametrize("raw", [65.5, "0.5", -0.1])
def test_a_fraction_is_no_whole_number(raw: object) -> None:
    assert whole(raw) is None


@pytest.mark.parametrize("raw", [0, 0.0, "0.00", -1, "-0.05"])
def test_zero_is_no_price(raw: object) -> None:
    assert positive(raw) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_every_way_of_writing_a_price_reads_the_same(price: Decimal) -> None:
    assert number(str(price)) == number(f"{price:,}") == number(float(price)) == price


@given(st.one_of(st.text(), st.floats(), st.integers(), st.binary(), st.none(), st.booleans(), st.lists(st.integers())))
def test_never_raises_and_never_gives_an_endless_number(raw: object) -> None:
    for value in (number(raw), positive(raw)):
        assert value is None or value.is_finite()
    found = whole(raw)
    assert found is None or abs(found) < 10**15
