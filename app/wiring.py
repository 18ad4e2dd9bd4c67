"""Builds the objects of a process in three sides: ground, market, trade. Here adapters are fitted to ports."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy.engine import URL, make_url

from app.adapters.cache import CacheManager
from app.adapters.clock import SimulatorClock, SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.connection import PATIENCE, Pace, Sizes
from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.adapters.simulator_control import SimulatorControl
from app.adapters.vault import EncryptionService
from app.domain.calendar import Phase
from app.domain.errors import Denied
from app.engine.lanes import Lanes
from app.engine.lease import Build, DatabaseLease, FileLease, Lease
from app.engine.roster import loop_of
from app.engine.supervisor import Supervisor
from app.persistence.database import Database, db, prepare_sqlite
from app.persistence.tables import TradingAccount
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayAddress
from app.services import gate
from app.services.account_check import AccountCheck
from app.services.account_health import HealthBoard
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.commands import Commands
from app.services.contract_list import ContractList
from app.services.entries import EntryDesk
from app.services.exits import ExitDesk
from app.services.feed_state import Failover
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.margin_calculator import MarginCalculator
from app.services.market_rule_table import MarketRuleTable
from app.services.option_chain_manager import OptionChainManager
from app.services.order_desk import OrderDesk
from app.services.order_feeds import OrderFeeds
from app.services.order_pricing import OrderPricing
from app.services.preview_maker import Market, Money, Previews
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from app.services.reconciler import Reconciler
from app.services.risk_monitor import RiskMonitor
from app.services.run_board import RunBoard
from app.services.session_hours import SessionHours
from app.services.strategies import Strategies
from app.services.strategy_executor import StrategyExecutor
from app.services.websocket_manager import WebSocketManager
from app.services.world import World
from app.version import VERSION
from config import ROOT, Settings

READERS = 16
"""Reads of accounts' books that may be under way for pages and previews at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything stands on: settings, time, database, secrets, cache."""

    settings: Settings
    clock: Clock
    market_clock: MarketClock
    simulator: SimulatorControl | None
    database: Database
    vault: EncryptionService
    cache: CacheManager
    activity: Activity
    journal: Journal
    supervisor: Supervisor
    lease: Lease
    readers: ThreadPoolExecutor


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSide:
    """Accounts, their gateways, and what is known of the market through them."""

    gateways: Gateways
    health: HealthBoard
    accounts: Accounts
    board: PriceBoard
    feed: WebSocketManager
    quotes: Quotes
    contracts: ContractList
    hours: SessionHours
    chains: OptionChainManager
    margins: MarginCalculator
    rules: MarketRuleTable
    pricing: OrderPricing


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """Strategies, runs, orders."""

    run_board: RunBoard
    strategies: Strategies
    previews: Previews
    commands: Commands
    executor: StrategyExecutor
    reconciler: Reconciler
    risk: RiskMonitor
    order_feeds: OrderFeeds


def lay_ground(app: Flask, settings: Settings) -> Ground:
    clock = SystemClock()
    simulated = SimulatorClock(settings.simulator_url, clock) if settings.simulator_url else None
    market_clock: MarketClock = simulated or clock
    database = _database(app, settings)
    return Ground(
        settings=settings,
        clock=clock,
        market_clock=market_clock,
        simulator=SimulatorControl(settings.simulator_url) if settings.simulator_url else None,
        database=database,
        vault=EncryptionService(settings.encryption_keys),
        cache=CacheManager.at(settings.redis_url, clock),
        activity=Activity(database, clock),
        journal=Journal(market_clock),
        supervisor=Supervisor(),
        lease=_lease(app, database, clock, settings),
        readers=ThreadPoolExecutor(READERS, thread_name_prefix="reader"),
    )


def _database(app: Flask, settings: Settings) -> Database:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _pool_of(url)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    with app.app_context():
        engine = db.engine
    prepare_sqlite(engine)
    return Database(engine)


