"""Engines as processes: the real application, started, killed, stopped and continued by its process id."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.chaos_process.relay import free_port
from tests.desk_process import Entry
from tools import children
from tools.steps import ROOT


class EngineProcess:
    """`environment` says which database it is on. `log` is what all engines of the rig wrote."""

    def __init__(self, environment: Mapping[str, str], log: Path, entry: Entry, **told: str) -> None:
        """`told` are further settings by their names: CRASH_AT, STOP_AT."""
        self._port = free_port()
        command = [sys.executable, "-m", "flask", "--app", entry, "run", "--port", str(self._port), "--no-reload"]
        with log.open("a", encoding="utf-8") as output:
            self._program: subprocess.Popen[str] = children.start(
                command, output=output, environment={**environment, **told}, folder=ROOT
            )

    @property
    def pid(self) -> int:
        return self._program.pid

    @property
    def lives(self) -> bool:
        return self._program.poll() is None

    @property
    def is_up(self) -> bool:
        """It listens, so it has been started and leads as soon as it can."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    @property
    def is_stopped(self) -> bool:
        """By a signal, as a machine that is suspended."""
        state = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        return state == "T"

    @property
    def ended_by(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        return self._program.poll()

    def kill(self) -> None:
        self._program.kill()
        self._program.wait()

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
