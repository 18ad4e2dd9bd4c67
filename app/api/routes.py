"""`/api`: what the pages' own modules ask for; the scripts' API stands beside it."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.services.kill_switch import Target
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.idempotency import form_key
from app.web.signed_in import user
from app.web.targets import target_named

api_bp = Blueprint("api", __name__, url_prefix="/api")


@api_bp.get("/session")
@api_rate_limit
def session() -> ResponseReturnValue:
    """Who is signed in: a page that was open all night asks before it acts."""
    who = user()
    return jsonify({"username": who.username, "role": who.role})


@api_bp.get("/trading/states")
@api_rate_limit
def trading_states() -> ResponseReturnValue:
    """What is halted or reduce-only and concerns this user; an empty list means that entries are taken."""
    return jsonify(
        [
            {
                "target": Target(standing.scope, standing.scope_id).name,
                "state": standing.state.value,
                "by": standing.actor,
                "at": standing.at.isoformat(),
                "why": standing.why,
            }
            for standing in desk().kill_switch.standings(user())
        ]
    )


@api_bp.post("/trading/kill")  # never slowed down: whoever is in a hurry here has a reason
def kill() -> ResponseReturnValue:
    """Halt, cancel, close: `target` and `idempotency_key` as the page of the kill switch sends them."""
    repeated = next((name for name, values in request.form.lists() if len(values) > 1), None)
    if repeated is not None:
        raise InvalidInput(repeated, f"{repeated} must be given once.")
    target, key = target_named(request.form.get("target", "")), form_key()
    return jsonify({"command_id": desk().kill_switch.kill(target, actor=user(), key=key)}), 202
