"""What candles are asked of, by an address: legs such as `NFO:NIFTY01DEC2625000CE:-1`, and minutes."""

import re
from collections.abc import Callable, Sequence

from app.domain.contracts import UNDERLYINGS, Contract, ContractKey
from app.domain.errors import InvalidInput, NotFound
from app.services.candle_series import Subject

_LEG = re.compile(r"([A-Z]{2,6}(?:_INDEX)?):([A-Z0-9&.-]{1,40})(?::([+-]?[0-9]{1,4}(?:\.[0-9]{1,2})?))?")
_SPOTS = frozenset(underlying.spot for underlying in UNDERLYINGS)


def subject_in(legs: Sequence[str], listed: Callable[[ContractKey], Contract | None]) -> Subject:
    """Of texts such as `NFO:NIFTY01DEC2625000CE` or `NFO:NIFTY01DEC2625000CE:-1`. Raises InvalidInput, NotFound."""
    return Subject(tuple(_leg(text, listed) for text in legs))


def minutes_in(text: str) -> int:
    """Raises InvalidInput."""
    if not re.fullmatch("[0-9]{1,3}", text):
        raise InvalidInput("minutes", "minutes must be a whole number.")
    return int(text)


def leg_texts(subject: Subject) -> list[str]:
    """The legs as an address names them."""
    return [f"{key.exchange}:{key.symbol}:{ratio:+.10g}" for key, ratio in subject.legs]


def _leg(text: str, listed: Callable[[ContractKey], Contract | None]) -> tuple[ContractKey, float]:
    found = _LEG.fullmatch(text)
    if found is None:
        raise InvalidInput("leg", "leg must be EXCHANGE:SYMBOL or EXCHANGE:SYMBOL:RATIO, such as NSE_INDEX:NIFTY.")
    key = ContractKey(found[1], found[2])
    if key not in _SPOTS and listed(key) is None:
        raise NotFound(f"{key.symbol} is neither an index this desk follows nor in today's contract list.")
    return key, float(found[3] or 1)
