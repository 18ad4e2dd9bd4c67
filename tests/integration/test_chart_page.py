"""The chart page: what an address asks of it, what it says of candles that are missing, and how the rows are put."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.candles import Candle, Ohlc, Standing
from app.domain.contracts import ContractKey
from app.domain.supertrend import Supertrend
from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from app.trading.chart_page import ChartAsked, of_candles
from tests.run_maker import read
from tests.unit.services.candle_market import OPENS
from tests.whole_app import OWNER, Whole, whole_app

CALL = ContractKey("NFO", "NIFTY01DEC2626200CE")


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    return whole_app(tmp_path)


def candle(place: int, close: float | None, *, unseen_s: int = 0, standing: Standing = Standing.FINAL) -> Candle:
    opens = OPENS + timedelta(minutes=5 * place)
    prices = None if close is None else Ohlc(close - 1, close + 2, close - 2, close)
    return Candle(opens, opens + timedelta(minutes=5), prices, None, timedelta(seconds=unseen_s), standing)


def view(*candles: Candle, trouble: str = "") -> CandleView:
    return CandleView(Subject(((CALL, -2.0),)), 5, None, candles, (), trouble, "")


def asked(period: int = 2) -> ChartAsked:
    return ChartAsked(view().subject, 5, period, 1.0)


def test_the_line_is_of_complete_candles_alone_and_what_is_missing_stays_missing() -> None:
    closes = [100.0, 104.0, None, 108.0, 90.0]
    made = [candle(place, close) for place, close in enumerate(closes)]
    growing = candle(5, 300.0, standing=Standing.GROWING)
    found = of_candles(view(*made, growing), asked(), ["NIFTY 01 DEC 26 26,200 CE"])
    rows = json.loads(found.data)
    trend = Supertrend(2, 1.0)
    for close, row in zip(closes, rows, strict=False):
        if close is None:
            assert row[1:7] == [None, None, None, None, None, 0], "no price is carried over"
        elif trend.add(close + 2, close - 2, close):
            assert (row[5], row[6]) == (round(trend.line, 2), trend.direction)
        else:
            assert (row[5], row[6]) == (None, 0), "too few candles for a line"
    assert (rows[-1][5], rows[-1][8]) == (None, 1), "the growing candle is told as such and has no line"
    assert (found.last, found.growing) == (90, 300)
    assert found.trend == "down"
    assert found.wanting == 2, "three periods of two, four candles seen"


def test_a_candle_that_was_not_wholly_seen_is_marked() -> None:
    found = of_candles(view(candle(0, 100.0), candle(1, 101.0, unseen_s=30)), asked(), ["x"])
    assert found.gaps == 1
    assert [row[7] for row in json.loads(found.data)] == [0, 1]


def test_without_candles_nothing_is_drawn_and_the_reason_stands_there(whole: Whole) -> None:
    page = whole.signed_in(OWNER).get("/trading/chart?leg=NSE_INDEX:NIFTY&minutes=15").text
    assert 'data-candles=""' in page
    assert "where the engine runs" in read(page)
    assert "unknown" in read(page)
    assert "15 minutes a candle" in read(page)


def test_a_chart_of_nothing_offers_the_indices(whole: Whole) -> None:
    page = whole.signed_in(OWNER).get("/trading/chart").text
    assert "leg=BSE_INDEX:SENSEX" in page
    assert "Choose an index" in page


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("leg=NIFTY", 422, "leg"), ("leg=NFO:NOPE", 404, "NOPE"),
        ("leg=NSE_INDEX:NIFTY&leg=NSE_INDEX:NIFTY", 422, "leg"),
        ("leg=NSE_INDEX:NIFTY&leg=BSE_INDEX:SENSEX", 422, "exchange"),
        ("leg=NSE_INDEX:NIFTY&minutes=2", 422, "minutes"), ("leg=NSE_INDEX:NIFTY&minutes=5&minutes=1", 422, "minutes"),
        ("leg=NSE_INDEX:NIFTY&period=1", 422, "period"), ("leg=NSE_INDEX:NIFTY&period=x", 422, "period"),
        ("leg=NSE_INDEX:NIFTY&multiplier=0", 422, "multiplier"), ("leg=NSE_INDEX:NIFTY&multiplier=inf", 422, "mult"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused_and_named(whole: Whole, query: str, status: int, named: str) -> None:
    for path in ("/trading/chart", "/trading/chart/live"):
        answer = whole.signed_in(OWNER).get(f"{path}?{query}")
        assert answer.status_code == status
        assert named in answer.text
