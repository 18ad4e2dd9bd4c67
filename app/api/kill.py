"""The kill switch for scripts: what is halted, how far its uses are, what is foreign, and pressing it."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp, once_each
from app.services.foreign_positions import foreign_positions
from app.services.kill_switch import Kill, Target
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.idempotency import form_key
from app.web.places import ticked_in
from app.web.signed_in import user
from app.web.targets import target_named


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


@api_bp.get("/trading/kill")
@api_rate_limit
def kills() -> ResponseReturnValue:
    """Its newest uses, and what the brokers hold that is foreign: `foreign` names it to the switch, null where no tick
    takes it along, since the broker has less than our fills say.
    """
    found = foreign_positions(desk().database, desk().run_board, desk().accounts.shown_to(user()))
    rows = [
        {
            "foreign": None if each.ticked is None else each.ticked.name,
            "account": each.account,
            "symbol": each.symbol,
            "product": each.product,
            "units": each.units,
        }
        for each in found
    ]
    return jsonify({"kills": [_kill(each) for each in desk().kill_switch.kills(user())], "foreign": rows})


@api_bp.post("/trading/kill")  # never slowed down: whoever is in a hurry here has a reason
def kill() -> ResponseReturnValue:
    """Halt, cancel, close: `target` and `idempotency_key` as the page of the kill switch sends them.

    `foreign`, as often as there are any, names what goes along, as `GET` shows it. `GET` says how far it is.
    """
    once_each(but="foreign")
    target, key = target_named(request.form.get("target", "")), form_key()
    ticked = ticked_in(request.form.getlist("foreign"))
    command_id = desk().kill_switch.kill(target, actor=user(), key=key, ticked=ticked)
    return jsonify({"command_id": command_id}), 202


def _kill(used: Kill) -> dict[str, object]:
    return {
        "command_id": used.command_id,
        "target": used.target.name,
        "by": used.actor,
        "at": used.asked_at.isoformat(),
        "answer": used.answer,
        "flat_at": None if used.flat_at is None else used.flat_at.isoformat(),
        "alarm_at": None if used.alarm_at is None else used.alarm_at.isoformat(),
        "along": [{"foreign": each.ticked.name, "run_id": each.run_id, "refused": each.refused} for each in used.along],
    }
