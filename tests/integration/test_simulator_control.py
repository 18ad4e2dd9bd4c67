"""The control port moves time, prices and accounts, injects faults, tells the truth, and names a wrong field."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import HTTPError, ProtocolError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.contract.rest_setups import OPTION
from tests.simulator_process import ControlRefusedError, SimulatorFailedError, SimulatorProcess, start_simulator

PATIENCE_S = 8.0
ORDER = {"strategy": "s", **OPTION, "action": "BUY", "quantity": 65, "pricetype": "MARKET"}
INDEX = {"symbol": "NIFTY", "exchange": "NSE_INDEX"}


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", accounts=2) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared: SimulatorProcess) -> SimulatorProcess:
    shared.reset()
    return shared


@pytest.fixture
def stream(simulator: SimulatorProcess) -> Iterator[ClientConnection]:
    """An authenticated client of the first account."""
    account = simulator.accounts[0]
    with connect(account.ws_url, max_size=None, close_timeout=0.2) as socket:
        ask(socket, action="authenticate", api_key=account.api_key)
        yield socket


def ask(socket: ClientConnection, **request: Any) -> dict[str, Any]:
    socket.send(json.dumps(request))
    answer: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE_S))
    return answer


def spot(simulator: SimulatorProcess) -> float:
    status, answer = simulator.api(1, "quotes", INDEX)
    assert status == 200
    price: float = answer["data"]["ltp"]
    return price


def test_state_names_everything_a_client_needs(simulator: SimulatorProcess) -> None:
    state = simulator.get("/state")

    assert (state["seed"], state["speed"], state["phase"]) == (7, 1.0, "open")
    assert state["now"].startswith("2026-11-23T09:15")
    first, second = state["accounts"]
    assert (first["number"], first["broker"], first["mode"], first["session_ok"]) == (1, "simulator", "live", True)
    assert len({first["api_key"], second["api_key"]}) == 2


def test_time_stands_still_and_jumps(simulator: SimulatorProcess) -> None:
    simulator.pause()
    before = simulator.get("/clock")
    simulator.advance(60)
    after = simulator.get("/clock")

    assert before["speed"] == 0
    assert after["now_ms"] - before["now_ms"] == 60_000


def test_speed(simulator: SimulatorProcess) -> None:
    start = simulator.post("/speed", speed=60)["now_ms"]
    deadline = time.monotonic() + PATIENCE_S
    while simulator.get("/clock")["now_ms"] - start < 60_000:
        assert time.monotonic() < deadline


def test_index_moves(simulator: SimulatorProcess) -> None:
    simulator.pause()
    simulator.move_index("NIFTY", to=25_000.0)
    at_target = spot(simulator)
    simulator.move_index("NIFTY", percent=-2.0)

    assert at_target == pytest.approx(25_000, rel=0.001)
    assert spot(simulator) == pytest.approx(24_500, rel=0.001)


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
def test_bad_input_names_the_field(simulator: SimulatorProcess, path: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ControlRefusedError, match=rf"{path}: {field}: "):
        simulator.post(path, **body)


def test_unreadable_body(simulator: SimulatorProcess) -> None:
    reply = urllib3.request("POST", simulator.control + "/speed", body=b"{", retries=False)

    assert (reply.status, reply.json()["field"]) == (400, "body")


def test_faults_come_and_go(simulator: SimulatorProcess) -> None:
    added = simulator.fault("http_error", account=1, endpoint="funds", parameters={"status": 503, "text": "busy"})
    listed = simulator.get("/faults")

    assert [fault["id"] for fault in listed["faults"]] == [added]
    assert "latency" in listed["known"]
    assert simulator.api(1, "funds") == (503, {"message": "busy", "status": "error"})
    assert simulator.api(2, "funds")[0] == 200
    assert simulator.api(1, "ping")[0] == 200
    assert simulator.delete(f"/faults/{added}")["faults"] == []
    assert simulator.api(1, "funds")[0] == 200


def test_a_fault_can_strike_once(simulator: SimulatorProcess) -> None:
    simulator.fault("rate_limited", endpoint="placeorder", remaining=1)

    assert [simulator.api(1, "placeorder", ORDER)[0] for _ in range(2)] == [429, 200]


def test_a_lost_reply_leaves_an_order(simulator: SimulatorProcess) -> None:
    simulator.fault("lost_reply", account=1, endpoint="placeorder")

    with pytest.raises(ProtocolError):
        simulator.api(1, "placeorder", ORDER)

    assert len(simulator.truth(1)["orders"]) == 1
    assert simulator.truth(2)["orders"] == []


def test_a_refused_connection_leaves_none(simulator: SimulatorProcess) -> None:
    simulator.fault("refuse_connection", account=1, endpoint="placeorder")

    with pytest.raises(ProtocolError):
        simulator.api(1, "placeorder", ORDER)

    assert simulator.truth(1)["orders"] == []


@pytest.mark.parametrize("works", [True, False])
def test_a_proxy_page_may_hide_an_order(simulator: SimulatorProcess, works: bool) -> None:
    simulator.fault("html_error", account=1, parameters={"works": works}, endpoint="placeorder")
    account = simulator.accounts[0]

    reply = urllib3.request(
        "POST", f"{account.host}/api/v1/placeorder", json={"apikey": account.api_key, **ORDER}, retries=False
    )

    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    assert len(simulator.truth(1)["orders"]) == int(works)


def test_a_truncated_body(simulator: SimulatorProcess) -> None:
    simulator.fault("truncated_body", account=1, parameters={"bytes": 10})

    with pytest.raises(HTTPError):
        simulator.api(1, "orderbook")


def test_a_hanging_reply_outlasts_the_client(simulator: SimulatorProcess) -> None:
    simulator.fault("hang", account=1, endpoint="placeorder", parameters={"works": True})
    account = simulator.accounts[0]

    with pytest.raises(HTTPError):
        urllib3.request(
            "POST",
            f"{account.host}/api/v1/placeorder",
            json={"apikey": account.api_key, **ORDER},
            timeout=0.5,
            retries=False,
        )

    assert len(simulator.truth(1)["orders"]) == 1


def test_latency_holds_up_nobody_else(simulator: SimulatorProcess) -> None:
    simulator.fault("latency", account=1, parameters={"seconds": 0.5})

    started = time.monotonic()
    simulator.api(2, "funds")
    other = time.monotonic() - started
    simulator.api(1, "funds")

    assert other < 0.4
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(
    ("name", "endpoint", "check"),
    [
        ("orderid_int", "placeorder", lambda body: isinstance(body["orderid"], int)),
        ("orderid_null", "placeorder", lambda body: body["orderid"] is None and body["status"] == "success"),
        ("semi_auto", "placeorder", lambda body: body["mode"] == "semi_auto" and "orderid" not in body),
        ("token_dead", "funds", lambda body: body == {"data": {}, "status": "success"}),
        ("session_revoked", "ping", lambda body: body["message"] == "Invalid openalgo apikey"),
        ("broker_503", "orderbook", lambda body: "Server error '503" in body["message"]),
    ],
)
def test_faults_in_replies(simulator: SimulatorProcess, name: str, endpoint: str, check: Any) -> None:
    simulator.fault(name, account=1)

    _, body = simulator.api(1, endpoint, ORDER if endpoint == "placeorder" else {})

    assert check(body), body


def test_books_may_carry_what_is_no_number(simulator: SimulatorProcess) -> None:
    simulator.api(1, "placeorder", ORDER)
    simulator.advance(5)
    simulator.fault("nan_values", account=1)

    _, body = simulator.api(1, "positionbook")

    assert str(body["data"][0]["pnl"]) == "nan"


def test_somebody_presses_the_mode_button(simulator: SimulatorProcess) -> None:
    simulator.fault("mode_switch", account=1, parameters={"analyze": True})

    assert [simulator.api(1, "analyzer")[1]["data"]["mode"] for _ in range(2)] == ["analyze", "analyze"]
    assert simulator.get("/faults")["faults"] == []


def test_accounts_are_switched_and_logged_out(simulator: SimulatorProcess) -> None:
    analyze = simulator.post("/accounts/1/mode", mode="analyze")
    simulator.post("/accounts/2/logout")
    logged_out = simulator.api(2, "funds")[0]
    simulator.post("/accounts/2/relogin")

    assert analyze["mode"] == "analyze"
    assert simulator.api(1, "funds")[1]["mode"] == "analyze"
    assert (logged_out, simulator.api(2, "funds")[0]) == (403, 200)


def test_an_order_typed_at_the_broker(simulator: SimulatorProcess) -> None:
    reply = simulator.post("/foreign-order", account=2, **OPTION, action="SELL", quantity=65)
    simulator.advance(5)

    truth = simulator.truth(2)
    assert [order["orderid"] for order in truth["orders"]] == [reply["orderid"]]
    assert truth["positions"] == [{**OPTION, "quantity": -65}]
    assert simulator.api(2, "positionbook")[1]["data"][0]["quantity"] == -65


def test_a_reset_forgets_all_and_repeats_itself(simulator: SimulatorProcess) -> None:
    def history() -> tuple[float, float]:
        simulator.pause()
        simulator.reset()
        simulator.pause()
        now_s = simulator.get("/clock")["now_ms"] / 1000 % 60
        simulator.advance(120 - now_s)
        return now_s, spot(simulator)

    simulator.api(1, "placeorder", ORDER)
    simulator.fault("hang")
    (_, first), (_, second) = history(), history()

    assert first == second
    assert simulator.truth(1)["orders"] == []
    assert simulator.get("/faults")["faults"] == []


def test_the_stream_can_be_cut(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    simulator.fault("ws_drop", account=1, remaining=1, parameters={"code": 1011})

    with pytest.raises(ConnectionClosed) as closed:
        stream.recv(timeout=PATIENCE_S)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert simulator.get("/faults")["faults"] == []


def test_new_streams_can_be_refused(simulator: SimulatorProcess) -> None:
    simulator.fault("ws_refuse", account=1)

    with connect(simulator.accounts[0].ws_url) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=PATIENCE_S)


def test_a_half_open_stream_answers_nothing(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe", **INDEX, mode=1)
    stream.recv(timeout=PATIENCE_S)
    simulator.fault("ws_half_open", account=1)
    went_quiet = False
    deadline = time.monotonic() + PATIENCE_S
    while not went_quiet and time.monotonic() < deadline:
        try:
            stream.recv(timeout=0.8)
        except TimeoutError:
            went_quiet = True

    stream.send(json.dumps({"action": "ping"}))

    assert went_quiet
    with pytest.raises(TimeoutError):
        stream.recv(timeout=0.5)
    assert not stream.ping().wait(0.3)


def test_one_symbol_can_be_muted_and_a_price_spoilt(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    simulator.fault("ws_mute_symbol", account=1, parameters={"symbol": "NIFTY"})
    simulator.fault("ws_invalid_price", account=1, parameters={"value": "-1"})
    both = [INDEX, {"symbol": "SENSEX", "exchange": "BSE_INDEX"}]
    ask(stream, action="subscribe", symbols=both, mode=1)

    ticks = [json.loads(stream.recv(timeout=PATIENCE_S)) for _ in range(4)]

    assert {tick["symbol"] for tick in ticks} == {"SENSEX"}
    assert {tick["data"]["ltp"] for tick in ticks} == {-1}


@pytest.mark.parametrize("kind", ["text", "binary", "deep", "huge"])
def test_garbage_on_the_stream(simulator: SimulatorProcess, stream: ClientConnection, kind: str) -> None:
    simulator.fault("ws_garbage", account=1, remaining=1, parameters={"kind": kind})

    frame = stream.recv(timeout=PATIENCE_S)

    assert isinstance(frame, bytes) == (kind == "binary")
    assert ask(stream, action="ping")["type"] == "pong"


def test_a_client_that_does_not_read_stalls_nobody(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    simulator.post("/speed", speed=20)
    _, chain = simulator.api(
        1, "optionchain", {"underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "01DEC26", "strike_count": 20}
    )
    rows = [{"symbol": row[side]["symbol"], "exchange": "NFO"} for row in chain["chain"] for side in ("ce", "pe")]
    account = simulator.accounts[0]
    with connect(account.ws_url, close_timeout=0.2, max_queue=1) as deaf:
        ask(deaf, action="authenticate", api_key=account.api_key)
        deaf.send(json.dumps({"action": "subscribe", "symbols": rows, "mode": 3}))
        ask(stream, action="subscribe", **INDEX, mode=1)
        end = time.monotonic() + 3.0
        gaps, before = [], time.monotonic()
        while time.monotonic() < end:
            stream.recv(timeout=PATIENCE_S)
            gaps.append(time.monotonic() - before)
            before = time.monotonic()

    assert max(gaps[1:]) < 1.5
    assert len(gaps) >= 6


def test_an_idle_connection_is_closed_without_a_word(simulator: SimulatorProcess) -> None:
    account = simulator.accounts[0]
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


def test_a_port_in_use_is_one_clear_line(simulator: SimulatorProcess) -> None:
    port = simulator.accounts[0].host.rsplit(":", 1)[1]

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
            started = time.monotonic()
            simulator.process.terminate()
            assert simulator.process.wait(timeout=5) == 0
            assert time.monotonic() - started < 2.0


def test_fifty_accounts() -> None:
    with start_simulator(accounts=50) as simulator:
        brokers = [simulator.api(account.number, "ping")[1]["data"]["broker"] for account in simulator.accounts]

    assert brokers == ["simulator"] * 50


def statuses(stream: ClientConnection, count: int) -> list[str]:
    return [json.loads(stream.recv(timeout=PATIENCE_S))["order_status"] for _ in range(count)]


@pytest.mark.parametrize(
    ("fault", "pushed"),
    [
        ("duplicate_order_push", ["open", "open", "complete", "complete"]),
        ("reorder_order_push", ["complete", "open"]),
    ],
)
def test_order_updates_repeat_and_swap(
    simulator: SimulatorProcess, stream: ClientConnection, fault: str, pushed: list[str]
) -> None:
    ask(stream, action="subscribe_orders")
    simulator.fault(fault, account=1)

    simulator.api(1, "placeorder", ORDER)

    assert statuses(stream, len(pushed)) == pushed


def test_an_update_without_a_second_one_is_only_late(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe_orders")
    simulator.fault("reorder_order_push", account=1)

    simulator.api(1, "placeorder", {**ORDER, "pricetype": "LIMIT", "price": 100.0})

    assert statuses(stream, 1) == ["open"]


def test_order_updates_can_be_withheld(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe_orders")
    simulator.fault("no_order_push", account=1)

    simulator.api(1, "placeorder", ORDER)

    with pytest.raises(TimeoutError):
        stream.recv(timeout=0.5)


def test_the_gateway_tells_virtual_time_and_may_be_wrong(simulator: SimulatorProcess, stream: ClientConnection) -> None:
    simulator.pause()
    now_ms = simulator.get("/clock")["now_ms"]
    right = ask(stream, action="ping")["server_timestamp"]
    simulator.fault("clock_skew", account=1, parameters={"seconds": -90.0})

    assert right == now_ms
    assert ask(stream, action="ping")["server_timestamp"] == now_ms - 90_000


def test_a_scripted_day_can_be_asked_for() -> None:
    with start_simulator("--scenario", "crash", "--date", "2026-11-25", "--start", "11:00", accounts=1) as simulator:
        state = simulator.get("/state")

    assert state["now"].startswith("2026-11-25T11:00")


@pytest.mark.parametrize("arguments", [("--scenario", "boom"), ("--speed", "100000"), ("--accounts", "51")])
def test_wrong_arguments_are_explained(arguments: tuple[str, str]) -> None:
    with pytest.raises(SimulatorFailedError) as failure, start_simulator(*arguments):
        pass

    assert "Traceback" not in str(failure.value)
