"""Where somebody may want to go, for the box that finds it by words: pages, chains, runs, strategies, accounts."""

from dataclasses import dataclass

from flask import url_for

from app.domain.contracts import UNDERLYINGS
from app.web.desk import Desk
from app.web.run_words import run_state
from app.web.signed_in import SignedIn

PAGES = (
    ("Desk", "main.dashboard"),
    ("Build a strategy", "strategies.new"),
    ("Order ticket", "strategies.ticket"),
    ("Strategies", "strategies.index"),
    ("My templates", "strategies.templates"),
    ("All runs", "trading.runs"),
    ("Orders", "trading.orders"),
    ("Trades", "trading.trades"),
    ("Positions", "trading.positions"),
    ("Holdings", "trading.holdings"),
    ("Funds", "trading.funds"),
    ("Reconciliation", "trading.reconciliation"),
    ("Profit and loss", "trading.pnl"),
    ("Risk", "trading.risk"),
    ("Kill switch", "trading.kill"),
    ("Margin", "margin.dashboard"),
    ("Calculator", "margin.calculator"),
    ("Margin requirements", "margin.requirements"),
    ("Trade grades", "margin.grades"),
    ("Market rules", "margin.rules"),
    ("Accounts", "accounts.index"),
    ("Groups", "accounts.groups"),
    ("Calendar", "trading.calendar"),
    ("Activity", "main.activity"),
)
ADMIN_PAGES = (("Market data", "trading.market_data"),)


@dataclass(frozen=True, slots=True)
class Place:
    """`kind` is the word beside it, and one of those it is found by."""

    label: str
    kind: str
    url: str


def places_page(desk: Desk, viewer: SignedIn) -> dict[str, object]:
    """All of them in the order in which they are looked for: what runs comes first."""
    pages = (*PAGES, *(ADMIN_PAGES if viewer.is_admin else ()))
    return {
        "places": [
            *_runs(desk, viewer),
            *(Place(label, "page", url_for(endpoint)) for label, endpoint in pages),
            *(Place(each.name, "chain", url_for("trading.chain", underlying=each.name)) for each in UNDERLYINGS),
            *(
                Place(each.spec.name, "strategy", url_for("strategies.edit", strategy_id=each.id))
                for each in desk.strategies.all_of(viewer.id)
            ),
            *(
                Place(each.name, "account", url_for("accounts.show", account_id=each.id))
                for each in desk.accounts.shown_to(viewer)
            ),
        ]
    }


def _runs(desk: Desk, viewer: SignedIn) -> list[Place]:
    return [
        Place(f"{run.name}, run {run.run_id}", run_state(run.state), url_for("trading.run", run_id=run.run_id))
        for run in desk.today.runs(viewer)
        if run.state not in {"CLOSED", "REFUSED"}
    ]
