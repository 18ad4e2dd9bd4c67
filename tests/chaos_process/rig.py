"""One desk under attack: a simulator with a relay before each gateway, a database, engines, and a web process beside.

The web process runs in this one: it asks through the database and never leads. What a scenario does, in one call each.
"""

import contextlib
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app import create_app
from app.domain.contracts import Kind, Side
from app.domain.orders import FINAL, IntentState
from app.domain.trading_states import TradingState
from app.persistence.tables import LeaseRow, TradingAccount
from app.services.preview_maker import FrozenPreview
from app.services.trading_states import standings, write_state
from config import testing_settings
from tests.chaos_process.engines import EngineProcess
from tests.chaos_process.relay import Relay
from tests.databases import new_postgres_url, postgres_server
from tests.desk_process import Entry, desk_environment, migrate
from tests.live_desk import STRADDLE, LiveDesk, furnish, leg
from tests.simulator_process import SimulatorProcess, start_simulator

T = TypeVar("T")

ACCOUNTS = 2
KEYS = testing_settings().encryption_keys
SPREAD = (leg(1, Kind.CE, Side.SELL), leg(2, Kind.CE, Side.BUY, 4))
"""Its hedge goes first, so that its orders are sent in two waves."""

LEADS_WITHIN_S = 60.0
TAKE_PART_WITHIN_S = 30.0
SETTLED_WITHIN_S = 420.0
"""An order whose call never began is known to be absent after 150 s of quiet; two in a row must have time."""

MOVING = frozenset(state.value for state in IntentState if state not in FINAL)
ENGINE_NAME = "chaos-engine"


class TooLateError(AssertionError):
    """What was waited for did not come; the message is the story of the run."""


class RefusedError(AssertionError):
    """The run was never begun, since prices moved or came late: nothing was shown."""


