"""The control port moves time, prices and accounts, tells the truth, and names a wrong field."""

from __future__ import annotations

import time
from typing import Any

import pytest
import urllib3
from websockets.sync.client import connect

from tests.contract.rest_setups import OPTION
from tests.integration.conftest import INDEX, ORDER, PATIENCE_S, ask
from tests.simulator_process import ControlRefusedError, SimulatorFailedError, SimulatorProcess, start_simulator


def spot(fresh: SimulatorProcess) -> float:
    status, answer = fresh.api(1, "quotes", INDEX)
    assert status == 200
    price: float = answer["data"]["ltp"]
    return price


def test_state_names_everything_a_client_needs(fresh: SimulatorProcess) -> None:
    state = fresh.get("/state")

    assert (state["seed"], state["speed"], state["phase"]) == (7, 1.0, "open")
    assert state["now"].startswith("2026-11-23T09:15")
    first, second = state["accounts"]
    assert (first["number"], first["broker"], first["mode"], first["session_ok"]) == (1, "simulator", "live", True)
    assert len({first["api_key"], second["api_key"]}) == 2


def test_time_stands_still_and_jumps(fresh: SimulatorProcess) -> None:
    fresh.pause()
    before = fresh.get("/clock")
    fresh.advance(60)
    after = fresh.get("/clock")

    assert before["speed"] == 0
    assert after["now_ms"] - before["now_ms"] == 60_000


def test_speed(fresh: SimulatorProcess) -> None:
    start = fresh.post("/speed", speed=60)["now_ms"]
    deadline = time.monotonic() + PATIENCE_S
    while fresh.get("/clock")["now_ms"] - start < 60_000:
        assert time.monotonic() < deadline


def test_index_moves(fresh: SimulatorProcess) -> None:
    fresh.pause()
    fresh.move_index("NIFTY", to=25_000.0)
    at_target = spot(fresh)
    fresh.move_index("NIFTY", percent=-2.0)

    assert at_target == pytest.approx(25_000, rel=0.001)
    assert spot(fresh) == pytest.approx(24_500, rel=0.001)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/speed", {}, "speed"),
        ("/speed", {"speed": "fast"}, "speed"),
        ("/speed", {"speed": -1}, "speed"),
        ("/advance", {"seconds": -5}, "seconds"),
        ("/advance", {"secs": 5}, "secs"),
        ("/index/move", {"name": "NIFTY"}, "percent"),
        ("/index/move", {"name": "NIFTY", "percent": 1, "points": 5}, "percent"),
        ("/index/move", {"name": "DAX", "percent": 1}, "name"),
        ("/price", {"symbol": "X", "exchange": "NFO", "price": 1}, "symbol"),
        ("/faults", {"name": "gremlin"}, "name"),
        ("/faults", {"name": "latency"}, "parameters.seconds"),
        ("/faults", {"name": "latency", "parameters": {"seconds": 1, "x": 1}}, "parameters.x"),
        ("/faults", {"name": "hang", "account": 9}, "account"),
        ("/faults", {"name": "hang", "probability": 2}, "probability"),
        ("/accounts/9/mode", {"mode": "live"}, "number"),
        ("/accounts/1/mode", {"mode": "paper"}, "mode"),
        ("/accounts/x/logout", {}, "number"),
        ("/accounts/1/relogin", {"new_token": "yes"}, "new_token"),
        ("/scenario", {"name": "boom"}, "name"),
        ("/foreign-order", {"account": 1, "symbol": "X", "exchange": "NFO", "action": "BUY", "quantity": 65}, "symbol"),
        ("/foreign-order", {"account": 1, **OPTION, "action": "HOLD", "quantity": 65}, "action"),
    ],
)
def test_bad_input_names_the_field(fresh: SimulatorProcess, path: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ControlRefusedError, match=rf"{path}: {field}: "):
        fresh.post(path, **body)


def test_unreadable_body(fresh: SimulatorProcess) -> None:
    reply = urllib3.request("POST", fresh.control + "/speed", body=b"{", retries=False)

    assert (reply.status, reply.json()["field"]) == (400, "body")


