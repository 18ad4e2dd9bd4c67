"""The margin that a broker asks for the legs on the builder's page."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain.errors import Refused, Unavailable
from app.domain.strategy import StrategySpec
from app.services.accounts import AccountRow
from app.strategies.forms import FormRefused
from app.strategies.payoff_fields import asked
from app.strategies.typed import read
from app.web.desk import Desk
from app.web.signed_in import SignedIn


@dataclass(frozen=True, slots=True)
class MarginView:
    """`amount` in rupees for all structures, None where nobody says, and then `note` says why.

    `at` is the market's time, as that of every figure of a size.
    """

    amount: Decimal | None
    account: str | None
    at: datetime | None
    note: str


def margin_view(desk: Desk, viewer: SignedIn, form: MultiDict[str, str]) -> MarginView:
    """Of the first account that takes part. Blocks on the network. Raises FormRefused."""
    question = asked(form)
    account = _account(desk, viewer, read(form).chosen)
    if not question.legs:
        return MarginView(None, None, None, "There are no legs yet.")
    if account is None:
        return MarginView(None, None, None, "No account takes part, so no broker can be asked.")
    spec = StrategySpec("Payoff", question.legs, question.structures, None, None)
    try:
        figure = desk.calculator.margin(account.id, spec)
    except (Refused, Unavailable) as reason:
        return MarginView(None, account.name, None, str(reason))
    return MarginView(figure.amount, account.name, figure.at, figure.note)


def _account(desk: Desk, viewer: SignedIn, chosen: tuple[str, ...]) -> AccountRow | None:
    if not chosen:
        return None
    known = {str(account.id): account for account in desk.accounts.shown_to(viewer)}
    if chosen[0] not in known:
        raise FormRefused({"accounts": "accounts names one that you may not use. Reload the page and choose again."})
    return known[chosen[0]]
