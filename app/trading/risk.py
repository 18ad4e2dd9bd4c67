"""The risk page: what each account's day may bring and how much of it is used, locks, states, rules that fired."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.services.people import TooManyTries
from app.trading import trading_bp
from app.trading.kill import LONGEST_PASSWORD
from app.trading.risk_page import risk_page
from app.trading.runs import only
from app.web.desk import desk
from app.web.signed_in import user
from app.web.targets import target_named


@trading_bp.get("/risk")
def risk() -> ResponseReturnValue:
    return render_template("trading/risk.html", risk=risk_page(desk(), user()))


@trading_bp.post("/risk/reduce")
def reduce() -> ResponseReturnValue:
    """Only exits from now on. However often it is sent, it is one state."""
    target = target_named(only({"target"}).get("target", ""))
    try:
        desk().kill_switch.reduce(target, actor=user())
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash("Only exits are sent from now on.", "ok")
    return redirect(url_for("trading.risk"), 303)


@trading_bp.post("/risk/locks/<int:lock_id>/lift")
def lift_lock(lock_id: int) -> ResponseReturnValue:
    """Entries are taken again in that account. The password is asked for anew."""
    password = only({"password"}).get("password", "")
    if not password.isprintable() or not 0 < len(password) <= LONGEST_PASSWORD:
        raise InvalidInput("password", "Type your password to lift the lock.")
    try:
        desk().days.locks.lift(lock_id, actor=user(), password=password, address=request.remote_addr or "unknown")
    except (InvalidInput, TooManyTries, Conflict) as refused:
        flash(f"Still locked. {refused}", "bad")
    else:
        flash("Lifted: entries are taken again. That limit is not judged again today.", "ok")
    return redirect(url_for("trading.risk"), 303)
