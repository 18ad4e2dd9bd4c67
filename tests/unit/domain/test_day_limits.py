"""What a day may bring: tables that a trader can read and extend."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.day_limits import DayLimits, DayPnl, lots_refused, orders_refused, reached
from app.domain.errors import InvalidInput


def rupees(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


# Limits of loss and profit; today's total (None: a price is missing) and the worst it can be; what is reached.
DAYS: dict[str, tuple[int | None, int | None, int | None, int | None, str | None]] = {
    "no limits": (None, None, -90_000, -90_000, None),
    "above the loss": (5_000, None, -4_999, -4_999, None),
    "at the loss": (5_000, None, -5_000, -5_000, "day_loss"),
    "below the loss": (5_000, None, -9_000, -9_000, "day_loss"),
    "a price missing, the worst is above": (5_000, None, None, -4_000, None),
    "a price missing, the worst is at it": (5_000, None, None, -5_000, "day_loss"),
    "a price missing, nobody can name the worst": (5_000, 5_000, None, None, None),
    "below the profit": (None, 8_000, 7_999, 7_999, None),
    "at the profit": (None, 8_000, 8_000, 8_000, "day_profit"),
    "a price missing, a profit never counts": (None, 8_000, None, 9_000, None),
    "both set, loss": (5_000, 8_000, -5_001, -5_001, "day_loss"),
    "both set, profit": (5_000, 8_000, 8_001, 8_001, "day_profit"),
}


@pytest.mark.parametrize("name", DAYS)
def test_what_a_day_reaches(name: str) -> None:
    loss, profit, total, worst, rule = DAYS[name]
    found = reached(DayLimits(rupees(loss), rupees(profit)), DayPnl(rupees(total), rupees(worst)))
    assert (None if found is None else found.rule.value) == rule


def test_it_says_what_it_was_judged_by() -> None:
    found = reached(DayLimits(loss=Decimal(5000)), DayPnl(None, Decimal(-6000)))
    assert found is not None
    assert found.is_bound
    assert found.sentence == "Day loss of ₹5,000.00 reached: today may stand as low as −₹6,000.00."
    won = reached(DayLimits(profit=Decimal(100)), DayPnl(Decimal(250), Decimal(250)))
    assert won is not None
    assert won.sentence == "Day profit of ₹100.00 reached: today stands at ₹250.00."


@given(st.integers(1, 10**7), st.integers(-(10**7), 10**7))
def test_the_loss_is_reached_exactly_at_and_below_it(loss: int, total: int) -> None:
    found = reached(DayLimits(loss=Decimal(loss)), DayPnl(Decimal(total), Decimal(total)))
    assert (found is not None) == (total <= -loss)


@given(st.integers(1, 500), st.lists(st.integers(1, 60), max_size=40))
def test_lots_let_in_one_after_the_other_never_pass_the_limit(most: int, asked: list[int]) -> None:
    held, limits = 0, DayLimits(open_lots=most)
    for more in asked:
        if lots_refused(limits, "Asha", held, more) is None:
            held += more
    assert held <= most
    assert lots_refused(DayLimits(), "Asha", held, 10**6) is None


def test_orders_of_a_day() -> None:
    limits = DayLimits(orders=3)
    assert orders_refused(limits, "Asha", 2) is None
    assert orders_refused(limits, "Asha", 3) == "Asha has sent 3 orders today and may send 3; 1 more is too many."
    assert orders_refused(DayLimits(), "Asha", 10**6) is None


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (DayLimits(loss=Decimal(0)), "max_day_loss"),
        (DayLimits(profit=Decimal(-1)), "max_day_profit"),
        (DayLimits(profit=Decimal("NaN")), "max_day_profit"),
        (DayLimits(open_lots=0), "max_open_lots"),
        (DayLimits(orders=0), "max_day_orders"),
    ],
)
def test_a_limit_is_above_zero(limits: DayLimits, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        limits.check()
    assert refusal.value.field == field


def test_limits_that_are_fine() -> None:
    DayLimits().check()
    DayLimits(Decimal(1), Decimal(1), 1, 1, leaves=True).check()
