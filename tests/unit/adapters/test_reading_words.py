"""OpenAlgo's words: statuses, sides, ids, expiry dates, symbols."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.openalgo.words import (
    Terms,
    booked_contract,
    contract_key,
    contract_terms,
    expiry_date,
    order_id,
    order_status,
    side,
)
from app.domain.books import OrderStatus
from app.domain.contracts import ContractKey, Kind, Side

S = OrderStatus


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("complete", S.COMPLETE), ("COMPLETE", S.COMPLETE), ("Filled", S.COMPLETE), ("TRADED", S.COMPLETE),
        ("executed", S.COMPLETE), ("cancelled", S.CANCELLED), ("CANCELED", S.CANCELLED), ("EXPIRED", S.CANCELLED),
        ("lapsed", S.CANCELLED), ("rejected", S.REJECTED), (" Rejected ", S.REJECTED),
        ("trigger pending", S.TRIGGER_PENDING), ("trigger_pending", S.TRIGGER_PENDING),
        ("TRIGGER-PENDING", S.TRIGGER_PENDING), ("open", S.OPEN),
        # None of these says that the order has ended.
        ("PART_TRADED", S.OPEN), ("PartiallyFilled", S.OPEN), ("partially filled", S.OPEN), ("TRANSIT", S.OPEN),
        ("put order req received", S.OPEN), ("validation pending", S.OPEN), ("open pending", S.OPEN),
        ("cancel pending", S.OPEN), ("cancel confirmed?", S.OPEN), ("unknown", S.OPEN), ("", S.OPEN), (None, S.OPEN),
        (3, S.OPEN), ([], S.OPEN), ("not complete", S.OPEN), ("rejected?", S.OPEN), ("PendingNew", S.OPEN),
    ],
)  # fmt: skip
def test_status(word: object, expected: OrderStatus) -> None:
    assert order_status(word) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("BUY", Side.BUY), ("sell", Side.SELL), ("Buy ", Side.BUY), ("B", None), ("", None), (1, None)],
)
def test_side(raw: object, expected: Side | None) -> None:
    assert side(raw) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("261123190000001", "261123190000001"), (26112300000001, "26112300000001"), (" 7 ", "7"), ("", None),
        (None, None), (0, None), ("None", None), ("null", None), (True, None), (1.5, None), ([], None),
    ],
)  # fmt: skip
def test_order_id(raw: object, expected: str | None) -> None:
    assert order_id(raw) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01-DEC-26", date(2026, 12, 1)), ("01DEC26", date(2026, 12, 1)), ("29-Dec-2026", date(2026, 12, 29)),
        ("1-DEC-26", date(2026, 12, 1)), ("", None), ("31-FEB-26", None), ("01-XYZ-26", None), ("2026-12-01", None),
    ],
)  # fmt: skip
def test_expiry(text: str, expected: date | None) -> None:
    assert expiry_date(text) == expected


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("NIFTY01DEC2625000CE", Terms("NIFTY", date(2026, 12, 1), Kind.CE, Decimal(25000))),
        ("SENSEX26NOV2682600PE", Terms("SENSEX", date(2026, 11, 26), Kind.PE, Decimal(82600))),
        ("NIFTY29DEC26FUT", Terms("NIFTY", date(2026, 12, 29), Kind.FUT, None)),
        ("NIFTYNXT5029DEC2670000CE", Terms("NIFTYNXT50", date(2026, 12, 29), Kind.CE, Decimal(70000))),
        ("VEDL25APR24292.5CE", Terms("VEDL", date(2024, 4, 25), Kind.CE, Decimal("292.5"))),
        ("360ONE29DEC26FUT", Terms("360ONE", date(2026, 12, 29), Kind.FUT, None)),
        ("SBIN", None), ("NIFTY", None), ("NIFTY01DEC26", None), ("NIFTY31FEB2625000CE", None), ("", None),
    ],
)  # fmt: skip
def test_terms(symbol: str, expected: Terms | None) -> None:
    assert contract_terms(symbol) == expected


def test_a_contract_without_a_name_is_none() -> None:
    assert contract_key("NFO", None) is None
    assert contract_key("NFO", " ") is None
    assert contract_key(None, "SBIN") is None
    assert contract_key("NSE", "SBIN") == ContractKey("NSE", "SBIN")


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())))
def test_no_unheard_word_ends_an_order(raw: object) -> None:
    status = order_status(raw)
    known = {"complete", "completed", "filled", "traded", "executed", "cancelled", "canceled", "expired", "lapsed"}
    if status.is_final:
        assert isinstance(raw, str)
        assert raw.strip().lower().strip("_- ") in known | {"rejected"}


@pytest.mark.parametrize("symbol", ["NIFTY25D0125000CE", "NIFTY 01 DEC 25000 CE", "54203", ""])
def test_a_brokers_own_word_for_a_derivative_is_no_name(symbol: str) -> None:
    assert booked_contract("NFO", symbol) is None


@pytest.mark.parametrize("symbol", ["NIFTY01DEC2625000CE", "NIFTY29DEC26FUT", "M&M29DEC263012.5PE"])
def test_a_derivative_is_named_by_its_terms(symbol: str) -> None:
    assert booked_contract("NFO", symbol) == ContractKey("NFO", symbol)
    assert booked_contract("NSE", "SBIN") == ContractKey("NSE", "SBIN"), "a share has none"
