"""The official `openalgo` package, whichever line this interpreter has, works against the simulator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.simulator_process import SimulatorProcess, start_simulator

PATIENCE_S = 10.0
CALL = {"symbol": "NIFTY01DEC2625000CE", "exchange": "NFO"}
INDEX = {"symbol": "NIFTY", "exchange": "NSE_INDEX"}


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorProcess]:
    with start_simulator("--start", "10:30", "--speed", "2", accounts=1) as simulator:
        yield simulator


@pytest.fixture
def client(running: SimulatorProcess) -> Any:
    running.reset()
    running.post("/index/move", name="NIFTY", to=25015.0)
    running.advance(1.0)
    return client_with(running, running.accounts[0].api_key)


def client_with(running: SimulatorProcess, api_key: str) -> Any:
    from openalgo import api  # noqa: PLC0415 - loads numba and pandas: seconds of each worker of the tests

    account = running.accounts[0]
    return api(api_key=api_key, host=account.host, ws_url=account.ws_url, timeout=10.0)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing came in time"
        threading.Event().wait(0.05)


def order(client: Any, **fields: Any) -> str:
    body = {"strategy": "sdk", **CALL, "action": "BUY", "price_type": "MARKET", "product": "NRML", "quantity": 65}
    reply = client.placeorder(**(body | fields))
    assert reply["status"] == "success", reply
    orderid: str = reply["orderid"]
    return orderid


def state_of(client: Any, orderid: str) -> dict[str, Any]:
    reply = client.orderstatus(order_id=orderid, strategy="sdk")
    assert reply["status"] == "success", reply
    found: dict[str, Any] = reply["data"]
    return found


def test_place_and_fill(client: Any) -> None:
    orderid = order(client)

    wait_until(lambda: state_of(client, orderid)["order_status"] == "complete")

    assert [row["orderid"] for row in client.orderbook()["data"]["orders"]] == [orderid]
    assert sum(row["quantity"] for row in client.tradebook()["data"]) == 65
    assert [row["quantity"] for row in client.positionbook()["data"]] == [65]


def test_modify_and_cancel(client: Any) -> None:
    orderid = order(client, price_type="LIMIT", price=150.0)
    changed = {**CALL, "action": "BUY", "price_type": "LIMIT", "product": "NRML", "quantity": 130, "price": 151.0}

    modified = client.modifyorder(order_id=orderid, strategy="sdk", **changed)
    after_modify = state_of(client, orderid)
    cancelled = client.cancelorder(order_id=orderid, strategy="sdk")

    assert modified == {"orderid": orderid, "status": "success"}
    assert (after_modify["price"], after_modify["quantity"]) == (151.0, 130)
    assert cancelled == {"orderid": orderid, "status": "success"}
    assert state_of(client, orderid)["order_status"] == "cancelled"


def test_basket_and_close(client: Any) -> None:
    row = {**CALL, "pricetype": "MARKET", "product": "NRML", "quantity": 65}
    rows = [{**row, "action": "BUY"}, {**row, "symbol": "NIFTY01DEC2625000PE", "action": "SELL"}]

    basket = client.basketorder(strategy="sdk", orders=rows)
    wait_until(lambda: len(client.positionbook()["data"]) == 2)
    closed = client.closeposition(strategy="sdk")

    assert [result["status"] for result in basket["results"]] == ["success", "success"]
    assert closed == {"message": "All Open Positions Squared Off", "status": "success"}
    wait_until(lambda: all(row["quantity"] == 0 for row in client.positionbook()["data"]))


def test_funds_and_margin(client: Any) -> None:
    leg = {**CALL, "action": "SELL", "product": "NRML", "pricetype": "MARKET", "quantity": "65"}

    funds, margin = client.funds()["data"], client.margin(positions=[leg])["data"]

    assert float(funds["availablecash"]) > 0
    assert margin["total_margin_required"] > 100_000
    assert client.holdings()["status"] == "success"


def test_quotes(client: Any) -> None:
    one = client.quotes(**CALL)["data"]
    many = client.multiquotes(symbols=[CALL, INDEX])["results"]
    depth = client.depth(**CALL)["data"]

    assert one["bid"] < one["ask"]
    assert {row["symbol"] for row in many} == {CALL["symbol"], INDEX["symbol"]}
    assert [len(depth[side]) for side in ("bids", "asks")] == [5, 5]


def test_history_is_a_frame(client: Any) -> None:
    import pandas as pd  # noqa: PLC0415 - as heavy

    day = {"start_date": "2026-11-20", "end_date": "2026-11-23"}

    minutes = client.history(**INDEX, interval="5m", **day)
    days = client.history(**INDEX, interval="D", **day)

    assert isinstance(minutes, pd.DataFrame)
    assert str(minutes.index[0]) == "2026-11-20 09:15:00+05:30"
    assert minutes.index.is_monotonic_increasing
    assert (minutes["high"] >= minutes["low"]).all()
    assert len(days) == 2


def test_contracts(client: Any) -> None:
    expiries = client.expiry(symbol="NIFTY", exchange="NFO", instrumenttype="options")["data"]
    chain = client.optionchain(underlying="NIFTY", exchange="NSE_INDEX", expiry_date="01DEC26", strike_count=2)
    symbol = client.symbol(**CALL)["data"]
    instruments = client.instruments(exchange="NFO")

    assert "01-DEC-26" in expiries
    assert [row["ce"]["label"] for row in chain["chain"]] == ["ITM2", "ITM1", "ATM", "OTM1", "OTM2"]
    assert symbol["lotsize"] == 65
    assert CALL["symbol"] in set(instruments["symbol"])
    assert client.holidays(year=2026)["status"] == "success"
    assert client.timings(date="2026-11-23")["status"] == "success"


def test_errors_arrive_as_the_package_tells_them(client: Any, running: SimulatorProcess) -> None:
    stranger = client_with(running, "nobody")

    refused = stranger.funds()
    unknown = client.quotes(symbol="NOSUCH", exchange="NSE")

    assert (refused["status"], refused["code"]) == ("error", 403)
    assert (unknown["status"], unknown["code"]) == ("error", 400)


def test_feed(client: Any) -> None:
    ltp: list[dict[str, Any]] = []
    depth: list[dict[str, Any]] = []

    assert client.connect()
    try:
        assert client.subscribe_ltp([INDEX], on_data_received=ltp.append)
        assert client.subscribe_depth([CALL], on_data_received=depth.append)
        wait_until(lambda: len(ltp) >= 2 and len(depth) >= 2)
        latest = client.get_ltp()["ltp"]["NSE_INDEX"]["NIFTY"]["ltp"]
        book = client.get_depth()["depth"]["NFO"][CALL["symbol"]]
    finally:
        client.disconnect()

    assert ltp[0]["data"]["ltp"] > 20_000
    assert latest > 20_000
    assert len(book["buyBook"]) == 5
