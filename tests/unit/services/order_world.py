"""The order path on a real database, with brokers that keep their own truth, a clock moved by hand and no threads."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.domain import gate
from app.domain.books import OrderUpdate
from app.domain.calendar import Phase
from app.domain.contracts import Contract, ContractKey, Product, Side
from app.domain.errors import Denied, DeskError, NoFreshPrice
from app.domain.failure_policy import DEFAULT
from app.domain.money import Lots, Units
from app.domain.plan import AccountPlan, Mode, Plan, PlannedLeg, PlannedOrder, ResolvedLeg
from app.domain.pnl import Mark
from app.domain.price_types import AT_MARKET, PriceTerms, check_band, check_terms, check_tick, check_trigger
from app.domain.prices import Price, PriceBand, Touch
from app.domain.slicing import slices
from app.persistence.database import Database
from app.persistence.tables import (
    FillRow,
    Intent,
    LeaseRow,
    Preview,
    Run,
    RunEvent,
    Strategy,
    StrategyExecution,
    TradingAccount,
    User,
)
from app.services.account_health import HealthBoard
from app.services.activity import Activity
from app.services.alarms import Alarms
from app.services.claim_facts import who_of
from app.services.claims import ClaimDesk
from app.services.entries import EntryDesk
from app.services.exits import ExitDesk
from app.services.integrity_watch import IntegrityWatch
from app.services.journal import Journal
from app.services.modify_desk import ModifyDesk
from app.services.order_answers import OrderAnswers
from app.services.order_desk import OrderDesk
from app.services.order_pricing import Priced
from app.services.order_request import terms_of
from app.services.pending_orders import Change, PendingChange, PendingOrders
from app.services.previews import freeze
from app.services.pushed_orders import PushedOrders
from app.services.reconciler import Reconciler
from app.services.strategy_executor import StrategyExecutor
from app.services.world import World
from tests.empty_database import empty_database
from tests.unit.services.adopting import adopting
from tests.unit.services.market_fakes import FakeClock, MarketTime
from tests.unit.services.pretend_broker import CALL, FREEZE, HEDGE, LOT, PRICE, PUT, PretendBroker

BAND = PriceBand(PRICE - 40, PRICE + 40)


class _Pricing:
    """A limit that differs with every generation of an exit; `trouble` is raised while it is set."""

    def __init__(self) -> None:
        self.trouble: DeskError | None = None
        self.asked: list[int] = []
        self.is_at_hand = False
        self.mark: Mark | None = Mark(PRICE, 0.5)
        self.meanwhile: Callable[[], object] = lambda: None

    def at_hand(self, intent: Intent, execution: StrategyExecution, rested: int) -> Priced:
        """Nothing is, unless told: every claim has to fetch its price, and things happen meanwhile."""
        if self.is_at_hand:
            return self.limit(intent, execution, rested)
        raise NoFreshPrice(f"{intent.symbol} has no price at hand.")

    def limit(self, intent: Intent, execution: StrategyExecution, rested: int) -> Priced:  # noqa: ARG002 - the signature is the real one's
        if self.trouble is not None:
            raise self.trouble
        self.asked.append(rested)
        once, self.meanwhile = self.meanwhile, lambda: None
        once()
        return Priced(terms_of(intent).reckoned or PRICE, BAND)

    def typed(self, contract: Contract, side: Side, terms: PriceTerms, *, standing: Decimal | None = None) -> Decimal:
        """Judged by the real rules, in a market that stands at PRICE with a band of 40 rupees around it."""
        last = Price(PRICE, "test", None, datetime(2026, 11, 23, tzinfo=UTC))
        check_terms(contract.kind, side, terms)
        check_tick(terms, contract.tick)
        check_band(terms, BAND)
        if terms.trigger != standing:
            check_trigger(side, terms, Touch(None, None, last))
        return terms.reckoned or PRICE

    def entry(self, contract: Contract, side: Side) -> tuple[Decimal, Decimal]:  # noqa: ARG002 - the signature is the real one's
        if self.trouble is not None:
            raise self.trouble
        return PRICE, PRICE + side.sign * 5


class _Listed:
    def __init__(self) -> None:
        self.known = {each.key: each for each in (CALL, PUT, HEDGE)}

    def lot_size(self, key: ContractKey) -> int | None:
        return self.known[key].lot_size


class _Hours:
    def __init__(self) -> None:
        self.now = Phase.LIVE

    def phase(self, exchange: str) -> Phase:  # noqa: ARG002 - the signature is the real one's
        return self.now

    def session(self, exchange: str) -> None:
        """Nobody knows today's hours: nothing is left by the clock."""


