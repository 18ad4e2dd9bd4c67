"""`make run`: the simulator and the desk, started together, watched, and stopped together."""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tools import children, env_file, ports
from tools.steps import ROOT, VENV_PYTHON, SetupError, say

INSTANCE = ROOT / "instance"
LOGS = INSTANCE / "logs"
APPLICATION = "app:create_app('development')"  # the factory starts no engine, unlike wsgi
ACCOUNTS = 5
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 0.1
LAST_LINES = 15


class Stopped(Exception):
    """Not an error: somebody pressed Ctrl-C before everything had started."""


@dataclass(frozen=True)
class Part:
    """One of the programs that make up the running desk."""

    name: str
    log: Path
    program: subprocess.Popen[str]

    def must_live(self) -> None:
        """Raises SetupError with its last lines when it has ended."""
        code = self.program.poll()
        if code is not None:
            tail = "\n".join(f"    {line}" for line in self.said().splitlines()[-LAST_LINES:])
            where = self.log.relative_to(ROOT)
            raise SetupError(f"{self.name} ended by itself (exit code {code}). Its last lines, from {where}:\n{tail}")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Addresses:
    """The ports this run uses, all on 127.0.0.1."""

    desk: int
    control: int
    stream: int

    @classmethod
    def from_environment(cls) -> "Addresses":
        return cls(_port("PORT", 8000), _port("SIMULATOR_PORT", 5000), _port("SIMULATOR_WS_PORT", 8765))

    @property
    def rest(self) -> int:
        return self.control + 1

    def must_be_free(self) -> None:
        elsewhere = "stop it, or take another: {}=%d make run"
        ports.must_be_free(self.desk, "the desk", elsewhere.format("PORT") % (self.desk + 1))
        for port in range(self.control, self.rest + ACCOUNTS):
            ports.must_be_free(port, "the simulator", elsewhere.format("SIMULATOR_PORT") % (self.control + 100))
        for port in range(self.stream, self.stream + ACCOUNTS):
            ports.must_be_free(port, "the simulator", elsewhere.format("SIMULATOR_WS_PORT") % (self.stream + 100))


def main() -> int:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        run(Addresses.from_environment(), stop)
    except SetupError as problem:
        print(f"make run: {problem}", file=sys.stderr)
        return 1
    except Stopped:
        pass
    print("Stopped.", flush=True)
    return 0


def run(addresses: Addresses, stop: threading.Event) -> None:
    """Starts everything, waits for the end. Raises SetupError when something is in the way or ends by itself."""
    LOGS.mkdir(parents=True, exist_ok=True)
    INSTANCE.chmod(0o700)
    with only_one_here(), ExitStack() as started:
        addresses.must_be_free()
        settings = _settings(addresses)
        simulator = started.enter_context(running("The simulator", _simulator_command(addresses), {}))
        _flask("Migrating the database", settings, stop, "db", "upgrade")
        wait_until(lambda: _simulator_is_ready(simulator), [simulator], stop)
        desk = started.enter_context(running("The desk", _desk_command(addresses), settings))
        with ThreadPoolExecutor(1) as beside:  # it takes as long as the desk's start does
            token = beside.submit(_flask, "Asking for the setup token", settings, stop, "desk", "setup-token")
            wait_until(lambda: _desk_is_ready(addresses.desk), [simulator, desk], stop)
        print(_box(addresses, token.result(), continued=_ready_line(simulator)["continued"]), flush=True)
        while not stop.wait(LOOK_EVERY_S * 5):
            for part in (simulator, desk):
                part.must_live()
        say("stopping")


