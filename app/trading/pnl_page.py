"""What the page of profit and loss shows beside the day itself."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.money import ZERO
from app.web.account_choice import Chosen, chosen_accounts
from app.web.day_view import DayView, day_view
from app.web.desk import Desk
from app.web.signed_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlPage:
    """What docs/view-models.md calls `pnl`. `brought` is the sum of the days that are shown, `net` what is left of it
    after charges: None where those of a day are not known, and `note` says what is missing.
    """

    of_day: DayView
    chosen: Chosen
    brought: Decimal
    net: Decimal | None
    note: str | None
    best: Decimal | None
    worst: Decimal | None


def pnl_page(desk: Desk, viewer: SignedIn, accounts: str) -> PnlPage:
    """Raises InvalidInput for accounts that are not there."""
    chosen = chosen_accounts(desk, viewer, accounts)
    view = day_view(desk, viewer, chosen.accounts)
    totals = [line.total for line in view.days]
    return PnlPage(
        of_day=view,
        chosen=chosen,
        brought=sum(totals, ZERO),
        net=_sum([line.cost.net for line in view.days]),
        note=next((line.cost.note for line in view.days if line.cost.note), None),
        best=max(totals, default=None),
        worst=min(totals, default=None),
    )


def _sum(nets: list[Decimal | None]) -> Decimal | None:
    known = [net for net in nets if net is not None]
    return sum(known, ZERO) if len(known) == len(nets) else None
