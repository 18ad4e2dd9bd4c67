"""A test run that is killed with `kill -9` leaves no simulator, desk, PostgreSQL or Redis behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools import children
from tools.steps import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")

WITHIN_S = 120.0
A_TEST_THAT_WAITS = """
import socket
import threading

from tests.desk_process import desk_process


def test_waits(simulator, postgres_url, redis_url, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with desk_process(simulator, tmp_path, port, "gunicorn"):
        print("everything runs", flush=True)
        threading.Event().wait(600)
"""


@pytest.mark.timeout(600)
def test_nothing_is_left_of_a_killed_test_run(tmp_path: Path) -> None:
    """Alone, and under a worker, which first waits a while for its master's orders: side by side, to wait once."""
    with _test_run(tmp_path / "alone") as alone, _test_run(tmp_path / "worker", "-n", "1") as worker:
        started = []
        for run, folder in ((alone, "alone"), (worker, "worker")):
            _wait_for(lambda run=run: _runs_everything(run.pid) or run.poll() is not None)  # type: ignore[misc]
            assert run.poll() is None, (tmp_path / folder / "log").read_text()
            started += _below(run.pid)
        for run in (alone, worker):
            run.kill()
            run.wait()
        _wait_for(lambda: not [_words(pid) for pid in started if _words(pid)])


@contextlib.contextmanager
def _test_run(folder: Path, *workers: str) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir()
    (folder / "test_waits.py").write_text(A_TEST_THAT_WAITS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-s", "-c", os.devnull, "--rootdir", str(folder)]
    command += ["--import-mode=importlib", "-p", "tests.databases", "-p", "tests.simulator_process", *workers]
    with (folder / "log").open("w") as log:
        run = children.start([*command, str(folder / "test_waits.py")], output=log, folder=ROOT)
        try:
            yield run
        finally:
            children.stop(run, within_s=1, ask=signal.SIGKILL)


def _runs_everything(pid: int) -> bool:
    words = "\n".join(_words(child) for child in _below(pid))
    return all(name in words for name in ("-m simulator", "gunicorn wsgi:app", "bin/postgres", "redis-server"))


def _below(pid: int) -> list[int]:
    """Every process that this one started, directly or not."""
    try:
        found = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    except OSError:  # it ended while we looked
        return []
    return [*found, *(grandchild for child in found for grandchild in _below(child))]


def _children(task: Path) -> list[str]:
    return (task / "children").read_text(encoding="ascii").split()


def _words(pid: int) -> str:
    """The command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        pause.wait(0.05)
