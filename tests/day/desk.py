"""The desk of the day: a fast simulator, an engine of its own process that dies, and a web process that asks."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from app import create_app
from app.domain.calendar import IST
from app.domain.errors import DeskError
from app.persistence.tables import LeaseRow, Run
from config import testing_settings
from tests.chaos_process.engines import EngineProcess
from tests.day.plans import LEAVE_AT, Planned
from tests.desk_process import Entry, desk_environment, migrate
from tests.live_desk import LiveDesk, eventually, furnish
from tests.simulator_process import SimulatorProcess, start_simulator

T = TypeVar("T")

SPEED = 60.0
KEYS = testing_settings().encryption_keys
DEAD_FOR = timedelta(minutes=2)
LEADS_WITHIN_S = 60.0
SENT_WITHIN_S = 120.0
ENTRY: Entry = "tests.killed_wsgi"


class Day:
    """For one thread. `runs` are those that were sent, by the name of their strategy."""

    def __init__(self, simulator: SimulatorProcess, folder: Path) -> None:
        self.simulator = simulator
        self.log = folder / "engines.log"
        self._environment = desk_environment(simulator, folder, KEYS)
        migrate(self._environment)
        settings = testing_settings().with_(
            database_url=self._environment["DATABASE_URL"],
            simulator_url=simulator.control,
            lock_path=self._environment["LOCK_PATH"],
        )
        self.desk = LiveDesk(create_app(settings), simulator)
        furnish(self.desk)
        market = self.desk.runtime.market
        self.until(lambda: market.contracts.step() and market.hours.step(), "contracts and hours", 60.0)
        self.engine = self._engine()

    def now(self) -> datetime:
        """India's time on the simulator."""
        return datetime.fromtimestamp(self.simulator.get("/clock")["now_ms"] / 1000, IST)

    def until(self, wanted: Callable[[], T], what: str, within_s: float) -> T:
        """As `eventually`; a database that is just being written by the other process is asked again."""

        def asked() -> T | None:
            with contextlib.suppress(OperationalError):
                return wanted()
            return None

        found = eventually(asked, what, within_s)
        assert found is not None
        return found

    def until_time(self, at: time) -> None:
        def come() -> bool:
            self._take_time()
            return self.now().time() >= at

        self.until(come, f"{at} on the simulator", 900.0)

    def run_at(self, speed: float) -> None:
        self.simulator.post("/speed", speed=speed)
        self._take_time()

    def kill_engine(self) -> None:
        """As a machine that loses its power; another one leads minutes later, however slow this machine is."""
        self.engine.kill()
        dead_until = self.now() + DEAD_FOR
        self.until(lambda: self.now() >= dead_until, "minutes without an engine", LEADS_WITHIN_S)
        self.run_at(1.0)
        self.engine = self._engine()
        self.run_at(SPEED)

    def write(self, planned: Sequence[Planned]) -> dict[str, int]:
        """The strategies by their names; those that start by the clock are armed."""
        saved = {}
        for each in planned:
            how = {"square_off": LEAVE_AT} | each.how
            number = saved[each.name] = self.desk.strategy(each.legs, name=each.name, **how)
            if each.by_clock:
                self.desk.runtime.trade.strategies.arm(number, armed=True, user_id=1, username="trader")
        return saved

    def send(self, strategy: int) -> int:
        """Sent until it begins: a minute passes in a second, so what a preview showed may have moved away."""
        runs: list[int] = []

        def begun() -> bool:
            self._take_time()
            if runs and self.desk.view(runs[-1]).state == "REFUSED":
                runs.pop()
            if not runs:
                with contextlib.suppress(DeskError):
                    runs.append(self.desk.send(self.desk.preview(strategy)))
            return bool(runs) and self.desk.view(runs[-1]).state not in {"REQUESTED", "REFUSED"}

        self.until(begun, f"strategy {strategy} is begun", SENT_WITHIN_S)
        return runs[-1]

    def runs_of(self, strategy: int) -> list[Run]:
        """Without those that never began."""
        return [run for run in self.desk.rows(Run, Run.strategy_id == strategy) if run.state != "REFUSED"]

    def _engine(self) -> EngineProcess:
        before = self._epoch()
        made = EngineProcess(self._environment, self.log, ENTRY)
        self.until(lambda: self._epoch() > before, "an engine leads", LEADS_WITHIN_S)
        return made

    def _epoch(self) -> int:
        return max((row.epoch for row in self.desk.rows(LeaseRow)), default=0)

    def _take_time(self) -> None:
        """No loops run in this process, so it reads the simulator's clock when it is asked."""
        self.desk.runtime.ground.market_clock.sync()  # type: ignore[attr-defined]

    def close(self) -> None:
        self.engine.kill()
        self.desk.runtime.stop()


@contextlib.contextmanager
def day(start: str, *, accounts: int = 5) -> Iterator[Day]:
    """A desk at that time of the day, its clock running as usual."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-day-", ignore_cleanup_errors=True)))
        simulator = stack.enter_context(start_simulator("--start", start, accounts=accounts))
        made = Day(simulator, folder)
        stack.callback(made.close)
        yield made
