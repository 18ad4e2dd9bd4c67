"""The market services on a running simulator, with real gateways, feeds and threads, but without a database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import pytest

from app.adapters.clock import SimulatorClock, SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.domain.calendar import Phase
from app.domain.contracts import ContractKey
from app.engine.supervisor import Supervisor
from app.ports.gateway import GatewayAddress
from app.services import feed_link
from app.services.contract_list import ContractList
from app.services.earlier_interest import EarlierInterest
from app.services.exchange_time import ExchangeTime
from app.services.expiry_closes import ExpiryCloses
from app.services.feed_state import Failover, FeedPhase
from app.services.option_chain_manager import OptionChainManager
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from app.services.session_hours import SessionHours
from app.services.silent_symbols import SilentSymbols
from app.services.websocket_manager import WebSocketManager
from tests.simulator_process import SimulatorProcess

NIFTY = ContractKey("NSE_INDEX", "NIFTY")


class SimulatedGateways:
    """`Gateways` without a database: account numbers are the simulator's."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._addresses = {
            account.number: GatewayAddress(account.host, account.ws_url, account.api_key)
            for account in simulator.accounts
        }
        self._gateways = {
            number: OpenAlgoGateway(address, SystemClock()) for number, address in self._addresses.items()
        }

    def of(self, account_id: int) -> OpenAlgoGateway:
        return self._gateways[account_id]

    def address(self, account_id: int) -> GatewayAddress:
        return self._addresses[account_id]

    def name(self, account_id: int) -> str:
        return f"Sim {account_id}"

    def close(self) -> None:
        for gateway in self._gateways.values():
            gateway.close()


class MarketRig:
    """Everything between gateways and pages, on the accounts of `order`."""

    def __init__(self, simulator: SimulatorProcess, order: Sequence[int]) -> None:
        self.clock = SystemClock()
        self.order = list(order)
        self.moves: list[Failover] = []
        self.gateways = SimulatedGateways(simulator)
        self.market_clock = SimulatorClock(simulator.control, self.clock)
        self.board = PriceBoard(self.clock, ExchangeTime(self.market_clock))
        gateways, ids = self.gateways, lambda: self.order
        self.quotes = Quotes(self.board, gateways, ids, self.clock)  # type: ignore[arg-type]
        self.hours = SessionHours(gateways, ids, self.market_clock, self.clock)  # type: ignore[arg-type]
        self.contracts = ContractList(gateways, ids, self.market_clock, self.clock)  # type: ignore[arg-type]
        self.feed = WebSocketManager(
            gateways,  # type: ignore[arg-type]
            OpenAlgoFeeds(self.clock),
            self.board,
            self.clock,
            ids,
            in_session=lambda: self.hours.phase("NFO") in {Phase.LIVE, Phase.CLOSING},
            snapshot=self.quotes.fetch,
            announce=self.moves.append,
            logged_out=lambda _: False,  # nobody looks after the accounts here
        )
        self.silent = SilentSymbols(
            self.board,
            self.feed.confirmed,
            self.feed.session_since,
            self.quotes.fetch,
            self.feed.renew,
            self.clock,
        )
        self.closes = ExpiryCloses(gateways, ids, self.market_clock, self.clock)  # type: ignore[arg-type]
        self.interest = EarlierInterest(gateways, ids, self.market_clock, self.clock)  # type: ignore[arg-type]
        self.chains = OptionChainManager(
            self.contracts,
            self.board,
            self.feed,
            self.quotes,
            closes=self.closes,
            earlier=self.interest,
            market_clock=self.market_clock,
            clock=self.clock,
        )
        self._supervisor = Supervisor()
        self.steps = {
            "clock": self._sync,
            "contracts": self.contracts.step,
            "hours": self.hours.step,
            "feed": self.feed.step,
            "feed-upkeep": self.feed.upkeep_step,
            "silence": self.silent.step,
            "silence-quotes": self.silent.ask_step,
        }

    def start(self, *more: tuple[str, Callable[[], float]]) -> None:
        for name, step in (*self.steps.items(), *more):
            self._supervisor.add(name, step)
        self._supervisor.start()

    def stop(self) -> None:
        late = self._supervisor.stop(10.0)
        self.feed.close()
        self.gateways.close()
        assert not late, f"still running: {late}"
        assert not self._supervisor.unwell

    def wait(self, done: Callable[[], object], within_s: float = 10.0) -> float:
        """Seconds until it was so. Fails when it does not become so in time."""
        began = self.clock.monotonic()
        pause = Event()
        while not done():
            waited = self.clock.monotonic() - began
            assert waited < within_s, f"not so within {within_s} s; the feed: {self.feed.state()}"
            pause.wait(0.02)
        return self.clock.monotonic() - began

    @property
    def serving(self) -> int | None:
        return self.feed.state().account_id

    def all_confirmed(self) -> bool:
        state = self.feed.state()
        return state.wanted > 0 and state.confirmed == state.wanted

    def live(self) -> bool:
        """Prices are being pushed, not only quoted."""
        state = self.feed.state()
        return state.phase is FeedPhase.LIVE and state.last_tick_age_s is not None and state.last_tick_age_s < 1

    def fresh(self, key: ContractKey, within_s: float = 2.0) -> bool:
        age_s = self.board.age_s(key)
        return age_s is not None and age_s < within_s

    def _sync(self) -> float:
        self.market_clock.sync()
        return 1.0


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is judged after 4 s instead of 10, where a test is about what follows from it."""
    monkeypatch.setattr(feed_link, "SILENT_AFTER_S", 4.0)


@contextmanager
def running_rig(simulator: SimulatorProcess, *order: int, chains: bool = False) -> Iterator[MarketRig]:
    rig = MarketRig(simulator, order)
    rig.start(*([("chains", rig.chains.step), ("interest", rig.interest.step)] if chains else []))
    try:
        yield rig
    finally:
        rig.stop()
