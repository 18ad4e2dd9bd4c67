"""What several contract tests share: a stream client left idle while they run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.simulator_process import start_simulator

LONGEST_S = 30.0


@dataclass(frozen=True)
class Closing:
    """How a connection was closed, and how many seconds after it was opened."""

    code: int
    reason: str
    after_s: float


def _watch(socket: ClientConnection, opened: float) -> Closing:
    """Raises AssertionError when a frame comes, or nothing at all."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=LONGEST_S)
    frame = closed.value.rcvd
    assert frame is not None, "the connection broke without a close frame"
    return Closing(frame.code, frame.reason, time.monotonic() - opened)


@pytest.fixture(scope="session")
def idle_client() -> Iterator[Future[Closing]]:
    """A client that never authenticates; other tests ask for it first, so that its time passes beside them."""
    with (
        start_simulator(accounts=1) as simulator,
        connect(simulator.accounts[0].ws_url) as socket,
        ThreadPoolExecutor(1) as watcher,
    ):
        yield watcher.submit(_watch, socket, time.monotonic())
