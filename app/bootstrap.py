"""Every long-lived object of a process, built once and bound to the application. Building starts nothing."""

import sys
from collections.abc import Callable
from functools import partial

from flask import Flask

from app.accounts import accounts_bp
from app.adapters.clock import SimulatorClock
from app.adapters.publisher import SocketPublisher
from app.api import api_bp, health_bp
from app.auth import auth_bp
from app.domain import wording
from app.domain.relief import Relief
from app.engine.engine import Engine
from app.engine.intake import Intake
from app.engine.memory import Memory
from app.engine.page_feed import SLOW_PAGES_S, STEP_S, PageFeed
from app.engine.roster import Roster
from app.engine.supervisor import Step
from app.main import main_bp
from app.margin import margin_bp
from app.persistence.damage import damage_of
from app.services.account_groups import AccountGroups
from app.services.account_tariffs import AccountTariffs
from app.services.account_watch import AccountWatch
from app.services.adoption_commands import AdoptionCommands
from app.services.book_pages import BookPages
from app.services.book_reader import BookReader
from app.services.clock_watch import ClockWatch
from app.services.day_history import DayHistory
from app.services.day_locks import DayLocks
from app.services.disk_watch import DiskWatch
from app.services.engine_starts import EngineStarts
from app.services.feed_choice import FeedChoice, take_choice
from app.services.ignored_positions import IgnoredPositions
from app.services.kernels import Kernels
from app.services.kill_orders import KillWatch
from app.services.kill_switch import KillSwitch
from app.services.morning_check import MorningCheck
from app.services.override_commands import OverrideCommands
from app.services.own_templates import OwnTemplates
from app.services.people import People
from app.services.reconciliation import Reconciliation
from app.services.rule_commands import RuleCommands
from app.services.setbacks import Setbacks
from app.services.settlement_prices import SettlementPrices
from app.services.today import Today
from app.strategies import strategies_bp
from app.trading import trading_bp
from app.web.context import clock_note
from app.web.desk import Days, Desk
from app.web.extensions import socketio
from app.web.install import install_web
from app.web.open_pages import OpenPages
from app.web.sockets import present_peers, watched_rooms
from app.wiring import Ground, MarketSide, build_market, folder_of, lay_ground
from app.wiring_pages import PageSide, build_pages
from app.wiring_trade import TradeSide, build_trade
from config import Settings

EXTENSION = "runtime"


SWITCH_S = 0.001
"""How long one thread may keep the others waiting: at Python's own 5 ms a busy neighbour delays an exit by tens."""


PATIENT = frozenset({"chains", "candle-history", "resources", "interest", "kernels", "day-book", "calendar", "pages"})
"""Loops that let orders go first: no rule, price or alarm comes from them, and no order waits for one."""


class Runtime:
    """Every long-lived object of this process. Building it starts nothing and connects to nothing."""

    def __init__(self, ground: Ground, market: MarketSide, pages: PageSide, trade: TradeSide) -> None:
        self.ground = ground
        self.market = market
        self.pages = pages
        self.trade = trade
        self.starts = EngineStarts(
            ground.database,
            ground.clock,
            ground.activity,
            market.locks,
            deaths=ground.settings.deaths_that_lock,
        )
        settings = ground.settings
        self.open_pages = OpenPages(settings.live_pages, settings.live_pages_per_user, ground.clock, present_peers)
        self.engine = Engine(
            ground.supervisor,
            ground.lease,
            recover=self._recover,
            unfit=self._damage,
            finish=trade.lanes.finish,
            on_other=pages.follower.begin,
            loops=[
                *_loops(ground, market, trade),
                ("starts", self.starts.step),
                ("setbacks", trade.setbacks.step),
                ("news", pages.news.step),
                ("cache", ground.cache.step),
            ],
        )

    def start(self) -> None:
        """Lead if the lease can be had, now or later; until then, and with the engine off, follow who leads."""
        if isinstance(self.ground.market_clock, SimulatorClock):
            self.ground.supervisor.add("clock", _sync(self.ground.market_clock))
        for name, step in _page_loops(self):
            self.ground.supervisor.add(name, step)
        self.ground.supervisor.add("sockets", self.open_pages.step)
        sys.setswitchinterval(SWITCH_S)
        if self.ground.settings.engine == "off":
            self.pages.follower.begin()
            self.ground.supervisor.start()
        else:
            self.engine.start()

    def _damage(self) -> str | None:
        found = damage_of(self.ground.database.engine)
        return None if found is None else wording.damaged(found)

    def _recover(self, epoch: int) -> int:
        self.trade.setbacks.began(epoch)
        self.starts.began(epoch)
        return self.trade.reconciler.recover(epoch)

    def stop(self) -> None:
        """Stop all threads within a deadline and let go of the lease and of connections."""
        self.starts.ended()
        self.engine.stop()
        self.trade.setbacks.ended()
        self.market.feed.close()
        self.trade.order_feeds.close()
        self.ground.readers.shutdown(wait=False, cancel_futures=True)


