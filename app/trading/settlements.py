"""The page Settlements: what contracts that expired in a run were settled at. Admins type it: no gateway tells."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.wording import inr
from app.services.settlement_prices import SettledContract
from app.trading import trading_bp
from app.web.contract_names import contract_labels
from app.web.desk import desk
from app.web.forms import FormView
from app.web.roles import admins_only
from app.web.settlement_fields import SettlementFields
from app.web.signed_in import user


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """`value` names the contract in the form. `price` None: nobody has typed it, and `by` and `at` are None too."""

    value: str
    contract: str
    expiry: date
    runs: list[int]
    long: int
    short: int
    price: Decimal | None
    by: str | None
    at: datetime | None


@trading_bp.get("/settlements")
def settlements() -> ResponseReturnValue:
    """`?contract=NFO:…` chooses a contract in the form."""
    return _page(FormView(values={"contract": request.args.get("contract", "")[:90]}))


@trading_bp.post("/settlements")
@admins_only
def type_settlement() -> ResponseReturnValue:
    fields = SettlementFields(request.form)
    if not fields.validate():
        return _page(fields.view()), 422
    try:
        typed = desk().settlements.type(user(), *fields.typed())
    except InvalidInput as refused:
        return _page(fields.view().refused(refused)), 422
    flash(f"{typed.contract.key.symbol} was settled at {inr(typed.price)}. Its runs count it from now on.", "ok")
    return redirect(url_for("trading.settlements"), 303)


def _page(form: FormView) -> str:
    found = desk().settlements.listed(user())
    labels = contract_labels(each.contract for each in found)
    return render_template(
        "trading/settlements.html",
        form=form,
        rows=[_line(each, labels[each.contract.key]) for each in found],
        waiting=sum(1 for each in found if each.price is None),
        can_manage=user().is_admin,
    )


def _line(each: SettledContract, label: str) -> SettlementLine:
    key = each.contract.key
    return SettlementLine(
        value=f"{key.exchange}:{key.symbol}",
        contract=label,
        expiry=each.contract.expiry,
        runs=list(each.runs),
        long=each.long,
        short=each.short,
        price=each.price,
        by=each.by,
        at=each.at,
    )