def _pool_of(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {"pool_pre_ping": True}
    # A file serves as many readers as there are threads: no lane waits for a connection behind the reads of others.
    return {} if url.database in {None, "", ":memory:"} else {"pool_size": 0}


def _lease(app: Flask, database: Database, clock: Clock, settings: Settings) -> Lease:
    """SQLite serves one machine, where a file lock is quicker and surer than any clock."""
    build = Build(VERSION, lambda: _known_schema(app))
    if database.engine.dialect.name == "postgresql":
        return DatabaseLease(database, clock, build)
    return FileLease(database, clock, Path(settings.lock_path), build)


def _known_schema(app: Flask) -> str | None:
    """The newest migration among the files beside this code."""
    with app.app_context():
        config = app.extensions["migrate"].migrate.get_config()
    return ScriptDirectory.from_config(config).get_current_head()


def build_market(ground: Ground) -> MarketSide:
    settings, clock = ground.settings, ground.clock

    def gateway(address: GatewayAddress) -> Gateway:
        # One connection more than entries can use: the way out never waits for them.
        sizes = Sizes(orders=settings.lane_workers + 1)
        patience = {**PATIENCE, Pace.PLACE: settings.place_timeout_s}
        return OpenAlgoGateway(address, clock, sizes=sizes, patience=patience)

    gateways = Gateways(ground.database, ground.vault, gateway)
    health, board = HealthBoard(clock), PriceBoard(clock)
    feeds = OpenAlgoFeeds(clock)
    accounts = Accounts(
        ground.database,
        clock,
        ground.vault,
        AccountCheck(gateway, feeds, clock),
        activity=ground.activity,
        gateways=gateways,
        health=health,
        simulator=ground.simulator,
    )
    order = accounts.feed_order

    def sources() -> list[int]:
        return feed.source_order()  # the account that feeds us is asked first; the feed itself is built below

    quotes = Quotes(board, gateways, sources, clock)
    hours = SessionHours(gateways, order, ground.market_clock, clock)
    contracts = ContractList(gateways, order, ground.market_clock, clock)
    rules = MarketRuleTable(ground.database, clock)
    feed = WebSocketManager(
        gateways,
        feeds,
        board,
        clock,
        order,
        in_session=lambda: any(hours.phase(e) in {Phase.LIVE, Phase.CLOSING} for e in ("NFO", "BFO")),
        snapshot=quotes.fetch,
        announce=_announcer(ground),
    )
    return MarketSide(
        gateways=gateways,
        health=health,
        accounts=accounts,
        board=board,
        feed=feed,
        quotes=quotes,
        contracts=contracts,
        hours=hours,
        chains=OptionChainManager(
            contracts, board, feed, quotes, ground.market_clock, clock, budget=settings.subscription_budget
        ),
        margins=MarginCalculator(gateways, quotes, clock),
        rules=rules,
        pricing=OrderPricing(quotes, rules, clock, ground.market_clock, max_age_s=settings.price_max_age_s),
    )


def _announcer(ground: Ground) -> Callable[[Failover], None]:
    """Feed failovers go into the activity log."""

    def announce(failover: Failover) -> None:
        with ground.database.transaction() as session:
            ground.activity.record(
                session, user_id=None, actor="engine", action="feed.failover", subject="feed", sentence=str(failover)
            )

    return announce


def build_trade(ground: Ground, market: MarketSide) -> TradeSide:
    settings, database, clock, supervisor = ground.settings, ground.database, ground.clock, ground.supervisor
    run_board = RunBoard(database, market.board, clock)
    strategies = Strategies(database, clock, ground.activity)
    previews = _previews(ground, market, strategies)
    executor = StrategyExecutor(
        database,
        clock,
        EntryDesk(ground.journal, _account_check(ground), previews.check_slip, chase_after_s=settings.chase_after_s),
        ExitDesk(ground.journal, chase_after_s=settings.chase_after_s),
        ground.journal,
        on_change=run_board.changed,
    )
    executor.wake = lambda: supervisor.wake("runs")

    def changed(run_id: int, account_id: int) -> None:
        run_board.changed(run_id, account_id)
        executor.touch(run_id)
        supervisor.wake("risk")

    reconciler = Reconciler(
        database,
        clock,
        ground.market_clock,
        market.gateways,
        market.health,
        journal=ground.journal,
        on_change=changed,
    )
    executor.lanes = _lanes(ground, market, reconciler, changed)
    risk = RiskMonitor(
        market.board,
        run_board,
        market.quotes,
        websocket_manager=market.feed,
        journal=ground.journal,
        clock=clock,
        ask_exit=lambda run_id, why, also: executor.ask_exit(run_id, account_id=None, leg=None, why=why, also=also),
    )
    risk.wake = lambda: supervisor.wake("risk")
    return TradeSide(
        run_board=run_board,
        strategies=strategies,
        previews=previews,
        commands=Commands(database, clock, ground.activity, lambda: supervisor.wake("intake")),
        executor=executor,
        reconciler=reconciler,
        risk=risk,
        order_feeds=_order_feeds(ground, market),
    )


def _order_feeds(ground: Ground, market: MarketSide) -> OrderFeeds:
    """A push is a reason to read the books at once; what it says is taken from them."""

    def read_soon(account_id: int) -> None:
        ground.supervisor.wake(loop_of(account_id))

    return OrderFeeds(
        market.gateways,
        OpenAlgoFeeds(ground.clock),
        ground.clock,
        on_update=lambda account_id, _update: read_soon(account_id),
        on_open=read_soon,
    )


def _previews(ground: Ground, market: MarketSide, strategies: Strategies) -> Previews:
    return Previews(
        ground.database,
        ground.clock,
        strategies,
        Market(
            contracts=market.contracts,
            hours=market.hours,
            quotes=market.quotes,
            pricing=market.pricing,
            rules=market.rules,
            market_clock=ground.market_clock,
        ),
        Money(gateways=market.gateways, margins=market.margins, health=market.health, readers=ground.readers),
        life_s=ground.settings.preview_life_s,
        live_sending=ground.settings.live_sending,
    )


def _account_check(ground: Ground) -> Callable[[int], None]:
    """Raises Denied when an account may not be sent entries now; exits are never held up by this."""

    def check(account_id: int) -> None:
        if unwell := ground.supervisor.unwell:
            names = ", ".join(pulse.name for pulse in unwell)
            raise Denied("ENGINE_UNWELL", f"Parts of the engine crash again and again ({names}): no entries are sent.")
        with ground.database.reading() as session:
            account = session.get_one(TradingAccount, account_id)
        gate.may_trade(account, live_sending=ground.settings.live_sending, entry=True)

    return check


def _lanes(ground: Ground, market: MarketSide, reconciler: Reconciler, changed: Callable[[int, int], None]) -> Lanes:
    supervisor, settings = ground.supervisor, ground.settings
    world = World(
        ground.clock,
        market.gateways,
        market.health,
        contracts=market.contracts,
        hours=market.hours,
        books=reconciler,
        read_soon=lambda account_id: supervisor.wake(loop_of(account_id)),
        well=lambda: not supervisor.unwell,
    )
    desk = OrderDesk(
        ground.database,
        ground.clock,
        ground.market_clock,
        market.gateways,
        market.pricing,
        ground.journal,
        world=world,
        epoch=lambda: ground.lease.epoch,
        live_sending=settings.live_sending,
        on_change=changed,
    )
    return Lanes(supervisor, ground.clock, desk, workers=settings.lane_workers, per_second=settings.orders_per_second)
