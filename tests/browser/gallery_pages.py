"""Every template with every sample it is shown with: the list the gallery serves and the test walks."""

from dataclasses import dataclass, field
from typing import Any

import tests.browser.samples_accounts as accounts
import tests.browser.samples_books as books
import tests.browser.samples_calendar as calendar
import tests.browser.samples_chain as chain
import tests.browser.samples_chart as charts
import tests.browser.samples_desk as desk
import tests.browser.samples_divergence as divergence
import tests.browser.samples_kill as kill
import tests.browser.samples_margin as margin
import tests.browser.samples_market as market
import tests.browser.samples_pnl as pnl
import tests.browser.samples_risk as risk
import tests.browser.samples_rules as rules
import tests.browser.samples_run as run
import tests.browser.samples_strategies as strategies
import tests.browser.samples_templates as templates
import tests.browser.samples_ticket as ticket


@dataclass(frozen=True)
class Page:
    """One template with one sample. `mode` is the desk's; `trouble` breaks the feed; `halted` holds entries back;
    `alarmed` has alarms; `damaged` has a broken database, `set_back` an older one; `visitor` is not signed in.
    """

    key: str
    template: str
    context: dict[str, Any]
    mode: str = "LIVE"
    trouble: bool = False
    visitor: bool = False
    halted: bool = False
    alarmed: bool = False
    damaged: bool = False
    set_back: bool = False
    flashes: tuple[tuple[str, str], ...] = field(default=())