def build(app: Flask, settings: Settings) -> Runtime:
    """Bind everything to the application."""
    ground = lay_ground(app, settings)
    market = build_market(ground)
    pages = build_pages(ground, market)
    trade = build_trade(ground, market, pages)
    runtime = Runtime(ground, market, pages, trade)
    app.extensions[EXTENSION] = runtime
    install_web(app, _desk(runtime), runtime.open_pages)
    for blueprint in (auth_bp, main_bp, accounts_bp, strategies_bp, trading_bp, margin_bp, api_bp, health_bp):
        app.register_blueprint(blueprint)
    return runtime


def runtime_of(app: Flask) -> Runtime:
    """The runtime that `build` made for this application."""
    runtime = app.extensions[EXTENSION]
    if not isinstance(runtime, Runtime):
        raise TypeError("This application was not made by create_app.")
    return runtime


def _loops(ground: Ground, market: MarketSide, trade: TradeSide) -> list[tuple[str, Step]]:
    """What an engine runs, in the order in which it starts; it stops in the reverse order."""
    choose_feed = partial(take_choice, market.feed)
    intake = Intake(ground.database, ground.clock, trade.executor, trade.adopter, choose_feed)
    kill_watch = KillWatch(ground.database, ground.clock, ground.activity, market.health)
    roster = Roster(
        ground.supervisor,
        trade.order_feeds,
        trade.book_turns,
        active=market.accounts.feed_order,
        at_work=trade.at_work.ids,
        read_books=trade.reconciler.step,
        open_lane=trade.lanes.open,
    )
    loops = [
        ("feed", market.feed.step),
        ("feed-upkeep", market.feed.upkeep_step),
        ("silence", market.silent.step),
        ("silence-quotes", market.silent.ask_step),
        ("chains", market.chains.step),
        ("candles", market.candles.step),
        ("candle-history", market.candles.history_step),
        ("resources", market.guard.step),
        ("interest", market.chains.earlier.step),
        ("accounts", roster.step),
        ("warm-books", trade.warm_books.step),
        ("warm-prices", trade.warm_prices.step),
        ("orders", trade.lanes.step),
        ("pushes", trade.pushed.step),
        ("runs", trade.executor.step),
        ("risk", trade.risk.step),
        ("requote", trade.risk.requote_step),
        ("peaks", trade.peaks.step),
        ("square-off", trade.square_off.step),
        ("expiries", trade.days.expired.step),
        ("supertrend", trade.supertrend.step),
        ("schedule", trade.scheduled.step),
        ("kernels", Kernels().step),
        ("day-limits", trade.days.limits.step),
        ("day-book", trade.days.book.step),
        ("intake", intake.step),
        ("kill", kill_watch.step),
        ("memory", Memory(market.contracts.newest).step),
        *_watchers(ground, market),
    ]
    return trade.rush.after_all(loops, PATIENT)


def _page_loops(runtime: Runtime) -> list[tuple[str, Step]]:
    """What every process that serves pages runs, whether it leads or not."""
    ground, market, trade = runtime.ground, runtime.market, runtime.trade
    today = Today(ground.database, trade.run_board, ground.market_clock)
    pages = PageFeed(
        SocketPublisher(socketio),
        runtime.pages.prices,
        runtime.pages.chains,
        runtime.pages.feed_news,
        trade.run_board,
        hours=market.hours,
        clock=ground.clock,
        market_clock=ground.market_clock,
        watched=watched_rooms,
        mtm=today.mtm_of,
        clock_note=clock_note,
        pause_s=lambda: SLOW_PAGES_S if market.guard.state().step >= Relief.SLOW_PAGES else STEP_S,
    )
    loops = [
        ("gateways", market.gateways.step),
        ("contracts", market.contracts.step),
        ("hours", market.hours.step),
        ("calendar", market.coming_days.step),
        ("following", runtime.pages.follower.step),
        ("pages", pages.step),
    ]
    return trade.rush.after_all(loops, PATIENT)


def _watchers(ground: Ground, market: MarketSide) -> list[tuple[str, Step]]:
    """What only looks, and tells."""
    active = market.accounts.feed_order
    watch = AccountWatch(ground.database, ground.clock, ground.activity, ground.journal, market.health, active=active)
    morning = MorningCheck(
        ground.database,
        ground.market_clock,
        market.gateways,
        market.health,
        ground.activity,
        readers=ground.readers,
        active=active,
    )
    disk = DiskWatch(
        folder_of(ground.settings),
        ground.database,
        ground.activity,
        market.locks,
        reserve_bytes=ground.settings.reserve_bytes,
    )
    ground.database.on_full = disk.is_full
    clocks = ClockWatch(
        ground.database,
        ground.market_clock,
        ground.activity,
        market.locks,
        gateway_time=market.feed.gateway_time,
        exchange=market.exchange,
    )
    return [("watch", watch.step), ("morning", morning.step), ("disk", disk.step), ("clocks", clocks.step)]


