"""The tables, one file for each area. Importing this makes them all known to the migrations."""

from app.persistence.tables.accounts import AccountGroup, AccountTariff, GroupMember, TradingAccount
from app.persistence.tables.adoptions import Adoption, IgnoredPosition
from app.persistence.tables.days import DayLock, PnlMinute, RunDay, RunMinute, SettlementPrice
from app.persistence.tables.engine import (
    CalendarOverride,
    CommandRow,
    EngineStart,
    LearntSize,
    LeaseRow,
    MarketRuleRow,
    Setback,
    TradingStateRow,
)
from app.persistence.tables.kept import CacheEntry, Onlooker
from app.persistence.tables.margins import MarginRequirement, SettingChange, TradeGrade
from app.persistence.tables.orders import ADOPTED, PUSHED, FillRow, Intent, Order, Position
from app.persistence.tables.people import ActivityLog, User
from app.persistence.tables.runs import AccountPeak, Alarm, RiskEvent, Run, RunEvent, StrategyExecution
from app.persistence.tables.strategies import (
    Preview,
    ScheduledStart,
    Strategy,
    StrategyAccount,
    StrategyGroup,
    StrategyLeg,
    StrategyTemplate,
)

__all__ = [
    "ADOPTED",
    "PUSHED",
    "AccountGroup",
    "AccountPeak",
    "AccountTariff",
    "ActivityLog",
    "Adoption",
    "Alarm",
    "CacheEntry",
    "CalendarOverride",
    "CommandRow",
    "DayLock",
    "EngineStart",
    "FillRow",
    "GroupMember",
    "IgnoredPosition",
    "Intent",
    "LearntSize",
    "LeaseRow",
    "MarginRequirement",
    "MarketRuleRow",
    "Onlooker",
    "Order",
    "PnlMinute",
    "Position",
    "Preview",
    "RiskEvent",
    "Run",
    "RunDay",
    "RunEvent",
    "RunMinute",
    "ScheduledStart",
    "Setback",
    "SettingChange",
    "SettlementPrice",
    "Strategy",
    "StrategyAccount",
    "StrategyExecution",
    "StrategyGroup",
    "StrategyLeg",
    "StrategyTemplate",
    "TradeGrade",
    "TradingAccount",
    "TradingStateRow",
    "User",
]
