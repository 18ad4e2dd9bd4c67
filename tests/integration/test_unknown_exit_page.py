"""An exit of unknown outcome on the page of its run: what is risked is said, and sending it again is asked for once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.contracts import Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import ActivityLog, CommandRow, Intent
from tests.run_maker import KEY, RunMaker, read, requested
from tests.trading_desk import CE, TradingBench, sent, trading_bench

ASKED = {"account_id": "1", "leg_id": "1", "confirm": "yes"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def hanging(desk: TradingBench, seconds: float, state: IntentState = IntentState.UNKNOWN) -> RunMaker:
    """A short whose exit was sent so long ago, and nobody knows what became of it."""
    run = requested(desk)
    execution = run.execution(run.accounts[0], 1, CE, Side.SELL)
    run.order(execution, IntentState.FILLED, filled=65, price="128")
    exit_id = run.order(execution, state, purpose=Purpose.EXIT)
    with desk.bench.database.transaction() as session:
        session.get_one(Intent, exit_id).sent_at = desk.bench.clock.now() - timedelta(seconds=seconds)
    run.state("EXITING")
    return run.done()


def overrides(desk: TradingBench) -> list[dict[str, object]]:
    with desk.bench.database.reading() as session:
        rows = session.scalars(select(CommandRow).where(CommandRow.kind == "OVERRIDE").order_by(CommandRow.id))
        return [row.payload for row in rows]


def test_an_exit_unknown_for_ten_seconds_may_be_sent_again_and_the_risk_is_said(desk: TradingBench) -> None:
    text = hanging(desk, 12).text()
    assert "Unknown exits" in text
    assert "1 lot (65)" in text
    assert "are bought twice" in text
    assert "I know that it may be closed twice" in text


def test_row_48_a_parked_exit_is_held_for_approval_and_may_be_sent_again_at_once(desk: TradingBench) -> None:
    text = hanging(desk, 1, IntentState.PARKED).text()
    assert "Held for approval" in text
    assert "Approve or reject it there, in the action centre" in text
    assert "are bought twice" in text


def test_an_exit_that_is_in_no_book_may_be_sent_again_after_ten_seconds(desk: TradingBench) -> None:
    text = hanging(desk, 12, IntentState.WORKING).text()
    assert "Not in a book" in text
    assert "are bought twice" in text


def test_before_ten_seconds_only_the_books_are_read(desk: TradingBench) -> None:
    assert "Unknown exits" not in hanging(desk, 8).text()


def test_one_that_was_set_aside_is_not_offered_again(desk: TradingBench) -> None:
    run = hanging(desk, 12)
    with desk.bench.database.transaction() as session:
        for intent in session.scalars(select(Intent).where(Intent.purpose == "EXIT")):
            intent.set_aside_at = desk.bench.clock.now()
    assert "Unknown exits" not in run.text()


def test_sending_again_is_stored_once_by_name(desk: TradingBench) -> None:
    run = hanging(desk, 12)
    browser, address = desk.admin(), f"/trading/runs/{run.run_id}/send-again"
    for _ in range(2):
        answer = sent(browser, address, {**ASKED, "idempotency_key": KEY})
        assert (answer.status_code, answer.location) == (303, f"/trading/runs/{run.run_id}")
    assert overrides(desk) == [{"account_id": 1, "leg": 1, "by": "asha"}]
    assert "Asked to send the exit again, in your name." in read(browser.get(answer.location).text)
    with desk.bench.database.reading() as session:
        said = session.scalars(select(ActivityLog.sentence).where(ActivityLog.action == "run.override")).all()
    assert len(said) == 1
    assert re.search(r"send the exit of \S+ in .+ again, whose outcome is unknown", said[0])


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"confirm": ""}, 422, "tick to confirm that it may be closed twice"),
        ({"account_id": "77"}, 404, "no such account or leg"),
        ({"leg_id": "x"}, 422, "leg_id must be a whole number"),
        ({"units": "65"}, 422, "no field units"),
    ],
)
def test_what_is_not_quite_asked_is_not_asked(desk: TradingBench, fields: dict[str, str], code: int, says: str) -> None:
    run = hanging(desk, 12)
    answer = sent(
        desk.admin(), f"/trading/runs/{run.run_id}/send-again", {**ASKED, "idempotency_key": KEY, **fields}
    )  # fmt: skip
    assert answer.status_code == code
    assert says in read(answer.text)
    assert overrides(desk) == []


def test_scripts_ask_it_too(desk: TradingBench) -> None:
    run = hanging(desk, 12)
    answer = sent(desk.admin(), f"/api/runs/{run.run_id}/send-again", {**ASKED, "idempotency_key": KEY})
    assert answer.status_code == 202
    assert answer.json is not None
    assert isinstance(answer.json["command_id"], int)
    assert len(overrides(desk)) == 1
