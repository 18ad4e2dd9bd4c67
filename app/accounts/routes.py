"""Accounts: list, add, edit, test, pause, archive, and their order as sources of prices. Only admins change them."""

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.forms import AccountFields
from app.accounts.sizes import sized_as_typed
from app.accounts.views import account_view, account_views, event_views, funds_view
from app.domain.errors import Conflict, InvalidInput
from app.services.accounts import AccountRow
from app.web.account_words import mode_word
from app.web.day_view import account_today
from app.web.desk import desk
from app.web.extensions import heavy_rate_limit
from app.web.forms import FormView
from app.web.roles import admins_only
from app.web.signed_in import user
from app.web.tariff_view import present_of

accounts_bp = Blueprint("accounts", __name__, url_prefix="/accounts")

_PLACE = re.compile(r"[1-9][0-9]{0,2}")


@accounts_bp.get("/")
def index() -> ResponseReturnValue:
    accounts = desk().accounts
    return render_template(
        "accounts/index.html",
        accounts=account_views(desk(), accounts.shown_to(user())),
        simulator_offered=accounts.simulator_offered(),
        can_manage=user().is_admin,
    )


@accounts_bp.get("/<int:account_id>")
def show(account_id: int) -> ResponseReturnValue:
    accounts = desk().accounts
    account = accounts.one(user(), account_id)
    return render_template(
        "accounts/show.html",
        account=account_view(desk(), accounts.shown_to(user()), account.id),
        funds=funds_view(desk(), desk().health.of(account.id)),
        events=event_views(desk().activity.about(f"account:{account.id}")),
        brokerage=present_of(desk(), account.id),
        today=account_today(desk(), account),
        can_manage=user().is_admin,
    )


@accounts_bp.route("/new", methods=["GET", "POST"])
@admins_only
@heavy_rate_limit
def new() -> ResponseReturnValue:
    """Add an account. Its gateway is tried first; whatever fails, nothing is saved."""
    if request.method == "GET":
        return render_template("accounts/form.html", form=FormView(), account=None)
    fields = AccountFields(request.form)
    if not fields.validate():
        return _form_again(fields.view(), None)
    try:
        account_id = desk().accounts.add(user(), fields.typed())
    except InvalidInput as refused:
        return _form_again(fields.view().refused(refused), None)
    flash(f"{fields.name.data} is added: its gateway answered and its funds were read.", "ok")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@accounts_bp.route("/<int:account_id>/edit", methods=["GET", "POST"])
@admins_only
@heavy_rate_limit
def edit(account_id: int) -> ResponseReturnValue:
    account = desk().accounts.one(user(), account_id)
    if request.method == "GET":
        return render_template("accounts/form.html", form=_stored(account), account=account)
    fields = AccountFields(request.form)
    if not fields.validate():
        return _form_again(fields.view(), account)
    try:
        desk().accounts.edit(user(), account_id, fields.typed())
    except InvalidInput as refused:
        return _form_again(fields.view().refused(refused), account)
    flash(f"{fields.name.data} is saved.", "ok")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@accounts_bp.post("/<int:account_id>/test")
@admins_only
@heavy_rate_limit
def test(account_id: int) -> ResponseReturnValue:
    account = desk().accounts.one(user(), account_id)
    try:
        facts = desk().accounts.test(user(), account_id)
    except InvalidInput as failed:
        flash(f"{account.name}: {failed}", "bad")
        return _back(account_id)
    mode = mode_word(account, facts.mode)
    flash(f"{account.name} answered in {facts.latency_ms} ms: key good, funds read, {mode} mode.", "ok")
    if facts.mode is not account.expected_mode:
        flash(f"{account.name} is in another mode than it was added in: nothing is sent to it.", "warn")
    return _back(account_id)


@accounts_bp.post("/<int:account_id>/pause")
@admins_only
def pause(account_id: int) -> ResponseReturnValue:
    desk().accounts.pause(user(), account_id)
    flash(f"{_name(account_id)} takes no entries; exits go on.", "ok")
    return _back(account_id)


@accounts_bp.post("/<int:account_id>/resume")
@admins_only
def resume(account_id: int) -> ResponseReturnValue:
    try:
        desk().accounts.resume(user(), account_id)
    except (Conflict, InvalidInput) as refused:
        flash(str(refused), "bad")
        return _back(account_id)
    flash(f"{_name(account_id)} takes entries again.", "ok")
    return _back(account_id)


@accounts_bp.post("/<int:account_id>/archive")
@admins_only
def archive(account_id: int) -> ResponseReturnValue:
    name = _name(account_id)
    try:
        desk().accounts.archive(user(), account_id)
    except Conflict as refused:
        flash(str(refused), "bad")
        return _back(account_id)
    flash(f"{name} is archived. Its orders and trades stay on record.", "ok")
    return redirect(url_for("accounts.index"), 303)


@accounts_bp.post("/<int:account_id>/make_primary")
@admins_only
def make_primary(account_id: int) -> ResponseReturnValue:
    desk().accounts.make_primary(user(), account_id)
    flash(f"{_name(account_id)} is the primary source of market data now. Orders are not touched by that.", "ok")
    return redirect(url_for("accounts.index"), 303)


@accounts_bp.post("/<int:account_id>/move")
@admins_only
def move(account_id: int) -> ResponseReturnValue:
    desk().accounts.one(user(), account_id)
    direction, place = _once("direction"), _once("place")
    if direction not in {"up", "down"}:
        raise InvalidInput("direction", "direction must be up or down. Reload the page and try again.")
    if not _PLACE.fullmatch(place):
        raise InvalidInput("place", "place must be where the account stands, from 1. Reload the page and try again.")
    try:
        desk().accounts.move(user(), account_id, up=direction == "up", place=int(place))
    except Conflict as refused:
        flash(str(refused), "info")
    return redirect(url_for("accounts.index"), 303)


@accounts_bp.post("/simulator")
@admins_only
@heavy_rate_limit
def add_simulator() -> ResponseReturnValue:
    try:
        count = desk().accounts.add_simulator(user())
    except (Conflict, InvalidInput) as refused:
        flash(str(refused), "bad")
        return redirect(url_for("accounts.index"), 303)
    if count:
        flash(f"Added {count} accounts of the simulator.", "ok")
    else:
        flash("The simulator's accounts are all here already.", "info")
    return redirect(url_for("accounts.index"), 303)


def _once(name: str) -> str:
    """That field as sent, empty when it was not. Raises InvalidInput when it was sent more than once."""
    values = request.form.getlist(name)
    if len(values) > 1:
        raise InvalidInput(name, f"{name} was sent more than once. Reload the page and try again.")
    return values[0] if values else ""


def _form_again(form: FormView, account: AccountRow | None) -> ResponseReturnValue:
    return render_template("accounts/form.html", form=form, account=account), 422


def _stored(account: AccountRow) -> FormView:
    return FormView(
        values={
            "name": account.name,
            "host_url": account.host_url,
            "websocket_url": account.websocket_url,
            "orders_per_second": "" if account.orders_per_second is None else str(account.orders_per_second),
            "mis_cut_off": "" if account.mis_cut_off is None else f"{account.mis_cut_off:%H:%M}",
            "notes": account.notes,
            **sized_as_typed(account),
        }
    )


def _name(account_id: int) -> str:
    return desk().accounts.one(user(), account_id).name


def _back(account_id: int) -> ResponseReturnValue:
    return redirect(url_for("accounts.show", account_id=account_id), 303)
