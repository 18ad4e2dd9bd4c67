"""Which rules of a strategy can watch an adopted position, and putting it under them."""

from dataclasses import asdict

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp, once_each
from app.domain.errors import InvalidInput
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.idempotency import form_key
from app.web.places import chosen_rules_in, place_in
from app.web.rule_offers import PositionView, of_place, of_run, offer_for, strategy_in
from app.web.signed_in import user


@api_bp.get("/reconciliation/rules")
@api_rate_limit
def position_rules() -> ResponseReturnValue:
    """What the rules of `strategy_id` come to for a foreign position; `digest` is what an adoption gives as `rules`."""
    return _offered(of_place(desk(), user(), place_in(request.args)))


@api_bp.route("/runs/<int:run_id>/rules", methods=["GET", "POST"])
@api_rate_limit
def run_rules(run_id: int) -> ResponseReturnValue:
    """The same for a run that was adopted and has no rules.

    `POST` puts it under what was shown: `strategy_id`, and its `digest` as `rules`. Its events say what came of it.
    """
    return _give(run_id) if request.method == "POST" else _offered(of_run(desk(), user(), run_id))


def _give(run_id: int) -> ResponseReturnValue:
    once_each()
    chosen, key = chosen_rules_in(request.form), form_key()
    if chosen is None:
        raise InvalidInput("strategy_id", "strategy_id must name the strategy whose rules are to watch it.")
    return jsonify({"command_id": desk().rules.ask(run_id, chosen, actor=user(), key=key)}), 202


def _offered(position: PositionView) -> ResponseReturnValue:
    strategy_id = strategy_in(request.args)
    if strategy_id is None:
        raise InvalidInput("strategy_id", "strategy_id must name the strategy whose rules are meant.")
    shown = {"average": position.average, "units": position.units, "pnl": position.total}
    return jsonify({**shown, **asdict(offer_for(desk(), user(), position, strategy_id))})
