"""Open interest by day, of recorded and of odd answers."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.adapters.openalgo.parse_interest import day_interest
from app.ports.gateway import NotOpenAlgo

RECORDED = Path(__file__).parents[2] / "contract" / "recorded" / "rest"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def bar(stamp: object, oi: object, volume: object = 100) -> dict[str, object]:
    return {"timestamp": stamp, "open": 1, "high": 1, "low": 1, "close": 1, "volume": volume, "oi": oi}


def midnight(day: date, *, india: bool = False) -> int:
    at = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return at - 19_800 if india else at


def test_a_recorded_answer_is_read_day_by_day() -> None:
    body = json.loads((RECORDED / "history.daily.json").read_text(encoding="utf-8"))["response"]
    found = day_interest(body)
    assert len(body["data"]) >= len(found)
    assert all(isinstance(units, int) and units >= 0 for units in found.values())


@pytest.mark.parametrize("india", [False, True])
def test_midnight_of_india_and_of_utc_are_the_same_day(india: bool) -> None:
    body = {"data": [bar(midnight(MONDAY, india=india), 650), bar(midnight(TUESDAY, india=india), "1300")]}
    assert day_interest(body) == {MONDAY: 650, TUESDAY: 1300}


@pytest.mark.parametrize(
    ("oi", "volume"), [(None, 10), (-65, 10), (0, 10), (0, None), ("many", 10), (float("nan"), 10)]
)
def test_what_cannot_be_is_nothing_said(oi: object, volume: object) -> None:
    assert day_interest({"data": [bar(midnight(MONDAY), oi, volume)]}) == {}


def test_nothing_traded_and_nothing_open_is_zero() -> None:
    assert day_interest({"data": [bar(midnight(MONDAY), 0, 0)]}) == {MONDAY: 0}


def test_two_answers_for_a_day_are_none() -> None:
    assert day_interest({"data": [bar(midnight(MONDAY), 650), bar(midnight(MONDAY), 1300)]}) == {}


@pytest.mark.parametrize(
    "body", [{}, {"data": "none"}, {"data": [bar(None, 1)]}, {"data": [bar(1_700_000_000_000, 1)]}]
)
def test_an_answer_of_another_shape_is_an_error(body: dict[str, object]) -> None:
    with pytest.raises(NotOpenAlgo):
        day_interest(body)
