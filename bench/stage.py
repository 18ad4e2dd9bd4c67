"""Starts what a measurement needs, each part a process of its own, and ends it again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.simulator_process import start_simulator
from tools.steps import ROOT

STOP_S = 20.0


class PartFailedError(Exception):
    """A process ended, or said something else than an answer; its own words are on the terminal."""


@dataclass
class Part:
    """A process that answers each line of JSON with one."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Raises PartFailedError."""
        self.tell(asked)
        return self.hear()

    def tell(self, asked: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise PartFailedError(f"{self.name} ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Not running at all until the block ends, so that it takes nothing from whom is measured meanwhile."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def part(module: str, *arguments: str) -> Iterator[Part]:
    process = subprocess.Popen(  # noqa: S603  our own modules
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield Part(module, process)
    finally:
        process.send_signal(signal.SIGCONT)
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class GatewayControl:
    """What the measuring process asks of the bench gateway."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self.hosts: list[str] = [account["host"] for account in ready["accounts"]]
        self._url = f"http://127.0.0.1:{ready['control']}"
        self._http = urllib3.PoolManager(retries=False, timeout=120.0)

    def ask(self, path: str, **body: Any) -> Any:
        """Raises PartFailedError."""
        answer = self._http.request("POST", f"{self._url}/{path}", json=body).json()
        if isinstance(answer, dict) and "error" in answer:
            raise PartFailedError(f"gateway, {path}: {answer['error']}")
        return answer


@dataclass
class Stage:
    """A desk, the gateway of its accounts, and the process of the plain clients."""

    desk: Part
    gateway: GatewayControl
    peers: Part


@contextlib.contextmanager
def stage(accounts: int) -> Iterator[Stage]:
    """Everything running, all books read."""
    with contextlib.ExitStack() as open_parts:
        folder = Path(open_parts.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        # A fast machine has no need of the gateway's request limits: one account brings prices for all.
        simulator = open_parts.enter_context(start_simulator("--limits", "off", accounts=1))
        source = simulator.accounts[0]
        now_ms = int(simulator.get("/clock")["now_ms"])
        shape = ["--accounts", str(accounts), "--market-ms", str(now_ms), "--upstream", source.ws_url]
        ready = open_parts.enter_context(part("bench.gateway", *shape)).hear()
        desk = open_parts.enter_context(part("bench.desk"))
        told = {
            "folder": str(folder),
            "simulator": simulator.control,
            "control": ready["control"],
            "data": {"host": source.host, "ws_url": ready["feed"], "api_key": source.api_key},
            "accounts": ready["accounts"],
        }
        desk.ask(told)
        yield Stage(desk, GatewayControl(ready), open_parts.enter_context(part("bench.peers")))
