"""A database that may be older: said on every page, acknowledged once by an admin, there or by command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.persistence.tables import ActivityLog, Setback
from tests.run_maker import read
from tests.trading_desk import TradingBench, trading_bench

PAGE = "/trading/reconciliation"
ASK = f"{PAGE}/acknowledge"
SAID = "The database may be older than what the brokers have: entries are held, exits go on."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        made.accounts(1)
        with made.bench.database.transaction() as session:
            session.add(Setback(epoch=2, found_at=made.bench.clock.now(), sentence="The last order is not in it"))
        yield made


def row(desk: TradingBench) -> Setback:
    with desk.bench.database.reading() as session:
        return session.scalars(select(Setback)).one()


def test_every_page_says_so_and_leads_to_what_to_do(desk: TradingBench) -> None:
    admin = desk.admin()
    for path in ("/", "/accounts/", "/strategies/", "/trading/runs", "/trading/orders", "/trading/kill", "/activity"):
        page = admin.get(path).text
        assert SAID in read(page), path
        assert f'href="{PAGE}"' in page, path
    text = read(admin.get(PAGE).text)
    assert "The last order is not in it." in text
    assert "Cancel working orders that nobody knows" in text


def test_an_admin_acknowledges_it_once_and_the_engine_is_waited_for(desk: TradingBench) -> None:
    admin = desk.admin()
    for _ in range(2):
        assert admin.post(ASK, {"setback_id": "1"}, page=PAGE).status_code == 303
    assert row(desk).actor == "asha"
    with desk.bench.database.reading() as session:
        (said,) = session.scalars(select(ActivityLog.sentence).where(ActivityLog.action == "setback.acknowledge"))
    assert "The last order is not in it" in said
    text = read(admin.get(PAGE).text)
    assert "acknowledged by asha; the engine is about to take entries again" in text
    assert "Cancel working orders" not in text


def test_another_than_the_one_shown_is_not_acknowledged(desk: TradingBench) -> None:
    admin = desk.admin()
    admin.post(ASK, {"setback_id": "2"}, page=PAGE)
    assert "This does not stand any more" in admin.get(PAGE).text
    assert row(desk).acknowledged_at is None
    assert admin.post(ASK, {"setback_id": "x"}, page=PAGE).status_code == 422


def test_from_the_command_line(desk: TradingBench) -> None:
    cli = desk.bench.app.test_cli_runner()
    desk.admin()
    assert "The last order is not in it" in cli.invoke(args=["desk", "setback"]).output
    assert row(desk).acknowledged_at is None
    asked = cli.invoke(args=["desk", "setback", "--acknowledge"], input="n\n")
    assert asked.exit_code == 1
    assert row(desk).acknowledged_at is None
    assert "Acknowledged" in cli.invoke(args=["desk", "setback", "--acknowledge", "--yes"]).output
    assert row(desk).actor == "command line"
    with desk.bench.database.transaction() as session:
        session.delete(session.get_one(Setback, 1))
    assert "Nothing is missing" in cli.invoke(args=["desk", "setback"]).output
