"""Order updates on the stream come in the recorded order, with the recorded fields, live and in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.contract.recordings import transcripts
from tests.contract.rest_setups import FIRST, OPTION
from tests.contract.shapes import differences
from tests.simulator_process import SimulatorProcess, start_simulator

PATIENCE_S = 8.0
SPOT = 25015.0


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorProcess]:
    with start_simulator("--start", "10:30", "--limits", "off", accounts=1) as simulator:
        yield simulator


@pytest.fixture
def stream(running: SimulatorProcess) -> Iterator[ClientConnection]:
    """An authenticated client of a fresh simulator that has asked for order updates."""
    running.reset()
    running.post("/index/move", name="NIFTY", to=SPOT)
    running.advance(1.0)
    account = running.accounts[0]
    with connect(account.ws_url) as socket:
        for request in ({"action": "authenticate", "api_key": account.api_key}, {"action": "subscribe_orders"}):
            socket.send(json.dumps(request))
            assert json.loads(socket.recv(timeout=PATIENCE_S))["status"] == "success"
        yield socket


def recorded(name: str) -> list[dict[str, Any]]:
    found = next(transcript for transcript in transcripts() if transcript.name == name)
    frames = (line.frame for line in found.lines if line.kind == "in")
    return [frame for frame in frames if frame.get("type") == "order_update"]


def pushed(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(socket.recv(timeout=PATIENCE_S)) for _ in range(count)]


def alike(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[str]:
    """Differences in fields, types and words, and in which figures are zero."""
    found = [text for old, new in zip(expected, got, strict=True) for text in differences(old, new)]
    figures = ("filled_quantity", "pending_quantity", "average_price", "price", "trigger_price", "quantity")
    for old, new in zip(expected, got, strict=True):
        found += [
            f"{name}: {old[name]} recorded, {new[name]} got" for name in figures if bool(old[name]) != bool(new[name])
        ]
        found += [] if bool(old["rejection_reason"]) == bool(new["rejection_reason"]) else ["rejection_reason"]
    return found


class Desk:
    """Sends the recorded orders over HTTP."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._simulator = simulator

    def ask(self, endpoint: str, **body: Any) -> dict[str, Any]:
        status, answer = self._simulator.api(FIRST, endpoint, {"strategy": "contract", **body})
        assert status == 200, answer
        reply: dict[str, Any] = answer
        return reply

    def place(self, **fields: Any) -> str:
        body = {**OPTION, "pricetype": "MARKET", "action": "BUY", "quantity": 65, **fields}
        orderid: str = self.ask("placeorder", **body)["orderid"]
        return orderid

    def reprice(self, orderid: str, price: float) -> None:
        body = {**OPTION, "action": "BUY", "quantity": 65, "disclosed_quantity": 0, "trigger_price": 0}
        self.ask("modifyorder", **body, pricetype="LIMIT", orderid=orderid, price=price)

    def cancel(self, orderid: str) -> None:
        self.ask("cancelorder", orderid=orderid)


def test_live_updates(running: SimulatorProcess, stream: ClientConnection) -> None:
    expected, desk = recorded("order_updates_live"), Desk(running)

    desk.place()
    got = pushed(stream, 2)
    limit = desk.place(pricetype="LIMIT", price=119.95)
    got += pushed(stream, 1)
    desk.reprice(limit, 129.95)
    got += pushed(stream, 1)
    desk.cancel(limit)
    got += pushed(stream, 1)
    stop = desk.place(action="SELL", pricetype="SL-M", trigger_price=159.95)
    got += pushed(stream, 1)
    desk.cancel(stop)
    got += pushed(stream, 1)
    running.fault("late_reject", account=FIRST, remaining=1, parameters={"seconds": 0.0})
    desk.place()
    got += [frame for frame in pushed(stream, 2) if frame["order_status"] == "rejected"]
    running.clear_faults()
    running.fault("partial_fills", account=FIRST)
    desk.place(quantity=130)
    got += pushed(stream, 2)
    running.clear_faults()
    got += pushed(stream, 1)

    assert alike(expected, got) == []
    assert "timestamp" not in got[0]


def test_sandbox_updates(running: SimulatorProcess, stream: ClientConnection) -> None:
    """A modify sends nothing; only fills carry fill figures."""
    running.post(f"/accounts/{FIRST}/mode", mode="analyze")
    expected, desk = recorded("order_updates_analyze"), Desk(running)

    desk.place()
    got = pushed(stream, 2)
    limit = desk.place(pricetype="LIMIT", price=122.65)
    got += pushed(stream, 1)
    desk.reprice(limit, 132.85)
    desk.cancel(limit)
    got += pushed(stream, 1)
    desk.place(pricetype="LIMIT", price=190.0)
    got += pushed(stream, 1)
    running.post("/price", symbol=OPTION["symbol"], exchange=OPTION["exchange"], price=185.0)
    got += pushed(stream, 1)
    desk.ask("closeposition")
    got += pushed(stream, 2)

    assert alike(expected, got) == []


def test_a_client_that_did_not_ask_gets_none(running: SimulatorProcess, stream: ClientConnection) -> None:
    stream.send(json.dumps({"action": "unsubscribe_orders"}))
    assert json.loads(stream.recv(timeout=PATIENCE_S))["type"] == "unsubscribe_orders"

    Desk(running).place()

    with pytest.raises(TimeoutError):
        stream.recv(timeout=0.5)
