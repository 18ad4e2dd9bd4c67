"""The whole application without a browser: real database, real engine threads, real sockets to a real simulator."""

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url, select

from app import create_app
from app.bootstrap import Runtime, runtime_of
from app.domain.contracts import UNDERLYINGS, Kind, Product, Side
from app.domain.entry_times import ANY_TIME, EntryTimes
from app.domain.errors import Conflict, Unavailable
from app.domain.exit_rules import NO_EXIT_RULES, ExitRules
from app.domain.sizing import BY_LOTS, SizeRule
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.trailing import NO_FLOORS, Floors
from app.persistence.tables import ActivityLog, Intent, RiskEvent, Run, RunEvent, User
from app.services.commands import ExitScope
from app.services.preview_maker import FrozenPreview
from app.services.run_board import RunView
from config import Settings, testing_settings
from tests.migrated_database import put_migrated
from tests.simulator_process import SimulatorProcess

T = TypeVar("T")

SOON_S = 45.0
"""On a busy machine; a desk that is left alone needs a second."""

SIMULATED_QUIET_S = 15.0
"""Instead of 150 s: no call of the simulator is under way for longer than it is told to be by a fault."""


@dataclass(frozen=True)
class Trader:
    """The signed-in user of these tests."""

    id: int = 1
    username: str = "trader"
    is_admin: bool = True


def eventually(wanted: Callable[[], T], what: str, within_s: float = SOON_S) -> T:
    """The first true answer of `wanted`. Fails naming `what` when there is none in time."""
    end = time.monotonic() + within_s
    while True:
        answer = wanted()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:g} s: {what}; last answer {answer!r}")
        threading.Event().wait(0.02)


def leg(number: int, kind: Kind, side: Side, steps: int = 0, *, product: Product = Product.MIS) -> LegSpec:
    """A NIFTY leg of next week's expiry, `steps` out of the money."""
    rule = StrikeRule(StrikeMethod.OTM, Decimal(steps)) if steps else StrikeRule(StrikeMethod.ATM)
    return LegSpec(number, "NIFTY", kind, ExpiryWord.NEXT_WEEK, rule, side, 1, product)


STRADDLE = (leg(1, Kind.CE, Side.SELL), leg(2, Kind.PE, Side.SELL))
IRON_FLY = (
    leg(1, Kind.CE, Side.SELL),
    leg(2, Kind.PE, Side.SELL),
    leg(3, Kind.CE, Side.BUY, 4),
    leg(4, Kind.PE, Side.BUY, 4),
)


