"""Foreign positions: adopted, which is asked of the engine, or ignored, which is only written down."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, Unavailable
from app.services.adoption_commands import Adopt
from app.trading import trading_bp
from app.trading.runs import only
from app.web.desk import desk
from app.web.idempotency import form_key
from app.web.places import PLACE_FIELDS, RULES_FIELDS, UNITS_FIELDS, average_in, chosen_rules_in, place_in, units_in
from app.web.signed_in import user


@trading_bp.post("/reconciliation/adopt")
def adopt_position() -> ResponseReturnValue:
    """Ask to make the foreign units a run. However often a rendered form is sent, it is one adoption."""
    form = only({*PLACE_FIELDS, *UNITS_FIELDS, *RULES_FIELDS, "average", "idempotency_key"})
    wanted = Adopt(*place_in(form), units_in(form), average_in(form), chosen_rules_in(form))
    key = form_key()
    try:
        desk().adoptions.ask(wanted, actor=user(), key=key)
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash("Asked to adopt it. The account's books are read twice first; what comes of it stands below.", "info")
    return _back()


@trading_bp.post("/reconciliation/ignore")
def ignore_position() -> ResponseReturnValue:
    form = only({*PLACE_FIELDS, *UNITS_FIELDS})
    place, units = place_in(form), units_in(form)
    try:
        desk().reconciliation.ignore(user(), place, units)
    except (Conflict, Unavailable) as refused:
        flash(f"Nothing is ignored. {refused}", "bad")
    return _back()


@trading_bp.post("/reconciliation/unignore")
def unignore_position() -> ResponseReturnValue:
    place = place_in(only(set(PLACE_FIELDS)))
    try:
        desk().reconciliation.take_back(user(), place)
    except Conflict as refused:
        flash(str(refused), "info")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("trading.reconciliation"), 303)
