"""The order ticket: one contract, in any accounts, through the preview as any strategy."""

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput, Refused, Unavailable
from app.strategies import strategies_bp
from app.strategies.builder_page import blank
from app.strategies.forms import FormRefused, parse, refused_fields
from app.strategies.ticket_page import contract_view, found_view, leg_of, ticket_name, ticket_page
from app.strategies.typed import Typed, read, stored
from app.web.desk import desk
from app.web.extensions import heavy_rate_limit
from app.web.forms import submitted
from app.web.signed_in import user

MOST_WORDS = 60


@strategies_bp.get("/ticket")
def ticket() -> ResponseReturnValue:
    """Empty, with what `q` finds, for `contract` and `side`, or as the ticket `of` was written."""
    typed = blank(desk(), user())
    if (known := request.args.get("of", type=int)) is not None:
        typed = stored(desk().strategies.one(known, user().id))
    elif "contract" in request.args:
        typed = typed.with_leg(leg_of(desk(), request.args["contract"], request.args.get("side", "BUY")))
    return render_template("strategies/ticket.html", **ticket_page(desk(), user(), typed, ({}, None), _words()))


@strategies_bp.get("/ticket/contracts")
def ticket_contracts() -> ResponseReturnValue:
    """What `q` finds, as a fragment."""
    return render_template("strategies/fragments/ticket_found.html", **found_view(desk(), _words()))


@strategies_bp.get("/ticket/price")
def ticket_price() -> ResponseReturnValue:
    """The price of `contract` now, as a fragment."""
    contract = contract_view(desk(), request.args.get("contract", ""))
    return render_template("strategies/fragments/ticket_price.html", contract=contract)


@strategies_bp.post("/ticket")
@heavy_rate_limit
def write_ticket() -> ResponseReturnValue:
    """Write it down and preview it. Nothing is sent before the preview is."""
    typed = read(submitted(request.form))
    try:
        ticket_id = _written(typed)
    except FormRefused as refused:
        wrong = (dict(refused.errors), str(refused))
        return render_template("strategies/ticket.html", **ticket_page(desk(), user(), typed, wrong)), 422
    try:
        made = desk().previews.make(ticket_id, user().id)
    except (Refused, Unavailable) as reason:
        flash(f"No preview could be made; nothing was sent. {reason}", "bad")
        return redirect(url_for("strategies.ticket", of=ticket_id), 303)
    return redirect(url_for("strategies.preview", preview_id=made.id), 303)


def _written(typed: Typed) -> int:
    """The id under which it is written down. Raises FormRefused; then nothing was changed."""
    if len(typed.legs) != 1:
        raise FormRefused({"legs": "Choose one contract. An order of several legs is made in the builder."})
    typed = replace(typed, name=ticket_name(desk(), typed.legs[0]))
    groups = {group.id for group in desk().groups.shown_to(user())}
    recipe = parse(typed, {account.id for account in desk().accounts.shown_to(user())}, groups)
    try:
        return desk().strategies.write_ticket(
            recipe.spec, recipe.multipliers, groups=recipe.groups, user_id=user().id, username=user().username
        )
    except InvalidInput as refused:
        raise refused_fields(refused, typed) from refused


def _words() -> str:
    return request.args.get("q", "").strip()[:MOST_WORDS]
