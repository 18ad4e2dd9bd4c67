"""The acknowledgement of a database that was set back: asked for on the page of what is foreign."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.trading import trading_bp
from app.trading.runs import only
from app.web.desk import desk
from app.web.roles import admins_only
from app.web.signed_in import user

MOST_DIGITS = 9


@trading_bp.post("/reconciliation/acknowledge")
@admins_only
def acknowledge_setback() -> ResponseReturnValue:
    """Entries are taken again. However often it is sent, it is one acknowledgement."""
    said = only({"setback_id"}).get("setback_id", "")
    if not (said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS):
        raise InvalidInput("setback_id", "setback_id is the number that the page shows.")
    try:
        desk().setbacks.acknowledge(int(said), actor=user())
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash("Acknowledged: entries are taken again once the engine has noticed.", "ok")
    return redirect(url_for("trading.reconciliation"), 303)
