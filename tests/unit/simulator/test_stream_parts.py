"""Parts of the stream that need no socket: modes, subscriptions, waiting frames, bursts."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from websockets.asyncio.server import ServerConnection

from simulator.quotes import ContractKey
from simulator.stream import RequestRefusedError, asked_symbols, mode_number
from simulator.stream_client import StreamClient
from simulator.stream_subscriptions import DEPTH, LTP, QUOTE, Subscriptions
from simulator.stream_ticks import Tick, fan_out, first_burst, with_price

NIFTY = ContractKey("NIFTY", "NSE_INDEX")
CALL = ContractKey("NIFTY01DEC2625000CE", "NFO")


class SlowSocket:
    """Takes frames only once `open` is set; `full` is set when it has taken as many as expected."""

    def __init__(self, expected: int) -> None:
        self.open, self.full = asyncio.Event(), asyncio.Event()
        self.sent: list[bytes] = []
        self._expected = expected

    async def send(self, frame: bytes, *, text: bool) -> None:
        assert text
        await self.open.wait()
        self.sent.append(frame)
        if len(self.sent) == self._expected:
            self.full.set()


def client_on(socket: Any = None) -> StreamClient:
    return StreamClient(cast("ServerConnection", socket))


@pytest.mark.parametrize(
    ("given", "number"), [(1, LTP), (2, QUOTE), (3, DEPTH), ("LTP", LTP), ("quote", QUOTE), ("Depth", DEPTH)]
)
def test_modes(given: Any, number: int) -> None:
    assert mode_number(given) == number


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (5, "Invalid mode 5; expected 1 (LTP), 2 (Quote), or 3 (Depth)"),
        ("x", "Invalid mode 'x'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
        ("2", "Invalid mode '2'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
        (True, "Mode must be int or str, got bool (True)"),
        (None, "Mode must be int or str, got NoneType (None)"),
    ],
)
def test_wrong_modes(given: Any, text: str) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        mode_number(given)

    assert json.loads(refusal.value.frame) == {"status": "error", "code": "INVALID_MODE", "message": text}


def test_a_batch_of_texts_is_a_server_error() -> None:
    with pytest.raises(RequestRefusedError, match="'str' object has no attribute 'get'"):
        asked_symbols({"symbols": ["SBIN"]})


def test_only_a_higher_mode_asks_the_broker_again() -> None:
    subscriptions, first, second = Subscriptions(), client_on(), client_on()

    asked = [
        subscriptions.add(first, CALL, QUOTE),
        subscriptions.add(second, CALL, QUOTE),
        subscriptions.add(second, CALL, LTP),
        subscriptions.add(second, CALL, DEPTH),
    ]

    assert asked == [True, False, False, True]


def test_a_contract_is_held_until_its_last_client_leaves() -> None:
    subscriptions, first, second = Subscriptions(), client_on(), client_on()
    for client in (first, second):
        subscriptions.add(client, CALL, LTP)

    assert not subscriptions.remove(first, CALL, QUOTE)
    assert not subscriptions.remove(first, CALL, LTP)
    assert subscriptions.drop(second) == [CALL]
    assert CALL not in subscriptions


@pytest.mark.parametrize(("tick", "tag"), [(LTP, LTP), (QUOTE, LTP), (DEPTH, DEPTH)])
def test_a_tick_is_tagged_with_the_highest_mode_it_satisfies(tick: int, tag: int) -> None:
    client = client_on()
    client.modes[CALL] = {LTP, DEPTH}

    assert client.tag_for(CALL, tick) == tag
    assert client.tag_for(NIFTY, tick) is None


def test_ltp_only_sees_higher_ticks_and_depth_only_sees_no_lower() -> None:
    low, high = client_on(), client_on()
    low.modes[CALL], high.modes[CALL] = {LTP}, {DEPTH}

    assert low.tag_for(CALL, DEPTH) == LTP
    assert high.tag_for(CALL, QUOTE) is None


def test_one_change_makes_one_tick_for_each_mode_held() -> None:
    assert fan_out({LTP}) == [Tick(LTP)]
    assert fan_out({LTP, QUOTE, DEPTH}) == [Tick(DEPTH), Tick(QUOTE, derived=DEPTH), Tick(LTP, derived=DEPTH)]


def test_first_bursts() -> None:
    assert [tick.mode for tick in first_burst(LTP, index=False)] == [QUOTE, LTP, LTP]
    assert [tick.mode for tick in first_burst(LTP, index=True)] == [LTP, LTP]
    assert [tick.mode for tick in first_burst(DEPTH, index=True)] == [DEPTH]


def test_of_a_contract_only_the_newest_price_waits_and_replies_all_do() -> None:
    async def scene() -> tuple[int, list[bytes]]:
        socket = SlowSocket(expected=4)
        client = client_on(socket)
        pump = asyncio.create_task(client.pump())
        client.reply(b"ack")
        await asyncio.sleep(0)  # the pump holds the first frame, and stalls
        for price in range(1000):
            client.tick((CALL, LTP, 0), b"call %d" % price)
            client.tick((NIFTY, LTP, 0), b"index %d" % price)
        client.reply(b"order")
        waiting = client.waiting()
        socket.open.set()
        async with asyncio.timeout(5):
            await socket.full.wait()
        pump.cancel()
        return waiting, socket.sent

    # In a thread of its own: a browser test of this process may have a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        waiting, sent = thread.submit(asyncio.run, scene()).result()

    assert waiting == 3
    assert sent == [b"ack", b"order", b"call 999", b"index 999"]


def test_prices_of_a_contract_no_longer_held_are_dropped() -> None:
    client = client_on()
    client.modes[CALL] = {LTP}
    client.tick((CALL, LTP, 0), b"call")
    client.tick((NIFTY, LTP, 0), b"index")

    client.forget([CALL, NIFTY])

    assert client.waiting() == 1


def test_a_price_can_be_spoilt() -> None:
    frame = b'{"data":{"mode":"ltp","ltp":24985.1,"ltt":1}}'

    assert with_price(frame, "NaN") == b'{"data":{"mode":"ltp","ltp":NaN,"ltt":1}}'
