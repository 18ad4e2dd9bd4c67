"""The page Calendar: the coming weeks as the desk understands them, and what admins say of a day instead."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from app.domain.calendar_days import LONGEST_REASON, Override, Typed
from app.domain.calendar_hours import TRADED
from app.domain.errors import Conflict, InvalidInput
from app.services.calendar_overrides import KeptOverride
from app.trading import trading_bp
from app.trading.runs import only
from app.web.calendar_view import calendar_view
from app.web.desk import desk
from app.web.forms import DeskForm, FormView, PlainText, stripped
from app.web.roles import admins_only
from app.web.signed_in import user

BOTH = "both"


class OverrideFields(DeskForm):
    """What they mean is judged by the domain; here they are only text."""

    day = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    exchange = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    kind = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    opens = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    closes = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    reason = StringField(filters=[stripped], validators=[PlainText(3, LONGEST_REASON)])

    def typed(self) -> Typed:
        return Typed(
            day=self.day.data or "",
            kind=self.kind.data or "",
            opens=self.opens.data or "",
            closes=self.closes.data or "",
            reason=self.reason.data or "",
        )


@trading_bp.get("/calendar")
def calendar() -> ResponseReturnValue:
    """For everybody to look at; `?change=3` fills the form with an override, `?day=2026-11-08` with a date."""
    kept = desk().calendar_overrides.one(int(chosen)) if (chosen := _number("change")) else None
    form = _stored(kept.said) if kept else FormView(values={"day": request.args.get("day", "")[:10], "kind": "closed"})
    return _page(form, kept)


@trading_bp.post("/calendar")
@admins_only
def add_override() -> ResponseReturnValue:
    """Say what an exchange does on a date, whatever a gateway says."""
    fields = OverrideFields(request.form)
    if not fields.validate():
        return _page(fields.view(), None), 422
    exchange = fields.exchange.data or ""
    try:
        said = desk().calendar_overrides.add(user(), fields.typed(), TRADED if exchange == BOTH else [exchange])
    except InvalidInput as refused:
        return _page(fields.view().refused(refused), None), 422
    except Conflict as refused:
        return _page(FormView(fields.view().values, {"day": str(refused)}), None), 409
    flash(_words(said[0], " and ".join(each.exchange for each in said)), "ok")
    return redirect(url_for("trading.calendar"), 303)


@trading_bp.post("/calendar/<int:override_id>/change")
@admins_only
def change_override(override_id: int) -> ResponseReturnValue:
    kept = desk().calendar_overrides.one(override_id)
    fields = OverrideFields(request.form)
    if not fields.validate():
        return _page(fields.view(), kept), 422
    try:
        said = desk().calendar_overrides.change(user(), override_id, fields.typed(), fields.exchange.data or "")
    except InvalidInput as refused:
        return _page(fields.view().refused(refused), kept), 422
    except Conflict as refused:
        return _page(FormView(fields.view().values, {"day": str(refused)}), kept), 409
    flash(_words(said, said.exchange), "ok")
    return redirect(url_for("trading.calendar"), 303)


@trading_bp.post("/calendar/<int:override_id>/remove")
@admins_only
def remove_override(override_id: int) -> ResponseReturnValue:
    """What a gateway says of that day counts again."""
    only(set())
    said = desk().calendar_overrides.remove(user(), override_id)
    flash(f"{said.exchange} on {said.day:%d %b %Y} is as a gateway says again.", "ok")
    return redirect(url_for("trading.calendar"), 303)


def _page(form: FormView, kept: KeptOverride | None) -> str:
    return render_template(
        "trading/calendar.html",
        calendar=calendar_view(desk()),
        form=form,
        changing=kept,
        can_manage=user().is_admin,
    )


def _stored(said: Override) -> FormView:
    opens, closes = ("", "") if said.hours is None else (f"{each:%H:%M}" for each in said.hours)
    return FormView(
        values={
            "day": said.day.isoformat(),
            "exchange": said.exchange,
            "kind": "closed" if said.hours is None else "hours",
            "opens": opens,
            "closes": closes,
            "reason": said.reason,
        }
    )


def _words(said: Override, exchanges: str) -> str:
    is_now = "It counts within a second." if said.day == calendar_view(desk()).today else ""
    return f"{exchanges} on {said.day:%d %b %Y}: {said.words}. {is_now}".strip()


def _number(name: str) -> str:
    """An id in the address, "" where there is none that can be one."""
    text = request.args.get(name, "")
    return text if text.isascii() and text.isdigit() and len(text) <= 9 else ""
