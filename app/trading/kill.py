"""The kill switch: one page that says what happens, the button, then how far it is; and its release."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.services.people import TooManyTries
from app.trading import trading_bp
from app.trading.kill_page import kill_page
from app.trading.runs import only
from app.web.desk import desk
from app.web.idempotency import form_key
from app.web.places import ticked_in
from app.web.signed_in import user
from app.web.targets import target_named

LONGEST_PASSWORD = 1024


@trading_bp.get("/kill")
def kill() -> ResponseReturnValue:
    return render_template("trading/kill.html", **kill_page(desk(), user()))


@trading_bp.get("/kill/live")
def kill_live() -> ResponseReturnValue:
    """How far it is, fetched again and again."""
    return render_template("trading/fragments/kill_live.html", **kill_page(desk(), user()))


@trading_bp.post("/kill")
def press_kill() -> ResponseReturnValue:
    """Halt, cancel, close. However often a rendered form is sent, it is one kill."""
    form = only({"target", "idempotency_key"}, several={"foreign"})
    target, ticked = target_named(form.get("target", "")), ticked_in(form.getlist("foreign"))
    key = form_key()
    try:
        desk().kill_switch.kill(target, actor=user(), key=key, ticked=ticked)
    except Conflict as refused:
        flash(str(refused), "bad")
    return redirect(url_for("trading.kill"), 303)


@trading_bp.post("/kill/release")
def release_kill() -> ResponseReturnValue:
    form = only({"target", "password"})
    target, password = target_named(form.get("target", "")), form.get("password", "")
    if not password.isprintable() or not 0 < len(password) <= LONGEST_PASSWORD:
        raise InvalidInput("password", "Type your password to release the kill switch.")
    try:
        desk().kill_switch.release(target, actor=user(), password=password, address=request.remote_addr or "unknown")
    except (InvalidInput, TooManyTries, Conflict) as refused:
        flash(f"Still halted. {refused}", "bad")
    else:
        flash("Released: entries are taken again. Nothing was started again.", "ok")
    return redirect(url_for("trading.kill"), 303)
