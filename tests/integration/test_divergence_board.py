"""The divergence board of a run: entries against the median of all accounts, the dearest first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState, Purpose
from tests.run_maker import requested
from tests.trading_desk import CE, TradingBench, trading_bench

BOARD = "/divergence"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_before_anything_is_sent_nothing_is_apart(desk: TradingBench) -> None:
    text = requested(desk).text(part=BOARD)
    assert text.count("nothing filled") == 4, "two legs in two accounts"
    assert "worse" not in text


def test_who_got_less_is_worse_and_what_is_missing_is_short(desk: TradingBench) -> None:
    run = requested(desk)
    for account, price, filled in ((run.accounts[0], "100", 130), (run.accounts[1], "104", 65)):
        place = run.execution(account, 1, CE, Side.SELL, lots=2)
        run.order(place, IntentState.FILLED, filled=filled, price=price)
    run.done()
    text = run.text(part=BOARD)
    assert "102.00" in text, "the median"
    assert "2.00 worse" in text
    assert "2.00 better" in text
    assert "−260" in text, "2 rupees x 130"
    assert "+130" in text
    assert "65 units short" in text
    assert "1 short of plan" in text
    assert "390" in text, "between the two"
    assert "Divergence" in run.text(), "the run leads there"


def test_what_left_again_is_no_entry(desk: TradingBench) -> None:
    run = requested(desk)
    place = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(place, IntentState.FILLED, filled=65, price="100")
    run.order(place, IntentState.FILLED, filled=65, price="40", purpose=Purpose.EXIT)
    run.done()
    assert "at the median" in run.text(part=BOARD)


def test_of_a_stranger_there_is_none(desk: TradingBench) -> None:
    run = requested(desk)
    assert desk.bench.trader().get(f"/trading/runs/{run.run_id}/divergence").status_code == 404
    assert desk.admin().get("/trading/runs/987/divergence").status_code == 404
