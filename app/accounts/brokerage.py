"""The page of an account's brokerage: what its broker takes for an order, from which day on."""

from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import InputRequired, Optional, Regexp

from app.accounts.routes import accounts_bp
from app.domain.errors import InvalidInput
from app.domain.rule_typing import first_day
from app.domain.tariffs import DatedTariff, Tariff
from app.web.desk import desk
from app.web.forms import DeskForm, FormView, stripped
from app.web.roles import admins_only
from app.web.signed_in import user
from app.web.tariff_view import present_of


def _number(decimals: int, such_as: str) -> StringField:
    words = f"Type a number without commas, as {such_as}, or leave it empty."
    pattern = rf"[0-9]{{1,4}}(\.[0-9]{{1,{decimals}}})?\Z"
    return StringField(filters=[stripped], validators=[Optional(), Regexp(pattern, message=words)])


class BrokerageFields(DeskForm):
    flat = _number(2, "20")
    percent = _number(4, "0.03")
    cap = _number(2, "20")
    valid_from = StringField(filters=[stripped], validators=[InputRequired("Type the first day it holds.")])

    def typed(self) -> DatedTariff:
        """Raises InvalidInput naming `valid_from`."""
        flat, percent, cap = (Decimal(each.data) if each.data else None for each in (self.flat, self.percent, self.cap))
        return DatedTariff(first_day(self.valid_from.data or ""), Tariff(flat, percent, cap))


@accounts_bp.route("/<int:account_id>/brokerage", methods=["GET", "POST"])
@admins_only
def brokerage(account_id: int) -> ResponseReturnValue:
    desk().accounts.one(user(), account_id)
    if request.method == "GET":
        return _page(account_id, FormView())
    fields = BrokerageFields(request.form)
    if not fields.validate():
        return _page(account_id, fields.view()), 422
    try:
        desk().tariffs.add(user(), account_id, fields.typed())
    except InvalidInput as refused:
        return _page(account_id, fields.view().refused(refused)), 422
    flash("The brokerage is saved. Charges of that day and after go by it.", "ok")
    return redirect(url_for("accounts.brokerage", account_id=account_id), 303)


@accounts_bp.post("/<int:account_id>/brokerage/<int:tariff_id>/remove")
@admins_only
def remove_brokerage(account_id: int, tariff_id: int) -> ResponseReturnValue:
    desk().tariffs.remove(user(), account_id, tariff_id)
    flash("It is removed. What held before holds again.", "ok")
    return redirect(url_for("accounts.brokerage", account_id=account_id), 303)


def _page(account_id: int, form: FormView) -> str:
    return render_template(
        "accounts/brokerage.html",
        account=desk().accounts.one(user(), account_id),
        form=form,
        rows=desk().tariffs.kept(user(), account_id),
        present=present_of(desk(), account_id),
    )
