"""Free margin that is spoken for: what runs that are just being entered will still take of each account."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.money import ZERO
from app.domain.orders import IntentState
from app.persistence.tables import Intent, Preview, Run
from app.services.previews import plan_of


@dataclass(frozen=True, slots=True)
class Reserved:
    """Rupees, and the runs that they are for. `unknown` are runs of which nobody gave a figure."""

    amount: Decimal = ZERO
    runs: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


NOTHING = Reserved()


def reserved(session: Session) -> Mapping[int, Reserved]:
    """By account. A run counts whole from when it was sent until all its entries there have reached the broker.

    What those that have reached it block is in the broker's figures as well: too much is kept back for some seconds,
    never too little. An entry that rests at the broker is the broker's to count.
    """
    found: dict[int, Reserved] = defaultdict(Reserved)
    runs = session.execute(
        select(Run.id, Preview, Run.state)
        .join(Preview, Preview.id == Run.preview_id)
        .where(Run.state.in_(("REQUESTED", "ENTERING")))
        .order_by(Run.id)
    ).all()
    for run_id, preview, state in runs:
        under_way = None if state == "REQUESTED" else _under_way(session, run_id)
        for part in plan_of(preview).taking_part:
            if under_way is None or part.account_id in under_way:
                found[part.account_id] = _with(found[part.account_id], run_id, part.margin_needed)
    return found


_NOT_THERE = (IntentState.READY, IntentState.SENDING, IntentState.UNKNOWN)
"""States of an entry that the broker has not taken, or of which nobody can say it yet."""


def _under_way(session: Session, run_id: int) -> set[int]:
    """Accounts in which an entry of the run may not have reached the broker."""
    query = select(Intent.account_id).where(
        Intent.run_id == run_id, Intent.purpose == "ENTRY", Intent.state.in_([state.value for state in _NOT_THERE])
    )
    return set(session.scalars(query))


def _with(before: Reserved, run_id: int, needed: Decimal | None) -> Reserved:
    if needed is None:
        return Reserved(before.amount, before.runs, (*before.unknown, run_id))
    return Reserved(before.amount + needed, (*before.runs, run_id), before.unknown)
