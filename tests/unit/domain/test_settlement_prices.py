"""Settlement prices that can be true of one close of the index, and those that cannot."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.errors import InvalidInput
from app.domain.settlement_prices import Settled, check_settlement


def settled(kind: str, strike: str | None, price: str) -> Settled:
    key = ContractKey("NFO", f"NIFTY01DEC26{strike}{kind}")
    contract = Contract(
        key=key, underlying="NIFTY", kind=Kind(kind), expiry=date(2026, 12, 1),
        strike=None if strike is None else Decimal(strike), lot_size=65, tick=Decimal("0.05"), freeze=None,
    )  # fmt: skip
    return Settled(contract, Decimal(price))


CLOSED_AT_25012_35 = [
    settled("CE", "24900", "112.35"), settled("CE", "25000", "12.35"), settled("CE", "25100", "0"),
    settled("PE", "25000", "0"), settled("PE", "25100", "87.65"), settled("FUT", None, "25012.35"),
]  # fmt: skip


@pytest.mark.parametrize("typed", CLOSED_AT_25012_35, ids=lambda each: each.contract.key.symbol)
def test_those_of_one_close_stand_beside_each_other(typed: Settled) -> None:
    check_settlement(typed, [each for each in CLOSED_AT_25012_35 if each is not typed])


@pytest.mark.parametrize(
    ("typed", "beside"),
    [
        (settled("CE", "25000", "112.35"), settled("CE", "24900", "112.35")),
        (settled("PE", "25000", "5"), settled("CE", "25000", "12.35")),
        (settled("CE", "24900", "0"), settled("CE", "25000", "12.35")),
        (settled("CE", "25100", "0"), settled("FUT", None, "25200")),
        (settled("PE", "25100", "0"), settled("CE", "25000", "12.35")),
    ],
)
def test_those_of_two_closes_are_refused_by_the_other_ones_name(typed: Settled, beside: Settled) -> None:
    with pytest.raises(InvalidInput, match=beside.contract.key.symbol) as refused:
        check_settlement(typed, [beside])
    assert refused.value.field == "price"


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "12.355", "1000001", "25012.35"])
def test_what_is_no_settlement_of_an_option_is_refused(price: str) -> None:
    with pytest.raises(InvalidInput):
        check_settlement(settled("CE", "25000", price), [])


def test_a_future_is_never_settled_at_nothing() -> None:
    with pytest.raises(InvalidInput):
        check_settlement(settled("FUT", None, "0"), [])
