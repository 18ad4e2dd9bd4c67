"""Our feed against the simulator's stream: subscriptions, ticks, order updates, and every way a feed goes wrong."""

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.adapters.clock import SimulatorClock, SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.feed_opening import FeedLimits, OpenAlgoFeeds
from app.adapters.simulator_control import SimulatorControl
from app.domain.books import OrderStatus
from app.domain.contracts import ContractKey, Kind
from app.domain.errors import InvalidInput
from app.domain.outcomes import Verdict
from app.domain.plan import Mode
from app.ports.feed import FeedClosed, FeedMode
from app.ports.gateway import GatewayAddress, GatewayError, LoggedOut, NotOpenAlgo, TimedOut, Unreachable, WrongKey
from tests.contract.orders import market_buy
from tests.simulator_process import SimulatorProcess
from tests.unit.adapters.listening import Listening

NIFTY = ContractKey("NSE_INDEX", "NIFTY")
BAD = ContractKey("NFO", "NOSUCH")
WITHIN_S = 10.0
SHORT = FeedLimits(connect_s=1.0, open_s=1.0, authenticate_s=1.0)


def address_of(simulator: SimulatorProcess, number: int = 1) -> GatewayAddress:
    account = simulator.accounts[number - 1]
    return GatewayAddress(account.host, account.ws_url, account.api_key)


def read_until(feed: OpenAlgoFeed, done: Callable[[], bool]) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + WITHIN_S
    while not done():
        assert clock.monotonic() < deadline, "it did not come"
        feed.read(0.2)


@pytest.fixture
def heard() -> Listening:
    return Listening()


@pytest.fixture
def feed(simulator: SimulatorProcess, heard: Listening) -> Iterator[OpenAlgoFeed]:
    opened = OpenAlgoFeeds(SystemClock())(address_of(simulator), heard)
    yield opened
    opened.close()


@pytest.fixture
def call(simulator: SimulatorProcess) -> ContractKey:
    """The nearest call at the money."""
    gateway = OpenAlgoGateway(address_of(simulator), SystemClock())
    spot = gateway.quotes([NIFTY])[NIFTY].ltp
    calls = [c for c in gateway.contracts("NFO", ["NIFTY"]) if c.kind is Kind.CE]
    gateway.close()
    return min(calls, key=lambda c: (c.expiry, abs((c.strike or 0) - spot))).key


def test_ticks_of_what_is_confirmed(feed: OpenAlgoFeed, heard: Listening, call: ContractKey) -> None:
    feed.subscribe([NIFTY, call, BAD], FeedMode.DEPTH)
    read_until(feed, lambda: {tick.key for tick in heard.came} == {NIFTY, call})
    assert feed.confirmed() == {NIFTY, call}
    assert set(feed.refused()) == {BAD}
    option = next(tick for tick in heard.came if tick.key == call)
    assert len(option.figures.bids) == len(option.figures.asks) == 5
    assert option.figures.bids[0][0] < option.figures.asks[0][0]
    index = next(tick for tick in heard.came if tick.key == NIFTY)
    assert index.figures.bids == ()
    assert heard.dropped == []


@pytest.mark.parametrize("mode", list(FeedMode))
def test_each_mode_brings_prices(mode: FeedMode, feed: OpenAlgoFeed, heard: Listening, call: ContractKey) -> None:
    feed.subscribe([call], mode)
    read_until(feed, lambda: bool(heard.came))
    assert heard.came[0].ltp > 0
    assert heard.came[0].at is not None


def test_what_is_unsubscribed_is_confirmed_no_more(feed: OpenAlgoFeed, heard: Listening, call: ContractKey) -> None:
    feed.subscribe([NIFTY, call], FeedMode.LTP)
    read_until(feed, lambda: len(feed.confirmed()) == 2)
    feed.unsubscribe([call], FeedMode.LTP)
    read_until(feed, lambda: feed.confirmed() == {NIFTY})
    heard.came.clear()
    read_until(feed, lambda: len(heard.came) > 3)
    assert {tick.key for tick in heard.came[1:]} == {NIFTY}


def test_an_order_is_pushed(
    simulator: SimulatorProcess, feed: OpenAlgoFeed, heard: Listening, call: ContractKey
) -> None:
    feed.subscribe_orders()
    read_until(feed, lambda: feed.ignored["subscribe_orders"] == 1)
    gateway = OpenAlgoGateway(address_of(simulator), SystemClock())
    outcome = gateway.place(market_buy(call, 65), expected=Mode.LIVE)
    assert outcome.verdict is Verdict.ACK
    read_until(feed, lambda: any(update.status is OrderStatus.COMPLETE for update in heard.updates))
    last = heard.updates[-1]
    assert (last.order_id, last.contract, last.filled, last.mode) == (outcome.order_id, call, 65, "live")
    assert last.average is not None
    gateway.close()


def test_a_pong_shows_the_markets_time(simulator: SimulatorProcess, feed: OpenAlgoFeed) -> None:
    feed.ping()
    read_until(feed, lambda: feed.last_pong is not None)
    assert feed.gateway_ms is not None
    market = SimulatorClock(simulator.control, SystemClock()).now()
    assert abs(feed.gateway_ms / 1000 - market.timestamp()) < 30


