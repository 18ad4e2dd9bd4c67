"""Whole structures only."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.sizing import Explanation, explain_fixed, fixed_structures


@pytest.mark.parametrize(
    ("structures", "multiplier", "expected"),
    [(1, "1", 1), (1, "0.5", 0), (1, "0", 0), (2, "0.5", 1), (3, "0.5", 1), (1, "2.99", 2), (4, "1.25", 5)],
)
def test_floor(structures: int, multiplier: str, expected: int) -> None:
    assert fixed_structures(structures, Decimal(multiplier)) == expected


@pytest.mark.parametrize(
    ("structures", "multiplier", "field"), [(0, "1", "structures"), (1, "-1", "multiplier"), (1, "NaN", "multiplier")]
)
def test_odd_sizes_name_their_field(structures: int, multiplier: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fixed_structures(structures, Decimal(multiplier))
    assert refused.value.field == field


def test_the_explanation_shows_the_sum() -> None:
    assert explain_fixed(2, Decimal("1.50")).lines == ("2 structures x multiplier 1.5 = 3",)
    assert explain_fixed(1, Decimal("0.5")).lines == ("1 structure x multiplier 0.5 = 0.5, rounded down to 0",)
    assert Explanation().plus("a").plus("b", "c").lines == ("a", "b", "c")


@given(st.integers(1, 500), st.decimals(0, 100, places=2))
def test_never_more_than_asked_and_less_by_under_one(structures: int, multiplier: Decimal) -> None:
    size = fixed_structures(structures, multiplier)
    assert 0 <= structures * multiplier - size < 1
