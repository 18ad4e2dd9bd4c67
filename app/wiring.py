"""Builds what a process stands on: ground, then market. Here adapters are fitted to ports; `wiring_trade` follows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy.engine import URL, make_url

from app.adapters.cache_manager import CacheManager
from app.adapters.clock import SimulatorClock, SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.connection import PATIENCE, Pace, Sizes
from app.adapters.openalgo.feed_opening import FeedLimits, OpenAlgoFeeds
from app.adapters.process_usage import KernelUsage
from app.adapters.simulator_control import SimulatorControl
from app.adapters.vault import EncryptionService
from app.domain.calendar import Phase
from app.domain.pacing import MOST_WORKERS
from app.domain.relief import Relief, ReliefLimits
from app.engine.lease import Build, DatabaseLease, FileLease, Lease
from app.engine.supervisor import Supervisor
from app.persistence.cache_rows import CacheRows
from app.persistence.database import STATEMENTS_KEPT, Database, db, prepare_sqlite
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayAddress, GatewayFactory
from app.services import crash_points
from app.services.account_check import AccountCheck
from app.services.account_health import HealthBoard
from app.services.account_sizes import AccountSizes
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.calculator import Calculator
from app.services.calendar_overrides import CalendarOverrides
from app.services.candle_history import CandleHistory
from app.services.candle_store import CandleStore
from app.services.coming_days import ComingDays
from app.services.contract_list import ContractList
from app.services.doubt import Doubt
from app.services.earlier_interest import EarlierInterest
from app.services.entry_locks import EntryLocks
from app.services.exchange_time import ExchangeTime
from app.services.expiry_closes import ExpiryCloses
from app.services.feed_pool import FeedPace
from app.services.feed_state import Failover, MoveKind
from app.services.first_answer import AccountOrder
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.leg_finder import LegFinder
from app.services.margin_calculator import MarginCalculator
from app.services.margin_settings import MarginSettings
from app.services.market_rule_table import MarketRuleTable
from app.services.option_chain_manager import OptionChainManager
from app.services.order_pricing import OrderPricing
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from app.services.resource_guard import ResourceGuard
from app.services.session_hours import SessionHours
from app.services.silent_symbols import SilentSymbols
from app.services.websocket_manager import WebSocketManager
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
    market_speed: Callable[[], float]
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
    locks: EntryLocks
    doubt: Doubt
    accounts: Accounts
    board: PriceBoard
    exchange: ExchangeTime
    feed: WebSocketManager
    silent: SilentSymbols
    quotes: Quotes
    contracts: ContractList
    hours: SessionHours
    calendar_overrides: CalendarOverrides
    coming_days: ComingDays
    chains: OptionChainManager
    candles: CandleStore
    guard: ResourceGuard
    margin_settings: MarginSettings
    legs: LegFinder
    sizes: AccountSizes
    calculator: Calculator
    rules: MarketRuleTable
    pricing: OrderPricing


def lay_ground(app: Flask, settings: Settings) -> Ground:
    simulator = settings.simulator_url
    crash_points.arm(crash_at=settings.crash_at, stop_at=settings.stop_at, simulated=simulator is not None)
    clock = SystemClock()
    simulated = SimulatorClock(simulator, clock) if simulator else None
    market_clock: MarketClock = simulated or clock
    database = _database(app, settings)
    return Ground(
        settings=settings,
        clock=clock,
        market_clock=market_clock,
        market_speed=simulated.speed if simulated else (lambda: 1.0),
        simulator=SimulatorControl(simulator) if simulator else None,
        database=database,
        vault=EncryptionService(settings.encryption_keys),
        cache=CacheManager.at(settings.redis_url, clock, CacheRows(database, clock)),
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


def folder_of(settings: Settings) -> Path:
    """Where this machine keeps what it must not lose: the folder of an SQLite database, else that of its lock."""
    url = make_url(settings.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database) if is_file else settings.lock_path).parent


def mark_of(settings: Settings) -> Path:
    """Where the mark is kept: beside an SQLite file, under its name; for PostgreSQL beside the lock of this machine."""
    url = make_url(settings.database_url)
    name = Path(str(url.database)).name if url.get_backend_name() == "sqlite" and url.database else "engine"
    return folder_of(settings) / f"{name}.mark"


def _pool_of(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {"pool_pre_ping": True}
    if url.database in {None, "", ":memory:"}:
        return {}
    # A file serves as many readers as there are threads: no lane waits for a connection behind the reads of others.
    # The one used last goes out first, with what SQLite has made of its statements.
    return {"pool_size": 0, "pool_use_lifo": True, "connect_args": {"cached_statements": STATEMENTS_KEPT}}


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
    gateway = _gateway_factory(settings, clock)
    gateways = Gateways(ground.database, ground.vault, gateway)
    exchange = ExchangeTime(ground.market_clock, late_after_s=settings.feed_late_after_s, speed=ground.market_speed)
    health, board = HealthBoard(clock), PriceBoard(clock, exchange)
    feeds = OpenAlgoFeeds(clock, _feed_limits(settings))
    accounts = _accounts(ground, AccountCheck(gateway, feeds, clock), gateways, health)
    order = accounts.feed_order
    # The account that feeds us is asked first.
    quotes = Quotes(board, gateways, lambda: feed.source_order(), clock)  # noqa: PLW0108 - the feed is built below
    rules = MarketRuleTable(ground.database, clock, ground.activity)
    overrides, coming_days, hours, closes = _calendar(ground, gateways, order)
    contracts = ContractList(gateways, order, ground.market_clock, clock, book=rules.book)
    feed = WebSocketManager(
        gateways,
        feeds,
        board,
        clock,
        order,
        in_session=lambda: any(hours.phase(e) in {Phase.LIVE, Phase.CLOSING} for e in ("NFO", "BFO")),
        snapshot=quotes.fetch,
        announce=_announcer(ground),
        logged_out=health.is_logged_out,
        pace=_feed_pace(settings),
    )
    chains = _chains(ground, contracts, board, feed, quotes, gateways=gateways, closes=closes)
    margin_settings = MarginSettings(ground.database, clock, ground.activity)
    sizes = _sizes(ground, gateways, quotes, rules, margin_settings)
    finder = LegFinder(ground.database, ground.market_clock, contracts, hours, quotes=quotes, rules=rules)
    return MarketSide(
        gateways=gateways,
        health=health,
        locks=EntryLocks(health),
        doubt=Doubt(ground.market_clock),
        accounts=accounts,
        board=board,
        exchange=exchange,
        feed=feed,
        silent=SilentSymbols(board, feed.confirmed, feed.session_since, quotes.fetch, feed.renew, clock),
        quotes=quotes,
        contracts=contracts,
        hours=hours,
        calendar_overrides=overrides,
        coming_days=coming_days,
        chains=chains,
        candles=_candles(ground, board, feed, hours, gateways),
        guard=_guard(ground, chains),
        margin_settings=margin_settings,
        legs=finder,
        sizes=sizes,
        calculator=Calculator(finder, sizes, ground.readers, ground.market_clock),
        rules=rules,
        pricing=OrderPricing(quotes, rules, clock, ground.market_clock, max_age_s=settings.price_max_age_s),
    )


def _accounts(ground: Ground, check: AccountCheck, gateways: Gateways, health: HealthBoard) -> Accounts:
    return Accounts(
        ground.database,
        ground.clock,
        ground.vault,
        check,
        activity=ground.activity,
        gateways=gateways,
        health=health,
        simulator=ground.simulator,
    )


def _sizes(
    ground: Ground, gateways: Gateways, quotes: Quotes, rules: MarketRuleTable, settings: MarginSettings
) -> AccountSizes:
    margins = MarginCalculator(gateways, quotes, ground.clock, ground.market_clock)
    return AccountSizes(
        ground.database, ground.market_clock, gateways, margins, settings=settings, quotes=quotes, rules=rules
    )


def _calendar(
    ground: Ground, gateways: Gateways, order: AccountOrder
) -> tuple[CalendarOverrides, ComingDays, SessionHours, ExpiryCloses]:
    clock, market_clock = ground.clock, ground.market_clock
    overrides = CalendarOverrides(ground.database, clock, market_clock, ground.activity)
    days = ComingDays(gateways, order, market_clock, clock)
    hours = SessionHours(gateways, order, market_clock, clock, overrides=overrides.of, holidays=days.holidays)
    closes = ExpiryCloses(gateways, order, market_clock, clock, overrides=overrides.of, holidays=days.holidays)
    return overrides, days, hours, closes


def _chains(
    ground: Ground,
    contracts: ContractList,
    board: PriceBoard,
    feed: WebSocketManager,
    quotes: Quotes,
    *,
    gateways: Gateways,
    closes: ExpiryCloses,
) -> OptionChainManager:
    at, clock = ground.market_clock, ground.clock
    return OptionChainManager(
        contracts,
        board,
        feed,
        quotes,
        closes=closes,
        earlier=EarlierInterest(gateways, feed.source_order, at, clock),
        market_clock=at,
        clock=clock,
        budget=ground.settings.subscription_budget,
    )


def _candles(
    ground: Ground, board: PriceBoard, feed: WebSocketManager, hours: SessionHours, gateways: Gateways
) -> CandleStore:
    history = CandleHistory(gateways, feed.source_order, ground.market_clock)
    return CandleStore(board, feed, hours, history, ground.market_clock, ground.clock)


def _gateway_factory(settings: Settings, clock: Clock) -> GatewayFactory:
    # One connection more than entries can use: the way out never waits for them.
    sizes = Sizes(orders=max(settings.lane_workers, MOST_WORKERS) + 1)
    patience = {**PATIENCE, Pace.PLACE: settings.place_timeout_s}

    def gateway(address: GatewayAddress) -> Gateway:
        return OpenAlgoGateway(address, clock, sizes=sizes, patience=patience)

    return gateway


NEAR = 8
"""Strikes on either side of the money that are subscribed while memory or time is short."""


def _guard(ground: Ground, chains: OptionChainManager) -> ResourceGuard:
    settings = ground.settings

    def relieve(step: Relief) -> None:
        if step < Relief.NEAR_STRIKES:
            chains.limit()
        else:
            chains.limit(reach=NEAR, idle=step < Relief.NO_IDLE_CHAINS)

    def announce(step: Relief, sentence: str) -> None:
        with ground.database.transaction() as session:
            ground.activity.record(
                session,
                user_id=None,
                actor="engine",
                action="resources.step",
                subject="resources",
                sentence=sentence,
                detail={"step": step.name.lower()},
            )

    limits = ReliefLimits(
        memory_mb=settings.guard_memory_mb,
        cpu=settings.guard_cpu,
        after_s=settings.guard_after_s,
        calm_s=settings.guard_calm_s,
    )
    return ResourceGuard(KernelUsage(), ground.clock, limits, relieve=relieve, announce=announce)


def _feed_limits(settings: Settings) -> FeedLimits:
    return FeedLimits(connect_s=settings.feed_connect_timeout_s, open_s=settings.feed_connect_timeout_s)


def _feed_pace(settings: Settings) -> FeedPace:
    return FeedPace(
        connections=settings.feed_connections,
        idle_s=settings.feed_idle_s,
        keepalive_s=settings.feed_keepalive_s,
        standby_keepalive_s=settings.feed_standby_keepalive_s,
    )


def _announcer(ground: Ground) -> Callable[[Failover], None]:
    """What happened to the feed goes into the activity log."""

    def announce(move: Failover) -> None:
        with ground.database.transaction() as session:
            ground.activity.record(
                session,
                user_id=None,
                actor="engine",
                action="feed.reconnect" if move.kind is MoveKind.RECONNECT else "feed.failover",
                subject="feed",
                sentence=str(move),
                detail={
                    "kind": move.kind.value,
                    "fault": None if move.fault is None else move.fault.value,
                    "from": move.from_name,
                    "to": move.to_name,
                    "cause": move.cause,
                    "lost_s": round(move.lost_s, 3),
                    "took_s": round(move.took_s, 3),
                },
            )

    return announce
