"""The first run, signing in and out."""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.auth.forms import LoginForm, SetupForm
from app.domain.errors import InvalidInput
from app.services.people import Person, TooManyTries
from app.web.desk import desk
from app.web.extensions import auth_rate_limit
from app.web.forms import FormView
from app.web.security import safe_next
from app.web.signed_in import begin, end, user
from app.web.sockets import disconnect_user

auth_bp = Blueprint("auth", __name__, url_prefix="/auth")


@auth_bp.route("/setup", methods=["GET", "POST"])
@auth_rate_limit
def setup() -> ResponseReturnValue:
    """Make the first user, an admin, with the token that was printed at the start."""
    if desk().people.anybody():
        flash("This desk has its first user already. Sign in.", "info")
        return redirect(url_for("auth.login"), 303)
    if request.method == "GET":
        return render_template("auth/setup.html", form=FormView())
    form = SetupForm(request.form)
    if not form.validate():
        return render_template("auth/setup.html", form=form.view()), 422
    try:
        person = desk().people.register_first(
            form.setup_token.data or "", form.username.data or "", form.password.data or "", _address()
        )
    except InvalidInput as refused:
        return render_template("auth/setup.html", form=form.view().refused(refused)), 422
    return _welcome(person, None)


@auth_bp.route("/login", methods=["GET", "POST"])
@auth_rate_limit
def login() -> ResponseReturnValue:
    """Sign in, then go on to where the visitor wanted to go on this site."""
    if not desk().people.anybody():
        return redirect(url_for("auth.setup"), 303)
    next_url = safe_next(request.values.get("next"))
    if current_user.is_authenticated and request.method == "GET":
        return redirect(next_url or url_for("main.dashboard"), 303)
    if request.method == "GET":
        return render_template("auth/login.html", form=FormView(), next_url=next_url)
    form = LoginForm(request.form)
    if not form.validate():
        return render_template("auth/login.html", form=form.view(), next_url=next_url), 422
    try:
        person = desk().people.sign_in(form.username.data or "", form.password.data or "", _address())
    except (InvalidInput, TooManyTries) as refused:
        page = render_template("auth/login.html", form=replace(form.view(), error=str(refused)), next_url=next_url)
        if isinstance(refused, TooManyTries):
            return page, 429, {"Retry-After": str(refused.wait_s)}
        return page, 422
    return _welcome(person, next_url)


@auth_bp.post("/logout")
def logout() -> ResponseReturnValue:
    disconnect_user(user().id)
    end()
    flash("You are signed out.", "info")
    return redirect(url_for("auth.login"), 303)


def _welcome(person: Person, next_url: str | None) -> ResponseReturnValue:
    begin(person)
    return redirect(next_url or url_for("main.dashboard"), 303)


def _address() -> str:
    return request.remote_addr or "unknown"
