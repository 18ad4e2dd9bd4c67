"""Rules of a strategy for an adopted position: shown with what they are measured from, then asked of the engine."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.trading import trading_bp
from app.trading.runs import only
from app.web.desk import desk
from app.web.idempotency import form_key
from app.web.places import RULES_FIELDS, chosen_rules_in, place_in
from app.web.rule_offers import PositionView, of_place, of_run, offer_for, strategy_in
from app.web.signed_in import user


@trading_bp.get("/reconciliation/rules")
def position_rules() -> ResponseReturnValue:
    """A foreign position, and what each strategy's rules come to for it; adopting it with them is a form there."""
    return _page(of_place(desk(), user(), place_in(request.args)), run_id=None)


@trading_bp.route("/runs/<int:run_id>/rules", methods=["GET", "POST"])
def run_rules(run_id: int) -> ResponseReturnValue:
    """The same for a run that was adopted; a form there asks to put it under them, instead of those it is under."""
    return _give(run_id) if request.method == "POST" else _page(of_run(desk(), user(), run_id), run_id=run_id)


def _give(run_id: int) -> ResponseReturnValue:
    """However often a rendered form is sent, it is one ask."""
    chosen, key = chosen_rules_in(only({*RULES_FIELDS, "idempotency_key"})), form_key()
    if chosen is None:
        raise InvalidInput("strategy_id", "Choose the strategy whose rules are to watch it (strategy_id).")
    try:
        desk().rules.ask(run_id, chosen, actor=user(), key=key)
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash("Asked to put it under these rules. An event below says when they hold.", "info")
    return redirect(url_for("trading.run", run_id=run_id), 303)


def _page(position: PositionView, *, run_id: int | None) -> str:
    strategy_id = strategy_in(request.args)
    offer, trouble = None, None
    if strategy_id is not None:
        try:
            offer = offer_for(desk(), user(), position, strategy_id)
        except Unavailable as no:
            trouble = str(no)
    strategies = [(one.id, one.spec.name) for one in desk().strategies.all_of(user().id)]
    return render_template(
        "trading/given_rules.html",
        position=position, run_id=run_id, strategies=strategies, offer=offer, trouble=trouble,
    )  # fmt: skip
