"""Sample charts: candles made by hand, put as the page puts them."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.candles import Candle, Ohlc, Standing
from app.domain.contracts import ContractKey
from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from app.trading.chart_page import ChartAsked, ChartView, of_candles

OPENS = datetime(2026, 11, 27, 3, 45, tzinfo=UTC)
CALL, PUT = (ContractKey("NFO", f"NIFTY01DEC2626200{kind}") for kind in ("CE", "PE"))
NAMES = ["NIFTY 01 DEC 26 26,200 CE", "NIFTY 01 DEC 26 26,200 PE"]
INDICES = [("NIFTY", "NSE_INDEX:NIFTY"), ("BANKNIFTY", "NSE_INDEX:BANKNIFTY"), ("SENSEX", "BSE_INDEX:SENSEX")]


def _level(place: float) -> float:
    return 248 + 22 * math.sin(place / 9) + 7 * math.sin(place / 2.3) - place / 6


def _candle(place: int, *, unseen: bool = False, growing: bool = False) -> Candle:
    opens = OPENS + timedelta(minutes=5 * place)
    levels = [_level(place + part / 4) for part in range(5)]
    prices = Ohlc(levels[0], max(levels) + 1.5, min(levels) - 1.2, levels[-1])
    standing = Standing.GROWING if growing else Standing.GAPPED if unseen else Standing.FINAL
    gap = timedelta(seconds=90) if unseen else timedelta()
    return Candle(opens, opens + timedelta(minutes=5), None if unseen and place == 41 else prices, 100, gap, standing)


def _view(subject: Subject, count: int, **changes: Any) -> CandleView:
    candles = [_candle(place, unseen=place in {40, 41}) for place in range(count - 1)]
    told: dict[str, Any] = {"trouble": "", "note": "", **changes}
    return CandleView(subject, 5, None, (*candles, _candle(count - 1, growing=True)), (), **told)


def chart(view: CandleView, names: list[str]) -> ChartView:
    return of_candles(view, ChartAsked(view.subject, 5, 10, 3.0), names)


ONE = chart(_view(Subject.of(CALL), 75), NAMES[:1])
BOTH = chart(_view(Subject(((CALL, 1.0), (PUT, 1.0))), 75), NAMES)
CHART = {"chart": ONE, "indices": INDICES}
PREMIUM = {"chart": BOTH, "indices": INDICES}
TROUBLE = {
    "chart": chart(
        _view(
            Subject.of(CALL), 8, trouble="The engine, in another process, told this 22 s ago and nothing since.",
            note="Nothing has been read from history yet.",
        ),
        NAMES[:1],
    ),
    "indices": INDICES,
}  # fmt: skip
EMPTY: dict[str, Any] = {"chart": None, "indices": INDICES}