class Rig:
    """Used by one thread. `engines` are those that were started and not seen to end, the leader among them."""

    def __init__(self, simulator: SimulatorProcess, folder: Path, database_url: str, entry: Entry) -> None:
        self.simulator = simulator
        self.folder = folder
        self.log = folder / "engines.log"
        self.is_postgres = database_url.startswith("postgresql")
        self._url, self._entry = database_url, entry
        self._environment = {
            **desk_environment(simulator, folder, KEYS),
            "DATABASE_URL": f"{database_url}&application_name={ENGINE_NAME}" if self.is_postgres else database_url,
        }
        migrate(self._environment)
        self.relays = [
            Relay(int(account.host.rsplit(":", 1)[1]), folder / "relays.log") for account in simulator.accounts
        ]
        for relay in self.relays:
            relay.start()
        self.desk = self._beside()
        self.engines: list[EngineProcess] = []
        self._strategies = [
            self.desk.strategy(legs, name=name) for name, legs in (("Straddle", STRADDLE), ("Spread", SPREAD))
        ]
        self._asked = 0

    def _beside(self) -> LiveDesk:
        settings = testing_settings().with_(
            database_url=self._url,
            simulator_url=self.simulator.control,
            lock_path=self._environment["LOCK_PATH"],
        )
        desk = LiveDesk(create_app(settings), self.simulator)
        furnish(desk)
        with desk.runtime.ground.database.transaction() as session:
            for account, relay in zip(
                session.query(TradingAccount).order_by(TradingAccount.id), self.relays, strict=True
            ):
                account.host_url = f"http://127.0.0.1:{relay.port}"
        self.until(lambda: desk.runtime.market.contracts.step() and desk.runtime.market.hours.step(), "contracts", 60)
        return desk

    def until(self, wanted: Callable[[], T | None], what: str, within_s: float) -> T:
        """The first true answer. A database that cuts the connection is asked again."""
        end = time.monotonic() + within_s
        while True:
            with contextlib.suppress(OperationalError):
                if answer := wanted():
                    return answer
            if time.monotonic() > end:
                raise TooLateError(f"not within {within_s:g} s: {what}")
            threading.Event().wait(0.02)

    @property
    def epoch(self) -> int:
        """Of the engine that led last; 0 before the first."""
        return max((row.epoch for row in self.desk.rows(LeaseRow)), default=0)

    @property
    def lease_ends(self) -> datetime:
        """When the lease ends if nobody renews it, by the clock of PostgreSQL."""
        ends: list[datetime] = [row.expires_at for row in self.desk.rows(LeaseRow) if row.expires_at is not None]
        return max(ends)

    def leading(self) -> EngineProcess:
        """The engine that the lease names: on a busy machine one that waits may lead before it is asked to."""
        owners = [row.owner.split(":")[1] for row in self.desk.rows(LeaseRow)]
        return next(engine for engine in self.engines if str(engine.pid) in owners)

    def engine(self, **told: str) -> EngineProcess:
        """One more engine; it leads when it can."""
        made = EngineProcess(self._environment, self.log, self._entry, **told)
        self.engines.append(made)
        return made

    def leader(self, **told: str) -> EngineProcess:
        """A new engine that leads, instead of whichever is there."""
        self.clear()
        before, began = self.epoch, time.monotonic()
        made = self.engine(**told)
        self.led_since(before, began)
        return made

    def led_since(self, epoch: int, began: float) -> float:
        """Seconds from `began` until an engine leads under a later epoch than that."""
        self.until(lambda: self.epoch > epoch, f"an engine leads after epoch {epoch}", LEADS_WITHIN_S)
        return time.monotonic() - began

    def ready(self) -> EngineProcess:
        """The one engine that is there, or a new one."""
        alive = [engine for engine in self.engines if engine.lives]
        return alive[0] if len(alive) == 1 else self.leader()

    def clear(self) -> None:
        """No engine is left."""
        for engine in self.engines:
            if engine.lives:
                engine.kill()
        self.engines.clear()

    def preview(self, dice: random.Random) -> FrozenPreview:
        """One in which every account takes part; a gateway that has just come back is asked again until it answers."""
        self._release()
        strategy, skipped = dice.choice(self._strategies), [""]

        def whole() -> FrozenPreview | None:
            made = self.desk.preview(strategy)
            skipped[:] = [
                f"{account.account_name}: {account.skipped}" for account in made.plan.accounts if account.skipped
            ]
            return None if skipped else made

        try:
            return self.until(whole, "all accounts take part", TAKE_PART_WITHIN_S)
        except TooLateError as late:
            raise TooLateError(f"{late}; {' '.join(skipped)}") from None

    def _release(self) -> None:
        """As a person would: an exit that was refused twice, say by a killed gateway, left its strategy to exits."""
        ground = self.desk.runtime.ground
        with ground.database.transaction() as session:
            for held in standings(session):
                write_state(
                    session, held.scope, held.scope_id, TradingState.ACTIVE,
                    user_id=self.desk.trader.id, actor=self.desk.trader.username, at=ground.clock.now(), why="Released",
                )  # fmt: skip

    def send(self, preview: FrozenPreview) -> int:
        self._asked += 1
        return self.desk.send(preview, key=f"send-{self._asked:08d}")

    def settled(self, run_id: int, state: str) -> None:
        """Wait until the run has come to that state and nothing of it is under way. Raises TooLateError."""

        def rests() -> bool:
            moving = [intent for intent in self.desk.intents(run_id) if intent.state in MOVING]
            now = self.desk.view(run_id).state
            if now == "REFUSED":
                raise RefusedError(f"run {run_id} was refused: {self.desk.stored(run_id).reason}")
            return now in {state, "CLOSED"} and not moving

        try:
            self.until(rests, f"run {run_id} is {state} with nothing under way", SETTLED_WITHIN_S)
        except TooLateError as late:
            raise TooLateError(f"{late}\n{self.desk.story(run_id)}") from None

    def exit(self, run_id: int) -> None:
        self._asked += 1
        self.desk.exit(run_id, key=f"exit-{self._asked:04d}")

    def leave(self, run_id: int) -> None:
        """Out of what went in; a run of which nothing went in is closed already."""
        if self.desk.view(run_id).state != "CLOSED":
            self.exit(run_id)
        self.settled(run_id, "CLOSED")

    def slow_orders(self, seconds: float) -> None:
        """From now on gateways take that long to answer an order, so that more happens while calls are under way."""
        if seconds:
            self.simulator.fault("latency", endpoint="placeorder", parameters={"seconds": seconds})

    def cut_database(self) -> int:
        """Ends every connection that engines have to PostgreSQL; how many there were."""
        url = make_url(self._url)
        with psycopg.connect(
            host=str(url.query["host"]), user="postgres", dbname="postgres", autocommit=True
        ) as server:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            return len(server.execute(query, [ENGINE_NAME]).fetchall())

    def close(self) -> None:
        self.clear()
        self.desk.runtime.stop()
        for relay in self.relays:
            relay.kill()


@contextlib.contextmanager
def rig(database: str, *, quick: bool = False) -> Iterator[Rig]:
    """On `sqlite` or `postgresql`, until the block ends. `quick`: what was lost is given up within seconds."""
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-chaos-", ignore_cleanup_errors=True))
        )
        simulator = stack.enter_context(start_simulator(accounts=ACCOUNTS, seed=7))
        url = f"sqlite:///{folder / 'desk.sqlite3'}"
        if database == "postgresql":
            url = new_postgres_url(stack.enter_context(postgres_server()))
        made = Rig(simulator, folder, url, "tests.quick_wsgi" if quick else "tests.killed_wsgi")
        stack.callback(made.close)
        yield made