def test_garbage_between_the_ticks_is_counted_and_the_feed_goes_on(
    simulator: SimulatorProcess, feed: OpenAlgoFeed, heard: Listening
) -> None:
    feed.subscribe([NIFTY], FeedMode.LTP)
    for kind in ("text", "binary", "nested", "huge"):
        simulator.fault("ws_garbage", account=1, parameters={"kind": kind})
        before = len(heard.dropped)
        read_until(feed, lambda seen=before: len(heard.dropped) > seen)  # type: ignore[misc]
        simulator.clear_faults()
        heard.came.clear()
        read_until(feed, lambda: bool(heard.came))


@pytest.mark.parametrize("value", ["0", "-5", "NaN", "abc"])
def test_a_price_that_is_none_never_becomes_a_tick(
    value: str, simulator: SimulatorProcess, feed: OpenAlgoFeed, heard: Listening
) -> None:
    simulator.fault("ws_invalid_price", account=1, parameters={"value": value})
    feed.subscribe([NIFTY], FeedMode.LTP)
    read_until(feed, lambda: bool(heard.dropped))
    assert heard.came == []


def test_a_dropped_feed_says_so(simulator: SimulatorProcess, feed: OpenAlgoFeed) -> None:
    simulator.fault("ws_drop", account=1)
    with pytest.raises(FeedClosed):
        read_until(feed, lambda: False)


def test_a_feed_without_its_broker_ends_at_the_next_request(
    simulator: SimulatorProcess, feed: OpenAlgoFeed, heard: Listening
) -> None:
    simulator.post("/accounts/1/logout")
    feed.subscribe([NIFTY], FeedMode.LTP)
    with pytest.raises(FeedClosed, match="feed is gone"):
        read_until(feed, lambda: False)
    simulator.post("/accounts/1/relogin")
    again = OpenAlgoFeeds(SystemClock())(address_of(simulator), heard)
    again.subscribe([NIFTY], FeedMode.LTP)
    read_until(again, lambda: bool(heard.came))
    again.close()


def test_a_wrong_key_and_a_logged_out_gateway_are_told_apart(simulator: SimulatorProcess, heard: Listening) -> None:
    feeds = OpenAlgoFeeds(SystemClock())
    with pytest.raises(WrongKey):
        feeds(replace(address_of(simulator), api_key="f" * 64), heard)
    simulator.post("/accounts/1/logout")
    with pytest.raises(LoggedOut):
        feeds(address_of(simulator), heard)


def test_a_half_open_feed_gives_no_pong(simulator: SimulatorProcess, feed: OpenAlgoFeed, heard: Listening) -> None:
    feed.subscribe([NIFTY], FeedMode.LTP)
    read_until(feed, lambda: bool(heard.came))
    simulator.fault("ws_half_open", account=1)
    read_until(feed, lambda: not feed.read(1.0))
    feed.ping()
    assert feed.read(1.0) is False
    assert feed.last_pong is None


def test_the_key_is_in_no_log(simulator: SimulatorProcess, heard: Listening, caplog: pytest.LogCaptureFixture) -> None:
    address = address_of(simulator)
    with caplog.at_level(logging.DEBUG):
        OpenAlgoFeeds(SystemClock())(address, heard).close()
    assert address.api_key not in caplog.text


def elsewhere(simulator: SimulatorProcess, url: str) -> GatewayAddress:
    return replace(address_of(simulator), websocket_url=url)


def test_addresses_that_are_no_feed(simulator: SimulatorProcess, heard: Listening) -> None:
    feeds, hasty = OpenAlgoFeeds(SystemClock()), OpenAlgoFeeds(SystemClock(), SHORT)
    rest = simulator.accounts[0].host.replace("http", "ws")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nowhere: list[tuple[OpenAlgoFeeds, str, type[GatewayError]]] = [
            (feeds, rest, NotOpenAlgo),
            (feeds, "ws://127.0.0.1:1", Unreachable),
            (feeds, "ws://no-such-host.invalid:8765", Unreachable),
            (hasty, f"ws://127.0.0.1:{silent.getsockname()[1]}", TimedOut),
            (feeds, rest.replace("ws://", "wss://"), Unreachable),
        ]
        for opening, url, expected in nowhere:
            with pytest.raises(expected) as told:
                opening(elsewhere(simulator, url), heard)
            assert type(told.value) is expected, url
    with pytest.raises(InvalidInput):
        feeds(elsewhere(simulator, "http://desk:8765"), heard)


def test_the_simulators_accounts_are_those_that_listen(simulator: SimulatorProcess) -> None:
    accounts = SimulatorControl(simulator.control).accounts()
    assert [account.host_url for account in accounts] == [account.host for account in simulator.accounts]
    for account in accounts:
        gateway = OpenAlgoGateway(
            GatewayAddress(account.host_url, account.websocket_url, account.api_key), SystemClock()
        )
        assert gateway.broker() == "simulator"
        gateway.close()


def test_the_markets_clock_follows_the_simulator(simulator: SimulatorProcess) -> None:
    market = SimulatorClock(simulator.control, SystemClock())
    before = market.now()
    simulator.advance(600)
    market.sync()
    assert (market.now() - before).total_seconds() > 599
    simulator.reset()
    market.sync()
    assert (market.now() - before).total_seconds() < 60
