"""Runs on a real database and the monitor that judges them, with prices put on the board by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.contracts import Contract, Side
from app.domain.exit_rules import AccountRule, ExitRules
from app.domain.leg_rules import LegRule, LegRules
from app.domain.trailing import Floors
from app.persistence.tables import FillRow, RiskEvent, Run, StrategyExecution
from app.ports.feed import FeedMode, Tick
from app.services import exit_rule_text
from app.services.exchange_time import ExchangeTime
from app.services.floor_text import written
from app.services.journal import Journal
from app.services.peaks import FloorsNow, Peaks
from app.services.price_board import PriceBoard
from app.services.proven_prices import ProvenPrices
from app.services.risk_monitor import BEHIND_S, RiskMonitor
from app.services.run_board import RunBoard, RunView
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT


class NoQuotes:
    """Counts how often it was asked; nobody else waits for it."""

    def __init__(self) -> None:
        self.asked = 0

    def refresh(self, keys: object, older_than_s: float) -> None:  # noqa: ARG002 - the signature is the real one's
        self.asked += 1


class NoFeed:
    gap: float | None = None

    def gap_from(self) -> float | None:
        return self.gap

    def want(self, consumer: str, keys: object, mode: FeedMode) -> None:
        """Nothing is subscribed here."""


class Watched:
    """Runs that bought a put at 100, and the monitor over them."""

    def __init__(self, folder: Path, *, accounts: int = 1) -> None:
        self.world = OrderWorld(folder, accounts=accounts)
        for broker in self.world.brokers.values():
            broker.fills_at_once = True
        self.board = PriceBoard(self.world.clock, ExchangeTime(self.world.clock))
        self.runs = RunBoard(self.world.database, self.board, self.world.clock)
        self.quotes = NoQuotes()
        self.dies_in_exit = False
        self.before_exit: Any = lambda: None
        self.watch()

    def watch(self) -> None:
        """A monitor that remembers nothing, as after a start."""
        quotes: Any = self.quotes
        self.feed = NoFeed()
        feed: Any = self.feed
        self.peaks = Peaks(self.world.database, Journal(self.world.clock), self.runs.changed)
        self.proven = ProvenPrices(self.board, self.world.clock, self.feed.gap_from)
        self.monitor = RiskMonitor(
            self.board, self.runs, quotes, self.proven, websocket_manager=feed, journal=Journal(self.world.clock),
            clock=self.world.clock, peaks=self.peaks, ask_exits=self._ask_exits,
        )  # fmt: skip

    def _ask_exits(self, run_id: int, wanted: Any, also: Any) -> None:
        def both(session: Any) -> None:
            self.before_exit()
            also(session)
            session.flush()
            if self.dies_in_exit:
                raise RuntimeError("the process died here")

        self.world.executor.ask_exits(run_id, wanted, both)
        self.runs.changed(run_id)

    def run(self, max_loss: int, contract: Contract = PUT) -> int:
        run_id = self.world.start((contract, Side.BUY, 1))
        self.world.turns(3)
        with self.world.database.transaction() as session:
            session.get_one(Run, run_id).max_loss = Decimal(max_loss)
        return run_id

    def trailing(self, floors: Floors) -> int:
        """A run of a put bought at 100, 65 units, that is left by its floors alone."""
        run_id = self.world.start((PUT, Side.BUY, 1))
        self.world.turns(4)
        with self.world.database.transaction() as session:
            session.get_one(Run, run_id).floors = written(floors)
        self.runs.changed(run_id)
        return run_id

    def goes(self, *prices: float) -> list[Decimal | None]:
        """The floor of the trailing stop after each price, each judged and its peak committed."""
        found = []
        for ltp in prices:
            self.price(ltp)
            self.monitor.step()
            self.peaks.step()
            found.append(self.peaks.floors(self.runs.view(1)).trail)
        return found

    def price(self, ltp: float, contract: Contract = PUT) -> None:
        self.board.put(Tick(contract.key, ltp, self.world.clock.now()))

    def judged(self) -> list[int]:
        """The runs that one turn judged."""
        ids: list[int] = []
        real = self.peaks.floors

        def floors(view: RunView) -> FloorsNow:
            ids.append(view.run_id)
            return real(view)

        self.peaks.floors = floors  # type: ignore[method-assign]
        self.monitor.step()
        self.peaks.floors = real  # type: ignore[method-assign]
        return ids


class Parts(Watched):
    """Two accounts in the same run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, accounts=2)

    def enter(
        self,
        *legs: tuple[Contract, Side, int],
        rules: tuple[LegRule, ...] = (),
        to_cost: bool = False,
        own: tuple[AccountRule, ...] = (),
        **averages: str,
    ) -> int:
        """`averages`: `a2l1="110"` is what account 2 entered leg 1 at, for 100."""
        run_id = self.world.start(*legs)
        self.world.turns(6)
        with self.world.database.transaction() as session:
            session.get_one(Run, run_id).exits = exit_rule_text.written(
                ExitRules(LegRules(rules, to_cost=to_cost), own)
            )
            rows = {row.id: f"a{row.account_id}l{row.leg}" for row in session.query(StrategyExecution)}
            for fill in session.query(FillRow):
                fill.price = Decimal(averages.get(rows[fill.execution_id], "100"))
        self.runs.changed(run_id)
        return run_id

    def at(self, **prices: float) -> None:
        """Each contract at its price, judged by what was written a moment ago."""
        for name, ltp in prices.items():
            self.price(ltp, {"call": CALL, "put": PUT, "hedge": HEDGE}[name])
        self.world.clock.advance(BEHIND_S)
        self.monitor.step()

    def goes_to(self, **prices: float) -> None:
        """The prices go there by so little at a time that nothing is a jump."""
        for name, ltp in prices.items():
            latest = self.board.latest({"call": CALL, "put": PUT, "hedge": HEDGE}[name].key)
            here = 100.0 if latest is None else float(latest.ltp)
            for step in range(1, 5):
                self.at(**{name: here + (ltp - here) * step / 4})

    def leaving(self) -> set[tuple[int, int]]:
        """Account and leg of everything whose exit is asked."""
        return {(row.account_id, row.leg) for row in self.world.rows(StrategyExecution) if row.exit_wanted}

    def fired(self) -> list[tuple[str, str, Decimal, Decimal]]:
        return [(row.rule, row.place, row.threshold, row.value) for row in self.world.rows(RiskEvent)]
