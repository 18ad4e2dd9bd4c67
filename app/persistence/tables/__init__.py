"""The tables, one file for each area. Importing this makes them all known to the migrations."""

from app.persistence.tables.accounts import TradingAccount
from app.persistence.tables.engine import CommandRow, LeaseRow, MarketRuleRow, TradingStateRow
from app.persistence.tables.orders import FillRow, Intent, Order, Position
from app.persistence.tables.people import ActivityLog, User
from app.persistence.tables.runs import RiskEvent, Run, RunEvent, StrategyExecution
from app.persistence.tables.strategies import Preview, Strategy, StrategyAccount, StrategyLeg

__all__ = [
    "ActivityLog",
    "CommandRow",
    "FillRow",
    "Intent",
    "LeaseRow",
    "MarketRuleRow",
    "Order",
    "Position",
    "Preview",
    "RiskEvent",
    "Run",
    "RunEvent",
    "Strategy",
    "StrategyAccount",
    "StrategyExecution",
    "StrategyLeg",
    "TradingAccount",
    "TradingStateRow",
    "User",
]