def test_accounts_are_switched_and_logged_out(fresh: SimulatorProcess) -> None:
    analyze = fresh.post("/accounts/1/mode", mode="analyze")
    fresh.post("/accounts/2/logout")
    logged_out = fresh.api(2, "funds")[0]
    fresh.post("/accounts/2/relogin")

    assert analyze["mode"] == "analyze"
    assert fresh.api(1, "funds")[1]["mode"] == "analyze"
    assert (logged_out, fresh.api(2, "funds")[0]) == (403, 200)


def test_an_order_typed_at_the_broker(fresh: SimulatorProcess) -> None:
    reply = fresh.post("/foreign-order", account=2, **OPTION, action="SELL", quantity=65)
    fresh.advance(5)

    truth = fresh.truth(2)
    assert [order["orderid"] for order in truth["orders"]] == [reply["orderid"]]
    assert truth["positions"] == [{**OPTION, "quantity": -65}]
    assert fresh.api(2, "positionbook")[1]["data"][0]["quantity"] == -65


def test_a_reset_forgets_all_and_repeats_itself(fresh: SimulatorProcess) -> None:
    def history() -> tuple[float, float]:
        fresh.pause()
        fresh.reset()
        fresh.pause()
        now_s = fresh.get("/clock")["now_ms"] / 1000 % 60
        fresh.advance(120 - now_s)
        return now_s, spot(fresh)

    fresh.api(1, "placeorder", ORDER)
    fresh.fault("hang")
    (_, first), (_, second) = history(), history()

    assert first == second
    assert fresh.truth(1)["orders"] == []
    assert fresh.get("/faults")["faults"] == []


def test_an_idle_connection_is_closed_without_a_word(fresh: SimulatorProcess) -> None:
    account = fresh.accounts[0]
    host, port = account.host.removeprefix("http://").split(":")
    pool = urllib3.HTTPConnectionPool(host, int(port), maxsize=1, retries=False)
    reply = pool.request("POST", "/api/v1/ping", json={"apikey": account.api_key})
    assert reply.status == 200
    assert reply.headers.get("Connection") != "close"
    connection = pool.pool.get()  # type: ignore[union-attr] # the pool is open
    assert connection.sock is not None

    connection.sock.settimeout(PATIENCE_S)
    started = time.monotonic()
    assert connection.sock.recv(1) == b""
    assert 1.5 < time.monotonic() - started < 4.0


def test_a_port_in_use_is_one_clear_line(fresh: SimulatorProcess) -> None:
    port = fresh.accounts[0].host.rsplit(":", 1)[1]

    with (
        pytest.raises(SimulatorFailedError, match=f"Port {port} cannot be used") as failure,
        start_simulator("--rest-port", port, accounts=1),
    ):
        pass

    assert "Traceback" not in str(failure.value)


def test_stops_at_once() -> None:
    with start_simulator(accounts=2) as simulator:
        account = simulator.accounts[0]
        simulator.fault("hang", account=1)
        with connect(account.ws_url) as socket:
            ask(socket, action="authenticate", api_key=account.api_key)
            simulator.process.terminate()
            assert simulator.process.wait(timeout=PATIENCE_S) == 0, "the call that hangs does not hold it"


def test_fifty_accounts() -> None:
    with start_simulator(accounts=50) as simulator:
        brokers = [simulator.api(account.number, "ping")[1]["data"]["broker"] for account in simulator.accounts]

    assert brokers == ["simulator"] * 50


def test_a_scripted_day_can_be_asked_for() -> None:
    with start_simulator("--scenario", "crash", "--date", "2026-11-25", "--start", "11:00", accounts=1) as simulator:
        state = simulator.get("/state")

    assert state["now"].startswith("2026-11-25T11:00")


@pytest.mark.parametrize("arguments", [("--scenario", "boom"), ("--speed", "100000"), ("--accounts", "51")])
def test_wrong_arguments_are_explained(arguments: tuple[str, str]) -> None:
    with pytest.raises(SimulatorFailedError) as failure, start_simulator(*arguments):
        pass

    assert "Traceback" not in str(failure.value)
