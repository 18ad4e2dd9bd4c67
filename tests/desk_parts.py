"""Parts of the desk that pages are tested on, built as the product builds them."""

from typing import Any

from app.domain.market_rules import DEFAULT_RULES, RuleBook
from app.persistence.database import Database
from app.services.account_costs import AccountCosts
from app.services.account_groups import AccountGroups
from app.services.account_tariffs import AccountTariffs
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.book_reader import BookReader
from app.services.day_history import DayHistory
from app.services.day_locks import DayLocks
from app.services.day_worth import DayWorth
from app.services.given_rules import RuleOffers
from app.services.ignored_positions import IgnoredPositions
from app.services.journal import Journal
from app.services.market_rule_table import MarketRuleTable
from app.services.people import People
from app.services.reconciliation import Reconciliation
from app.services.rule_commands import RuleCommands
from app.services.run_board import RunBoard
from app.services.session_hours import SessionHours
from app.services.settlement_prices import SettlementPrices
from app.services.square_off import SquareOff, SquareOffTimes
from app.services.strategies import Strategies
from app.web.desk import Days


def of_accounts(
    database: Database, clock: Any, accounts: Accounts, activity: Activity, runs: RunBoard
) -> dict[str, Any]:
    return {
        "groups": AccountGroups(database, clock, activity),
        "settlements": SettlementPrices(database, clock, activity, runs.changed),
        "tariffs": AccountTariffs(database, clock, accounts, activity),
    }


def _times(hours: SessionHours) -> SquareOffTimes:
    return SquareOffTimes(hours, lambda: RuleBook(DEFAULT_RULES))


def square_off(database: Database, runs: RunBoard, hours: SessionHours, clock: Any) -> SquareOff:
    nothing: Any = None
    return SquareOff(
        database,
        runs,
        _times(hours),
        clock,
        Journal(clock),
        clock_in_doubt=lambda: False,
        ask_exit=nothing,
    )


def reconciliation(
    database: Database, accounts: Accounts, reader: BookReader, clock: Any, activity: Activity, contract_of: Any
) -> Reconciliation:
    ignored = IgnoredPositions(database, clock, activity)
    return Reconciliation(database, accounts, reader, clock, clock, ignoring=ignored, contract_of=contract_of)


def rules(database: Database, hours: SessionHours, clock: Any, contract_of: Any) -> RuleCommands:
    activity = Activity(database, clock)
    offers = RuleOffers(Strategies(database, clock, activity), _times(hours), Journal(clock))
    return RuleCommands(database, clock, activity, lambda: None, offers=offers, contract_of=contract_of)


def days(database: Database, runs: RunBoard, clock: Any, activity: Activity, people: People) -> Days:
    locks = DayLocks(database, clock, activity, people)
    costs = AccountCosts(database, MarketRuleTable(database, clock, activity).book, clock)
    return Days(DayWorth(database, runs, clock), costs, locks, DayHistory(database, costs))
