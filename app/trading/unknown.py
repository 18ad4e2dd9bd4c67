"""Sending an exit of unknown outcome again: asked for by name, stored for the engine, which sends it once."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.services.overrides import Override
from app.trading import trading_bp
from app.trading.runs import id_in, only
from app.web.desk import desk
from app.web.idempotency import form_key
from app.web.signed_in import user


@trading_bp.post("/runs/<int:run_id>/send-again")
def send_again(run_id: int) -> ResponseReturnValue:
    """Ask to send the exit of one leg in one account again. However often a rendered form is sent, it is one order."""
    form = only({"account_id", "leg_id", "confirm", "idempotency_key"})
    wanted = Override(
        id_in(form, "account_id", "The account is not named (account_id)."),
        id_in(form, "leg_id", "The leg is not named (leg_id)."),
    )
    if form.get("confirm") != "yes":
        raise InvalidInput("confirm", "Nothing was sent: tick to confirm that it may be closed twice, then send again.")
    key = form_key()
    try:
        desk().overrides.ask(run_id, wanted, actor=user(), key=key)
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash("Asked to send the exit again, in your name. What comes of it follows below.", "info")
    return redirect(url_for("trading.run", run_id=run_id), 303)
