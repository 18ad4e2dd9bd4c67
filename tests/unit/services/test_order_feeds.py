"""Order updates: opened for who needs them, forwarded, reopened, and let go."""

import pytest

from app.domain.books import OrderStatus, OrderUpdate
from app.domain.contracts import Side
from app.domain.money import Units
from app.ports.gateway import LoggedOut
from app.services.order_feeds import OrderFeeds
from tests.unit.services.market_fakes import FakeClock, FakeFeed, FakeFeeds, FakeGateways

UPDATE = OrderUpdate("261123000000001", None, Side.BUY, Units(65), OrderStatus.COMPLETE, Units(65), None, None, "live")


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gateways = FakeGateways(1, 2)
        self.factory = FakeFeeds(self.clock)
        self.updates: list[tuple[int, OrderUpdate]] = []
        self.openings: list[int] = []
        self.feeds = OrderFeeds(
            self.gateways,  # type: ignore[arg-type]
            self.factory,
            self.clock,
            on_update=lambda account_id, update: self.updates.append((account_id, update)),
            on_open=self.openings.append,
            jitter=lambda: 1.0,
        )

    def run(self, seconds: float, account_id: int = 1) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            before = self.clock.monotonic()
            wait_s = self.feeds.step(account_id)
            self.clock.advance(wait_s or (0.05 if self.clock.monotonic() == before else 0.0))

    def feed_of(self, account_id: int) -> FakeFeed:
        host = f"http://gateway-{account_id}:5000"
        return next(feed for feed in self.factory.opened if feed.address.host_url == host and not feed.closed)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_account_without_anything_at_work_has_no_socket(desk: Desk) -> None:
    desk.run(2)
    assert desk.factory.attempts == []
    assert not desk.feeds.state(1).open


def test_updates_are_asked_for_and_forwarded_with_their_account(desk: Desk) -> None:
    desk.feeds.need([1, 2])
    desk.run(0.5, 1)
    desk.run(0.5, 2)
    assert desk.feed_of(2).orders_asked
    assert desk.feeds.state(2).open
    desk.feed_of(2).listener.order_update(UPDATE)  # type: ignore[attr-defined]
    assert desk.updates == [(2, UPDATE)]
    assert desk.openings == [1, 2]


def test_a_broken_socket_is_reopened_and_that_is_told_since_updates_may_be_missing(desk: Desk) -> None:
    desk.feeds.need([1])
    desk.run(1)
    desk.feed_of(1).broken = "the connection was cut"
    desk.run(0.3)
    assert (desk.feeds.state(1).open, desk.feeds.state(1).trouble) == (False, "the connection was cut")
    desk.run(1)
    assert desk.feeds.state(1).open
    assert desk.openings == [1, 1]


def test_a_half_open_socket_is_found_within_twelve_seconds(desk: Desk) -> None:
    desk.feeds.need([1])
    desk.run(1)
    first = desk.feed_of(1)
    first.answers_pings = False
    desk.run(12)
    assert first.closed
    assert desk.openings == [1, 1]


def test_one_that_cannot_be_opened_is_tried_at_growing_pauses_and_said(desk: Desk) -> None:
    desk.factory.break_account(1, LoggedOut("Log in to the broker in OpenAlgo first."))
    desk.feeds.need([1])
    desk.run(60)
    assert 5 <= len(desk.factory.attempts) <= 9
    assert "Log in" in desk.feeds.state(1).trouble
    desk.factory.mend_account(1)
    desk.run(16)
    assert desk.feeds.state(1).open


def test_it_is_let_go_when_nothing_is_at_work_any_more(desk: Desk) -> None:
    desk.feeds.need([1])
    desk.run(1)
    feed = desk.feed_of(1)
    desk.feeds.need([])
    desk.run(1)
    assert feed.closed
    assert (desk.feeds.state(1).open, desk.feeds.state(1).trouble) == (False, "")


def test_closing_lets_go_of_all(desk: Desk) -> None:
    desk.feeds.need([1, 2])
    desk.run(0.5, 1)
    desk.run(0.5, 2)
    desk.feeds.close()
    assert [feed.closed for feed in desk.factory.opened] == [True, True]
