"""Templates of one's own: kept of a strategy, used in the builder, renamed, deleted."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.strategies import strategies_bp
from app.strategies.forms import name_in
from app.strategies.list_page import summary
from app.strategies.picked import OWN
from app.web.desk import desk
from app.web.signed_in import user


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """`key` is what the builder's address names it by."""

    id: int
    name: str
    key: str
    summary: str
    rules: tuple[str, ...]


@strategies_bp.get("/templates")
def templates() -> ResponseReturnValue:
    lines = [
        TemplateLine(one.id, one.name, f"{OWN}{one.id}", summary(one.spec), one.spec.times.words())
        for one in desk().templates.all_of(user().id)
    ]
    return render_template("strategies/templates.html", templates=lines)


@strategies_bp.post("/<int:strategy_id>/template")
def keep_template(strategy_id: int) -> ResponseReturnValue:
    """Keep a strategy, as it was saved, as a template of one's own."""
    saved = desk().strategies.one(strategy_id, user().id)
    name = name_in(request.form, "template")
    try:
        desk().templates.keep(saved.spec, name, user())
    except (Conflict, InvalidInput) as refused:
        flash(f"{saved.spec.name} was not kept as a template. {refused}", "bad")
        return redirect(url_for("strategies.edit", strategy_id=strategy_id), 303)
    flash(f"{name} is a template of yours now.", "ok")
    return redirect(url_for("strategies.templates"), 303)


@strategies_bp.post("/templates/<int:template_id>/rename")
def rename_template(template_id: int) -> ResponseReturnValue:
    desk().templates.one(template_id, user().id)
    name = name_in(request.form, "template")
    try:
        desk().templates.rename(template_id, name, user())
    except InvalidInput as refused:
        flash(str(refused), "bad")
    return redirect(url_for("strategies.templates"), 303)


@strategies_bp.post("/templates/<int:template_id>/delete")
def delete_template(template_id: int) -> ResponseReturnValue:
    template = desk().templates.one(template_id, user().id)
    desk().templates.delete(template_id, user())
    flash(f"The template {template.name} is deleted. Strategies made from it stay as they are.", "ok")
    return redirect(url_for("strategies.templates"), 303)