class LiveDesk:
    """What a trader does, in one call each."""

    def __init__(self, app: Flask, simulator: SimulatorProcess) -> None:
        self.app = app
        self.runtime: Runtime = runtime_of(app)
        self.simulator = simulator
        self.trader = Trader()

    @property
    def account_ids(self) -> list[int]:
        return self.runtime.market.accounts.feed_order()

    def strategy(
        self,
        legs: Sequence[LegSpec] = STRADDLE,
        *,
        name: str = "Straddle",
        structures: int = 1,
        accounts: Sequence[int] | None = None,
        max_loss: int | None = None,
        max_profit: int | None = None,
        square_off: dt.time | None = None,
        floors: Floors = NO_FLOORS,
        exits: ExitRules = NO_EXIT_RULES,
        times: EntryTimes = ANY_TIME,
        size_rule: SizeRule = BY_LOTS,
    ) -> int:
        loss, profit = (None if limit is None else Decimal(limit) for limit in (max_loss, max_profit))
        chosen = self.account_ids if accounts is None else accounts
        return self.runtime.trade.strategies.save(
            StrategySpec(
                name,
                tuple(legs),
                structures,
                loss,
                profit,
                square_off=square_off,
                floors=floors,
                exits=exits,
                times=times,
                size_rule=size_rule,
            ),
            {account: Decimal(1) for account in chosen},
            user_id=self.trader.id,
            username=self.trader.username,
        )

    def preview(self, strategy_id: int) -> FrozenPreview:
        return self.runtime.trade.previews.make(strategy_id, self.trader.id)

    def send(self, preview: FrozenPreview, key: str | None = None) -> int:
        return self.runtime.trade.commands.start_run(
            preview.id, preview.digest, user_id=1, username="trader", key=key or f"send-{preview.id:08d}"
        )

    def run(self, legs: Sequence[LegSpec] = STRADDLE, **how: Any) -> int:
        """Write down, preview and send."""
        return self.send(self.preview(self.strategy(legs, **how)))

    def exit(self, run_id: int, scope: ExitScope | None = None, key: str = "exit-0001") -> None:
        self.runtime.trade.commands.exit_run(
            run_id, scope or ExitScope(), user_id=1, username="trader", key=f"{key}-{run_id}"
        )

    def view(self, run_id: int) -> RunView:
        return self.runtime.trade.run_board.view(run_id)

    def click_exit(self, run_id: int, key: str) -> None:
        """One click of many. The last ones may find the run closed already, and are told so."""
        with contextlib.suppress(Conflict):
            self.exit(run_id, key=key)

    def until(self, run_id: int, *states: str, within_s: float = SOON_S) -> RunView:
        """The run as it is when it reaches one of the states."""

        def reached() -> RunView | None:
            view = self.view(run_id)
            return view if view.state in states else None

        try:
            found = eventually(reached, f"run {run_id} is {' or '.join(states)}", within_s)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.story(run_id)}") from None
        assert found is not None
        return found

    def story(self, run_id: int) -> str:
        """Everything that happened in the run, for messages of failed tests."""
        rows = self.rows(RunEvent, RunEvent.run_id == run_id)
        lines = [f"{row.at:%H:%M:%S.%f} {row.account_id} {row.kind}: {row.sentence}" for row in rows]
        lines += [f"{i.account_id} {i.purpose} {i.side} {i.symbol} {i.state} {i.reason}" for i in self.intents(run_id)]
        lines += [f"{pulse}" for pulse in self.runtime.ground.supervisor.pulses() if pulse.last_error]
        return "\n".join(lines)

    def intents(self, run_id: int, account_id: int | None = None) -> list[Intent]:
        rows = self.rows(Intent, Intent.run_id == run_id)
        return [row for row in rows if account_id in {None, row.account_id}]

    def events(self, run_id: int, kind: str) -> list[RunEvent]:
        return [row for row in self.rows(RunEvent, RunEvent.run_id == run_id) if row.kind == kind]

    def risk_events(self, run_id: int) -> list[RiskEvent]:
        return self.rows(RiskEvent, RiskEvent.run_id == run_id)

    def stored(self, run_id: int) -> Run:
        run: Run = self.rows(Run, Run.id == run_id)[0]
        return run

    def activity(self, action: str) -> list[ActivityLog]:
        return self.rows(ActivityLog, ActivityLog.action == action)

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.runtime.ground.database.reading() as session:
            return list(session.scalars(select(table).where(*where).order_by(table.id)))

    def orders_at_broker(self, number: int) -> list[dict[str, Any]]:
        """Every order that the account's broker ever accepted."""
        found: list[dict[str, Any]] = self.simulator.truth(number)["orders"]
        return found

    def filled_at_broker(self, number: int) -> list[dict[str, Any]]:
        """Of these, what was filled: on a busy machine an order may rest, be cancelled and priced again."""
        return [order for order in self.orders_at_broker(number) if order["order_status"] == "complete"]

    def net_at_broker(self, number: int) -> dict[str, int]:
        """Signed units of every position that is not flat, at the broker."""
        positions = self.simulator.truth(number)["positions"]
        return {p["symbol"]: int(p["quantity"]) for p in positions if int(p["quantity"])}


@contextlib.contextmanager
def live_desk(simulator: SimulatorProcess, folder: Path, **changes: Any) -> Iterator[LiveDesk]:
    """A desk with the simulator's five accounts, its engine running; stopped when the block ends.

    Opened again on the same folder it is the same desk after a restart.
    """
    settings = testing_settings().with_(
        database_url=changes.pop("database_url", f"sqlite:///{folder / 'desk.sqlite3'}"),
        simulator_url=simulator.control,
        engine="auto",
        lock_path=str(folder / "engine.lock"),
        **changes,
    )
    app = _migrated(settings)
    desk = LiveDesk(app, simulator)
    furnish(desk)
    desk.runtime.start()
    try:
        eventually(lambda: _ready(desk), "the desk has contracts, hours and books")
        yield desk
    finally:
        desk.runtime.stop()


def _migrated(settings: Settings) -> Flask:
    """The application on a database of the newest migration; a new file is a copy of one that was migrated before."""
    place = make_url(settings.database_url).database if settings.database_url.startswith("sqlite") else None
    if place is not None and not Path(place).exists():
        put_migrated(Path(place))
    app = create_app(settings)
    if place is None:
        with app.app_context():
            upgrade()
    return app


def furnish(desk: LiveDesk) -> None:
    """One user and the simulator's accounts, where there are none yet."""
    if desk.rows(User):
        return
    ground = desk.runtime.ground
    with ground.database.transaction() as session:
        session.add(User(username="trader", password_hash="none", role="admin", created_at=ground.clock.now()))
    desk.runtime.market.accounts.add_simulator(desk.trader)


def _ready(desk: LiveDesk) -> bool:
    market = desk.runtime.market
    try:
        market.contracts.master_with(underlying.name for underlying in UNDERLYINGS)
    except Unavailable:
        return False
    read = [desk.runtime.trade.reconciler.known(account) for account in desk.account_ids]
    return all(read) and market.hours.phase("NFO").value in {"live", "closing"}
