"""A database that is older than its brokers is recognised, sends no entry and no exit twice, until somebody says so."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError

from app.domain.contracts import Kind, Side
from app.domain.gate import Code
from app.domain.orders import IntentState
from app.persistence.tables import CommandRow, Order, Run, Setback
from app.services.setbacks import SetbackLine
from app.web.desk import EXTENSION, Desk
from tests.live_desk import LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess

ONE_BUY = (leg(1, Kind.CE, Side.BUY),)
ANOTHER = (leg(1, Kind.PE, Side.BUY),)
ACCOUNT = 1
"""And its number in the simulator."""

KEY = "clicked-twice"


def pages(desk: LiveDesk) -> Desk:
    return cast("Desk", desk.app.extensions[EXTENSION])


def standing(desk: LiveDesk) -> SetbackLine | None:
    return pages(desk).setbacks.standing()


def lock_of(desk: LiveDesk) -> str | None:
    found = desk.runtime.market.locks.of(ACCOUNT)
    return None if found is None else found.code


def copied(folder: Path) -> Path:
    """A backup of the database as it is, taken while the desk runs."""
    copy = folder / "backup.sqlite3"
    with closing(sqlite3.connect(folder / "desk.sqlite3")) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)
    return copy


def put_back(folder: Path) -> None:
    """What somebody does with a backup, the desk being stopped."""
    for part in ("", "-wal", "-shm"):
        (folder / f"desk.sqlite3{part}").unlink(missing_ok=True)
    shutil.copyfile(folder / "backup.sqlite3", folder / "desk.sqlite3")


@contextmanager
def restarted(simulator: SimulatorProcess, folder: Path) -> Iterator[LiveDesk]:
    """The desk on the older database: that is recognised, and its books are read."""
    put_back(folder)
    with live_desk(simulator, folder) as desk:
        found = standing(desk)
        assert found is not None
        assert "is not in it" in found.sentence
        assert lock_of(desk) == Code.DATABASE_BEHIND
        assert len(desk.activity("setback.found")) == 1
        yield desk


def is_refused(desk: LiveDesk, run_id: int) -> None:
    desk.until(run_id, "REFUSED")
    assert "may be older than what the brokers have" in (desk.stored(run_id).reason or "")


def acknowledge(desk: LiveDesk) -> None:
    found = standing(desk)
    assert found is not None
    pages(desk).setbacks.acknowledge(found.id, actor=desk.trader)
    eventually(lambda: lock_of(desk) is None, "entries are taken again")


def test_row_36_an_older_database_is_recognised_and_what_it_lost_is_foreign(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with live_desk(simulator, tmp_path) as desk:
        kept = desk.run(ONE_BUY, accounts=[ACCOUNT])
        desk.until(kept, "OPEN")
        preview = desk.preview(desk.strategy(ANOTHER, name="Another", accounts=[ACCOUNT]))
        copied(tmp_path)
        lost = desk.send(preview, KEY)
        desk.until(lost, "OPEN")
        desk.exit(kept)
        desk.until(kept, "CLOSED")
        before = {order["orderid"] for order in desk.orders_at_broker(ACCOUNT)}
        held = desk.net_at_broker(ACCOUNT)
    assert list(held.values()) == [65], "the lost run alone"

    with restarted(simulator, tmp_path) as desk:
        again = desk.send(preview, KEY)  # a second click on a page that is still open: its key is not known any more
        is_refused(desk, again)
        assert len(desk.rows(CommandRow, CommandRow.key == KEY)) == 1

        _is_shown_as_foreign(desk, before, held)
        desk.exit(kept)
        said = eventually(lambda: desk.events(kept, "attention"), "the exit that was lost has filled: nothing is left")
        assert "The broker shows no" in said[0].sentence
        assert {order["orderid"] for order in desk.orders_at_broker(ACCOUNT)} == before
        assert desk.net_at_broker(ACCOUNT) == held

    with live_desk(simulator, tmp_path) as desk:
        assert standing(desk) is not None, "a restart does not acknowledge it"
        assert lock_of(desk) == Code.DATABASE_BEHIND
        assert len(desk.rows(Setback)) == 1, "nor is it found anew"
        is_refused(desk, desk.run(ANOTHER, name="While it is held", accounts=[ACCOUNT]))
        acknowledge(desk)
        assert standing(desk) is None
        assert len(desk.activity("setback.acknowledge")) == 1
        desk.until(desk.run(ANOTHER, name="Afterwards", accounts=[ACCOUNT]), "OPEN")

    with live_desk(simulator, tmp_path) as desk:
        assert lock_of(desk) is None


def _is_shown_as_foreign(desk: LiveDesk, orders: set[str], held: dict[str, int]) -> None:
    foreign = {row.order_id for row in desk.rows(Order, Order.account_id == ACCOUNT) if row.intent_id is None}
    known = {intent.order_id for row in desk.rows(Run) for intent in desk.intents(row.id) if intent.order_id}
    assert foreign == orders - known
    assert len(foreign) == 2, "the exit and the entry that were lost"
    shown = pages(desk).book_pages.orders(desk.trader).rows
    assert sum(1 for row in shown if row.foreign) == len(foreign)
    rows = [row for row in pages(desk).reconciliation.lines(desk.trader).rows if row.foreign]
    assert {row.symbol: row.foreign for row in rows} == held


def test_row_36_an_exit_that_still_works_at_the_broker_is_not_sent_a_second_time(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with live_desk(simulator, tmp_path) as desk:
        run_id = desk.run(ONE_BUY, accounts=[ACCOUNT])
        desk.until(run_id, "OPEN")
        copied(tmp_path)
        simulator.fault("no_fill", account=ACCOUNT, parameters={"action": "SELL"})
        desk.exit(run_id)
        eventually(
            lambda: IntentState.WORKING in {i.state for i in desk.intents(run_id) if i.purpose == "EXIT"},
            "the exit rests",
        )
    working = [order["orderid"] for order in desk.orders_at_broker(ACCOUNT) if order["order_status"] == "open"]
    count = len(desk.orders_at_broker(ACCOUNT))
    assert len(working) == 1

    with restarted(simulator, tmp_path) as desk:
        desk.exit(run_id)
        said = eventually(lambda: desk.events(run_id, "attention"), "it is said why the exit waits")
        assert "65 units" in said[0].sentence
        assert "cancel it at the broker" in said[0].sentence
        acknowledge(desk)
        assert [i for i in desk.intents(run_id) if i.purpose == "EXIT"] == [], "to acknowledge does not end the order"
        assert len(desk.orders_at_broker(ACCOUNT)) == count
    with live_desk(simulator, tmp_path) as desk:
        assert lock_of(desk) is None
        assert len(desk.orders_at_broker(ACCOUNT)) == count, "on that day it is counted, restart or not"
        simulator.clear_faults()
        _cancel_by_hand(desk, working[0])
        desk.until(run_id, "CLOSED")
        assert desk.net_at_broker(ACCOUNT) == {}
        assert len(desk.filled_at_broker(ACCOUNT)) == 2, "one in, one out"


def _cancel_by_hand(desk: LiveDesk, order_id: str) -> None:
    status, answer = desk.simulator.api(ACCOUNT, "cancelorder", {"orderid": order_id, "strategy": "by hand"})
    assert status == 200, answer


def test_row_36_a_lost_exit_that_fills_later_leaves_nothing_to_send(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with live_desk(simulator, tmp_path) as desk:
        run_id = desk.run(ONE_BUY, accounts=[ACCOUNT], structures=2)
        desk.until(run_id, "OPEN")
        copied(tmp_path)
        simulator.fault("partial_fills", account=ACCOUNT, parameters={"action": "SELL", "fraction": 0.5})
        desk.exit(run_id)
        eventually(lambda: list(desk.net_at_broker(ACCOUNT).values()) == [65], "half of the exit has filled")
    with restarted(simulator, tmp_path) as desk:
        desk.exit(run_id)
        eventually(lambda: desk.events(run_id, "attention"), "the other half is still on its way")
        simulator.clear_faults()
        eventually(lambda: not desk.net_at_broker(ACCOUNT), "the order that nobody knew of fills")
        eventually(
            lambda: any("shows no" in event.sentence for event in desk.events(run_id, "attention")),
            "the books say that nothing is left",
        )
        assert [i for i in desk.intents(run_id) if i.purpose == "EXIT"] == []
        assert len(desk.filled_at_broker(ACCOUNT)) == 2


def test_row_36_a_database_brought_from_elsewhere_is_not_taken_for_the_newest(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    for _ in range(2):
        with live_desk(simulator, here) as desk:
            assert standing(desk) is None, "a new desk, and after a restart in good order"
    shutil.copyfile(copied(here), there / "desk.sqlite3")
    with live_desk(simulator, there) as desk:
        assert lock_of(desk) == Code.DATABASE_BEHIND


def test_row_36_an_older_file_put_in_the_place_of_one_in_use_ends_its_leader(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    """Its open connections stay with the file of before; the first new one would see the older."""
    with live_desk(simulator, tmp_path) as desk:
        ended: list[str] = []
        desk.runtime.trade.setbacks._on_other = lambda: ended.append("it")
        copied(tmp_path)
        desk.until(desk.run(ONE_BUY, accounts=[ACCOUNT]), "OPEN")
        put_back(tmp_path)
        with contextlib.ExitStack() as kept, pytest.raises(OperationalError, match="another database than before"):
            _connect_anew(desk, kept)
        assert ended[:1] == ["it"]


def _connect_anew(desk: LiveDesk, kept: contextlib.ExitStack) -> None:
    """Take connections until none that is open already is left."""
    while True:
        kept.enter_context(desk.runtime.ground.database.engine.connect())
