"""Builds the trading side of a process: strategies, previews, runs, orders and what watches them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import select

from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.domain import gate
from app.domain.contracts import Contract
from app.domain.errors import Denied
from app.domain.money import Units
from app.domain.reconcile import QuietWindows
from app.engine.book_turns import BookTurns
from app.engine.engine import end_process
from app.engine.lanes import GATHER_S, Lanes
from app.engine.roster import loop_of
from app.engine.rush import Rush
from app.persistence.mark import MarkFile
from app.persistence.tables import TradingAccount
from app.services.account_costs import AccountCosts
from app.services.accounts_at_work import AccountsAtWork
from app.services.adoption import Adopter
from app.services.alarms import Alarms
from app.services.claim_facts import who_of
from app.services.commands import Commands
from app.services.day_book import DayBook
from app.services.day_limit_watch import DayLimitWatch
from app.services.day_worth import DayWorth
from app.services.entries import Denials, EntryDesk
from app.services.exits import ExitDesk
from app.services.expired_legs import ExpiredLegs
from app.services.given_rules import RuleGiver, RuleOffers
from app.services.integrity_watch import IntegrityWatch
from app.services.order_feeds import OrderFeeds
from app.services.pace_settings import PaceSettings
from app.services.peaks import Peaks
from app.services.pending_orders import PendingOrders
from app.services.preview_maker import Market, Money, Previews
from app.services.proven_prices import ProvenPrices
from app.services.pushed_orders import PushedOrders
from app.services.reconciler import Reconciler
from app.services.risk_monitor import RiskMonitor
from app.services.run_board import RunBoard
from app.services.run_minutes import RunMinutes
from app.services.scheduled_starts import ScheduledStarts
from app.services.setback_watch import SetbackWatch
from app.services.square_off import SquareOff, SquareOffTimes
from app.services.strategies import Strategies
from app.services.strategy_executor import StrategyExecutor
from app.services.supertrend_watch import SupertrendWatch
from app.services.warm_books import WarmBooks
from app.services.warm_prices import WarmPrices
from app.wiring import Ground, MarketSide, mark_of
from app.wiring_orders import build_lanes, build_world
from app.wiring_pages import PageSide
from app.wiring_times import build_expired, build_scheduled, build_square_off

PUSHED_WITHIN_S = 1.0
"""How long the books of an account that is pushed its order updates are left alone after it took an order."""


@dataclass(frozen=True, slots=True)
class DaySide:
    """What each account's day comes to, who judges it and who writes it down; what its end ends."""

    worth: DayWorth
    costs: AccountCosts
    limits: DayLimitWatch
    book: DayBook
    expired: ExpiredLegs


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """Strategies, runs, orders."""

    run_board: RunBoard
    alarms: Alarms
    strategies: Strategies
    previews: Previews
    commands: Commands
    executor: StrategyExecutor
    adopter: Adopter
    rule_offers: RuleOffers
    lanes: Lanes
    at_work: AccountsAtWork
    book_turns: BookTurns
    rush: Rush
    warm_books: WarmBooks
    warm_prices: WarmPrices
    reconciler: Reconciler
    risk: RiskMonitor
    peaks: Peaks
    square_off: SquareOff
    supertrend: SupertrendWatch
    days: DaySide
    scheduled: ScheduledStarts
    order_feeds: OrderFeeds
    pushed: PushedOrders
    setbacks: SetbackWatch