@contextmanager
def only_one_here() -> Iterator[None]:
    """Two desks on one database is nothing anybody wants by accident. Raises SetupError for the second."""
    with (INSTANCE / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SetupError("the desk already runs from this folder; stop it with Ctrl-C where it runs.") from error
        yield


@contextmanager
def running(name: str, command: list[str | Path], settings: dict[str, str]) -> Iterator[Part]:
    """One program for as long as the block lasts; nothing of it is left afterwards."""
    log = LOGS / f"{name.rsplit(maxsplit=1)[-1]}.log"
    with log.open("w", encoding="utf-8") as output:
        part = Part(name, log, children.start(command, output=output, environment=settings, folder=ROOT))
        try:
            yield part
        finally:
            children.stop(part.program, within_s=STOP_WITHIN_S)


def wait_until(ready: Callable[[], bool], parts: list[Part], stop: threading.Event) -> None:
    """Returns once it is ready. Raises SetupError when a part ends or the last is too slow, Stopped on Ctrl-C."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not ready():
        for part in parts:
            part.must_live()
        if time.monotonic() > deadline:
            late = parts[-1]
            raise SetupError(
                f"{late.name} was not ready after {READY_WITHIN_S:.0f} s; see {late.log.relative_to(ROOT)}."
            )
        if stop.wait(LOOK_EVERY_S):
            raise Stopped


def _port(name: str, usual: int) -> int:
    value = os.environ.get(name) or str(usual)
    if not value.isdigit() or not 1024 <= int(value) <= 65000:
        raise SetupError(f"{name}={value} is not a port; give a number from 1024 to 65000.")
    return int(value)


def _settings(addresses: Addresses) -> dict[str, str]:
    """What the application gets: .env under what this run fixes, and the caller's environment above both."""
    fixed = {
        "DATABASE_URL": f"sqlite:///{INSTANCE / 'desk.sqlite3'}",
        "SIMULATOR_URL": f"http://127.0.0.1:{addresses.control}",
        "ENGINE": "auto",
    }
    return {name: os.environ.get(name, value) for name, value in {**fixed, **env_file.ensure()}.items()}


def _simulator_command(addresses: Addresses) -> list[str | Path]:
    numbers = {
        "accounts": ACCOUNTS,
        "seed": 7,
        "speed": 1,
        "control-port": addresses.control,
        "rest-port": addresses.rest,
        "ws-port": addresses.stream,
    }
    options = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    return [VENV_PYTHON, "-m", "simulator", *options, "--state", INSTANCE / "simulator.state", "--quiet"]


def _desk_command(addresses: Addresses) -> list[str | Path]:
    return [VENV_PYTHON, "-m", "gunicorn", "wsgi:app", "-b", f"127.0.0.1:{addresses.desk}"]


def _flask(what: str, settings: dict[str, str], stop: threading.Event, *words: str) -> str:
    """What a `flask` command printed. Raises SetupError with its last line when it fails."""
    ended = subprocess.run(
        [VENV_PYTHON, "-m", "flask", "--app", APPLICATION, *words],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if stop.is_set():
        raise Stopped
    if ended.returncode != 0:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise SetupError(f"{what} failed: {lines[-1] if lines else 'it said nothing'}")
    return ended.stdout.strip()


def _simulator_is_ready(simulator: Part) -> bool:
    return _ready_line(simulator).get("ready") is True


def _ready_line(simulator: Part) -> dict[str, Any]:
    """What it says once it listens; empty before."""
    first, newline, _ = simulator.said().partition("\n")
    said: dict[str, Any] = json.loads(first) if newline and first.startswith("{") else {}
    return said


def _desk_is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):  # not listening yet
        return False
    finally:
        connection.close()


def _box(addresses: Addresses, token: str, *, continued: bool) -> str:
    lines = ["AlgoMirror is running, on a simulated market.", "", f"Open         http://127.0.0.1:{addresses.desk}"]
    if token:
        lines += [f"Setup token  {token}", "             (asked for once, when you make the first user)"]
    lines += ["Market       goes on from where it was stopped"] if continued else []
    lines += [f"Logs         {LOGS.relative_to(ROOT)}/", "", "Ctrl-C stops everything."]
    width = max(map(len, lines))
    rule = "─" * (width + 2)
    return "\n".join([f"┌{rule}┐", *(f"│ {line:<{width}} │" for line in lines), f"└{rule}┘"])


if __name__ == "__main__":
    sys.exit(main())