class _Brokers:
    def __init__(self, brokers: dict[int, PretendBroker]) -> None:
        self._brokers = brokers

    def of(self, account_id: int) -> PretendBroker:
        return self._brokers[account_id]


def no_feed(payload: Mapping[str, object]) -> str:
    raise AssertionError(f"a choice of the feed: {payload}")


@dataclass
class _Queue:
    """Jobs handed to the lanes, done when the test says so."""

    jobs: dict[tuple[int, bool], None] = field(default_factory=dict)
    changes: dict[int, None] = field(default_factory=dict)

    def send(self, intent: Intent, *, strategy_id: int | None) -> None:  # noqa: ARG002 - the signature is the real one's
        self.jobs[intent.id, False] = None

    def cancel(self, intent: Intent) -> None:
        self.jobs[intent.id, True] = None

    def modify(self, intent: Intent) -> None:
        self.changes[intent.id] = None


def ready_database(url: str) -> Database:
    return Database(empty_database(url))


class OrderWorld:
    """Everything between a plan and the brokers. `restart` throws away what is in memory, as a crash does."""

    def __init__(self, folder: Path, *, accounts: int = 1, url: str | None = None) -> None:
        self.prepare(ready_database(url or f"sqlite:///{folder / 'desk.sqlite3'}"), accounts)

    def prepare(self, database: Database, accounts: int) -> None:
        """The first rows of an empty database, and an engine that starts on it."""
        self.database = database
        self.clock, self.market_ahead = FakeClock(), timedelta(0)
        self.brokers = {number: PretendBroker() for number in range(1, accounts + 1)}
        self.pricing, self.hours, self.epoch, self.runs = _Pricing(), _Hours(), 0, 0
        now = self.clock.now()
        with self.database.transaction() as session:
            session.add(User(username="asha", password_hash="none", role="admin", created_at=now))
            session.flush()
            session.add(Strategy(owner_id=1, name="S", structures=1, created_at=now, changed_at=now))
            for number in self.brokers:
                session.add(
                    TradingAccount(
                        owner_id=1, name=f"Account {number}", broker="simulator", host_url=f"http://a:{number}",
                        websocket_url="ws://a", locked_key="k", expected_mode="live", state="ACTIVE",
                        feed_rank=number, created_at=now,
                    )
                )  # fmt: skip
            session.add(LeaseRow(id=1, epoch=0, owner="test", taken_at=now))
        self.policy, self.listed = DEFAULT, _Listed()
        self.slip: Callable[[Plan], None] = lambda _plan: None
        self.restart()

    @property
    def broker(self) -> PretendBroker:
        return self.brokers[1]

    def restart(self) -> None:
        self.epoch += 1
        with self.database.transaction() as session:
            session.get_one(LeaseRow, 1).epoch = self.epoch
        market = MarketTime(lambda: self.clock.now() + self.market_ahead)
        epoch, gateways, journal = self.epoch, _Brokers(self.brokers), Journal(market)
        health = self.health = HealthBoard(self.clock)
        self.queue = _Queue()
        anything: Any = gateways
        self.book_calls: list[int] = []
        self.pushed = PushedOrders(
            self.database, self.clock, market, journal, read_soon=self.book_calls.append, on_change=self._touch,
        )  # fmt: skip
        self.reconciler = Reconciler(
            self.database, self.clock, market, anything, health, journal=journal,
            on_change=self._touch, bears_out=self.pushed.bears_out,
        )  # fmt: skip
        listed: Any = self.listed
        hours: Any = self.hours
        world = self.world = World(
            self.clock, anything, health, contracts=listed, hours=hours, books=self.reconciler,
            read_soon=lambda _account_id: None,
        )  # fmt: skip
        pricing: Any = self.pricing
        claims = ClaimDesk(
            self.database, self.clock, market, anything, pricing, journal, world=world, epoch=lambda: epoch,
            live_sending=False, on_change=self._touch,
        )  # fmt: skip
        self.answers = OrderAnswers(
            self.database, self.clock, journal, read_soon=world.read_soon, acknowledged=self._touch,
            on_change=self._touch,
        )  # fmt: skip
        self.desk = OrderDesk(
            self.database, self.clock, anything, claims, self.answers, epoch=lambda: epoch, read_soon=world.read_soon,
            on_change=self._touch,
        )  # fmt: skip
        self.changes = ModifyDesk(
            self.database, self.clock, anything, epoch=lambda: epoch, read_soon=lambda _account_id: None,
            on_change=self._touch,
        )  # fmt: skip
        self.alarms = Alarms(self.database, self.clock, journal, Activity(self.database, self.clock))
        self.executor = StrategyExecutor(
            self.database, self.clock,
            EntryDesk(journal, lambda _ids: {}, self._check_slip, chase_after_s=3.0),
            ExitDesk(journal, chase_after_s=3.0), journal,
            pending=PendingOrders(self.database, journal, self.pricing, denials=self._denials, phase=hours.phase),
            watch=IntegrityWatch(
                self.clock, self.alarms, lot_size=world.lot_size, phase=hours.phase, mark=lambda _: self.pricing.mark,
                books=self.reconciler.known,
            ), on_change=lambda _run_id: None,
        )  # fmt: skip
        self.executor.lanes = self.queue
        self.offers, self.adopter = adopting(self, journal, epoch)
        self.unknown_at_start = self.reconciler.recover(epoch)

    def _touch(self, run_id: int, account_id: int) -> None:
        self.executor.touch(run_id, account_id)
        self.pushed.look_again(account_id)

    def push(self, *updates: OrderUpdate, account_id: int = 1) -> None:
        """These updates come in on an account's stream, and are looked at."""
        for update in updates:
            self.pushed.take(account_id, update)
        self.pushed.step()

    def _denials(self, account_ids: Collection[int]) -> Mapping[int, Denied]:
        found: dict[int, Denied] = {}
        for account_id in account_ids:
            try:
                gate.may_trade(who_of(self.account(account_id), live_sending=True), entry=True)
            except Denied as denial:
                found[account_id] = denial
        return found

    def _check_slip(self, plan: Plan) -> None:
        self.slip(plan)

    def request(self, *legs: tuple[Contract, Side, int], typed: Mapping[int, PriceTerms] | None = None) -> int:
        """A requested run of these legs, so many lots of each, in every account. `typed` are prices by leg number."""
        plan = plan_of(legs, list(self.brokers), self.clock, typed or {})
        text, digest = freeze(plan)
        now = self.clock.now()
        with self.database.transaction() as session:
            preview = Preview(
                strategy_id=1, user_id=1, made_at=now, expires_at=now + timedelta(seconds=60), digest=digest, plan=text
            )
            session.add(preview)
            session.flush()
            run = Run(
                strategy_id=1, preview_id=preview.id, user_id=1, name="S", mode="live", state="REQUESTED",
                requested_at=now, leg_failure=self.policy.leg.value, retries=self.policy.retries,
                group_failure=self.policy.group.value,
            )  # fmt: skip
            session.add(run)
            session.flush()
            return run.id

    def start(self, *legs: tuple[Contract, Side, int], typed: Mapping[int, PriceTerms] | None = None) -> int:
        self.read()
        run_id = self.request(*legs, typed=typed)
        self.executor.start(run_id)
        return run_id

    def read(self) -> None:
        for account_id in self.brokers:
            self.reconciler.step(account_id)

    def work(self) -> None:
        """Do everything that was handed to the lanes."""
        while self.queue.changes:
            self.changes.modify(self.queue.changes.popitem()[0])
        while self.queue.jobs:
            (intent_id, cancel), _ = self.queue.jobs.popitem()
            self.desk.cancel(intent_id) if cancel else self.send(intent_id)

    def send(self, intent_id: int) -> None:
        self.desk.send(intent_id)

    def turn(self, seconds: float = 1.1) -> None:
        """Decide, send, let time pass, read the books."""
        self.executor.step()
        self.work()
        self.clock.advance(seconds)
        self.read()

    def turns(self, count: int, seconds: float = 1.1) -> None:
        for _ in range(count):
            self.turn(seconds)

    def ask(self, run_id: int, change: Change, limit: str | None = None, trigger: str | None = None) -> str:
        """A wish about leg 1 in account 1."""
        prices = [price and Decimal(price) for price in (limit, trigger)]
        wanted = PendingChange(1, 1, change, *prices)  # type: ignore[arg-type]
        return self.executor.ask_pending(run_id, wanted, "asha")

    def exit(self, run_id: int, **part: int) -> None:
        self.executor.ask_exit(run_id, account_id=part.get("account_id"), leg=part.get("leg"), why="Exit asked")

    def run(self, run_id: int = 1) -> Run:
        with self.database.reading() as session:
            return session.get_one(Run, run_id, options=[selectinload(Run.executions)])

    def intents(self, purpose: str | None = None, run_id: int | None = None) -> list[Intent]:
        rows = self.rows(Intent)
        return [row for row in rows if purpose in {None, row.purpose} and run_id in {None, row.run_id}]

    def net(self, run_id: int = 1) -> dict[str, int]:
        """Signed units by symbol, as our own fills say."""
        of_run = {row.id: row for row in self.rows(StrategyExecution) if row.run_id == run_id}
        nets: dict[str, int] = {}
        for fill in self.rows(FillRow):
            if fill.execution_id in of_run:
                symbol = of_run[fill.execution_id].symbol
                nets[symbol] = nets.get(symbol, 0) + Side(fill.side).sign * fill.units
        return {symbol: units for symbol, units in nets.items() if units}

    def said(self, kind: str) -> list[str]:
        return [row.sentence for row in self.rows(RunEvent) if row.kind == kind]

    def account(self, account_id: int = 1) -> TradingAccount:
        with self.database.reading() as session:
            return session.get_one(TradingAccount, account_id)

    def rows(self, table: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.scalars(select(table).order_by(table.id)))