def build_trade(ground: Ground, market: MarketSide, pages: PageSide) -> TradeSide:
    database, clock, supervisor = ground.database, ground.clock, ground.supervisor
    run_board = RunBoard(database, pages.prices, clock, leads=lambda: ground.lease.epoch is not None)
    strategies = Strategies(database, clock, ground.activity)
    previews = _previews(ground, market, strategies)
    alarms = Alarms(database, clock, ground.journal, ground.activity)
    setbacks = _setback_watch(ground, market)

    def changed(run_id: int, account_id: int) -> None:
        run_board.changed(run_id, account_id)
        executor.touch(run_id, account_id)
        supervisor.wake("risk")
        pushed.look_again(account_id)

    def acknowledged(run_id: int, account_id: int) -> None:
        """What is pushed comes sooner than a book could be read; to read fifty would delay what follows."""
        run_board.changed(run_id, account_id)
        executor.touch_soon(run_id, account_id)
        pushed.look_again(account_id)
        turns.ask(account_id, PUSHED_WITHIN_S if order_feeds.is_open(account_id) else 0.0)

    turns = BookTurns(clock, lambda account_id: supervisor.wake(loop_of(account_id)))
    rush = Rush(clock, turns.hold)
    pushed = _pushed_orders(ground, turns, changed)
    order_feeds = _order_feeds(ground, market, turns, pushed)
    reconciler = _reconciler(ground, market, pushed, changed)
    world = build_world(ground, market, turns, reconciler)
    executor = _executor(ground, market, previews, reconciler, alarms=alarms, run_board=run_board)
    executor.lanes = lanes = build_lanes(
        ground, market, world, acknowledged, changed, claimed=setbacks.claimed, going_out=rush.hold
    )
    peaks = Peaks(database, ground.journal, run_board.changed)
    commands = Commands(database, clock, ground.activity, rush.before(partial(supervisor.wake, "intake")))
    peaks.wake = partial(supervisor.wake, "peaks")
    return TradeSide(
        run_board=run_board,
        alarms=alarms,
        strategies=strategies,
        previews=previews,
        commands=commands,
        executor=executor,
        rule_offers=(offers := RuleOffers(strategies, SquareOffTimes(market.hours, market.rules.book), ground.journal)),
        adopter=_adopter(ground, market, turns, reconciler, run_board, executor=executor, offers=offers),
        lanes=lanes,
        at_work=(at_work := AccountsAtWork(database, clock, run_board.accounts_at_work)),
        book_turns=turns,
        rush=rush,
        warm_books=WarmBooks(database, clock, world, ground.readers, at_work=at_work.ids, rushes=rush.is_on),
        warm_prices=WarmPrices(market.quotes, clock, at_work.shown),
        reconciler=reconciler,
        risk=_risk(ground, market, run_board, executor, peaks, proven := _proven(ground, market)),
        peaks=peaks,
        square_off=build_square_off(ground, market, run_board, executor),
        supertrend=_supertrend(ground, market, run_board, executor),
        days=_days(ground, market, run_board, executor, proven),
        scheduled=build_scheduled(ground, market, previews, commands),
        order_feeds=order_feeds,
        pushed=pushed,
        setbacks=setbacks,
    )


def _reconciler(
    ground: Ground, market: MarketSide, pushed: PushedOrders, changed: Callable[[int, int], None]
) -> Reconciler:
    settings = ground.settings
    return Reconciler(
        ground.database,
        ground.clock,
        ground.market_clock,
        market.gateways,
        market.health,
        journal=ground.journal,
        on_change=changed,
        windows=QuietWindows(answered_s=settings.quiet_answered_s, open_s=settings.quiet_open_s),
        bears_out=pushed.bears_out,
    )


def _setback_watch(ground: Ground, market: MarketSide) -> SetbackWatch:
    return SetbackWatch(
        ground.database,
        ground.clock,
        ground.market_clock,
        MarkFile(mark_of(ground.settings), ground.clock),
        activity=ground.activity,
        journal=ground.journal,
        locks=market.locks,
        doubt=market.doubt,
        on_other=end_process,
    )


def _executor(
    ground: Ground,
    market: MarketSide,
    previews: Previews,
    reconciler: Reconciler,
    *,
    alarms: Alarms,
    run_board: RunBoard,
) -> StrategyExecutor:
    denials = _denials(ground, market)
    settings, database, clock = ground.settings, ground.database, ground.clock
    executor = StrategyExecutor(
        database,
        clock,
        EntryDesk(ground.journal, denials, previews.check_slip, chase_after_s=settings.chase_after_s),
        ExitDesk(ground.journal, chase_after_s=settings.chase_after_s),
        ground.journal,
        pending=PendingOrders(database, ground.journal, market.pricing, denials=denials, phase=market.hours.phase),
        watch=IntegrityWatch(
            clock,
            alarms,
            lot_size=market.contracts.lot_size,
            mark=run_board.mark,
            books=reconciler.known,
            phase=market.hours.phase,
        ),
        on_change=run_board.changed,
    )
    executor.wake = lambda: ground.supervisor.wake("runs")
    executor.unowned = market.doubt.leaving
    return executor


def _adopter(
    ground: Ground,
    market: MarketSide,
    turns: BookTurns,
    reconciler: Reconciler,
    run_board: RunBoard,
    *,
    executor: StrategyExecutor,
    offers: RuleOffers,
) -> Adopter:
    def made(run_id: int) -> None:
        run_board.changed(run_id)
        executor.touch(run_id)
        ground.supervisor.wake("risk")

    def freeze_of(contract: Contract, today: date) -> Units:
        known = contract.freeze or market.contracts.freeze(contract.underlying)
        return known or market.rules.book().freeze(contract.underlying, today)

    place = (ground.database, ground.clock, ground.journal, ground.activity)
    return Adopter(
        *place,
        books=reconciler,
        read_soon=turns.ask,
        contract_of=market.contracts.listed,
        freeze_of=freeze_of,
        epoch=lambda: ground.lease.epoch,
        on_change=made,
        rules=RuleGiver(*place, offers, epoch=lambda: ground.lease.epoch, on_change=made),
        price_of=lambda key: market.quotes.touch(key).last.value,
    )


