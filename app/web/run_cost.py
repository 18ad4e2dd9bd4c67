"""What trading has cost so far and what is left of the P&L; unknown where a rate is missing."""

from dataclasses import dataclass
from decimal import Decimal

from app.services.run_charges import Cost, of_run
from app.web.desk import Desk


@dataclass(frozen=True, slots=True)
class RunCost:
    """Of a run, an account, a group or a day: rupees, estimated. `charges` None: a rate is missing, which `note` names;
    `net` None then, and while a held contract has no price.
    """

    charges: Decimal | None
    net: Decimal | None
    note: str | None


def cost_of(desk: Desk, run_id: int, mtm: Decimal | None) -> RunCost:
    with desk.database.reading() as session:
        cost = of_run(session, run_id, desk.market_rules.book())
    return cost_view(cost, mtm)


def cost_view(cost: Cost, gross: Decimal | None) -> RunCost:
    """`gross` None: a price is missing."""
    return RunCost(None if cost.charges is None else cost.charges.total, cost.net_of(gross), cost.note)
