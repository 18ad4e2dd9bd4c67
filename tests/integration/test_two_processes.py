"""Pages of a process that does not lead, beside a real one that does: on PostgreSQL, with Redis and without."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask_migrate import upgrade

from app import create_app
from app.bootstrap import Runtime, runtime_of
from app.services.account_health import HealthState
from app.web.extensions import socketio
from config import testing_settings
from tests.chaos_process.engines import EngineProcess
from tests.databases import running_redis
from tests.desk_app import PASSWORD, TOKEN, Browser
from tests.desk_process import UNGUARDED, desk_environment
from tests.desk_visitor import within
from tests.live_desk import LiveDesk
from tests.run_maker import read
from tests.simulator_process import SimulatorProcess, start_simulator

SOON_S = 40.0


@pytest.fixture(scope="module")
def market() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", accounts=1) as simulator:
        yield simulator


@dataclass
class Web:
    """A process that serves pages and has its engine off: this one. `leader` is a process of its own."""

    desk: LiveDesk
    browser: Browser
    leader: EngineProcess
    socket: Any

    @property
    def runtime(self) -> Runtime:
        return self.desk.runtime

    def says_the_feed_is_live(self) -> bool:
        return "Feed live" in read(self.browser.get("/").text)

    def health(self) -> HealthState:
        state: HealthState = self.desk.app.extensions["desk"].health.of(self.desk.account_ids[0]).state
        return state

    def speaks(self) -> bool:
        """Whether an engine is heard of."""
        leads: bool = self.desk.app.extensions["desk"].engine_leads()
        return leads

    def chain(self, expiry: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.browser.get(f"/api/chain/NIFTY?expiry={expiry}").json or {}
        return found

    def has_candles(self) -> bool:
        """Complete ones and one that grows, with nothing amiss."""
        found: dict[str, Any] = self.browser.get("/api/candles?leg=NSE_INDEX:NIFTY&minutes=1").json or {}
        complete = [each for each in found["candles"] if each["complete"] and each["close"] is not None]
        return len(complete) > 5 and not found["candles"][-1]["complete"] and found["trouble"] is None

    def is_fresh(self, expiry: str = "") -> bool:
        """Most of the chain was priced within three seconds, and what is at the money has a volatility."""
        chain = self.chain(expiry)
        sides = sides_of(chain)
        fresh = sum(side["staleness"] == "fresh" for side in sides)
        return fresh > 0.8 * len(sides) > 0 and chain["totals"]["atm_iv"] is not None


def sides_of(chain: dict[str, Any]) -> list[dict[str, Any]]:
    return [row[kind] for row in chain["rows"] for kind in ("ce", "pe") if row[kind] is not None]


@contextmanager
def web_beside_a_leader(
    simulator: SimulatorProcess, database_url: str, folder: Path, redis_url: str | None
) -> Iterator[Web]:
    settings = testing_settings().with_(
        database_url=database_url, redis_url=redis_url, simulator_url=simulator.control, engine="off"
    )
    app = create_app(settings)
    with app.app_context():
        upgrade()
    runtime = runtime_of(app)
    browser = Browser(app.test_client())
    desk = app.extensions["desk"]
    if not desk.people.anybody():
        admin = desk.people.register_first(TOKEN, "asha", PASSWORD)
        runtime.market.accounts.add_simulator(admin)
    browser.sign_in("asha")
    environment = {
        **desk_environment(simulator, folder, settings.encryption_keys),
        **UNGUARDED,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url or "",
    }
    leader = EngineProcess(environment, folder / "leader.log", "tests.quick_wsgi")
    runtime.start()
    try:
        yield Web(
            LiveDesk(app, simulator), browser, leader, socketio.test_client(app, flask_test_client=browser.client)
        )
    finally:
        leader.kill()
        runtime.stop()
        runtime.ground.database.engine.dispose()


def test_row_33_redis_dying_under_pages_beside_the_leader_leaves_them_live(
    market: SimulatorProcess, postgres_url: str, tmp_path: Path
) -> None:
    with running_redis() as (url, server), web_beside_a_leader(market, postgres_url, tmp_path, url) as web:
        within(SOON_S, web.is_fresh, "the chain of the leader is on the pages of the other")
        assert web.chain()["told_age_s"] < 3
        later = web.chain()["expiries"][2]
        within(SOON_S, lambda: web.is_fresh(later), "a chain that somebody looks at here is kept alive there")
        server.kill()
        server.wait()
        web.socket.get_received()
        within(SOON_S, lambda: web.runtime.ground.cache.failures > 0, "it is noticed here")
        within(SOON_S, lambda: web.is_fresh(later) and web.chain(later)["told_age_s"] < 3, "it goes on without Redis")
        assert "told nothing" not in read(web.browser.get("/trading/chain/NIFTY").text)


def test_without_redis_pages_beside_the_leader_are_pushed_what_changed_and_say_when_it_is_gone(
    market: SimulatorProcess, postgres_url: str, tmp_path: Path
) -> None:
    with web_beside_a_leader(market, postgres_url, tmp_path, None) as web:
        within(SOON_S, web.is_fresh, "the chain of the leader is on the pages of the other")
        within(SOON_S, web.says_the_feed_is_live, "how the feed does is told")
        page = web.browser.get("/").text
        assert web.speaks()
        within(SOON_S, lambda: web.health() is HealthState.OK, "how accounts do is told too")
        assert len(web.desk.preview(web.desk.strategy()).plan.accounts) == 1, "all that a preview needs is at hand here"
        assert re.search(r'data-key="index.NIFTY.ltp"[^>]*>[\d,]+\.\d\d<', page), "prices stand in the top bar"
        topic = f"chain:NIFTY:{web.chain()['expiry']}"
        assert web.socket.emit("watch", {"topic": topic}, callback=True) == {"ok": True}
        within(SOON_S, lambda: _told_rows(web.socket, topic), "what changed is pushed")
        within(SOON_S, web.has_candles, "candles are made where the engine runs and told here")
        chart = read(web.browser.get("/trading/chart?leg=NSE_INDEX:NIFTY&minutes=1").text)
        assert "Closed at" in chart
        assert "where the engine runs" not in chart
        web.leader.kill()
        seen: list[float] = []

        def is_doubted() -> bool:
            seen.append(web.chain()["told_age_s"])
            return seen[-1] > 5 and not web.speaks()

        within(SOON_S, is_doubted, "ages grow when the engine is gone")
        assert seen == sorted(seen), "and never shrink"
        assert not web.is_fresh()
        assert {side["staleness"] for side in sides_of(web.chain())} <= {"late", "stale"}
        page = read(web.browser.get("/trading/chain/NIFTY").text)
        assert "The engine, in another process, has told nothing for" in page
        assert "Feed live" not in page
        assert web.health() is HealthState.UNKNOWN


def _told_rows(socket: Any, topic: str) -> bool:
    messages = [message["args"][0] for message in socket.get_received() if message["name"] == "patch"]
    return any(message["topic"] == topic and message.get("rows") for message in messages)
