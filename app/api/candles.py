"""Candles under `/api/candles`: how an answer is put."""

from collections.abc import Mapping
from typing import Any

from app.domain.candles import NOTHING, Candle
from app.services.candle_store import CandleView


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
