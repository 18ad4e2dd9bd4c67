"""Strategies: list, builder, archive, preview. Looking changes nothing; a preview is made by a POST."""

import re

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.contracts import underlying_named
from app.domain.errors import Conflict, InvalidInput, Refused, Unavailable
from app.domain.structures import structure_named
from app.strategies import strategies_bp
from app.strategies.builder_page import Named, blank, blank_leg, builder_page
from app.strategies.forms import FormRefused, name_in, parse, refused_fields
from app.strategies.list_page import list_page
from app.strategies.payoff_fields import asked
from app.strategies.payoff_margin import margin_view
from app.strategies.payoff_view import chart_legs, payoff_view
from app.strategies.picked import is_own, own_template, picked, with_own, with_structure
from app.strategies.preview_page import preview_page
from app.strategies.typed import Typed, read, stored
from app.web.desk import desk
from app.web.extensions import heavy_rate_limit
from app.web.forms import submitted
from app.web.signed_in import user

_REMOVE = re.compile(r"remove_leg:([0-9]{1,3})")
_STORING = frozenset({"save", "preview"})


@strategies_bp.get("/")
def index() -> ResponseReturnValue:
    return render_template("strategies/index.html", **list_page(desk(), user()))


@strategies_bp.route("/new", methods=["GET", "POST"])
@heavy_rate_limit
def new() -> ResponseReturnValue:
    """The builder; its address may name a template or picked options. A POST saves, or changes the legs on the page."""
    if request.method == "GET":
        return _builder(picked(desk(), user().id, blank(desk(), user()), request.args), None)
    return _submitted(None)


@strategies_bp.route("/<int:strategy_id>/edit", methods=["GET", "POST"])
@heavy_rate_limit
def edit(strategy_id: int) -> ResponseReturnValue:
    saved = desk().strategies.one(strategy_id, user().id)
    if saved.is_ticket and request.method == "GET":
        return redirect(url_for("strategies.ticket", of=saved.id))
    known = Named(saved.id, saved.spec.name)
    return _builder(stored(saved), known) if request.method == "GET" else _submitted(known)


@strategies_bp.post("/payoff")
def payoff() -> ResponseReturnValue:
    """What the legs on the page would be worth, as a fragment. Saves nothing."""
    try:
        question = asked(submitted(request.form))
    except FormRefused as refused:
        view = payoff_view(desk(), refused.errors)
        return render_template("strategies/fragments/payoff.html", payoff=view), 422
    return render_template("strategies/fragments/payoff.html", payoff=payoff_view(desk(), question))


@strategies_bp.post("/payoff/margin")
@heavy_rate_limit
def payoff_margin() -> ResponseReturnValue:
    """What the broker of the first account that takes part asks for the legs on the page, as a fragment."""
    try:
        margin = margin_view(desk(), user(), submitted(request.form))
    except FormRefused as refused:
        return render_template("strategies/fragments/payoff_margin.html", margin=None, errors=refused.errors), 422
    return render_template("strategies/fragments/payoff_margin.html", margin=margin, errors={})


@strategies_bp.post("/<int:strategy_id>/archive")
def archive(strategy_id: int) -> ResponseReturnValue:
    saved = desk().strategies.one(strategy_id, user().id)
    try:
        desk().strategies.archive(strategy_id, user_id=user().id, username=user().username)
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash(f"{saved.spec.name} is archived. Its runs, orders and trades stay on record.", "ok")
    return redirect(url_for("strategies.index"), 303)


@strategies_bp.post("/<int:strategy_id>/duplicate")
def duplicate(strategy_id: int) -> ResponseReturnValue:
    """A copy under the name that the page proposed; a second press finds that name taken."""
    saved = desk().strategies.one(strategy_id, user().id)
    name = name_in(request.form, "copy")
    try:
        copy = desk().strategies.duplicate(strategy_id, name, user_id=user().id, username=user().username)
    except InvalidInput as refused:
        flash(f"{saved.spec.name} was not copied. {refused}", "bad")
        return redirect(url_for("strategies.index"), 303)
    left = " It does not start by itself: its schedule was not copied." if saved.spec.times.start else ""
    flash(f"{copy.spec.name} is a copy of {saved.spec.name}.{left}", "ok")
    return redirect(url_for("strategies.edit", strategy_id=copy.id), 303)


