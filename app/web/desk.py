"""What the pages use: every service they may ask, filled by bootstrap, found through the application."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from app.persistence.database import Database
from app.ports.clock import Clock, MarketClock
from app.ports.simulator import Simulator
from app.services.account_costs import AccountCosts
from app.services.account_groups import AccountGroups
from app.services.account_tariffs import AccountTariffs
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.adoption_commands import AdoptionCommands
from app.services.alarms import Alarms
from app.services.book_pages import BookPages
from app.services.calculator import Calculator
from app.services.calendar_overrides import CalendarOverrides
from app.services.coming_days import ComingDays
from app.services.commands import Commands
from app.services.contract_list import ContractList
from app.services.day_history import DayHistory
from app.services.day_locks import DayLocks
from app.services.day_worth import DayWorth
from app.services.feed_choice import FeedChoice
from app.services.feed_news import FeedNewsDesk
from app.services.kill_switch import KillSwitch
from app.services.margin_settings import MarginSettings
from app.services.market_rule_table import MarketRuleTable
from app.services.override_commands import OverrideCommands
from app.services.own_templates import OwnTemplates
from app.services.peaks import Peaks
from app.services.people import People
from app.services.preview_maker import Previews
from app.services.reconciliation import Reconciliation
from app.services.rule_commands import RuleCommands
from app.services.run_board import RunBoard
from app.services.scheduled_starts import ScheduledStarts
from app.services.session_hours import SessionHours
from app.services.setbacks import Setbacks
from app.services.settlement_prices import SettlementPrices
from app.services.shown_candles import Candles
from app.services.shown_chains import Chains
from app.services.shown_health import Healths
from app.services.shown_prices import Prices
from app.services.silent_symbols import SilentSymbols
from app.services.square_off import SquareOff
from app.services.strategies import Strategies
from app.services.supertrend_watch import SupertrendWatch
from app.services.today import Today
from app.services.websocket_manager import WebSocketManager
from config import Settings

EXTENSION = "desk"


@dataclass(frozen=True, slots=True)
class Days:
    """What each account's day has come to, and what it cost; which accounts are locked for the rest of it; what days
    brought.
    """

    worth: DayWorth
    costs: AccountCosts
    locks: DayLocks
    history: DayHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The services behind the pages. All thread-safe; `simulator` is None where no simulator is configured.

    `unwell_threads` names threads of this process that crash again and again; `engine_leads` says whether an engine
    holds the lease, here or elsewhere; `damage` is the sentence about a damaged database, None for a sound one.
    """

    settings: Settings
    clock: Clock
    market_clock: MarketClock
    database: Database
    people: People
    activity: Activity
    alarms: Alarms
    today: Today
    accounts: Accounts
    groups: AccountGroups
    tariffs: AccountTariffs
    settlements: SettlementPrices
    book_pages: BookPages
    reconciliation: Reconciliation
    health: Healths
    prices: Prices
    commands: Commands
    overrides: OverrideCommands
    adoptions: AdoptionCommands
    rules: RuleCommands
    kill_switch: KillSwitch
    setbacks: Setbacks
    strategies: Strategies
    templates: OwnTemplates
    previews: Previews
    run_board: RunBoard
    square_off: SquareOff
    scheduled: ScheduledStarts
    supertrend: SupertrendWatch
    days: Days
    peaks: Peaks
    chains: Chains
    candles: Candles
    websocket_manager: WebSocketManager
    silent_symbols: SilentSymbols
    feed_news: FeedNewsDesk
    feed_choice: FeedChoice
    hours: SessionHours
    calendar_overrides: CalendarOverrides
    coming_days: ComingDays
    margin_settings: MarginSettings
    market_rules: MarketRuleTable
    calculator: Calculator
    contract_list: ContractList
    simulator: Simulator | None
    unwell_threads: Callable[[], list[str]]
    engine_leads: Callable[[], bool]
    damage: Callable[[], str | None]


def desk() -> Desk:
    """The desk of the application that this request, event or command belongs to."""
    return cast("Desk", current_app.extensions[EXTENSION])
