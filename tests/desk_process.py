"""Starts the real desk as a process, the way `make run` does, on a database of its own."""

import contextlib
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet
from sqlalchemy import make_url

from tests.migrated_database import put_migrated
from tests.simulator_process import SimulatorProcess
from tools import children
from tools.steps import ROOT

Server = Literal["gunicorn", "flask"]
Entry = Literal["wsgi", "tests.quick_wsgi", "tests.killed_wsgi", "tests.brisk_wsgi"]

READY_S = 60.0
UNGUARDED = {"GUARD_MEMORY_MB": "1000000", "GUARD_CPU_PERCENT": "10000"}
"""A machine that runs many tests at once is short of everything, and pages must be complete all the same."""
CONFIGURATION = Path(__file__).with_name("desk_gunicorn.py")
TOKEN = "newcomer-token-for-tests"


@dataclass(frozen=True)
class DeskProcess:
    """A desk that answers at `url`; its first user is made with `token`. `log` is what it wrote."""

    url: str
    token: str
    log: Path
    program: subprocess.Popen[str]


@contextlib.contextmanager
def desk_process(
    simulator: SimulatorProcess,
    folder: Path,
    port: int,
    server: Server,
    *,
    encryption_keys: str | None = None,
    entry: Entry = "wsgi",
    guarded: bool = False,
    more: Mapping[str, str] | None = None,
) -> Iterator[DeskProcess]:
    """The desk under gunicorn's gthread worker or Flask's own server, engine included, until the block ends.

    `guarded`: it gives up comfort when it is short of memory or time, as it does for its users. `more` of its
    environment.
    """
    settings = desk_environment(simulator, folder, encryption_keys or f"test:{Fernet.generate_key().decode()}")
    settings |= {} if guarded else UNGUARDED
    settings |= more or {}
    migrate(settings)
    log = folder / "desk.log"
    with log.open("w", encoding="utf-8") as output:
        program = children.start(_command(server, port, entry), output=output, environment=settings, folder=ROOT)
        try:
            _wait(port, program, log)
            yield DeskProcess(f"http://127.0.0.1:{port}", TOKEN, log, program)
        finally:
            children.stop(program, within_s=15.0)


def desk_environment(simulator: SimulatorProcess, folder: Path, encryption_keys: str) -> dict[str, str]:
    """What a desk process on that folder is told by its environment."""
    return {
        "SECRET_KEY": "a-secret-of-a-test-that-guards-nothing",
        "ENCRYPTION_KEYS": encryption_keys,
        "SETUP_TOKEN": TOKEN,
        "DATABASE_URL": f"sqlite:///{folder / 'desk.sqlite3'}",
        "LOCK_PATH": str(folder / "engine.lock"),
        "SIMULATOR_URL": simulator.control,
        "ENGINE": "auto",
        "DESK_SERVE": "1",
    }


def migrate(settings: Mapping[str, str]) -> None:
    """Bring the database of these settings to the newest migration; a new file is a copy of one that was migrated."""
    url = make_url(settings["DATABASE_URL"])
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        put_migrated(Path(url.database))
        return
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app:create_app('development')", "db", "upgrade"],
        cwd=ROOT,
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
    )


def _command(server: Server, port: int, entry: Entry) -> list[str | Path]:
    if server == "flask":
        return [sys.executable, "-m", "flask", "--app", entry, "run", "--port", str(port), "--no-reload"]
    return [sys.executable, "-m", "gunicorn", f"{entry}:app", "-b", f"127.0.0.1:{port}", "-c", CONFIGURATION]


def _wait(port: int, program: subprocess.Popen[str], log: Path) -> None:
    end = time.monotonic() + READY_S
    while not _answers(port):
        if program.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"the desk did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")
        threading.Event().wait(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:  # not listening yet
        return False
    finally:
        connection.close()
