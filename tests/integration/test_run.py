"""`make run` for real, in a copy of the project: starts everything, says what to open, and leaves nothing behind."""

import contextlib
import fcntl
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import children
from tools.steps import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left behind in /proc"),
    pytest.mark.timeout(600),
]

COPIED = ("app", "simulator", "migrations", "tools", "config.py", "wsgi.py")
WITHIN_S = 240.0
"""Longer than `make run` itself waits for any of its parts, so that it is what says who was late."""
PORTS = 12
PRINTED = "Ctrl-C stops everything."


@dataclass
class Run:
    """One `make run` in the copied project, and what it printed so far."""

    folder: Path
    program: subprocess.Popen[str]
    printed: Path
    port: int

    def said(self) -> str:
        return self.printed.read_text(encoding="utf-8")

    def wait_until_running(self) -> None:
        _wait_for(lambda: PRINTED in self.said() or self.program.poll() is not None)
        assert self.program.poll() is None, self.said()

    def leaves_nothing_behind(self) -> None:
        """What was killed a moment ago may need one more to be gone on a busy machine."""
        _wait_for(lambda: not self.alive())

    def alive(self) -> dict[int, str]:
        """Everything that still runs in the copied project: its command line by its pid."""
        found = {}
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                inside = (process / "cwd").resolve(strict=True) == self.folder
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended while we looked
                continue
            if inside and words:  # a finished process that nobody has asked for yet has no words
                found[int(process.name)] = words
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project").resolve()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    for name in ("DATABASE_URL", "SETUP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    command: list[str | Path] = [project / ".venv" / "bin" / "python", "-m", "tools.run"]
    with _free_ports() as first, (tmp_path / "printed").open("w") as printed:
        for name, port in {"PORT": first, "SIMULATOR_PORT": first + 1, "SIMULATOR_WS_PORT": first + 7}.items():
            monkeypatch.setenv(name, str(port))
        program = children.start(command, output=printed, folder=project)
        try:
            yield Run(project, program, tmp_path / "printed", first)
        finally:
            children.stop(program, within_s=WITHIN_S)


def test_it_says_what_to_open_and_ctrl_c_stops_everything(run: Run) -> None:
    run.wait_until_running()
    assert f"http://127.0.0.1:{run.port}" in run.said()
    assert _answer(run.port, "/healthz") == 200
    settings = (run.folder / ".env").read_text()
    assert (run.folder / ".env").stat().st_mode & 0o777 == 0o600
    token = re.search(r"Setup token +(\S+)", run.said())
    assert token is not None
    assert f"SETUP_TOKEN={token.group(1)}" in settings
    assert (run.folder / "instance" / "desk.sqlite3").is_file()

    second = subprocess.run(run.program.args, cwd=run.folder, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "already runs from this folder" in second.stderr

    run.program.send_signal(signal.SIGINT)
    assert run.program.wait(WITHIN_S) == 0
    assert run.said().endswith("Stopped.\n")
    run.leaves_nothing_behind()
    assert (run.folder / ".env").read_text() == settings
    assert (run.folder / "instance" / "simulator.state").is_file(), "the market goes on from there"


def test_killed_it_leaves_nothing_behind(run: Run) -> None:
    run.wait_until_running()
    assert len(run.alive()) >= 3
    run.program.kill()
    run.program.wait(WITHIN_S)
    run.leaves_nothing_behind()


def test_when_a_part_ends_it_stops_the_rest_and_says_which(run: Run) -> None:
    run.wait_until_running()
    (simulator,) = [pid for pid, words in run.alive().items() if "-m simulator" in words]
    os.kill(simulator, signal.SIGKILL)
    assert run.program.wait(WITHIN_S) == 1
    assert "The simulator ended by itself (exit code -9)" in run.said()
    run.leaves_nothing_behind()


def _answer(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@contextlib.contextmanager
def _free_ports() -> Iterator[int]:
    """The first of `PORTS` neighbouring ports nobody listens on, kept from other runs of these tests by a lock.

    Below those that the system gives to whoever asks for any.
    """
    for first in range(20_000, 32_000, PORTS):
        with (Path(tempfile.gettempdir()) / f"desk-ports-{first}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if all(_is_free(port) for port in range(first, first + PORTS)):
                yield first
                return
    raise AssertionError("no ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        pause.wait(0.1)