def plan_of(
    legs: tuple[tuple[Contract, Side, int], ...],
    accounts: list[int],
    clock: FakeClock,
    typed: Mapping[int, PriceTerms] = MappingProxyType({}),
) -> Plan:
    resolved = tuple(
        ResolvedLeg(number, each, side, 1, Product.MIS, "by hand", typed.get(number, AT_MARKET))
        for number, (each, side, _) in enumerate(legs, 1)
    )
    planned = tuple(
        PlannedLeg(
            number,
            Lots(lots),
            Units(lots * LOT),
            tuple(
                _order(number, part, units, side, typed.get(number, AT_MARKET))
                for part, units in enumerate(slices(Units(lots * LOT), LOT, Units(FREEZE)), 1)
            ),
            typed.get(number, AT_MARKET),
        )
        for number, (_, side, lots) in enumerate(legs, 1)
    )
    first = AccountPlan(0, "", Mode.LIVE, 1, planned, None, None, (), None)
    return Plan(
        strategy_id=1,
        strategy_name="S",
        made_at=clock.now(),
        spots=(("NIFTY", Decimal(25_000)),),
        legs=resolved,
        accounts=tuple(replace(first, account_id=each, account_name=f"Account {each}") for each in accounts),
        max_loss=None,
        max_profit=None,
    )


def _order(leg: int, part: int, units: Units, side: Side, typed: PriceTerms) -> PlannedOrder:
    price = typed.reckoned
    return PlannedOrder(leg, part, units, price or PRICE, price or PRICE + side.sign * 5)
