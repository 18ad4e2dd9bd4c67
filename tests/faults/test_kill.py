"""kill -9 of the process that leads, at random moments: the next one finishes the job, and nothing is sent twice."""

import os
import random
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from app.domain.orders import FINAL, IntentState
from app.persistence.tables import Intent
from config import testing_settings
from tests.desk_process import DeskProcess, desk_process
from tests.live_desk import STRADDLE, LiveDesk, furnish
from tests.simulator_process import SimulatorProcess

SETTLED_WITHIN_S = 150.0
"""Killed between its claim and its call, a leader leaves an order that is known to be absent after a quiet window."""
KEY = "test:PYRhkkjvxuXPVGc0nDfGkYmMSXxUCjdFvWKJzNMHl7o="


@pytest.fixture
def process(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with desk_process(simulator, tmp_path, port, "gunicorn", encryption_keys=KEY, entry="tests.quick_wsgi") as started:
        yield started


@pytest.fixture
def desk(simulator: SimulatorProcess, process: DeskProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    """A web process beside the engine's: it asks, through the same database, and never leads."""
    settings = testing_settings().with_(
        database_url=f"sqlite:///{tmp_path / 'desk.sqlite3'}",
        simulator_url=simulator.control,
        encryption_keys=KEY,
        lock_path=str(tmp_path / "engine.lock"),
    )
    beside = LiveDesk(create_app(settings), simulator)
    furnish(beside)
    beside.runtime.market.contracts.step()
    beside.runtime.market.hours.step()
    yield beside
    beside.runtime.stop()


def _workers(master: int) -> list[int]:
    children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii")
    return [int(pid) for pid in children.split()]


def _kill_the_leader(process: DeskProcess) -> None:
    for pid in _workers(process.program.pid):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.proof)])
def test_row_01_the_next_leader_finishes_what_the_killed_one_began(
    desk: LiveDesk, process: DeskProcess, rounds: int
) -> None:
    dice = random.Random(20261123)
    strategy = desk.strategy(STRADDLE)
    for _ in range(rounds):
        run_id = desk.send(desk.preview(strategy))
        _after(dice)
        _kill_the_leader(process)
        # Killed between claims and calls it sent nothing: then the legs have failed, and the run is over by itself.
        if desk.until(run_id, "OPEN", "CLOSED", within_s=SETTLED_WITHIN_S).state == "OPEN":
            desk.exit(run_id)
            _after(dice)
            _kill_the_leader(process)
            desk.until(run_id, "CLOSED", within_s=SETTLED_WITHIN_S)
        _is_over(desk, run_id)
    run_id = desk.send(desk.preview(strategy))
    desk.until(run_id, "OPEN", within_s=SETTLED_WITHIN_S)
    desk.exit(run_id)
    desk.until(run_id, "CLOSED", within_s=SETTLED_WITHIN_S)
    _is_over(desk, run_id)
    assert len(desk.orders_at_broker(1)) >= 4, "whoever leads in the end trades: two legs in, two out"


def _is_over(desk: LiveDesk, run_id: int) -> None:
    assert [desk.net_at_broker(number) for number in range(1, 6)] == [{}] * 5, desk.story(run_id)
    _every_order_is_of_one_intent(desk, run_id)


def _every_order_is_of_one_intent(desk: LiveDesk, run_id: int) -> None:
    for number, account_id in enumerate(desk.account_ids, start=1):
        claimed = [intent.order_id for intent in desk.rows(Intent, Intent.account_id == account_id) if intent.order_id]
        accepted = [order["orderid"] for order in desk.orders_at_broker(number)]
        assert sorted(accepted) == sorted(claimed), desk.story(run_id)
    intents = desk.intents(run_id)
    assert {intent.state for intent in intents} <= FINAL, desk.story(run_id)
    filled = Counter((i.execution_id, i.purpose) for i in intents if i.state == IntentState.FILLED)
    assert set(filled.values()) <= {1}, "each leg went in once and out once"
    assert len(filled) == 2 * len({execution for execution, _ in filled}), "what went in came out"


def _after(dice: random.Random) -> None:
    """A random moment of the first half second: before, between and after the orders of a wave."""
    moment = dice.uniform(0.0, 0.5)
    threading.Event().wait(moment)
