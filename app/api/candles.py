"""Candles under `/api/candles`: what is asked for, and how an answer is put."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.domain.candles import NOTHING, Candle
from app.domain.contracts import UNDERLYINGS, Contract, ContractKey
from app.domain.errors import InvalidInput, NotFound
from app.services.candle_series import Subject
from app.services.candle_store import CandleView

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


def as_json(view: CandleView) -> dict[str, Any]:
    """Times are ISO 8601 in UTC; what nobody knows is null, never 0."""
    session = view.session
    return {
        "legs": [{"exchange": key.exchange, "symbol": key.symbol, "ratio": ratio} for key, ratio in view.subject.legs],
        "minutes": view.size,
        "session": None if session is None else _span(session.opens, session.closes),
        "candles": [_candle(candle) for candle in view.candles],
        "gaps": [_span(*gap) for gap in view.gaps],
        "trouble": view.trouble or None,
        "note": view.note or None,
    }


def _leg(text: str, listed: Callable[[ContractKey], Contract | None]) -> tuple[ContractKey, float]:
    found = _LEG.fullmatch(text)
    if found is None:
        raise InvalidInput("leg", "leg must be EXCHANGE:SYMBOL or EXCHANGE:SYMBOL:RATIO, such as NSE_INDEX:NIFTY.")
    key = ContractKey(found[1], found[2])
    if key not in _SPOTS and listed(key) is None:
        raise NotFound(f"{key.symbol} is neither an index this desk follows nor in today's contract list.")
    return key, float(found[3] or 1)


def _candle(candle: Candle) -> Mapping[str, Any]:
    prices = candle.prices
    return {
        **_span(candle.opens, candle.closes),
        "open": None if prices is None else prices.open,
        "high": None if prices is None else prices.high,
        "low": None if prices is None else prices.low,
        "close": None if prices is None else prices.close,
        "volume": candle.volume,
        "complete": candle.is_complete,
        "standing": candle.standing.value,
        "gap": candle.unseen > NOTHING,
        "unseen_s": round(candle.unseen.total_seconds(), 1),
        "origin": candle.origin.value,
        "closes_only": candle.closes_only,
    }


def _span(opens: Any, closes: Any) -> dict[str, str]:
    return {"from": opens.isoformat(), "to": closes.isoformat()}