@strategies_bp.get("/<int:strategy_id>/chart")
def chart(strategy_id: int) -> ResponseReturnValue:
    """To the chart of its combined premium, of the contracts that its legs are at this moment."""
    saved = desk().strategies.one(strategy_id, user().id)
    try:
        legs = chart_legs(desk(), saved.spec.legs)
    except Refused as reason:
        flash(f"There is no chart of {saved.spec.name} now. {reason}", "warn")
        return redirect(url_for("strategies.index"), 303)
    return redirect(url_for("trading.chart", leg=legs), 303)


@strategies_bp.post("/<int:strategy_id>/arm")
def arm(strategy_id: int) -> ResponseReturnValue:
    """Its schedule may trade real money from now on, or (`armed=no`) may not."""
    saved = desk().strategies.one(strategy_id, user().id)
    asked = request.form.getlist("armed")
    if asked not in (["yes"], ["no"]):
        raise InvalidInput("armed", "armed must be yes or no, once. Reload the page and try again.")
    armed = asked == ["yes"]
    if armed != saved.is_armed:
        desk().strategies.arm(strategy_id, armed=armed, user_id=user().id, username=user().username)
    words = "may trade real money by its schedule" if armed else "trades no real money by its schedule"
    flash(f"{saved.spec.name} {words}.", "warn" if armed else "ok")
    return redirect(url_for("strategies.index"), 303)


@strategies_bp.post("/<int:strategy_id>/preview")
@heavy_rate_limit
def make_preview(strategy_id: int) -> ResponseReturnValue:
    return _previewed(strategy_id)


@strategies_bp.get("/previews/<int:preview_id>")
def preview(preview_id: int) -> ResponseReturnValue:
    found = desk().previews.one(preview_id, user().id)
    return render_template("strategies/preview.html", **preview_page(desk(), found))


def _submitted(known: Named | None) -> ResponseReturnValue:
    typed = read(submitted(request.form))
    action = request.form.get("action", "")
    try:
        if action not in _STORING:
            return _builder(_reworked(typed, action), known)
        strategy_id = _saved(typed, known)
    except FormRefused as refused:
        return _builder(typed, known, refused), 422
    if action == "preview":
        return _previewed(strategy_id)
    flash(f"{typed.name} is saved. Nothing was sent.", "ok")
    return redirect(url_for("strategies.index"), 303)


def _saved(typed: Typed, known: Named | None) -> int:
    """The id under which it is kept. Raises FormRefused; then nothing was changed."""
    groups = {group.id for group in desk().groups.shown_to(user())}
    recipe = parse(typed, {account.id for account in desk().accounts.shown_to(user())}, groups)
    try:
        return desk().strategies.save(
            recipe.spec,
            recipe.multipliers,
            groups=recipe.groups,
            notes=recipe.notes,
            user_id=user().id,
            username=user().username,
            strategy_id=known.id if known else None,
        )
    except InvalidInput as refused:
        raise refused_fields(refused, typed) from refused


def _reworked(typed: Typed, action: str) -> Typed:
    """The page with a leg more, a leg less, or a template's legs. Raises FormRefused."""
    if typed.faults:
        raise FormRefused(typed.faults)
    if action == "add_leg":
        return typed.with_leg(blank_leg(desk(), typed))
    if found := _REMOVE.fullmatch(action):
        return typed.without_leg(int(found[1]))
    verb, _, key = action.partition(":")
    if verb != "template":
        raise FormRefused({"action": "This button is not known here (action). Press Save, or Save and preview."})
    try:
        if is_own(key):
            return with_own(typed, own_template(desk(), user().id, key))
        return with_structure(desk(), typed, structure_named(key), underlying_named(typed.template_underlying).name)
    except Refused as missing:
        raise FormRefused({"legs": str(missing)}) from missing


def _previewed(strategy_id: int) -> ResponseReturnValue:
    """Make a preview and go to it; or back to the strategy with the reason why there is none."""
    saved = desk().strategies.one(strategy_id, user().id)
    try:
        made = desk().previews.make(saved.id, user().id)
    except (Refused, Unavailable) as reason:
        flash(f"No preview of {saved.spec.name} could be made; nothing was sent. {reason}", "bad")
        return redirect(url_for("strategies.edit", strategy_id=saved.id), 303)
    return redirect(url_for("strategies.preview", preview_id=made.id), 303)


def _builder(typed: Typed, known: Named | None, refused: FormRefused | None = None) -> str:
    wrong: tuple[dict[str, str], str | None] = ({}, None)
    if refused is not None:
        wrong = (dict(refused.errors), str(refused))
    return render_template("strategies/builder.html", **builder_page(desk(), user(), typed, known, wrong))
