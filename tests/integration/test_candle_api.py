"""`/api/candles`: for whoever is signed in; what is asked wrongly is refused, and what is missing is said."""

from pathlib import Path

import pytest

from tests.whole_app import OWNER, Whole, whole_app


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    return whole_app(tmp_path)


def test_a_desk_that_makes_no_candles_says_so_and_gives_none(whole: Whole) -> None:
    answer = whole.signed_in(OWNER).get("/api/candles?leg=NSE_INDEX:NIFTY&minutes=15")
    assert answer.status_code == 200
    found = answer.json
    assert isinstance(found, dict)
    assert (found["minutes"], found["candles"], found["session"]) == (15, [], None)
    assert "where the engine runs" in found["trouble"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422), ("?leg=NIFTY", 422), ("?leg=NSE_INDEX:NIFTY&minutes=2", 422),
        ("?leg=NSE_INDEX:NIFTY&minutes=x", 422),
        ("?leg=NFO:NOPE", 404), ("?leg=NSE_INDEX:NIFTY&leg=NSE_INDEX:NIFTY", 422),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused(whole: Whole, query: str, status: int) -> None:
    assert whole.signed_in(OWNER).get(f"/api/candles{query}").status_code == status
