"""What a run has cost so far and what is left of its P&L; unknown where a rate is missing."""

from dataclasses import dataclass
from decimal import Decimal

from app.services.run_charges import of_run
from app.web.desk import Desk


@dataclass(frozen=True, slots=True)
class RunCost:
    """Rupees, estimated. `charges` None: a rate is missing, which `note` names; `net` None then, and while a held
    contract has no price.
    """

    charges: Decimal | None
    net: Decimal | None
    note: str | None


def cost_of(desk: Desk, run_id: int, mtm: Decimal | None) -> RunCost:
    with desk.database.reading() as session:
        cost = of_run(session, run_id, desk.market_rules.book())
    total = None if cost.charges is None else cost.charges.total
    return RunCost(total, None if mtm is None or total is None else mtm - total, cost.note)
