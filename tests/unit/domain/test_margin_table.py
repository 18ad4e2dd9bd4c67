"""What a structure needs by the table, and which missing row is named."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import Contract, ContractKey, Kind, Product, Side
from app.domain.errors import NoFreshPrice
from app.domain.margin_table import (
    Day,
    MissingRequirement,
    Need,
    Requirement,
    RequirementTable,
    are_all_bought_options,
)
from app.domain.plan import ResolvedLeg

TODAY, WEEK = date(2026, 12, 1), date(2026, 12, 8)
TABLE = RequirementTable(
    Requirement("NIFTY", need, day, Decimal(amount), "test")
    for need, day, amount in (
        (Need.SELL_ONE, Day.OTHER, 200_000),
        (Need.SELL_ONE, Day.EXPIRY, 230_000),
        (Need.SELL_BOTH, Day.OTHER, 250_000),
        (Need.SELL_BOTH, Day.EXPIRY, 310_000),
        (Need.FUTURE, Day.OTHER, 180_000),
    )
)


def leg(kind: str, side: str, ratio: int = 1, expiry: date = WEEK, underlying: str = "NIFTY") -> ResolvedLeg:
    key = ContractKey("NFO", f"{underlying}{expiry:%d%b%y}{kind}{side}")
    strike = None if kind == "FUT" else Decimal(25_000)
    contract = Contract(key, underlying, Kind(kind), expiry, strike, 65, Decimal("0.05"))
    return ResolvedLeg(1, contract, Side(side), ratio, Product.NRML, "")


@pytest.mark.parametrize(
    ("legs", "amount"),
    [
        ([leg("CE", "SELL")], 200_000),
        ([leg("CE", "SELL", 3)], 600_000),
        ([leg("CE", "SELL"), leg("PE", "SELL")], 250_000),
        ([leg("CE", "SELL", 3), leg("PE", "SELL", 1)], 250_000 + 2 * 200_000),
        ([leg("CE", "SELL", expiry=TODAY), leg("PE", "SELL", expiry=TODAY)], 310_000),
        ([leg("CE", "SELL", expiry=TODAY), leg("PE", "SELL")], 430_000),  # two expiries are no pair
        ([leg("FUT", "BUY")], 180_000),
        ([leg("FUT", "SELL", 2), leg("CE", "SELL")], 560_000),
        ([leg("CE", "SELL"), leg("PE", "BUY", 2)], 200_000 + 2 * 65 * 40),  # what is bought is paid and hedges nothing
    ],
)
def test_rupees_of_a_structure(legs: list[ResolvedLeg], amount: int) -> None:
    premiums = {each.contract.key: Decimal(40) for each in legs}
    total, used = TABLE.of_structure(legs, premiums, TODAY)
    assert total == amount
    assert used


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ([leg("CE", "SELL", underlying="BANKNIFTY")], "no row for BANKNIFTY, CE or PE sell, other days"),
        ([leg("FUT", "BUY", expiry=TODAY)], "no row for NIFTY, futures, expiry day"),
    ],
)
def test_a_missing_row_is_named(legs: list[ResolvedLeg], words: str) -> None:
    with pytest.raises(MissingRequirement, match=words):
        TABLE.of_structure(legs, {}, TODAY)


def test_a_bought_option_without_a_premium_is_unknown() -> None:
    with pytest.raises(NoFreshPrice, match="no fresh premium"):
        TABLE.of_structure([leg("CE", "BUY")], {}, TODAY)


def test_who_only_pays_premiums() -> None:
    assert are_all_bought_options([leg("CE", "BUY"), leg("PE", "BUY")])
    assert not are_all_bought_options([leg("CE", "BUY"), leg("PE", "SELL")])
    assert not are_all_bought_options([leg("FUT", "BUY")])
