"""The guard on a running simulator: real subscriptions are given up and come back, what is held never goes."""

from collections.abc import Iterator

import pytest

from app.adapters.process_usage import KernelUsage
from app.domain.contracts import Kind
from app.domain.relief import Relief, ReliefLimits
from app.ports.feed import FeedMode
from app.services.resource_guard import ResourceGuard
from tests.integration.market_rig import NIFTY, MarketRig, running_rig
from tests.simulator_process import SimulatorProcess

SHORT = ReliefLimits(memory_mb=1.0, cpu=1e6, after_s=0.0)
PLENTY = ReliefLimits(memory_mb=1e6, cpu=1e6, calm_s=0.0)


@pytest.fixture
def rig(simulator: SimulatorProcess) -> Iterator[MarketRig]:
    with running_rig(simulator, 1, chains=True) as running:
        running.wait(lambda: not running.contracts.missing())
        yield running


def test_far_strikes_and_idle_chains_go_and_come_back_and_what_is_held_stays(rig: MarketRig) -> None:
    expiry = rig.chains.expiries("NIFTY")[0]
    rig.chains.looked_at("NIFTY", expiry)
    master = rig.contracts.master()
    held = master.option("NIFTY", expiry, Kind.CE, master.strikes("NIFTY", expiry, Kind.CE)[0]).key
    rig.feed.want("held", [held], FeedMode.DEPTH)
    rig.wait(lambda: len(rig.feed.confirmed()) > 150 and held in rig.feed.confirmed())
    steps: list[Relief] = []

    def relieve(step: Relief) -> None:
        steps.append(step)
        rig.chains.limit(reach=20 if step < Relief.NEAR_STRIKES else 3, idle=step < Relief.NO_IDLE_CHAINS)

    guard = ResourceGuard(KernelUsage(), rig.clock, SHORT, relieve=relieve, announce=lambda *_: None)
    for _ in range(3):
        guard.step()
    rig.wait(lambda: len(rig.feed.confirmed()) < 40)
    assert {held, NIFTY} <= rig.feed.confirmed()
    before = rig.board.latest(NIFTY)
    assert before is not None
    rig.wait(lambda: (now := rig.board.latest(NIFTY)) is not None and now.received > before.received)
    guard._limits = PLENTY
    for _ in range(3):
        guard.step()
    rig.wait(lambda: len(rig.feed.confirmed()) > 150)
    assert steps == [1, 2, 3, 2, 1, 0]
    assert held in rig.feed.confirmed()
