"""The points at which tests have the process die: armed by name, on the simulator alone, and silent otherwise."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.domain.errors import Misconfigured
from app.services import crash_points
from config import from_environment
from tools.steps import ROOT

GETS_THERE = """
import sys
from app.services import crash_points
crash_points.arm(crash_at=sys.argv[1], stop_at=None, simulated=True)
for _ in range(2):
    crash_points.reach("after_claim")
    crash_points.reach("after_send")
    print("alive", flush=True)
"""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    crash_points.arm(crash_at=None, stop_at=None, simulated=False)


@pytest.mark.parametrize(("at", "lives"), [("after_send", 0), ("after_send:2", 1), ("after_claim", 0)])
def test_a_process_dies_where_it_was_told_to(at: str, lives: int) -> None:
    died = subprocess.run([sys.executable, "-c", GETS_THERE, at], cwd=ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout.count("alive") == lives


def test_nothing_happens_at_other_points_or_without_being_armed() -> None:
    crash_points.reach("after_send")
    crash_points.arm(crash_at="after_send", stop_at=None, simulated=True)
    crash_points.reach("after_claim")


def test_where_orders_may_be_real_nothing_starts() -> None:
    with pytest.raises(Misconfigured, match="simulator"):
        crash_points.arm(crash_at="after_send", stop_at=None, simulated=False)
    with pytest.raises(Misconfigured, match="STOP_AT"):
        crash_points.arm(crash_at=None, stop_at="after_send", simulated=False)


@pytest.mark.parametrize("at", ["nowhere", "after_send:0", "after_send:x"])
def test_a_wrong_name_says_which_there_are(at: str) -> None:
    with pytest.raises(Misconfigured, match="after_claim"):
        crash_points.arm(crash_at=at, stop_at=None, simulated=True)


def test_the_environment_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECRET_KEY": "s", "ENCRYPTION_KEYS": "k:v", "CRASH_AT": "after_claim", "STOP_AT": ""}.items():
        monkeypatch.setenv(name, value)
    settings = from_environment("development")
    assert (settings.crash_at, settings.stop_at) == ("after_claim", None)
