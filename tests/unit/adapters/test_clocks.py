"""The machine's clock, and the market's on a simulator: at the simulator's speed, and back only on a reset."""

import json
import threading
import time
from datetime import UTC, datetime

import pytest

from app.adapters.clock import SimulatorClock, SystemClock
from app.adapters.simulator_control import SimulatorControl
from app.domain.errors import Unavailable
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.replay_server import Replay

OPENING_MS = int(datetime(2026, 11, 23, 3, 45, tzinfo=UTC).timestamp() * 1000)


class Market:
    """A simulator's control port that says what a test sets."""

    def __init__(self, replay: Replay, clock: HandClock) -> None:
        self.replay, self.machine = replay, clock
        self.clock = SimulatorClock(replay.url, clock)

    def says(self, seconds: float, speed: float = 1.0) -> None:
        answer = {"now_ms": OPENING_MS + int(seconds * 1000), "speed": speed}
        self.replay.answers["/clock"] = (200, json.dumps(answer).encode())

    def reads(self, seconds: float, speed: float = 1.0) -> None:
        self.says(seconds, speed)
        self.clock.sync()

    def seconds(self) -> float:
        """Market seconds since the opening, as our clock has it."""
        return self.clock.now().timestamp() - OPENING_MS / 1000


@pytest.fixture
def market(replay: Replay, clock: HandClock) -> Market:
    return Market(replay, clock)


def test_the_machines_clock_is_aware_and_moves() -> None:
    system = SystemClock()
    assert abs(system.now().timestamp() - time.time()) < 5  # noqa: TID251 - what it is compared with
    assert system.now().utcoffset() is not None
    assert system.monotonic() <= system.monotonic()


def test_the_first_look_asks(market: Market) -> None:
    market.says(60)
    assert market.seconds() == 60
    assert market.clock.now().tzinfo is UTC


def test_a_market_never_read_has_no_time(market: Market) -> None:
    with pytest.raises(Unavailable, match="simulator"):
        market.clock.now()
    assert market.clock.failures == 1


def test_who_asks_for_a_time_nobody_knows_waits_once_and_not_at_every_call(market: Market) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable):
            market.clock.now()
    assert market.clock.failures == 1
    market.says(0)
    market.machine.advance(5)
    assert market.seconds() == 0


@pytest.mark.parametrize("speed", [0.0, 1.0, 60.0])
def test_time_runs_on_between_readings(speed: float, market: Market) -> None:
    market.reads(0, speed)
    market.machine.advance(2)
    assert market.seconds() == 2 * speed


def test_a_failed_reading_keeps_the_last(market: Market) -> None:
    market.reads(10)
    market.replay.answers["/clock"] = (500, b"")
    market.machine.advance(3)
    market.clock.sync()
    market.clock.sync()
    assert market.seconds() == 13
    assert market.clock.failures == 2
    market.reads(14)
    assert market.clock.failures == 0


def test_a_small_step_back_is_waited_out(market: Market) -> None:
    market.reads(0, 60)
    market.machine.advance(1)
    assert market.seconds() == 60
    market.reads(58, 60)
    assert market.seconds() == 60
    market.machine.advance(1)
    assert market.seconds() == 118


def test_a_pause_stops_the_clock_and_does_not_turn_it_back(market: Market) -> None:
    market.reads(0, 60)
    market.machine.advance(1)
    assert market.seconds() == 60
    market.reads(30, 0)
    assert market.seconds() == 60
    market.machine.advance(100)
    assert market.seconds() == 60


def test_a_reset_goes_back(market: Market) -> None:
    market.reads(3600)
    assert market.seconds() == 3600
    market.reads(0)
    assert market.seconds() == 0


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<html>", b'{"now_ms": "1", "speed": 1}', b'{"now_ms": 1, "speed": -1}']
)
def test_what_is_no_clock_is_not_believed(body: bytes, replay: Replay) -> None:
    replay.answers["/clock"] = (200, body)
    with pytest.raises(Unavailable, match="control port"):
        SimulatorControl(replay.url).time()


def test_the_accounts_of_the_simulator(replay: Replay) -> None:
    row = {
        "number": 1,
        "name": "Simulator 1",
        "host": "http://a:1",
        "ws_url": "ws://a:2",
        "api_key": "k",
        "mode": "live",
    }
    replay.answers["/state"] = (200, json.dumps({"accounts": [row]}).encode())
    (account,) = SimulatorControl(replay.url + "/").accounts()
    assert (account.name, account.host_url, account.websocket_url) == ("Simulator 1", "http://a:1", "ws://a:2")
    assert account.api_key == "k"
    assert "'k'" not in repr(account)


@pytest.mark.parametrize("state", [{}, {"accounts": {}}, {"accounts": [{}]}, {"accounts": ["x"]}])
def test_accounts_that_lack_something_are_refused(state: object, replay: Replay) -> None:
    replay.answers["/state"] = (200, json.dumps(state).encode())
    with pytest.raises(Unavailable, match="control port"):
        SimulatorControl(replay.url).accounts()


def test_a_simulator_on_a_busy_machine_is_waited_for(replay: Replay) -> None:
    replay.answers["/clock"] = (200, json.dumps({"now_ms": OPENING_MS, "speed": 1.0}).encode())
    replay.hang, replay.hang_s = threading.Event(), 2.5
    assert SimulatorControl(replay.url).time().now_ms == OPENING_MS


def test_a_simulator_that_is_not_there() -> None:
    with pytest.raises(Unavailable, match="is running"):
        SimulatorControl("http://127.0.0.1:1").accounts()
