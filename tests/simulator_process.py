"""Starts the simulator as a real process on free ports, for tests of any folder.

tests/conftest.py registers it as a plugin, so the fixture `simulator` is there without an import: five accounts,
seed 7, running for the whole session and reset before each test, so no test sees another's orders, faults or prices.
`start_simulator` gives any other size.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tools import children
from tools.steps import ROOT

START_S = 60.0
STOP_S = 15.0
ANSWER_S = 120.0  # moving a day forward with resting orders takes a while


class ControlRefusedError(Exception):
    """The control port answered 400; the text names the field."""


class SimulatorFailedError(Exception):
    """The process did not become ready; the text is what it wrote."""


@dataclass(frozen=True)
class SimulatedAccount:
    """Where one account's gateway listens, and the key it takes."""

    number: int
    name: str
    host: str
    ws_url: str
    api_key: str
    user_id: str

    @property
    def ws_port(self) -> int:
        return int(self.ws_url.rsplit(":", 1)[1])


@dataclass
class SimulatorProcess:
    """A running simulator: its accounts, and a client of its control port."""

    control: str
    accounts: tuple[SimulatedAccount, ...]
    process: subprocess.Popen[str]
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=ANSWER_S, retries=False))

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Raises ControlRefusedError when the control port refuses the body."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> dict[str, Any]:
        return self._ask("DELETE", path)

    def fault(self, name: str, **scope: Any) -> int:
        """Puts a fault on the board (account, endpoint, remaining, parameters ...); the answer is its id."""
        return int(self.post("/faults", name=name, **scope)["id"])

    def clear_faults(self) -> None:
        self.delete("/faults")

    def advance(self, seconds: float) -> None:
        """Moves virtual time at once."""
        self.post("/advance", seconds=seconds)

    def pause(self) -> None:
        self.post("/pause")

    def move_index(self, name: str, **how: float) -> None:
        """`percent`, `points` or `to`; `over_seconds` virtual seconds, at once by default."""
        self.post("/index/move", name=name, **how)
        self.advance(0.5)

    def truth(self, number: int) -> dict[str, Any]:
        """What really happened in one account: orders, fills, positions."""
        found: dict[str, Any] = self.get("/truth")["accounts"][number - 1]
        return found

    def reset(self) -> None:
        self.post("/reset")

    def api(self, number: int, endpoint: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """One POST to an account's gateway with its own key: status and decoded body."""
        account = self.accounts[number - 1]
        reply = self._http.request(
            "POST", f"{account.host}/api/v1/{endpoint}", json={"apikey": account.api_key, **(body or {})}
        )
        return reply.status, reply.json()

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        reply = self._http.request(method, self.control + path, json=body)
        answer: dict[str, Any] = reply.json()
        if reply.status != 200:
            raise ControlRefusedError(f"{path}: {answer.get('field')}: {answer.get('message')}")
        return answer


@contextlib.contextmanager
def start_simulator(*arguments: str, accounts: int = 5, seed: int = 7) -> Iterator[SimulatorProcess]:
    """Runs the simulator until the block ends. Raises SimulatorFailedError when it does not start, or not stop."""
    command = [sys.executable, "-m", "simulator", "--quiet", "--accounts", str(accounts), "--seed", str(seed)]
    command += ["--rest-port", "0", "--ws-port", "0", "--control-port", "0", *arguments]
    with tempfile.NamedTemporaryFile("w", prefix="simulator-", suffix=".log") as log:
        process = children.start(command, output=log, environment={"PYTHONPATH": ""}, folder=ROOT)
        try:
            yield _running(process, Path(log.name))
        finally:
            children.stop(process, within_s=STOP_S)
    if process.returncode == -signal.SIGKILL:
        raise SimulatorFailedError(f"the simulator did not end within {STOP_S:g} s of being asked to")


def _running(process: subprocess.Popen[str], log: Path) -> SimulatorProcess:
    ready = json.loads(_ready_line(process, log))
    names = SimulatedAccount.__dataclass_fields__
    accounts = tuple(
        SimulatedAccount(**{name: value for name, value in row.items() if name in names}) for row in ready["accounts"]
    )
    return SimulatorProcess(ready["control"], accounts, process)


def _ready_line(process: subprocess.Popen[str], log: Path) -> str:
    """The whole line of JSON that it writes once it listens."""
    deadline = time.monotonic() + START_S
    pause = threading.Event()
    while True:
        ended = process.poll() is not None
        words = log.read_text(encoding="utf-8")
        ready = [line for line in words.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        if ready:
            return ready[0]
        if ended or time.monotonic() > deadline:
            raise SimulatorFailedError(f"the simulator did not start: {words[-2000:]}")
        pause.wait(0.02)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with start_simulator() as running:
        yield running


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    """Five accounts, seed 7, as freshly started."""
    simulator_process.reset()
    return simulator_process
