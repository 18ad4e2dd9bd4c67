"""A loop that hangs: named with its stack, said by the threads' health, and the process that leads ends for another."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import watchdog
from app.engine.engine import LOST_CODE
from app.engine.lease import FileLease
from app.engine.supervisor import Supervisor
from app.engine.watchdog import LIMITS_S, LOOK_S, OTHER_S, TIGHT_S, Watchdog
from app.services.order_answers import RECORD_TRIES
from tests.unit.engine.test_lease import BUILD, StillClock, _database

SOON_S = 5.0

PROCESS = """
import logging, sys, threading
from pathlib import Path
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
from app.engine.engine import Engine
from app.engine.lease import FileLease
from app.engine.supervisor import Supervisor
from app.services.order_answers import RECORD_TRIES
from tests.unit.engine.test_lease import BUILD, StillClock, _database

def deadlocked():
    threading.Event().wait()

folder = Path(sys.argv[1])
lease = FileLease(_database(folder), StillClock(), folder / "engine.lock", BUILD)
loops = [("runs", deadlocked), ("risk", lambda: 0.05)]
Engine(Supervisor(), lease, recover=lambda _: 0, loops=loops, limits_s={"runs": 1.0}).start()
threading.Event().wait(60)
"""


class Time:
    """The watchdog's own clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Hung:
    """A supervisor with one loop that is in its step until it is let go."""

    def __init__(self, name: str) -> None:
        self.supervisor = Supervisor()
        self.entered, self.go_on, self.returned = threading.Event(), threading.Event(), threading.Event()
        self.loop = self.supervisor.add(name, self._step)
        self.supervisor.start()
        assert self.entered.wait(SOON_S)

    def _step(self) -> float:
        if self.go_on.is_set():
            self.returned.set()
            return 3600.0
        self.entered.set()
        self.go_on.wait(60)
        return 0.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(watchdog, "time", made)
    return made


@pytest.fixture
def hung(request: pytest.FixtureRequest) -> Iterator[Hung]:
    made = Hung(getattr(request, "param", "runs"))
    yield made
    made.go_on.set()
    made.supervisor.stop()


def looks(dog: Watchdog, time: Time, seconds: float) -> None:
    for _ in range(int(seconds / LOOK_S)):
        time.now += LOOK_S
        dog.step()


def test_a_hung_loop_ends_the_process_that_leads_with_its_stack_told_and_frees_the_lease(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    try:
        _, told = program.communicate(timeout=60)
    finally:
        program.kill()
    assert program.returncode == LOST_CODE, told
    assert "this process leads" in told
    assert "thread runs hangs" in told
    assert "in deadlocked" in told, "where it hangs is in the log"
    assert "thread risk:" in told, "and what the others did"
    next_one = FileLease(_database(tmp_path), StillClock(), tmp_path / "engine.lock", BUILD)
    assert next_one.take()


def test_a_loop_is_given_its_time_and_then_is_unwell_until_it_returns(hung: Hung, time: Time) -> None:
    ended: list[str] = []
    dog = Watchdog(hung.supervisor, leads=lambda: True, end=lambda: ended.append("ended"))
    looks(dog, time, TIGHT_S)
    assert (hung.supervisor.unwell, ended) == ([], [])
    looks(dog, time, 1)
    assert [pulse.name for pulse in hung.supervisor.unwell] == ["runs"]
    assert ended
    hung.go_on.set()
    hung.loop.wake()
    assert hung.returned.wait(SOON_S)
    looks(dog, time, 1)
    assert hung.supervisor.unwell == []


def test_who_does_not_lead_is_unwell_and_goes_on(hung: Hung, time: Time) -> None:
    ended: list[str] = []
    dog = Watchdog(hung.supervisor, leads=lambda: False, end=lambda: ended.append("ended"))
    looks(dog, time, TIGHT_S + 1)
    assert [pulse.name for pulse in hung.supervisor.unwell] == ["runs"]
    assert ended == []


@pytest.mark.parametrize("hung", ["contracts", "books-3", "lane-3-0"], indirect=True)
def test_what_asks_gateways_may_take_minutes(hung: Hung, time: Time) -> None:
    dog = Watchdog(hung.supervisor, leads=lambda: True, end=lambda: None)
    looks(dog, time, 300)
    assert hung.supervisor.unwell == []
    looks(dog, time, OTHER_S - 300 + 1)
    assert hung.supervisor.unwell != []


@pytest.mark.parametrize("hung", ["lease"], indirect=True)
def test_the_lease_may_be_waited_for_while_another_leads(hung: Hung, time: Time) -> None:
    dog = Watchdog(hung.supervisor, leads=lambda: False, end=lambda: None)
    looks(dog, time, 60)
    assert hung.supervisor.unwell == []


def test_a_machine_that_was_suspended_has_no_hung_loops(hung: Hung, time: Time) -> None:
    dog = Watchdog(hung.supervisor, leads=lambda: True, end=lambda: None)
    looks(dog, time, 2)
    time.now += 3600
    dog.step()
    assert hung.supervisor.unwell == []


def test_a_loop_that_waits_long_for_its_next_turn_does_not_hang(time: Time) -> None:
    supervisor, called = Supervisor(), threading.Event()

    def step() -> float:
        called.set()
        return 3600.0

    loop = supervisor.add("runs", step)
    supervisor.start()
    assert called.wait(SOON_S)
    while loop.turn_under_way is not None:
        called.wait(0.001)
    looks(Watchdog(supervisor, leads=lambda: True, end=lambda: None), time, 60)
    assert supervisor.unwell == []
    supervisor.stop()


def test_the_loops_of_the_money_path_have_tight_limits() -> None:
    assert {"lease", "runs", "orders", "risk"} <= LIMITS_S.keys()
    assert {limit for name, limit in LIMITS_S.items() if name != "orders"} == {TIGHT_S}


def test_a_locked_database_is_no_hang() -> None:
    """A writer waits 10 s for it and gives up; a step of `orders` claims, then tries to record what was answered."""
    assert LIMITS_S["orders"] > 10.0 * (1 + RECORD_TRIES)
    assert min(LIMITS_S.values()) > 10.0
