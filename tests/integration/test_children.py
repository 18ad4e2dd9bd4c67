"""A program we start ends when we stop it, when it will not listen, and when we are killed ourselves."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools import children
from tools.steps import ROOT

DEAF = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
LEAVES_ONE_BEHIND = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
PARENT = """
import sys, time
from tools import children
child = children.start([sys.executable, "-c", "import time; time.sleep(60)"], output=-3)
print(child.pid, flush=True)
time.sleep(60)
"""


def _gone(pid: int, within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        pause.wait(0.02)
    return False


def _first_line(log: Path, child: subprocess.Popen[str]) -> str:
    pause = threading.Event()
    while not log.read_text().endswith("\n"):
        assert child.poll() is None
        pause.wait(0.02)
    return log.read_text().strip()


def test_stop_ends_a_program_that_does_not_listen(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        child = children.start([sys.executable, "-c", DEAF], output=log)
        _first_line(tmp_path / "log", child)
        children.stop(child, within_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_stop_ends_what_the_program_started_and_left_behind(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        child = children.start([sys.executable, "-c", LEAVES_ONE_BEHIND], output=log)
        left_behind = int(_first_line(tmp_path / "log", child))
        children.stop(child, within_s=5)
    assert child.returncode == -signal.SIGTERM
    assert _gone(left_behind)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_killed_parent_takes_its_children_along() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(child)


def test_a_program_that_is_not_there_is_an_error_of_the_caller() -> None:
    with pytest.raises(FileNotFoundError):
        children.start(["/no/such/program"], output=subprocess.DEVNULL)
