"""How far entries have come apart, by a table and by properties."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Side
from app.domain.divergence import Entered, Tone, divergence, medians

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def entered(account_id: int, average: str | None, **changes: Any) -> Entered:
    facts: dict[str, Any] = {
        "account_id": account_id, "leg": 1, "side": Side.SELL, "wanted": 130, "units": 0 if average is None else 130,
        "average": None if average is None else Decimal(average),
        "last_at": None if average is None else NOW + timedelta(seconds=account_id), **changes,
    }  # fmt: skip
    return Entered(**facts)


@pytest.mark.parametrize(
    ("side", "average", "slip", "tone"),
    [
        (Side.SELL, "100", "0", Tone.NEAR),
        (Side.SELL, "99.50", "0.50", Tone.NEAR),
        (Side.SELL, "99.45", "0.55", Tone.WORSE),
        (Side.SELL, "98", "2", Tone.WORSE),
        (Side.SELL, "97.95", "2.05", Tone.FAR),
        (Side.SELL, "101", "-1", Tone.BETTER),
        (Side.BUY, "101", "1", Tone.WORSE),
        (Side.BUY, "99", "-1", Tone.BETTER),
        (Side.BUY, "103", "3", Tone.FAR),
    ],
)
def test_who_paid_more_or_got_less_is_worse(side: Side, average: str, slip: str, tone: Tone) -> None:
    """Two others at 100 make the median."""
    found = divergence([entered(n, text, side=side) for n, text in ((1, "100"), (2, average), (3, "100"))])
    assert (found[2, 1].slip, found[2, 1].tone) == (Decimal(slip), tone)
    assert found[2, 1].cost == Decimal(slip) * 130


def test_of_an_even_number_the_median_lies_between() -> None:
    assert medians([entered(1, "100"), entered(2, "101")]) == {1: Decimal("100.5")}


def test_a_delay_counts_from_the_first_account_of_the_leg() -> None:
    found = divergence([entered(5, "100"), entered(2, "100"), entered(9, "100", leg=2)])
    assert [found[place].delay_s for place in ((5, 1), (2, 1), (9, 2))] == [3.0, 0.0, 0.0]


def test_what_is_missing_is_short_and_nothing_is_made_of_what_was_not_filled() -> None:
    found = divergence([entered(1, "100"), entered(2, None), entered(3, "100", units=65)])
    assert (found[2, 1].slip, found[2, 1].cost, found[2, 1].delay_s) == (None, None, None)
    assert found[2, 1].tone is Tone.UNKNOWN
    assert [found[n, 1].short for n in (1, 2, 3)] == [0, 130, 65]


def test_a_price_of_nothing_is_far_from_nobody() -> None:
    assert divergence([entered(1, "0")])[1, 1].tone is Tone.NEAR


prices = st.decimals(min_value="0.05", max_value="5000", places=2)


@given(st.lists(prices, min_size=1, max_size=50), st.sampled_from(Side))
def test_no_more_than_half_are_worse_and_none_is_both(averages: list[Decimal], side: Side) -> None:
    found = divergence([entered(n, str(price), side=side) for n, price in enumerate(averages)])
    slips = [each.slip for each in found.values() if each.slip is not None]
    assert sum(slip > 0 for slip in slips) <= len(slips) / 2
    assert sum(slip < 0 for slip in slips) <= len(slips) / 2
    assert all((each.tone in {Tone.WORSE, Tone.FAR}) <= ((each.slip or Decimal(0)) > 0) for each in found.values())
    assert all(each.delay_s is not None and each.delay_s >= 0 for each in found.values())
