"""Whose rules an adopted run is under, or that it may be put under some."""

from dataclasses import dataclass
from datetime import datetime

from app.persistence.tables import Strategy
from app.services.run_board import RunView
from app.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Ruled:
    """`strategy` None: it is under nobody's rules. `can_be_given`: it may be put under some, or others,
    now.
    """

    strategy: str | None
    at: datetime | None
    can_be_given: bool


def ruled_of(desk: Desk, view: RunView) -> Ruled | None:
    """None for a run that a strategy entered: its rules are those of its preview."""
    if view.strategy_id is not None:
        return None
    staying = view.state == "OPEN" and all(cell.exit_wanted is None for cell in view.cells)
    if view.rules_of is None:
        return Ruled(None, None, staying)
    with desk.database.reading() as session:
        return Ruled(session.get_one(Strategy, view.rules_of).name, view.rules_at, staying)
