"""What somebody types into the ticket finds the contracts that every word fits."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contract_search import search
from app.domain.contracts import Contract, ContractKey, Kind

TODAY, WEEK, NEXT, MONTH = date(2026, 11, 23), date(2026, 11, 24), date(2026, 12, 1), date(2026, 12, 29)
LOTS = {"NIFTY": ("NFO", 65), "BANKNIFTY": ("NFO", 30), "SENSEX": ("BFO", 20)}


def listed(underlying: str, expiry: date, kind: Kind, strike: int | None) -> Contract:
    exchange, lot = LOTS[underlying]
    symbol = f"{underlying}{expiry:%d%b%y}{strike or ''}{kind.value}".upper()
    value = None if strike is None else Decimal(strike)
    return Contract(ContractKey(exchange, symbol), underlying, kind, expiry, value, lot, Decimal("0.05"))


CONTRACTS = [
    *(
        listed(name, expiry, kind, strike)
        for name, strikes in (("NIFTY", (24900, 25000, 25100)), ("BANKNIFTY", (25000, 56900)), ("SENSEX", (82800,)))
        for expiry in (WEEK, NEXT, MONTH)
        for kind in (Kind.CE, Kind.PE)
        for strike in strikes
    ),
    *(listed(name, MONTH, Kind.FUT, None) for name in LOTS),
    listed("NIFTY", date(2026, 11, 17), Kind.CE, 25000),
]
SPOTS = {"NIFTY": Decimal(25080)}


def found(text: str, most: int = 40) -> list[str]:
    return [each.key.symbol for each in search(CONTRACTS, text, TODAY, SPOTS, most)]


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [
        ("nifty 25000 ce", "NIFTY24NOV2625000CE", 3),
        ("ce 25,000 nifty 1 dec", "NIFTY01DEC2625000CE", 1),
        ("NIFTY01DEC2625000CE", "NIFTY01DEC2625000CE", 1),
        ("bank put", "BANKNIFTY24NOV2625000PE", 6),
        ("25000 call", "BANKNIFTY24NOV2625000CE", 6),
        ("nifty fut", "NIFTY29DEC26FUT", 1),
        ("sensex 82800pe 29 dec 26", "SENSEX29DEC2682800PE", 1),
        ("1dec 25100", "NIFTY01DEC2625100CE", 2),
        ("december fut", "BANKNIFTY29DEC26FUT", 3),
    ],
)
def test_every_word_has_to_fit(text: str, first: str, count: int) -> None:
    symbols = found(text)
    assert len(symbols) == count
    assert first in symbols
    assert symbols[0] == first or "25000 call" in text


@pytest.mark.parametrize("text", ["", "   ", "gold", "nifty 99999", "nifty nifty bank", "31 dec", "<script>", "٣"])
def test_what_fits_nothing_finds_nothing(text: str) -> None:
    assert found(text) == []


def test_the_nearest_expiry_is_first_and_there_the_nearest_to_the_money() -> None:
    symbols = found("nifty ce")
    assert symbols[:3] == ["NIFTY24NOV2625100CE", "NIFTY24NOV2625000CE", "NIFTY24NOV2624900CE"]
    assert symbols[3] == "NIFTY01DEC2625100CE"
    assert "NIFTY17NOV2625000CE" not in symbols, "it has expired"


def test_no_more_than_asked_for() -> None:
    assert len(found("ce", 4)) == 4