def _sync(clock: SimulatorClock) -> Step:
    def step() -> float:
        clock.sync()
        return 1.0

    return step


def _book_reader(ground: Ground, market: MarketSide, trade: TradeSide) -> BookReader:
    may_ask = trade.reconciler.breaker.ask
    return BookReader(market.gateways, ground.readers, ground.cache, ground.clock, may_ask=may_ask)


def _book_pages(ground: Ground, market: MarketSide, pages: PageSide, reader: BookReader) -> BookPages:
    return BookPages(
        ground.database,
        market.accounts,
        reader,
        pages.prices,
        ground.clock,
        ground.market_clock,
        contract_of=market.contracts.listed,
    )


def _days(ground: Ground, trade: TradeSide, people: People) -> Days:
    locks = DayLocks(ground.database, ground.clock, ground.activity, people)
    return Days(trade.days.worth, trade.days.costs, locks, DayHistory(ground.database, trade.days.costs))


def _rules(ground: Ground, market: MarketSide, trade: TradeSide, wake: Callable[[], None]) -> RuleCommands:
    place = (ground.database, ground.clock, ground.activity)
    return RuleCommands(*place, wake, offers=trade.rule_offers, contract_of=market.contracts.listed)


def _reconciliation(ground: Ground, market: MarketSide, reader: BookReader) -> Reconciliation:
    return Reconciliation(
        ground.database,
        market.accounts,
        reader,
        ground.clock,
        ground.market_clock,
        ignoring=IgnoredPositions(ground.database, ground.clock, ground.activity),
        contract_of=market.contracts.listed,
    )


def _desk(runtime: Runtime) -> Desk:
    ground, market, pages, trade = runtime.ground, runtime.market, runtime.pages, runtime.trade
    reader = _book_reader(ground, market, trade)
    wake = partial(ground.supervisor.wake, "intake")
    people = People(ground.database, ground.clock, ground.activity, ground.settings.setup_token)
    return Desk(
        settings=ground.settings,
        clock=ground.clock,
        market_clock=ground.market_clock,
        database=ground.database,
        people=people,
        activity=ground.activity,
        alarms=trade.alarms,
        today=Today(ground.database, trade.run_board, ground.market_clock),
        accounts=market.accounts,
        groups=AccountGroups(ground.database, ground.clock, ground.activity),
        settlements=SettlementPrices(ground.database, ground.clock, ground.activity, trade.run_board.changed),
        tariffs=AccountTariffs(ground.database, ground.clock, market.accounts, ground.activity),
        book_pages=_book_pages(ground, market, pages, reader),
        reconciliation=_reconciliation(ground, market, reader),
        health=pages.health,
        prices=pages.prices,
        commands=trade.commands,
        overrides=OverrideCommands(ground.database, ground.clock, ground.activity, wake),
        adoptions=AdoptionCommands(ground.database, ground.clock, market.accounts, ground.activity, wake),
        rules=_rules(ground, market, trade, wake),
        setbacks=Setbacks(ground.database, ground.clock, ground.activity),
        kill_switch=KillSwitch(ground.database, ground.clock, ground.activity, people, wake),
        strategies=trade.strategies,
        templates=OwnTemplates(ground.database, ground.clock, ground.activity),
        previews=trade.previews,
        run_board=trade.run_board,
        square_off=trade.square_off,
        scheduled=trade.scheduled,
        supertrend=trade.supertrend,
        days=_days(ground, trade, people),
        peaks=trade.peaks,
        chains=pages.chains,
        candles=pages.candles,
        websocket_manager=market.feed,
        silent_symbols=market.silent,
        feed_news=pages.feed_news,
        feed_choice=FeedChoice(market.feed, market.accounts, ground.database, ground.clock, ground.activity, wake),
        hours=market.hours,
        calendar_overrides=market.calendar_overrides,
        coming_days=market.coming_days,
        margin_settings=market.margin_settings,
        market_rules=market.rules,
        calculator=market.calculator,
        contract_list=market.contracts,
        simulator=ground.simulator,
        unwell_threads=lambda: [pulse.name for pulse in ground.supervisor.unwell],
        engine_leads=lambda: runtime.engine.leads or runtime.pages.engine_speaks(),
        damage=lambda: runtime.engine.trouble,
    )
