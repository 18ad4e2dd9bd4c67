"""`make run` for real, in a copy of the project: starts everything, says what to open, and leaves nothing behind."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import children
from tools.steps import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left behind in /proc")

COPIED = ("app", "simulator", "migrations", "tools", "config.py", "wsgi.py")
WITHIN_S = 90.0
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

    def alive(self) -> list[str]:
        """The command lines of everything that still runs in the copied project."""
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                inside = (process / "cwd").resolve(strict=True) == self.folder
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended while we looked
                continue
            if inside and words:  # a finished process that nobody has asked for yet has no words
                found.append(words)
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
    first = _free_ports(12)
    ports = {"PORT": first, "SIMULATOR_PORT": first + 1, "SIMULATOR_WS_PORT": first + 7}
    for name in ("DATABASE_URL", "SETUP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, port in ports.items():
        monkeypatch.setenv(name, str(port))
    command: list[str | Path] = [project / ".venv" / "bin" / "python", "-m", "tools.run"]
    with (tmp_path / "printed").open("w") as printed:
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
    assert run.alive() == []
    assert (run.folder / ".env").read_text() == settings


def test_killed_it_leaves_nothing_behind(run: Run) -> None:
    run.wait_until_running()
    assert len(run.alive()) >= 3
    run.program.kill()
    run.program.wait(WITHIN_S)
    _wait_for(lambda: run.alive() == [])


def test_when_a_part_ends_it_stops_the_rest_and_says_which(run: Run) -> None:
    run.wait_until_running()
    simulator = subprocess.run(
        ["pgrep", "-f", f"simulator .*--control-port {run.port + 1}"], capture_output=True, text=True, check=True
    )
    os.kill(int(simulator.stdout), signal.SIGKILL)
    assert run.program.wait(WITHIN_S) == 1
    assert "The simulator ended by itself (exit code -9)" in run.said()
    assert run.alive() == []


def _answer(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def _free_ports(count: int) -> int:
    """The first of `count` neighbouring ports nobody listens on."""
    first = 20_000 + os.getpid() % 10_000
    while not all(_is_free(port) for port in range(first, first + count)):
        first += count
    return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        pause.wait(0.1)