PAGES = (
    Page("setup", "auth/setup.html", desk.SETUP, visitor=True),
    Page("setup-wrong", "auth/setup.html", desk.SETUP_WRONG, visitor=True),
    Page("login", "auth/login.html", desk.LOGIN, visitor=True),
    Page("login-wrong", "auth/login.html", desk.LOGIN_WRONG, visitor=True),
    Page("accounts-empty", "accounts/index.html", accounts.index(0), mode="SIM"),
    Page("accounts", "accounts/index.html", accounts.index(6)),
    Page("accounts-50", "accounts/index.html", accounts.index(50)),
    Page("accounts-read-only", "accounts/index.html", accounts.INDEX_READ_ONLY),
    Page("account-form", "accounts/form.html", accounts.FORM_NEW),
    Page("account-form-wrong", "accounts/form.html", accounts.FORM_WRONG),
    Page("account-form-edit", "accounts/form.html", accounts.FORM_EDIT),
    Page("groups", "accounts/groups.html", accounts.GROUPS),
    Page("groups-empty", "accounts/groups.html", accounts.GROUPS_EMPTY, mode="SIM"),
    Page("group-form", "accounts/group_form.html", accounts.GROUP_FORM),
    Page("group-form-wrong", "accounts/group_form.html", accounts.GROUP_WRONG),
    Page("account", "accounts/show.html", accounts.show(trouble=False)),
    Page("brokerage", "accounts/brokerage.html", accounts.BROKERAGE),
    Page("brokerage-wrong", "accounts/brokerage.html", accounts.BROKERAGE_WRONG),
    Page("account-trouble", "accounts/show.html", accounts.show(trouble=True), trouble=True),
    Page("desk-empty", "main/dashboard.html", desk.DASHBOARD_EMPTY, mode="SIM"),
    Page(
        "desk",
        "main/dashboard.html",
        desk.dashboard(11),
        flashes=(("ok", "Zerodha 1 was added."), ("warn", "Order outcome unknown in Dhan 2.")),
    ),
    Page("desk-group", "main/dashboard.html", desk.dashboard(3, "group:1")),
    Page("desk-50", "main/dashboard.html", desk.dashboard(50), trouble=True),
    Page("chain", "trading/chain.html", chain.chain()),
    Page("chain-trouble", "trading/chain.html", chain.chain(trouble=True), mode="PAPER", trouble=True),
    Page("chain-empty", "trading/chain.html", chain.chain(empty=True), mode="SIM"),
    Page("chain-no-accounts", "trading/chain.html", chain.chain(empty=True, any_account=False), mode="SIM"),
    Page("chart", "trading/chart.html", charts.CHART, mode="SIM"),
    Page("chart-premium", "trading/chart.html", charts.PREMIUM),
    Page("chart-trouble", "trading/chart.html", charts.TROUBLE, trouble=True),
    Page("chart-empty", "trading/chart.html", charts.EMPTY),
    Page("strategies", "strategies/index.html", strategies.INDEX, mode="PAPER"),
    Page("strategies-empty", "strategies/index.html", strategies.INDEX_EMPTY),
    Page("divergence", "trading/divergence.html", divergence.SOME),
    Page("divergence-50", "trading/divergence.html", divergence.FIFTY, mode="PAPER"),
    Page("divergence-none", "trading/divergence.html", divergence.NONE_YET, mode="SIM"),
    Page("ticket", "strategies/ticket.html", ticket.CHOSEN),
    Page("ticket-empty", "strategies/ticket.html", ticket.NOTHING, mode="SIM"),
    Page("ticket-found", "strategies/ticket.html", ticket.SEARCHED, mode="SIM"),
    Page("ticket-unfound", "strategies/ticket.html", ticket.UNFOUND, mode="SIM"),
    Page("ticket-future", "strategies/ticket.html", ticket.FUTURE, mode="PAPER"),
    Page("ticket-wrong", "strategies/ticket.html", ticket.WRONG),
    Page("templates", "strategies/templates.html", templates.OWN_TEMPLATES),
    Page("templates-empty", "strategies/templates.html", templates.OWN_TEMPLATES_NONE, mode="SIM"),
    Page("builder", "strategies/builder.html", strategies.BUILDER),
    Page("builder-calendar", "strategies/builder.html", strategies.BUILDER_CALENDAR, mode="SIM"),
    Page("builder-empty", "strategies/builder.html", strategies.BUILDER_EMPTY, mode="SIM"),
    Page("builder-wrong", "strategies/builder.html", strategies.BUILDER_WRONG),
    Page("builder-50", "strategies/builder.html", strategies.BUILDER_50, mode="SIM"),
    Page("preview", "strategies/preview.html", strategies.PREVIEW, mode="SIM"),
    Page("preview-ending", "strategies/preview.html", strategies.PREVIEW_ENDING, mode="SIM"),
    Page("preview-live", "strategies/preview.html", strategies.PREVIEW_LIVE),
    Page("preview-expired", "strategies/preview.html", strategies.PREVIEW_EXPIRED, mode="SIM"),
    Page("preview-sent", "strategies/preview.html", strategies.PREVIEW_SENT, mode="SIM"),
    Page("preview-50", "strategies/preview.html", strategies.PREVIEW_50, mode="PAPER"),
    Page("kill", "trading/kill.html", kill.BEFORE),
    Page("kill-alarm", "trading/kill.html", kill.ALARM, halted=True),
    Page("kill-flat", "trading/kill.html", kill.FLAT, halted=True),
    Page("kill-no-engine", "trading/kill.html", kill.NO_ENGINE, mode="SIM"),
    Page("pnl", "trading/pnl.html", pnl.DAY),
    Page("pnl-unknown", "trading/pnl.html", pnl.UNKNOWN, mode="SIM"),
    Page("pnl-empty", "trading/pnl.html", pnl.EMPTY),
    Page("settlements", "trading/settlements.html", pnl.SETTLEMENTS),
    Page("settlements-wrong", "trading/settlements.html", pnl.SETTLEMENTS_WRONG),
    Page("settlements-look", "trading/settlements.html", pnl.SETTLEMENTS_LOOK),
    Page("settlements-empty", "trading/settlements.html", pnl.SETTLEMENTS_EMPTY),
    Page("pnl-50", "trading/pnl.html", pnl.MANY),
    Page("risk", "trading/risk.html", risk.QUIET),
    Page("risk-locked", "trading/risk.html", risk.LOCKED),
    Page("risk-empty", "trading/risk.html", risk.EMPTY),
    Page("risk-50", "trading/risk.html", risk.MANY),
    Page("risk-unknown", "trading/risk.html", risk.UNKNOWN, mode="SIM"),
    Page("orders-halted", "trading/orders.html", books.ORDERS, halted=True),
    Page("orders-alarmed", "trading/orders.html", books.ORDERS, halted=True, alarmed=True),
    Page("orders-damaged", "trading/orders.html", books.ORDERS, damaged=True),
    Page("runs", "trading/runs.html", run.RUNS, mode="SIM"),
    Page("runs-empty", "trading/runs.html", run.RUNS_EMPTY),
    Page("run", "trading/run.html", run.RUN, mode="SIM"),
    Page("run-trouble", "trading/run.html", run.RUN_TROUBLE, trouble=True),
    Page("run-closed", "trading/run.html", run.RUN_CLOSED, mode="SIM"),
    Page("run-50", "trading/run.html", run.RUN_50, mode="PAPER"),
    Page("run-adopted", "trading/run.html", rules.ADOPTED),
    Page("run-ruled", "trading/run.html", rules.RULED),
    Page("rules-choose", "trading/given_rules.html", rules.CHOOSE),
    Page("rules-shown", "trading/given_rules.html", rules.SHOWN),
    Page("rules-unknown", "trading/given_rules.html", rules.UNKNOWN),
    Page("rules-nothing", "trading/given_rules.html", rules.NOTHING),
    Page("rules-of-run", "trading/given_rules.html", rules.OF_RUN),
    Page("rules-not-now", "trading/given_rules.html", rules.NOT_NOW, trouble=True),
    Page("orders", "trading/orders.html", books.ORDERS),
    Page("orders-empty", "trading/orders.html", books.ORDERS_EMPTY),
    Page("orders-many", "trading/orders.html", books.ORDERS_MANY, mode="SIM"),
    Page("trades", "trading/trades.html", books.TRADES),
    Page("trades-empty", "trading/trades.html", books.TRADES_EMPTY),
    Page("positions", "trading/positions.html", books.POSITIONS),
    Page("positions-empty", "trading/positions.html", books.POSITIONS_EMPTY),
    Page("reconciliation", "trading/reconciliation.html", books.RECONCILIATION),
    Page("reconciliation-empty", "trading/reconciliation.html", books.RECONCILIATION_EMPTY),
    Page("reconciliation-set-back", "trading/reconciliation.html", books.RECONCILIATION, set_back=True),
    Page("orders-set-back", "trading/orders.html", books.ORDERS, set_back=True),
    Page("market-data", "trading/market_data.html", market.MARKET),
    Page("market-data-trouble", "trading/market_data.html", market.TROUBLE, trouble=True),
    Page("market-data-empty", "trading/market_data.html", market.EMPTY, mode="SIM"),
    Page("margin", "margin/dashboard.html", margin.dashboard(6)),
    Page("margin-50", "margin/dashboard.html", margin.dashboard(50)),
    Page("margin-trouble", "margin/dashboard.html", margin.dashboard(4, trouble=True), trouble=True),
    Page("margin-calculator", "margin/calculator.html", margin.calculator(6)),
    Page("margin-calculator-50", "margin/calculator.html", margin.calculator(50)),
    Page("margin-calculator-empty", "margin/calculator.html", margin.calculator()),
    Page("margin-calculator-wrong", "margin/calculator.html", margin.calculator(legs="Line 1 is not a leg.")),
    Page("margin-grades", "margin/grades.html", margin.grades()),
    Page("margin-grades-wrong", "margin/grades.html", margin.GRADES_WRONG),
    Page("margin-grades-look", "margin/grades.html", margin.grades(can_manage=False)),
    Page("margin-requirements", "margin/requirements.html", margin.requirements()),
    Page("margin-requirements-wrong", "margin/requirements.html", margin.REQUIREMENTS_WRONG),
    Page("margin-requirements-look", "margin/requirements.html", margin.requirements(can_manage=False)),
    Page("margin-rules", "margin/rules.html", margin.rules()),
    Page("margin-rules-wrong", "margin/rules.html", margin.RULES_WRONG),
    Page("margin-rules-look", "margin/rules.html", margin.rules(can_manage=False)),
    Page("calendar", "trading/calendar.html", calendar.CALENDAR),
    Page("calendar-wrong", "trading/calendar.html", calendar.WRONG, trouble=True),
    Page("calendar-look", "trading/calendar.html", calendar.LOOK, mode="SIM"),
    Page("holdings", "trading/holdings.html", books.HOLDINGS),
    Page("holdings-empty", "trading/holdings.html", books.HOLDINGS_EMPTY),
    Page("funds", "trading/funds.html", books.FUNDS),
    Page("funds-empty", "trading/funds.html", books.FUNDS_EMPTY, mode="SIM"),
    Page("activity", "main/activity.html", desk.ACTIVITY),
    Page("activity-empty", "main/activity.html", desk.ACTIVITY_EMPTY),
    Page("style", "main/style.html", {}),
    Page("error", "errors/error.html", desk.ERROR),
    Page("error-visitor", "errors/error.html", desk.ERROR, visitor=True),
)
