"""The guard on a running simulator: real subscriptions are given up and come back, what is held never goes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app import create_app
from app.adapters.process_usage import KernelUsage
from app.bootstrap import _page_loops, runtime_of
from app.domain.contracts import Kind
from app.domain.relief import Relief, ReliefLimits
from app.engine.page_feed import SLOW_PAGES_S, STEP_S
from app.persistence.tables import ActivityLog
from app.ports.feed import FeedMode
from app.services.chain_window import FARTHEST
from app.services.resource_guard import ResourceGuard
from app.wiring import NEAR
from config import testing_settings
from tests.empty_database import put_tables
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


def test_the_desk_puts_each_step_into_force_and_writes_it_down(tmp_path: Path) -> None:
    """Of the real program, of which nothing is started: pages first, then far strikes, then idle chains; and back."""
    url = f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    put_tables(url)
    settings = replace(testing_settings(), database_url=url, guard_memory_mb=1.0, guard_after_s=0.0, guard_calm_s=0.0)
    app = create_app(settings)
    runtime = runtime_of(app)
    guard, chains, pages = runtime.market.guard, runtime.market.chains, dict(_page_loops(runtime))["pages"]
    seen = []
    with app.app_context():
        for step in range(7):
            seen.append((guard.state().step.value, pages(), chains._reach, chains._idle))
            if step == 3:
                guard._limits = replace(guard._limits, memory_mb=1e6)
            guard.step()
    far, slow, near = (STEP_S, FARTHEST, True), (SLOW_PAGES_S, FARTHEST, True), (SLOW_PAGES_S, NEAR, True)
    steps = [(0, *far), (1, *slow), (2, *near), (3, SLOW_PAGES_S, NEAR, False)]
    assert seen == [*steps, steps[2], steps[1], steps[0]]
    with runtime.ground.database.reading() as session:
        told = session.scalars(select(ActivityLog).where(ActivityLog.action == "resources.step")).all()
    assert [row.detail["step"] for row in told] == [
        "slow_pages", "near_strikes", "no_idle_chains", "near_strikes", "slow_pages", "none",
    ]  # fmt: skip
