"""Faults of the board show on the wire: in replies, in connections, on the stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import HTTPError, ProtocolError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.conftest import INDEX, ORDER, PATIENCE_S, ask
from tests.simulator_process import SimulatorProcess


def test_faults_come_and_go(fresh: SimulatorProcess) -> None:
    added = fresh.fault("http_error", account=1, endpoint="funds", parameters={"status": 503, "text": "busy"})
    listed = fresh.get("/faults")

    assert [fault["id"] for fault in listed["faults"]] == [added]
    assert "latency" in listed["known"]
    assert fresh.api(1, "funds") == (503, {"message": "busy", "status": "error"})
    assert fresh.api(2, "funds")[0] == 200
    assert fresh.api(1, "ping")[0] == 200
    assert fresh.delete(f"/faults/{added}")["faults"] == []
    assert fresh.api(1, "funds")[0] == 200


def test_a_fault_can_strike_once(fresh: SimulatorProcess) -> None:
    fresh.fault("rate_limited", endpoint="placeorder", remaining=1)

    assert [fresh.api(1, "placeorder", ORDER)[0] for _ in range(2)] == [429, 200]


def test_a_lost_reply_leaves_an_order(fresh: SimulatorProcess) -> None:
    fresh.fault("lost_reply", account=1, endpoint="placeorder")

    with pytest.raises(ProtocolError):
        fresh.api(1, "placeorder", ORDER)

    assert len(fresh.truth(1)["orders"]) == 1
    assert fresh.truth(2)["orders"] == []


def test_a_refused_connection_leaves_none(fresh: SimulatorProcess) -> None:
    fresh.fault("refuse_connection", account=1, endpoint="placeorder")

    with pytest.raises(ProtocolError):
        fresh.api(1, "placeorder", ORDER)

    assert fresh.truth(1)["orders"] == []


@pytest.mark.parametrize("works", [True, False])
def test_a_proxy_page_may_hide_an_order(fresh: SimulatorProcess, works: bool) -> None:
    fresh.fault("html_error", account=1, parameters={"works": works}, endpoint="placeorder")
    account = fresh.accounts[0]

    reply = urllib3.request(
        "POST", f"{account.host}/api/v1/placeorder", json={"apikey": account.api_key, **ORDER}, retries=False
    )

    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    assert len(fresh.truth(1)["orders"]) == int(works)


def test_a_truncated_body(fresh: SimulatorProcess) -> None:
    fresh.fault("truncated_body", account=1, parameters={"bytes": 10})

    with pytest.raises(HTTPError):
        fresh.api(1, "orderbook")


def test_a_hanging_reply_outlasts_the_client(fresh: SimulatorProcess) -> None:
    fresh.fault("hang", account=1, endpoint="placeorder", parameters={"works": True})
    account = fresh.accounts[0]

    with pytest.raises(HTTPError):
        urllib3.request(
            "POST",
            f"{account.host}/api/v1/placeorder",
            json={"apikey": account.api_key, **ORDER},
            timeout=0.5,
            retries=False,
        )

    _wait_for(lambda: len(fresh.truth(1)["orders"]) == 1)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline


def test_latency_holds_up_nobody_else(fresh: SimulatorProcess) -> None:
    fresh.fault("latency", account=1, remaining=1, parameters={"seconds": 2.0})
    started = time.monotonic()
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(fresh.api, 1, "funds")
        _wait_for(lambda: fresh.get("/faults")["faults"] == [])  # spent: it is being held up now

        assert fresh.api(2, "funds")[0] == 200
        assert not slow.done()
        assert slow.result()[0] == 200
    assert time.monotonic() - started >= 2.0


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
def test_faults_in_replies(fresh: SimulatorProcess, name: str, endpoint: str, check: Any) -> None:
    fresh.fault(name, account=1)

    _, body = fresh.api(1, endpoint, ORDER if endpoint == "placeorder" else {})

    assert check(body), body


def test_books_may_carry_what_is_no_number(fresh: SimulatorProcess) -> None:
    fresh.api(1, "placeorder", ORDER)
    fresh.advance(5)
    fresh.fault("nan_values", account=1)

    _, body = fresh.api(1, "positionbook")

    assert str(body["data"][0]["pnl"]) == "nan"


def test_somebody_presses_the_mode_button(fresh: SimulatorProcess) -> None:
    fresh.fault("mode_switch", account=1, parameters={"analyze": True})

    assert [fresh.api(1, "analyzer")[1]["data"]["mode"] for _ in range(2)] == ["analyze", "analyze"]
    assert fresh.get("/faults")["faults"] == []


def test_the_stream_can_be_cut(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    fresh.fault("ws_drop", account=1, remaining=1, parameters={"code": 1011})

    with pytest.raises(ConnectionClosed) as closed:
        stream.recv(timeout=PATIENCE_S)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert fresh.get("/faults")["faults"] == []


def test_new_streams_can_be_refused(fresh: SimulatorProcess) -> None:
    fresh.fault("ws_refuse", account=1)

    with connect(fresh.accounts[0].ws_url) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=PATIENCE_S)


def test_a_half_open_stream_answers_nothing(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe", **INDEX, mode=1)
    stream.recv(timeout=PATIENCE_S)
    fresh.fault("ws_half_open", account=1)
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


def test_one_symbol_can_be_muted_and_a_price_spoilt(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    fresh.fault("ws_mute_symbol", account=1, parameters={"symbol": "NIFTY"})
    fresh.fault("ws_invalid_price", account=1, parameters={"value": "-1"})
    both = [INDEX, {"symbol": "SENSEX", "exchange": "BSE_INDEX"}]
    ask(stream, action="subscribe", symbols=both, mode=1)

    ticks = [json.loads(stream.recv(timeout=PATIENCE_S)) for _ in range(4)]

    assert {tick["symbol"] for tick in ticks} == {"SENSEX"}
    assert {tick["data"]["ltp"] for tick in ticks} == {-1}


@pytest.mark.parametrize("kind", ["text", "binary", "deep", "huge"])
def test_garbage_on_the_stream(fresh: SimulatorProcess, stream: ClientConnection, kind: str) -> None:
    fresh.fault("ws_garbage", account=1, remaining=1, parameters={"kind": kind})

    frame = stream.recv(timeout=PATIENCE_S)

    assert isinstance(frame, bytes) == (kind == "binary")
    assert ask(stream, action="ping")["type"] == "pong"


def test_a_client_that_does_not_read_stalls_nobody(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    fresh.post("/speed", speed=20)
    _, chain = fresh.api(
        1, "optionchain", {"underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "01DEC26", "strike_count": 20}
    )
    rows = [{"symbol": row[side]["symbol"], "exchange": "NFO"} for row in chain["chain"] for side in ("ce", "pe")]
    account = fresh.accounts[0]
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

    assert max(gaps[1:]) < 4.0
    assert len(gaps) >= 6


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
    fresh: SimulatorProcess, stream: ClientConnection, fault: str, pushed: list[str]
) -> None:
    ask(stream, action="subscribe_orders")
    fresh.fault(fault, account=1)

    fresh.api(1, "placeorder", ORDER)

    assert statuses(stream, len(pushed)) == pushed


def test_an_update_without_a_second_one_is_only_late(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe_orders")
    fresh.fault("reorder_order_push", account=1)

    fresh.api(1, "placeorder", {**ORDER, "pricetype": "LIMIT", "price": 100.0})

    assert statuses(stream, 1) == ["open"]


def test_order_updates_can_be_withheld(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    ask(stream, action="subscribe_orders")
    fresh.fault("no_order_push", account=1)

    fresh.api(1, "placeorder", ORDER)

    with pytest.raises(TimeoutError):
        stream.recv(timeout=0.5)


def test_the_gateway_tells_virtual_time_and_may_be_wrong(fresh: SimulatorProcess, stream: ClientConnection) -> None:
    fresh.pause()
    now_ms = fresh.get("/clock")["now_ms"]
    right = ask(stream, action="ping")["server_timestamp"]
    fresh.fault("clock_skew", account=1, parameters={"seconds": -90.0})

    assert right == now_ms
    assert ask(stream, action="ping")["server_timestamp"] == now_ms - 90_000
