"""The feed over a scripted socket: what is confirmed, what is refused, what goes to the listener, what ends it."""

import json
from collections import deque
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.frame_socket import FrameSocket
from app.domain.contracts import ContractKey
from app.ports.feed import Drop, FeedClosed, FeedMode
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.listening import Listening

KEY = "CANARY-key"
CALL, PUT, BAD = (ContractKey("NFO", name) for name in ("NIFTY01DEC2625000CE", "NIFTY01DEC2625000PE", "NOSUCH"))


class ScriptedSocket:
    """Gives what a test puts in `coming`; closed when it meets an exception there."""

    def __init__(self) -> None:
        self.coming: deque[bytes | Exception] = deque()
        self.sent: list[dict[str, Any]] = []
        self.is_closed = False

    def receive(self, timeout_s: float) -> list[bytes]:
        """All that waits, up to an exception."""
        assert timeout_s >= 0
        came: list[bytes] = []
        while self.coming:
            frame = self.coming[0]
            if came and isinstance(frame, Exception):
                break
            self.coming.popleft()
            if isinstance(frame, Exception):
                raise frame
            came.append(frame)
        return came

    def send(self, text: str) -> None:
        if self.is_closed:
            raise ConnectionClosedError(Close(1006, ""), None)
        self.sent.append(json.loads(text))

    def close(self) -> None:
        self.is_closed = True

    def says(self, **body: Any) -> None:
        self.coming.append(json.dumps(body).encode())


