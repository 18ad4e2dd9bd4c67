"""What an order costs: a table a trader can read, and which tariff holds on a day."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.tariffs import DatedTariff, Tariff, tariff_on

FLAT, FREE = Tariff(Decimal(20)), Tariff(Decimal(0))
SHARE, CAPPED = Tariff(percent=Decimal("0.03")), Tariff(percent=Decimal("0.03"), cap=Decimal(20))


@pytest.mark.parametrize(
    ("tariff", "turnover", "rupees"),
    [(FLAT, 1, 20), (FLAT, 10_000_000, 20), (FREE, 50_000, 0), (SHARE, 50_000, 15), (SHARE, 100_000, 30),
     (CAPPED, 50_000, 15), (CAPPED, 66_700, 20), (CAPPED, 100_000, 20), (CAPPED, 0, 0)],
)  # fmt: skip
def test_what_an_order_costs(tariff: Tariff, turnover: int, rupees: int) -> None:
    assert tariff.of(Decimal(turnover)) == rupees


def test_a_tariff_says_itself() -> None:
    assert [each.words() for each in (FLAT, SHARE, CAPPED)] == [
        "₹20.00 for each order", "0.03 % of each order", "0.03 % of each order, ₹20.00 at most",
    ]  # fmt: skip


def test_the_latest_that_has_begun_holds() -> None:
    dated = [DatedTariff(date(2026, 12, 1), FREE), DatedTariff(date(2026, 11, 1), FLAT)]
    days = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1))
    assert [tariff_on(dated, day) for day in days] == [None, FLAT, FLAT, FREE]


@pytest.mark.parametrize(
    ("tariff", "field"),
    [
        (Tariff(), "flat"),
        (Tariff(Decimal(20), Decimal(1)), "flat"),
        (Tariff(Decimal(1001)), "flat"),
        (Tariff(Decimal(-1)), "flat"),
        (Tariff(Decimal("NaN")), "flat"),
        (Tariff(Decimal(20), cap=Decimal(20)), "cap"),
        (Tariff(percent=Decimal(0)), "percent"),
        (Tariff(percent=Decimal(6)), "percent"),
        (Tariff(percent=Decimal(1), cap=Decimal(0)), "cap"),
        (Tariff(percent=Decimal(1), cap=Decimal("Infinity")), "cap"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(tariff: Tariff, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        tariff.check()
    assert refused.value.field == field


@pytest.mark.parametrize("tariff", [FLAT, FREE, SHARE, CAPPED])
def test_what_brokers_take_is_taken(tariff: Tariff) -> None:
    tariff.check()
