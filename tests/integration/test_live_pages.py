"""All live pages open, some stuck: a real server answers, an exit gets through, and it ends when it is told to."""

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.desk_people import add_person
from tests.desk_process import DeskProcess, desk_environment, desk_process
from tests.desk_visitor import Visitor, hidden, within
from tests.load.browsers import Browsers
from tests.simulator_process import SimulatorProcess
from tools.steps import ROOT

SOON_S = 20.0
MOST, MOST_OF_ONE = 6, 4
ROOM = {"LIVE_PAGES": str(MOST), "LIVE_PAGES_PER_USER": str(MOST_OF_ONE)}
REQUESTS = 16
COMERS = 30


@pytest.fixture(scope="module")
def desk(simulator_process: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    simulator_process.reset()
    with _desk(simulator_process, tmp_path_factory.mktemp("pages")) as started:
        yield started


@pytest.fixture(scope="module")
def people(desk: DeskProcess) -> list[Visitor]:
    folder = desk.log.parent
    asha, mira = Visitor(desk.url), Visitor(desk.url)
    asha.register(desk.token, "asha")
    add_person(f"sqlite:///{folder / 'desk.sqlite3'}", "mira", "trader")
    mira.sign_in("mira")
    return [asha, mira]


def test_row_52_stuck_pages_leave_requests_and_exits_their_threads(desk: DeskProcess, people: list[Visitor]) -> None:
    """More of them, one lot after the other, than the server has threads: none keeps its own for good."""
    asha = people[0]
    asha.add_simulator()
    run = asha.send_straddle()
    within(SOON_S, lambda: _state(desk) == "OPEN", "the straddle is on")
    for _ in range((MOST + REQUESTS) // MOST + 1):
        with _stuck(people, MOST) as browsers:
            assert not browsers.open(asha.cookie, "desk", reads=False)
            assert asha.get("/").status == 200
            within(SOON_S, lambda: _is_let_in(asha), "those who are stuck are hung up on")
    with _stuck(people, MOST):
        form = {"scope": "all", "idempotency_key": hidden(asha.get(run), "idempotency_key")}
        assert asha.post(f"{run}/exit", form).status == 303
        within(SOON_S, lambda: _state(desk) == "CLOSED", "it is out")


def test_row_53_a_storm_of_pages_that_come_back_leaves_requests_answered(
    desk: DeskProcess, people: list[Visitor]
) -> None:
    """Thirty times the room, all at once: whoever finds none is sent away at the door, and nothing is read for them."""
    within(SOON_S, lambda: _is_let_in(people[0]), "those of before are gone")
    crowds = [Browsers(desk.url) for _ in range(MOST)]
    cookies = [visitor.cookie for visitor in people]
    comers = [threading.Thread(target=_come_back, args=(each, cookies)) for each in crowds]  # noqa: TID251 - browsers are no part of the desk
    for comer in comers:
        comer.start()
    answered = 0
    while any(comer.is_alive() for comer in comers):
        for visitor in people:
            assert visitor.get("/").status == 200
        answered += 1
    for crowd in crowds:
        crowd.stop()
    assert answered
    assert sum(crowd.refused for crowd in crowds) > 0
    assert sum(len(crowd.all) + crowd.refused for crowd in crowds) == MOST * COMERS
    within(SOON_S, lambda: _is_let_in(people[0]), "there is room again")


def _come_back(crowd: Browsers, cookies: list[str]) -> None:
    for number in range(COMERS):
        crowd.open(cookies[number % len(cookies)], "desk", reads=False)


def test_one_user_cannot_take_the_pages_of_others(people: list[Visitor]) -> None:
    asha, mira = people
    within(SOON_S, lambda: _is_let_in(asha), "those of before are gone")
    with ExitStack() as opened:
        for _ in range(MOST_OF_ONE):
            opened.callback(asha.connected().disconnect)
        assert not _is_let_in(asha)
        assert _is_let_in(mira)
    within(SOON_S, lambda: _is_let_in(asha), "closed pages make room")


def test_open_pages_do_not_keep_a_server_from_ending(simulator_process: SimulatorProcess, tmp_path: Path) -> None:
    """Its engine ends in good order, and not after gunicorn's half a minute."""
    simulator_process.reset()
    with _desk(simulator_process, tmp_path) as desk:
        asha = Visitor(desk.url)
        asha.register(desk.token, "asha")
        page, begun = asha.connected(), time.monotonic()
        desk.program.send_signal(signal.SIGTERM)
        assert desk.program.wait(SOON_S) == 0
        assert time.monotonic() - begun < 10
        page.disconnect()
    with closing(sqlite3.connect(tmp_path / "desk.sqlite3")) as database:
        [(ended_at,)] = database.execute("select ended_at from engine_starts").fetchall()
    assert ended_at is not None


def test_a_server_without_threads_for_exits_is_not_started(simulator_process: SimulatorProcess, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app", "--threads", "8", "-b", "127.0.0.1:0"],
        cwd=ROOT,
        env=desk_environment(simulator_process, tmp_path, "test:x"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "gunicorn.conf.py" in ended.stderr


@contextmanager
def _desk(simulator: SimulatorProcess, folder: Path) -> Iterator[DeskProcess]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with desk_process(simulator, folder, port, "gunicorn", entry="tests.brisk_wsgi", more=ROOM) as started:
        yield started


@contextmanager
def _stuck(people: list[Visitor], wanted: int) -> Iterator[Browsers]:
    """So many live pages of browsers that never read."""
    browsers = Browsers(people[0].url)
    try:
        for number in range(wanted):
            who = people[number % len(people)]
            within(SOON_S, partial(browsers.open, who.cookie, "desk", reads=False), "there is room")
        yield browsers
    finally:
        browsers.stop()


def _is_let_in(visitor: Visitor) -> bool:
    browsers = Browsers(visitor.url)
    try:
        return browsers.open(visitor.cookie, "desk", reads=False)
    finally:
        browsers.stop()


def _state(desk: DeskProcess) -> str:
    with closing(sqlite3.connect(desk.log.parent / "desk.sqlite3")) as database:
        [(state,)] = database.execute("select state from runs").fetchall()
    return str(state)
