"""The tables that sizes follow from: percentages of the grades and margin requirements. Admins change them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput
from app.domain.margin_table import Day, Need
from app.domain.sizing import Grade, Profile
from app.margin import margin_bp
from app.services.margin_settings import GRADES, LONGEST_SOURCE, REQUIREMENTS
from app.web.desk import desk
from app.web.forms import DeskForm, FormView, PlainText, stripped
from app.web.roles import admins_only
from app.web.signed_in import user


class GradeFields(DeskForm):
    grade = StringField(filters=[stripped], validators=[PlainText(0, 1)])
    percent = StringField(filters=[stripped], validators=[PlainText(0, 10)])


class RequirementFields(DeskForm):
    underlying = StringField(filters=[stripped], validators=[PlainText(0, 32)])
    need = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    day = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    amount = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    source = StringField(filters=[stripped], validators=[PlainText(0, LONGEST_SOURCE)])

    def place(self) -> tuple[str, str, str]:
        return self.underlying.data or "", self.need.data or "", self.day.data or ""


@margin_bp.get("/grades")
def grades() -> ResponseReturnValue:
    return _grades_page(FormView())


@margin_bp.post("/grades")
@admins_only
def set_grade() -> ResponseReturnValue:
    fields = GradeFields(request.form)
    if not fields.validate():
        return _grades_page(fields.view()), 422
    grade = fields.grade.data or ""
    try:
        changed = desk().margin_settings.set_grade(user(), grade, fields.percent.data or "")
    except InvalidInput as refused:
        return _grades_page(fields.view().refused(refused)), 422
    flash(f"Grade {grade} {'is' if changed else 'was'} {fields.percent.data} %. The next preview counts by it.", "ok")
    return redirect(url_for("margin.grades"), 303)


@margin_bp.get("/requirements")
def requirements() -> ResponseReturnValue:
    """`?underlying=NIFTY&need=futures&day=other_days` fills the form with a row, or with what is missing."""
    values = {name: request.args.get(name, "")[:32] for name in ("underlying", "need", "day")}
    for row in desk().margin_settings.requirements():
        if (row.underlying, row.need.value, row.day.value) == tuple(values.values()):
            values |= {"amount": f"{row.amount:.2f}".removesuffix(".00"), "source": row.source}
    return _requirements_page(FormView(values=values))


@margin_bp.post("/requirements")
@admins_only
def set_requirement() -> ResponseReturnValue:
    fields = RequirementFields(request.form)
    if not fields.validate():
        return _requirements_page(fields.view()), 422
    try:
        said = desk().margin_settings.set_requirement(
            user(), fields.place(), fields.amount.data or "", fields.source.data or ""
        )
    except InvalidInput as refused:
        return _requirements_page(fields.view().refused(refused)), 422
    flash(f"{said.words}: {said.amount:f} rupees a lot.", "ok")
    return redirect(url_for("margin.requirements"), 303)


@margin_bp.post("/requirements/remove")
@admins_only
def remove_requirement() -> ResponseReturnValue:
    """From now on whoever would need the row is refused, which names it."""
    fields = RequirementFields(request.form)
    if not fields.validate():
        name, sentence = next(iter(fields.view().errors.items()))
        raise InvalidInput(name, f"{sentence} ({name})")
    desk().margin_settings.remove_requirement(user(), fields.place())
    flash("The row is removed. Whoever needs it is not sized until it is there again.", "ok")
    return redirect(url_for("margin.requirements"), 303)


def _grades_page(form: FormView) -> str:
    known = desk().margin_settings.grades()
    return render_template(
        "margin/grades.html",
        form=form,
        rows=[(grade.value, known.get(grade), _profile_of(grade)) for grade in Grade],
        changes=desk().margin_settings.changes(GRADES),
        can_manage=user().is_admin,
    )


def _profile_of(grade: Grade) -> str:
    return next(profile.value for profile in Profile if profile.grade is grade)


def _requirements_page(form: FormView) -> str:
    rows = desk().margin_settings.requirements()
    known = {(row.underlying, row.need, row.day): row for row in rows}
    return render_template(
        "margin/requirements.html",
        form=form,
        indices=[each.name for each in UNDERLYINGS],
        needs=[(need.value, need.words) for need in Need],
        days=[(day.value, day.words) for day in Day],
        cells={(index, need.value, day.value): row for (index, need, day), row in known.items()},
        changes=desk().margin_settings.changes(REQUIREMENTS),
        can_manage=user().is_admin,
    )
