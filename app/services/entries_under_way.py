"""What runs are just entering in each account: a new run on the other side would leave neither able to get out."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey, Side
from app.domain.orders import FINAL
from app.domain.planning import UnderWay
from app.persistence.tables import Intent, Preview, Run
from app.services.previews import plan_of


def under_way(session: Session) -> Mapping[int, tuple[UnderWay, ...]]:
    """By account: entries that are not settled, and those of runs that were sent and are not begun. What has filled is
    in the broker's positions.
    """
    found: dict[int, list[UnderWay]] = defaultdict(list)
    intents = session.execute(
        select(Intent.account_id, Intent.exchange, Intent.symbol, Intent.product, Intent.side, Intent.run_id)
        .where(Intent.purpose == "ENTRY", Intent.state.not_in([state.value for state in FINAL]))
        .distinct()
    )
    for account_id, exchange, symbol, product, side, run_id in intents:
        found[account_id].append(UnderWay(ContractKey(exchange, symbol), product, Side(side), run_id))
    asked = select(Run.id, Preview).join(Preview, Preview.id == Run.preview_id).where(Run.state == "REQUESTED")
    for run_id, preview in session.execute(asked):
        plan = plan_of(preview)
        legs = {leg.number: leg for leg in plan.legs}
        for account in plan.taking_part:
            found[account.account_id] += [
                UnderWay(legs[part.leg].contract.key, legs[part.leg].product, legs[part.leg].side, run_id)
                for part in account.legs
            ]
    return {account_id: tuple(entries) for account_id, entries in found.items()}
