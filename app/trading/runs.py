"""Runs: sent from a preview, watched, got out of. Nothing is traded here: what is asked is stored for the engine."""

import re
from collections.abc import Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.domain.errors import Conflict, InvalidInput
from app.services.commands import ExitScope
from app.trading import trading_bp
from app.trading.chart_page import chart_of_run
from app.trading.divergence_page import divergence_page
from app.trading.run_list import runs_page
from app.trading.run_page import run_page
from app.web.desk import desk
from app.web.forms import submitted
from app.web.idempotency import form_key
from app.web.owners import mine
from app.web.run_sizes import plans_of_run, size_rows
from app.web.signed_in import user

_ID = re.compile(r"[0-9]{1,9}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RELOAD = "Reload the page and try again."


@trading_bp.get("/runs")
def runs() -> ResponseReturnValue:
    return render_template("trading/runs.html", **runs_page(desk(), user()))


@trading_bp.post("/runs")
def start_run() -> ResponseReturnValue:
    """Send what a preview shows. However often it is pressed, a preview makes one run."""
    form = only({"preview_id", "digest", "idempotency_key"})
    preview_id = id_in(form, "preview_id", "The preview is not named (preview_id).")
    digest = form.get("digest", "")
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput("digest", f"digest must be the 64 letters and digits that the preview shows. {_RELOAD}")
    key = form_key()
    try:
        run_id = _sent(preview_id, digest, key)
    except Conflict as refused:
        flash(f"Nothing was sent. {refused}", "bad")
        return redirect(url_for("strategies.preview", preview_id=preview_id), 303)
    return redirect(url_for("trading.run", run_id=run_id), 303)


@trading_bp.get("/runs/<int:run_id>")
def run(run_id: int) -> ResponseReturnValue:
    mine(desk(), user(), run_id)
    sizes = size_rows(plans_of_run(desk(), user(), run_id))
    chart = chart_of_run(desk(), desk().run_board.view(run_id))
    return render_template("trading/run.html", sizes=sizes, chart=chart, **run_page(desk(), user(), run_id))


@trading_bp.get("/runs/<int:run_id>/divergence")
def divergence(run_id: int) -> ResponseReturnValue:
    """What the entries of each account cost it against the others'."""
    mine(desk(), user(), run_id)
    return render_template("trading/divergence.html", **divergence_page(desk(), run_id))


@trading_bp.get("/runs/<int:run_id>/live")
def run_live(run_id: int) -> ResponseReturnValue:
    """The run without its frame, fetched again when something changed."""
    mine(desk(), user(), run_id)
    return render_template("trading/fragments/run_live.html", **run_page(desk(), user(), run_id))


@trading_bp.post("/runs/<int:run_id>/exit")
def exit_run(run_id: int) -> ResponseReturnValue:
    """Ask to get out of a run, a leg, an account, or one leg of one account."""
    scope = _scope(only({"scope", "leg_id", "account_id", "with_shorts", "idempotency_key"}))
    key = form_key()
    try:
        desk().commands.exit_run(
            run_id, scope, user_id=user().id, username=user().username, key=key, is_admin=user().is_admin
        )
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash(f"Asked to exit {_words(scope)}. Cancels and closing orders follow below.", "info")
    return redirect(url_for("trading.run", run_id=run_id), 303)


def _sent(preview_id: int, digest: str, key: str) -> int:
    """The id of the run. Raises NotFound, and Conflict when nothing of the preview can be sent."""
    if not desk().previews.one(preview_id, user().id).plan.taking_part:
        raise Conflict("Every account of this preview is skipped.")
    run_id: int = desk().commands.start_run(preview_id, digest, user_id=user().id, username=user().username, key=key)
    return run_id


def only(names: set[str], *, several: Collection[str] = ()) -> MultiDict[str, str]:
    """The submitted form. Raises InvalidInput for a field it does not have, or one sent twice and not in `several`."""
    form = submitted(request.form)
    for name in form:
        if name not in names and name not in several:
            raise InvalidInput(name[:40], f"This form has no field {name[:40]}. {_RELOAD}")
        if name not in several and len(form.getlist(name)) > 1:
            raise InvalidInput(name, f"{name} was sent more than once. {_RELOAD}")
    return form


def _scope(form: MultiDict[str, str]) -> ExitScope:
    """`scope` says which ids must be there; one that does not belong is refused, since it says something else."""
    word = form.get("scope", "")
    needed = {"all": (), "leg": ("leg_id",), "account": ("account_id",), "cell": ("account_id", "leg_id")}.get(word)
    if needed is None:
        raise InvalidInput("scope", f"scope must be all, leg, account or cell. {_RELOAD}")
    for name in ("account_id", "leg_id"):
        if name in form and name not in needed:
            raise InvalidInput(name, f"{name} does not go with an exit of {word}. {_RELOAD}")
    ids = {name: id_in(form, name, f"An exit of {word} must name its {name}.") for name in needed}
    along = form.get("with_shorts", "")
    if along not in {"", "yes"} or (along and "leg_id" not in needed):
        raise InvalidInput("with_shorts", f"with_shorts must be yes, and goes with an exit of a leg. {_RELOAD}")
    return ExitScope(account_id=ids.get("account_id"), leg=ids.get("leg_id"), with_shorts=bool(along))


def id_in(form: MultiDict[str, str], name: str, missing: str) -> int:
    """The id in that field. Raises InvalidInput; `missing` is the sentence for when it is not there."""
    text = form.get(name, "")
    if not text:
        raise InvalidInput(name, f"{missing} {_RELOAD}")
    if not _ID.fullmatch(text):
        raise InvalidInput(name, f"{name} must be a whole number. {_RELOAD}")
    return int(text)


def _words(scope: ExitScope) -> str:
    if scope.with_shorts:
        return "that leg and the shorts it hedges"
    if scope.leg is None:
        return "everything" if scope.account_id is None else "that account"
    return "that leg" if scope.account_id is None else "that leg in that account"
