"""Finds contracts by the words somebody types: an index, a strike, a kind, a day of expiry, in any order."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from app.domain.contracts import Contract, Kind

MOST_FOUND = 12

_KINDS = {"CE": Kind.CE, "CALL": Kind.CE, "PE": Kind.PE, "PUT": Kind.PE, "FUT": Kind.FUT, "FUTURE": Kind.FUT}
_STRIKE = re.compile(r"[0-9]{3,6}(\.[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{1,2}")
_SPLIT = re.compile(r"(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[0-9])|[^A-Z0-9.]+")

_Test = Callable[[Contract], bool]


def search(
    contracts: Iterable[Contract], text: str, today: date, spots: Mapping[str, Decimal], most: int = MOST_FOUND
) -> list[Contract]:
    """Those that every word fits, the nearest expiry first, there the nearest to the money; at most so many.

    A symbol as brokers write it finds that contract alone. An index without a known spot is ordered by strike. None for
    a text without words, nor for what has expired.

    >>> search([], "nifty 25000 ce 1 dec", date(2026, 12, 1), {})
    []
    """
    wanted = text.strip().upper().replace(",", "")
    tests = [_test(word) for word in _SPLIT.split(wanted) if word]
    if not tests:
        return []
    listed = [each for each in contracts if each.expiry >= today]
    found = [each for each in listed if each.key.symbol == wanted] or [
        each for each in listed if all(test(each) for test in tests)
    ]
    return sorted(found, key=lambda each: _place(each, spots.get(each.underlying)))[:most]


def _test(word: str) -> _Test:
    """What a contract has to be for this word; letters are an index, a kind or a month, by the first of them."""
    if (kind := _KINDS.get(word)) is not None:
        return lambda each: each.kind is kind
    if _DAY.fullmatch(word):
        return lambda each: int(word) in {each.expiry.day, each.expiry.year % 100}
    if _STRIKE.fullmatch(word):
        strike = Decimal(word)
        return lambda each: each.strike == strike
    return lambda each: each.underlying.startswith(word) or f"{each.expiry:%B}".upper().startswith(word)


def _place(contract: Contract, spot: Decimal | None) -> tuple[date, Decimal, str, str]:
    strike = contract.strike or Decimal(0)
    return contract.expiry, strike if spot is None else abs(strike - spot), contract.underlying, contract.kind.value
