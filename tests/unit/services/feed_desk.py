"""A WebSocketManager on pretend feeds whose loops a test turns by hand."""

from datetime import timedelta

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.feed import FeedMode, Tick
from app.services.exchange_time import ExchangeTime
from app.services.feed_pool import FeedPace
from app.services.feed_state import Failover
from app.services.price_board import PriceBoard
from app.services.websocket_manager import WebSocketManager
from tests.unit.services.market_fakes import NIFTY, FakeClock, FakeFeed, FakeFeeds, FakeGateways

CALL = ContractKey("NFO", "NIFTY01DEC2625000CE")
PUT = ContractKey("NFO", "NIFTY01DEC2625000PE")


class Desk:
    """A manager with three accounts, in session unless a test closes the market.

    While `ticking`, every open feed brings a price of each of its contracts; those of `mute` accounts bring none.
    Those of accounts in `behind_s` tell their own time, that many seconds ago; the others tell none.
    """

    def __init__(self, pace: FeedPace | None = None) -> None:
        self.clock = FakeClock()
        self.board = PriceBoard(self.clock, ExchangeTime(self.clock))
        self.gateways = FakeGateways(1, 2, 3)
        self.feeds = FakeFeeds(self.clock)
        self.order = [1, 2, 3]
        self.open = True
        self.snapshots: list[list[ContractKey]] = []
        self.snapshot_error: Unavailable | None = None
        self.moves: list[Failover] = []
        self.fail_announcing = 0
        self.ticking = True
        self.mute: set[int] = set()
        self.behind_s: dict[int, float] = {}
        self.logged_out: set[int] = set()
        self.manager = WebSocketManager(
            self.gateways,  # type: ignore[arg-type]
            self.feeds,
            self.board,
            self.clock,
            lambda: self.order,
            in_session=lambda: self.open,
            snapshot=self._snapshot,
            announce=self._announce,
            logged_out=lambda account_id: account_id in self.logged_out,
            pace=pace,
            jitter=lambda: 1.0,
        )
        self.manager.want("test", [NIFTY, CALL], FeedMode.QUOTE)

    def _announce(self, move: Failover) -> None:
        if self.fail_announcing:
            self.fail_announcing -= 1
            raise RuntimeError("the database is away")
        self.moves.append(move)

    def _snapshot(self, keys: object) -> None:
        if self.snapshot_error is not None:
            raise self.snapshot_error
        self.snapshots.append(list(keys))  # type: ignore[call-overload]

    def run(self, seconds: float, *, upkeep: bool = True) -> None:
        """Both loops for that long; every open feed ticks each of its contracts while `ticking`."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            before = self.clock.monotonic()
            if self.ticking:
                self.tick_all()
            wait_s = self.manager.step()
            if upkeep:
                self.manager.upkeep_step()
            self.clock.advance(max(wait_s, 0.05 if self.clock.monotonic() == before else 0.0))

    def tick_all(self) -> None:
        silent = {_host(account_id) for account_id in self.mute}
        at = {_host(each): self.clock.now() - timedelta(seconds=s) for each, s in self.behind_s.items()}
        for feed in self.feeds.opened:
            host = feed.address.host_url
            if host not in silent and not feed.closed and feed.broken is None and host not in self.feeds.down:
                feed.inbox = [Tick(key, 100.0, at.get(host)) for key in feed.subscribed]

    @property
    def serving(self) -> FakeFeed:
        """The open feed whose prices count."""
        return next(feed for feed in self.feeds.opened if not feed.closed and feed.writes)

    def of(self, account_id: int) -> list[FakeFeed]:
        """Every feed that was ever opened on that account."""
        return [feed for feed in self.feeds.opened if feed.address.host_url == _host(account_id)]

    @property
    def account(self) -> int | None:
        return self.manager.state().account_id


def _host(account_id: int) -> str:
    return f"http://gateway-{account_id}:5000"
