"""The page Market rules: what no gateway tells, each from a date on and with its source. Admins add to it."""

from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from app.domain.calendar import trading_date
from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput
from app.domain.rule_typing import FACTS, LONGEST_SOURCE, OTHER_INDICES, TypedRule, Unit
from app.margin import margin_bp
from app.services.market_rule_table import AREA, KeptRule
from app.web.desk import desk
from app.web.forms import DeskForm, FormView, PlainText, stripped
from app.web.market_time import market_now
from app.web.roles import admins_only
from app.web.signed_in import user


class RuleFields(DeskForm):
    kind = StringField(filters=[stripped], validators=[PlainText(0, 32)])
    underlying = StringField(filters=[stripped], validators=[PlainText(0, 32)])
    value = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    valid_from = StringField(filters=[stripped], validators=[PlainText(0, 20)])
    source = StringField(filters=[stripped], validators=[PlainText(0, LONGEST_SOURCE)])

    def typed(self) -> TypedRule:
        return TypedRule(
            self.kind.data or "",
            self.underlying.data or "",
            self.value.data or "",
            self.valid_from.data or "",
            self.source.data or "",
        )


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`state`: holds, coming, over; unknown while nobody can say the market's date."""

    id: int
    label: str
    underlying: str | None
    value: str
    valid_from: date
    source: str
    state: str


@margin_bp.get("/rules")
def rules() -> ResponseReturnValue:
    """`?kind=freeze&underlying=NIFTY` fills the form, as the refusal of a missing rule names it."""
    values = {name: request.args.get(name, "")[:32] for name in ("kind", "underlying")}
    return _page(FormView(values=values))


@margin_bp.post("/rules")
@admins_only
def add_rule() -> ResponseReturnValue:
    fields = RuleFields(request.form)
    if not fields.validate():
        return _page(fields.view()), 422
    try:
        rule = desk().market_rules.add(user(), fields.typed())
    except InvalidInput as refused:
        return _page(fields.view().refused(refused)), 422
    flash(f"{FACTS[rule.kind].label}: {FACTS[rule.kind].words(rule.value)} from {rule.valid_from:%d %b %Y}.", "ok")
    return redirect(url_for("margin.rules"), 303)


@margin_bp.post("/rules/<int:rule_id>/remove")
@admins_only
def remove_rule(rule_id: int) -> ResponseReturnValue:
    rule = desk().market_rules.remove(user(), rule_id)
    flash(f"{FACTS[rule.kind].label}: the rule of {rule.valid_from:%d %b %Y} is removed.", "ok")
    return redirect(url_for("margin.rules"), 303)


def _page(form: FormView) -> str:
    now = market_now(desk())
    return render_template(
        "margin/rules.html",
        form=form,
        rows=_rows(desk().market_rules.kept(), None if now is None else trading_date(now)),
        missing=_missing(desk().market_rules.kept()),
        kinds=[(kind.value, f"{facts.label}, {_typed_unit(facts.unit)}") for kind, facts in FACTS.items()],
        indices=[each.name for each in UNDERLYINGS] + list(OTHER_INDICES),
        changes=desk().margin_settings.changes(AREA),
        can_manage=user().is_admin,
    )


def _typed_unit(unit: Unit) -> str:
    return "%" if unit is Unit.FRACTION else unit.value


def _rows(kept: tuple[KeptRule, ...], today: date | None) -> list[RuleRow]:
    """By kind and index, the newest first: what holds now stands above what it superseded."""
    places = {kind: place for place, kind in enumerate(FACTS)}
    rows, holding = [], set()
    for each in sorted(
        kept, key=lambda one: (places[one.rule.kind], one.rule.underlying or "", -one.rule.valid_from.toordinal())
    ):
        rule = each.rule
        place = (rule.kind, rule.underlying)
        if today is None:
            state = "unknown"
        elif rule.valid_from > today:
            state = "coming"
        else:
            state = "over" if place in holding else "holds"
            holding.add(place)
        facts = FACTS[rule.kind]
        rows.append(
            RuleRow(each.id, facts.label, rule.underlying, facts.words(rule.value), rule.valid_from, rule.source, state)
        )
    return rows


def _missing(kept: tuple[KeptRule, ...]) -> list[tuple[str, str]]:
    """Kinds without any rule, as value and label: whatever needs one is refused or unknown, by name."""
    known = {each.rule.kind for each in kept}
    return [(kind.value, facts.label) for kind, facts in FACTS.items() if kind not in known]