def _proven(ground: Ground, market: MarketSide) -> ProvenPrices:
    proven = ProvenPrices(market.board, ground.clock, market.feed.gap_from)
    proven.ask = partial(ground.supervisor.wake, "requote")
    return proven


def _risk(
    ground: Ground,
    market: MarketSide,
    run_board: RunBoard,
    executor: StrategyExecutor,
    peaks: Peaks,
    proven: ProvenPrices,
) -> RiskMonitor:
    risk = RiskMonitor(
        market.board,
        run_board,
        market.quotes,
        proven,
        websocket_manager=market.feed,
        journal=ground.journal,
        clock=ground.clock,
        peaks=peaks,
        ask_exits=executor.ask_exits,
    )
    risk.wake = lambda: ground.supervisor.wake("risk")
    return risk


def _supertrend(ground: Ground, market: MarketSide, run_board: RunBoard, executor: StrategyExecutor) -> SupertrendWatch:
    watch = SupertrendWatch(ground.database, run_board, market.candles, ground.journal, ask_exits=executor.ask_exits)
    watch.wake = partial(ground.supervisor.wake, "supertrend")
    return watch


def _days(
    ground: Ground, market: MarketSide, run_board: RunBoard, executor: StrategyExecutor, proven: ProvenPrices
) -> DaySide:
    """Pages show the newest prices; what is judged, and what tomorrow's day counts from, are those borne out."""
    shown = DayWorth(ground.database, run_board, ground.market_clock)
    judged = DayWorth(ground.database, run_board, ground.market_clock, marks_of=proven.marks)
    limits = DayLimitWatch(
        ground.database,
        judged,
        ground.clock,
        proven,
        activity=ground.activity,
        journal=ground.journal,
        ask_exit=lambda run_id, account_id, why: executor.ask_exit(run_id, account_id=account_id, leg=None, why=why),
    )
    runs = RunMinutes(ground.database, run_board, market.rules.book)
    costs = AccountCosts(ground.database, market.rules.book, ground.clock)
    book = DayBook(ground.database, judged, costs, runs, ground.market_clock)
    return DaySide(shown, costs, limits, book, build_expired(ground, market, run_board, executor))


def _pushed_orders(ground: Ground, turns: BookTurns, changed: Callable[[int, int], None]) -> PushedOrders:
    place = (ground.database, ground.clock, ground.market_clock, ground.journal)
    pushed = PushedOrders(*place, read_soon=turns.ask, on_change=changed, gather_s=GATHER_S)
    pushed.wake = lambda: ground.supervisor.wake("pushes")
    return pushed


def _order_feeds(ground: Ground, market: MarketSide, turns: BookTurns, pushed: PushedOrders) -> OrderFeeds:
    """What was pushed before a socket opened is in the books alone: they are read then."""
    feeds = OpenAlgoFeeds(ground.clock)
    return OrderFeeds(market.gateways, feeds, ground.clock, on_update=pushed.take, on_open=turns.ask)


def _previews(ground: Ground, market: MarketSide, strategies: Strategies) -> Previews:
    return Previews(
        ground.database,
        ground.clock,
        strategies,
        Market(
            legs=market.legs,
            hours=market.hours,
            pricing=market.pricing,
            market_clock=ground.market_clock,
            square_off=SquareOffTimes(market.hours, market.rules.book),
        ),
        Money(
            gateways=market.gateways,
            sizes=market.sizes,
            health=market.health,
            readers=ground.readers,
            paces=PaceSettings(ground.database, ground.settings.orders_per_second, ground.settings.lane_workers),
        ),
        life_s=ground.settings.preview_life_s,
        live_sending=ground.settings.live_sending,
    )


def _denials(ground: Ground, market: MarketSide) -> Denials:
    """Why accounts may not be sent entries now; exits are never held up by this."""

    def denial_of(account: TradingAccount) -> Denied | None:
        if (stop := market.locks.of(account.id)) is not None:
            return Denied(stop.code, stop.sentence)
        try:
            gate.may_trade(who_of(account, live_sending=ground.settings.live_sending), entry=True)
        except Denied as denial:
            return denial
        return None

    def denials(account_ids: Collection[int]) -> Mapping[int, Denied]:
        if unwell := ground.supervisor.unwell:
            names = ", ".join(pulse.name for pulse in unwell)
            words = f"Parts of the engine crash again and again ({names}): no entries are sent."
            return {account_id: Denied("ENGINE_UNWELL", words) for account_id in account_ids}
        with ground.database.reading() as session:
            accounts = session.scalars(select(TradingAccount).where(TradingAccount.id.in_(account_ids))).all()
        found = {account.id: denial_of(account) for account in accounts}
        return {account_id: denial for account_id, denial in found.items() if denial is not None}

    return denials