class Desk:
    def __init__(self) -> None:
        self.socket, self.heard, self.clock = ScriptedSocket(), Listening(), HandClock()
        connection = cast("FrameSocket", self.socket)
        self.feed = OpenAlgoFeed(connection, self.heard, self.clock, secret=KEY, max_frame=4096)

    def acknowledge(self, *rows: tuple[ContractKey, str], request: int | None = None) -> None:
        """Answer a subscription: each row `success`, or the words of its refusal."""
        subscriptions = [
            {"symbol": key.symbol, "exchange": key.exchange, "status": "success" if words == "success" else "error"}
            | ({} if words == "success" else {"message": words})
            for key, words in rows
        ]
        number = {} if request is None else {"request_id": request}
        self.socket.says(type="subscribe", status="partial", subscriptions=subscriptions, **number)

    def read(self) -> bool:
        return self.feed.read(0.1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_came(desk: Desk) -> None:
    assert desk.read() is False


def test_a_subscription_is_one_frame_and_counts_when_confirmed(desk: Desk) -> None:
    desk.feed.subscribe([CALL, BAD], FeedMode.DEPTH)
    (sent,) = desk.socket.sent
    assert sent["mode"] == 3
    assert [row["symbol"] for row in sent["symbols"]] == [CALL.symbol, BAD.symbol]
    assert desk.feed.confirmed() == frozenset()
    desk.acknowledge((CALL, "success"), (BAD, f"Symbol NOSUCH not found {KEY}"), request=sent["request_id"])
    assert desk.read() is True
    assert desk.feed.confirmed() == {CALL}
    assert desk.feed.refused() == {BAD: "Symbol NOSUCH not found (key)"}


def test_a_contract_that_the_answer_passes_over_is_refused(desk: Desk) -> None:
    desk.feed.subscribe([CALL, PUT], FeedMode.LTP)
    desk.acknowledge((CALL, "success"), request=1)
    desk.read()
    assert desk.feed.confirmed() == {CALL}
    assert set(desk.feed.refused()) == {PUT}


def test_an_answer_without_a_number_answers_the_oldest_request(desk: Desk) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    desk.feed.subscribe([PUT], FeedMode.LTP)
    desk.acknowledge((CALL, "success"))
    desk.read()
    assert desk.feed.confirmed() == {CALL}
    assert desk.feed.refused() == {}


def test_a_later_confirmation_takes_a_refusal_back(desk: Desk) -> None:
    for words in ("not yet", "success"):
        desk.feed.subscribe([CALL], FeedMode.QUOTE)
        desk.acknowledge((CALL, words))
    desk.read()
    assert desk.feed.confirmed() == {CALL}
    assert desk.feed.refused() == {}


def test_unsubscribing_names_the_mode_in_each_row(desk: Desk) -> None:
    desk.feed.subscribe([CALL, PUT], FeedMode.DEPTH)
    desk.acknowledge((CALL, "success"), (PUT, "success"))
    desk.feed.unsubscribe([CALL], FeedMode.DEPTH)
    row = {"symbol": CALL.symbol, "exchange": "NFO"}
    desk.socket.says(type="unsubscribe", status="success", successful=[{**row, "status": "success"}], failed=[])
    desk.read()
    assert desk.socket.sent[1] == {"action": "unsubscribe", "symbols": [{**row, "mode": 3}]}
    assert desk.feed.confirmed() == {PUT}


def test_asking_for_nothing_sends_nothing(desk: Desk) -> None:
    desk.feed.subscribe([], FeedMode.LTP)
    desk.feed.unsubscribe([], FeedMode.LTP)
    assert desk.socket.sent == []


def test_everything_that_waits_is_delivered_in_one_read(desk: Desk) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    for ltp in (1.0, 2.0, 3.0):
        desk.socket.says(type="market_data", symbol=CALL.symbol, exchange="NFO", mode=1, data={"ltp": ltp})
    desk.socket.coming.append(b"{")
    desk.socket.says(
        type="order_update", orderid="1", action="BUY", quantity=65, filled_quantity=0, order_status="open", mode="live"
    )
    assert desk.read() is True
    assert [tick.ltp for tick in desk.heard.came] == [1.0, 2.0, 3.0]
    assert len(desk.heard.updates) == 1
    assert desk.heard.dropped == ["not a JSON object"]


def test_prices_of_what_nobody_asked_for_are_counted_and_kept_nowhere(desk: Desk) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    for exchange, symbol in (("NFO", CALL.symbol), ("NFO", PUT.symbol), ("BFO", CALL.symbol), ("NFO", "NOSUCH")):
        desk.socket.says(type="market_data", symbol=symbol, exchange=exchange, mode=1, data={"ltp": 5})
    desk.acknowledge((CALL, "success"), (PUT, "success"), (BAD, "not found"))
    desk.read()
    assert [tick.key for tick in desk.heard.came] == [CALL]
    assert desk.heard.kinds == [Drop.UNASKED] * 3
    assert desk.feed.confirmed() == {CALL}
    assert desk.feed.refused() == {}


def test_types_without_end_are_counted_as_one(desk: Desk) -> None:
    for number in range(1000):
        desk.socket.says(type=f"type {number} {'x' * 1000}")
    desk.read()
    assert sum(desk.feed.ignored.values()) == 1000
    assert desk.feed.ignored["other"] == 950
    assert max(map(len, desk.feed.ignored)) == 40


def test_errors_that_answer_nothing_are_not_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    for _ in range(100):
        desk.socket.says(status="error", code="PROCESSING_ERROR", message="boom")
    desk.read()
    assert desk.heard.kinds == [Drop.REFUSAL] * 100
    assert len(caplog.records) == 1


def test_row_22_a_frame_that_is_too_large_is_dropped_and_the_socket_kept(desk: Desk) -> None:
    desk.socket.coming.append(b"x" * 5000)
    desk.read()
    assert desk.heard.dropped == ["a frame of 5000 bytes"]
    assert not desk.socket.is_closed


def test_a_pong_shows_the_gateways_clock(desk: Desk) -> None:
    desk.feed.ping()
    desk.clock.advance(5)
    desk.socket.says(type="pong", status="success", server_timestamp=1795411990335)
    desk.read()
    assert desk.socket.sent == [{"action": "ping"}]
    assert (desk.feed.gateway_ms, desk.feed.last_pong) == (1795411990335, 1005.0)


def test_frames_of_unknown_types_are_counted(desk: Desk) -> None:
    for _ in range(3):
        desk.socket.says(type="supported_brokers", status="success")
    desk.socket.says(type="subscribe_orders", status="success")
    desk.read()
    assert desk.feed.ignored == {"supported_brokers": 3, "subscribe_orders": 1}


def test_a_gateway_says_whether_it_still_has_its_broker(desk: Desk) -> None:
    desk.feed.ask_broker()
    assert desk.socket.sent == [{"action": "get_broker_info"}]
    for status, gone in (("disconnected", True), ("connected", False), (None, False)):
        desk.socket.says(type="broker_info", status="success", adapter_status=status)
        desk.read()
        assert desk.feed.broker_gone is gone


@pytest.mark.parametrize("code", ["BROKER_ERROR", "BROKER_CONNECTION_ERROR", "NOT_AUTHENTICATED"])
def test_a_gateway_that_lost_its_broker_ends_the_feed(code: str, desk: Desk) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    desk.socket.says(status="error", code=code, message="Broker adapter not found")
    with pytest.raises(FeedClosed, match="Broker adapter not found"):
        desk.read()
    assert desk.socket.is_closed


def test_any_other_error_refuses_the_oldest_open_request(desk: Desk) -> None:
    desk.feed.subscribe([CALL], FeedMode.LTP)
    desk.feed.subscribe([PUT], FeedMode.LTP)
    desk.socket.says(status="error", code="PROCESSING_ERROR", message="boom")
    desk.acknowledge((PUT, "success"), request=2)
    desk.read()
    assert desk.feed.confirmed() == {PUT}
    assert desk.feed.refused() == {CALL: "PROCESSING_ERROR: boom"}
    assert desk.heard.dropped == ["PROCESSING_ERROR: boom"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionClosedError(Close(4401, "auth timeout"), None), "code 4401 (auth timeout)"),
        (ConnectionClosedError(None, None), "broke off"),
    ],
)
def test_a_closed_socket_says_why(error: Exception, words: str, desk: Desk) -> None:
    desk.socket.coming.append(error)
    with pytest.raises(FeedClosed) as told:
        desk.read()
    assert words in str(told.value)


def test_sending_on_a_closed_socket_says_so(desk: Desk) -> None:
    desk.feed.close()
    with pytest.raises(FeedClosed):
        desk.feed.ping()
