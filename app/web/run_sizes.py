"""Why each account of a run or preview has its size: the plan as it was frozen, numbers and all."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.plan import AccountPlan
from app.persistence.tables import Preview, Run
from app.services.previews import plan_of
from app.web.desk import Desk
from app.web.signed_in import SignedIn
from app.web.size_view import FigureView, figure_views, sizing_json


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One account. `words` are the sum in a sentence; `skipped` is why it took no part, else None."""

    account: str
    structures: int
    words: str
    figures: list[FigureView]
    skipped: str | None


def plans_of_run(desk: Desk, viewer: SignedIn, run_id: int) -> tuple[AccountPlan, ...]:
    """Of the preview that was sent; none for a run that was adopted. Raises NotFound for another's run."""
    with desk.database.reading() as session:
        run = session.get(Run, run_id)
        if run is None or not (viewer.is_admin or run.user_id == viewer.id):
            raise NotFound("There is no such run.")
        if run.preview_id is None:
            return ()
        return plan_of(session.get_one(Preview, run.preview_id)).accounts


def size_rows(plans: Iterable[AccountPlan]) -> list[SizeRow]:
    return [
        SizeRow(
            plan.account_name,
            plan.structures if plan.skipped is None else 0,
            "; ".join(plan.explanation),
            [] if plan.sizing is None else figure_views(plan.sizing),
            plan.skipped,
        )
        for plan in plans
    ]


def sizes_json(plans: Iterable[AccountPlan]) -> list[dict[str, object]]:
    """Numbers as text. `sizing` is None where it never came to one, and in plans from before it was kept."""
    return [
        {
            "account_id": plan.account_id,
            "account": plan.account_name,
            "structures": plan.structures if plan.skipped is None else 0,
            "skipped": plan.skipped,
            "skip_code": plan.skip_code,
            "legs": [{"leg": leg.leg, "lots": leg.lots, "units": leg.units} for leg in plan.legs],
            "explanation": list(plan.explanation),
            "sizing": None if plan.sizing is None else sizing_json(plan.sizing),
        }
        for plan in plans
    ]
