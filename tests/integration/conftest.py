"""What several integration tests share: a simulator of two accounts without limits, and a client of its stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.contract.rest_setups import OPTION
from tests.simulator_process import SimulatorProcess, start_simulator

PATIENCE_S = 8.0
ORDER = {"strategy": "s", **OPTION, "action": "BUY", "quantity": 65, "pricetype": "MARKET"}
INDEX = {"symbol": "NIFTY", "exchange": "NSE_INDEX"}


@pytest.fixture(scope="module")
def two_accounts() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", accounts=2) as simulator:
        yield simulator


@pytest.fixture
def fresh(two_accounts: SimulatorProcess) -> SimulatorProcess:
    two_accounts.reset()
    return two_accounts


@pytest.fixture
def stream(fresh: SimulatorProcess) -> Iterator[ClientConnection]:
    """An authenticated client of the first account."""
    account = fresh.accounts[0]
    with connect(account.ws_url, max_size=None, close_timeout=0.2) as socket:
        ask(socket, action="authenticate", api_key=account.api_key)
        yield socket


def ask(socket: ClientConnection, **request: Any) -> dict[str, Any]:
    socket.send(json.dumps(request))
    answer: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE_S))
    return answer
