"""Slices: whole lots, within the freeze limit, adding up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput, Refused
from app.domain.money import Units
from app.domain.slicing import largest_slice, slices


@pytest.mark.parametrize(
    ("lots", "lot", "freeze", "expected"),
    [
        (40, 65, 1800, (1755, 845)),
        (27, 65, 1800, (1755,)),
        (28, 65, 1800, (1755, 65)),
        (54, 65, 1800, (1755, 1755)),
        (20, 30, 600, (600,)),
        (51, 20, 1000, (1000, 20)),
        (24, 120, 2800, (2760, 120)),
        (0, 65, 1800, ()),
    ],
)
def test_slices(lots: int, lot: int, freeze: int, expected: tuple[int, ...]) -> None:
    assert slices(Units(lots * lot), lot, Units(freeze)) == expected


@pytest.mark.parametrize("freeze", [1, 0, -5])
def test_row_44_an_unknown_freeze_is_never_guessed(freeze: int) -> None:
    with pytest.raises(Refused, match="unknown"):
        largest_slice(65, Units(freeze))


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(Refused, match="smaller than one lot"):
        slices(Units(65), 65, Units(64))
    with pytest.raises(InvalidInput, match="not a multiple"):
        slices(Units(66), 65, Units(1800))
    with pytest.raises(ValueError, match="sliced"):
        slices(Units(-65), 65, Units(1800))


@given(st.integers(0, 3000), st.integers(1, 200), st.integers(2, 5000))
def test_row_44_slices_add_up_in_whole_lots_within_the_limit(lots: int, lot: int, freeze: int) -> None:
    if freeze < lot:
        return
    pieces = slices(Units(lots * lot), lot, Units(freeze))
    assert sum(pieces) == lots * lot
    assert all(0 < p <= freeze and p % lot == 0 for p in pieces)
    assert all(p == largest_slice(lot, Units(freeze)) for p in pieces[:-1])
