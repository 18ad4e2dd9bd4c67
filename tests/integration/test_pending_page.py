"""Entries that rest at a typed price on the page of their run: what is shown, and what may be asked of the engine."""

import html
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from app.persistence.tables import CommandRow, FillRow, Intent
from tests.run_maker import KEY, RunMaker, opened, read
from tests.trading_desk import TradingBench, sent, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def resting(desk: TradingBench) -> RunMaker:
    """A straddle of which one leg rests at a typed price in the first account."""
    run = opened(desk)
    with desk.bench.database.transaction() as session:
        intent = session.scalars(select(Intent).order_by(Intent.id)).first()
        assert intent is not None
        intent.state, intent.price_type, intent.limit_price = "WORKING", "SL", Decimal("127.05")
        intent.trigger_price = Decimal("128.10")
        session.execute(delete(FillRow).where(FillRow.intent_id == intent.id))
    run.state("ENTERING")
    return run.done()


def pending_commands(desk: TradingBench) -> list[dict[str, object]]:
    with desk.bench.database.reading() as session:
        rows = session.scalars(select(CommandRow).where(CommandRow.kind == "PENDING").order_by(CommandRow.id))
        return [row.payload for row in rows]


def test_a_pending_entry_shows_what_it_waits_for_and_what_may_be_asked(desk: TradingBench) -> None:
    run = resting(desk)
    page = run.page()
    text = read(page)
    assert "pending" in text
    assert "SL 127.05 from 128.10" in text
    assert "1 lot (65)" in text
    for name, value in (("limit_price", "127.05"), ("trigger_price", "128.10")):
        assert re.search(rf'name="{name}" value="{value}"', page)
    assert [f'value="{one}"' in page for one in ("price", "market", "cancel")] == [True] * 3


def test_a_wish_about_a_pending_entry_is_stored_once_for_the_engine(desk: TradingBench) -> None:
    run = resting(desk)
    browser, address = desk.admin(), f"/trading/runs/{run.run_id}/pending"
    asked = {"account_id": "1", "leg_id": "1", "change": "price", "limit_price": "126.50", "trigger_price": ""}
    for _ in range(2):
        answer = sent(browser, address, {**asked, "idempotency_key": KEY})
        assert (answer.status_code, answer.location) == (303, f"/trading/runs/{run.run_id}")
    assert pending_commands(desk) == [
        {"account_id": 1, "leg": 1, "change": "MODIFY", "limit": "126.50", "trigger": None, "by": "asha"}
    ]
    assert "Asked to change its price." in browser.get(answer.location).text
    other = sent(browser, address, {**asked, "change": "market", "idempotency_key": KEY})
    assert other.status_code == 303
    assert "This key was used for something else" in browser.get(other.location).text
    assert len(pending_commands(desk)) == 1


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"change": "buy"}, 422, "change must be price, market or cancel"),
        ({"change": "price", "limit_price": ""}, 422, "Type the price"),
        ({"change": "price", "limit_price": "-1"}, 422, "limit_price: “-1” cannot be used"),
        ({"change": "price", "trigger_price": "NaN"}, 422, "trigger_price: “NaN” cannot be used"),
        ({"account_id": "77"}, 404, "no such account or leg"),
        ({"leg_id": ""}, 422, "The leg is not named"),
        ({"units": "65"}, 422, "no field units"),
    ],
)
def test_a_wrong_wish_is_named_and_asks_for_nothing(
    desk: TradingBench, fields: dict[str, str], code: int, says: str
) -> None:
    run = resting(desk)
    good = {"account_id": "1", "leg_id": "1", "change": "cancel", "idempotency_key": KEY}
    answer = sent(desk.admin(), f"/trading/runs/{run.run_id}/pending", {**good, **fields})
    assert answer.status_code == code
    assert says in html.unescape(answer.text)
    assert pending_commands(desk) == []


def test_what_was_asked_is_said_and_not_offered_again(desk: TradingBench) -> None:
    run = resting(desk)
    with desk.bench.database.transaction() as session:
        session.scalars(select(Intent).order_by(Intent.id)).first().wish = "MARKET"  # type: ignore[union-attr]
    page = run.done().page()
    assert "cancelled first, then at market" in read(page)
    assert 'id="pending-1-1"' not in page
