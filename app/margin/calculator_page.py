"""The calculator: what was asked of it, and how many lots that makes on which account, and why."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput, Refused, Unavailable
from app.domain.plan import ResolvedLeg
from app.domain.size_words import money, size_brief, size_lines
from app.services.calculator import Reckoned, Reckoning
from app.web.account_choice import chosen_accounts
from app.web.calculator_input import FIELDS, reckoned
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.expiry_choices import expiry_choices
from app.web.forms import FormView
from app.web.signed_in import SignedIn
from app.web.size_view import FigureView, figure_views

STARTS = {
    "underlying": UNDERLYINGS[0].name,
    "product": "NRML",
    "legs": "SELL CE ATM\nSELL PE ATM",
    "profile": "balanced",
    "structures": "1",
    "shortfall": "skip",
}
LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class LegView:
    side: str
    contract: str
    ratio: int
    lot_size: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """`lots` by leg, in their order. `words` is what decided, `steps` the whole sum.

    `needs` and `usable` are rupees as text, None where nobody says.
    """

    account: str
    structures: int
    lots: list[tuple[int, int]]
    needs: str | None
    usable: str | None
    words: str
    steps: list[str]
    figures: list[FigureView]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    at: datetime
    spots: tuple[tuple[str, Decimal], ...]
    legs: list[LegView]
    accounts: list[AccountView]
    taking: int
    structures: int
    lots: int


def calculator_page(desk: Desk, viewer: SignedIn, query: MultiDict[str, str]) -> dict[str, object]:
    """The form alone until something is asked of it."""
    asked = any(name in query for name in FIELDS)
    values = {name: query.get(name, "")[:LONGEST] if asked else STARTS.get(name, "") for name in FIELDS}
    answer, errors, error = None, {}, None
    if asked:
        try:
            answer = answer_view(reckoned(desk, viewer, values))
        except InvalidInput as wrong:
            errors = {wrong.field if wrong.field in FIELDS else "legs": str(wrong)}
        except (Refused, Unavailable) as no:
            error = str(no)
    return {
        "form": FormView(values=values, errors=errors, error=error),
        "answer": answer,
        "choices": chosen_accounts(desk, viewer, "").choices,
        "strategies": desk.strategies.all_of(viewer.id),
        "underlyings": [each.name for each in UNDERLYINGS],
        "expiries": expiry_choices(desk),
    }


def answer_view(found: Reckoning) -> AnswerView:
    labels = contract_labels(leg.contract for leg in found.legs)
    accounts = sorted((_account(each, found.legs) for each in found.accounts), key=lambda each: each.structures > 0)
    taking = [each for each in accounts if each.structures]
    return AnswerView(
        at=found.at,
        spots=found.spots,
        legs=[
            LegView(leg.side.value, labels[leg.contract.key], leg.ratio, leg.contract.lot_size, leg.note)
            for leg in found.legs
        ],
        accounts=accounts,
        taking=len(taking),
        structures=sum(each.structures for each in taking),
        lots=sum(lots for each in taking for lots, _ in each.lots),
    )


def _account(found: Reckoned, legs: tuple[ResolvedLeg, ...]) -> AccountView:
    sizing, structures = found.sizing, found.structures
    return AccountView(
        account=found.account_name,
        structures=structures,
        lots=[(structures * leg.ratio, structures * leg.ratio * leg.contract.lot_size) for leg in legs],
        needs=None if sizing is None or sizing.needs is None else money(sizing.needs),
        usable=None if sizing is None or sizing.usable is None else money(sizing.usable),
        words="" if sizing is None else size_brief(sizing),
        steps=[] if sizing is None else list(size_lines(sizing)),
        figures=[] if sizing is None else figure_views(sizing),
        reason=found.reason,
    )
