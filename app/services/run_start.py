"""The first rows of a run: its executions, and the entry intents of the plan, written together.

Two statements, however many accounts take part: nothing is sent before these rows are committed.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.orders import Purpose
from app.domain.plan import AccountPlan, Plan, PlannedLeg, ResolvedLeg
from app.persistence.plain import table_of
from app.persistence.tables import Intent, Run, StrategyExecution
from app.services.entries import intent_values

_EXECUTIONS = insert(table_of(StrategyExecution)).returning(
    StrategyExecution.__table__.c.id, sort_by_parameter_order=True
)
_INTENTS = insert(table_of(Intent))


def write_start(session: Session, run: Run, plan: Plan, now: datetime) -> None:
    """Raises Refused when the plan cannot be written: then nothing of it is."""
    legs = {leg.number: leg for leg in plan.legs}
    written = [
        (planned, legs[planned.leg], _execution(run.id, account, planned, legs[planned.leg]))
        for account in plan.taking_part
        for planned in account.legs
    ]
    connection = session.connection()
    ids = connection.scalars(_EXECUTIONS, [values for *_, values in written]).all()
    intents = [
        {"execution_id": execution_id, **intent}
        for execution_id, (planned, leg, values) in zip(ids, written, strict=True)
        for intent in _intents(planned, leg, values, now)
    ]
    connection.execute(_INTENTS, intents)


def _execution(run_id: int, account: AccountPlan, planned: PlannedLeg, leg: ResolvedLeg) -> dict[str, Any]:
    contract = leg.contract
    if contract.freeze is None:
        raise Refused(f"The freeze limit of {contract.key.symbol} is unknown; nothing was sent.")
    return {
        "run_id": run_id,
        "account_id": account.account_id,
        "leg": leg.number,
        "underlying": contract.underlying,
        "exchange": contract.key.exchange,
        "symbol": contract.key.symbol,
        "kind": contract.kind.value,
        "expiry": contract.expiry.isoformat(),
        "strike": contract.strike,
        "side": leg.side.value,
        "product": leg.product.value,
        "lots": planned.lots,
        "units": planned.units,
        "lot_size": contract.lot_size,
        "tick": contract.tick,
        "freeze": contract.freeze,
        "margin_needed": account.margin_needed,
    }


def _intents(
    planned: PlannedLeg, leg: ResolvedLeg, execution: dict[str, Any], now: datetime
) -> Iterator[dict[str, Any]]:
    """The first generation: exactly the slices of the plan."""
    for order in planned.orders:
        yield intent_values(
            execution, leg.side, Purpose.ENTRY, 1, order.slice, units=order.units, now=now
        ) | {
            "limit_price": order.limit,
            "worst_price": order.worst,
            "price_type": planned.pricing.type.value,
            "trigger_price": planned.pricing.trigger,
        }  # fmt: skip
