"""Groups of accounts: list, make, change, delete. Only admins change them, as with accounts."""

import re
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.forms import GroupFields
from app.accounts.routes import accounts_bp
from app.accounts.sizes import plain, sized_as_typed
from app.domain.account_groups import Group
from app.domain.errors import Conflict, InvalidInput
from app.services.accounts import AccountRow
from app.web.desk import desk
from app.web.forms import FormView
from app.web.roles import admins_only
from app.web.signed_in import user

_ID = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group as the list shows it. `accounts` are the names of its members, `multiplier` is as typed."""

    group: Group
    accounts: list[str]
    multiplier: str


@accounts_bp.get("/groups")
def groups() -> ResponseReturnValue:
    names = {account.id: account.name for account in desk().accounts.shown_to(user())}
    lines = [
        GroupLine(group, [names[each] for each in sorted(group.members) if each in names], plain(group.multiplier))
        for group in desk().groups.shown_to(user())
    ]
    return render_template("accounts/groups.html", groups=lines, can_manage=user().is_admin)


@accounts_bp.route("/groups/new", methods=["GET", "POST"])
@admins_only
def new_group() -> ResponseReturnValue:
    if request.method == "GET":
        return _page(FormView(values={"multiplier": "1"}), frozenset(), None)
    return _kept(None)


@accounts_bp.route("/groups/<int:group_id>/edit", methods=["GET", "POST"])
@admins_only
def edit_group(group_id: int) -> ResponseReturnValue:
    group = desk().groups.one(user(), group_id)
    if request.method == "GET":
        return _page(FormView(values={"name": group.name, **sized_as_typed(group)}), group.members, group)
    return _kept(group)


@accounts_bp.post("/groups/<int:group_id>/delete")
@admins_only
def delete_group(group_id: int) -> ResponseReturnValue:
    group = desk().groups.one(user(), group_id)
    try:
        desk().groups.delete(user(), group_id)
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash(f"The group {group.name} is deleted. Its accounts are as they were; runs go on as they are.", "ok")
    return redirect(url_for("accounts.groups"), 303)


def _kept(group: Group | None) -> ResponseReturnValue:
    fields = GroupFields(request.form)
    ticked = request.form.getlist("accounts")
    chosen = frozenset(int(text) for text in ticked if _ID.fullmatch(text))
    if not fields.validate():
        return _page(fields.view(), chosen, group), 422
    if len(chosen) != len(ticked):
        wrong = InvalidInput("accounts", "accounts must be ids of accounts, each once. Reload the page and tick again.")
        return _page(fields.view().refused(wrong), chosen, group), 422
    try:
        if group is None:
            desk().groups.add(user(), fields.typed(chosen))
        else:
            desk().groups.edit(user(), group.id, fields.typed(chosen))
    except InvalidInput as refused:
        return _page(fields.view().refused(refused), chosen, group), 422
    except Conflict as refused:
        flash(str(refused), "bad")
        return redirect(url_for("accounts.groups"), 303)
    flash(f"The group {fields.name.data} is saved. Runs keep the sizes they were made with.", "ok")
    return redirect(url_for("accounts.groups"), 303)


def _page(form: FormView, chosen: frozenset[int], group: Group | None) -> str:
    accounts: list[AccountRow] = desk().accounts.shown_to(user())
    return render_template("accounts/group_form.html", form=form, group=group, accounts=accounts, chosen=chosen)
