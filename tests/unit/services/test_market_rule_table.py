"""Market rules as admins keep them: what is taken, what is refused, what holds afterwards."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.errors import InvalidInput, NotFound
from app.domain.market_rules import MissingRule, RuleKind
from app.domain.rule_typing import FACTS, TypedRule, Unit, rule_of
from app.services.activity import Activity
from app.services.margin_settings import MarginSettings
from app.services.market_rule_table import AREA, MarketRuleTable
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.test_margin_settings import Admin

FREEZE = TypedRule("freeze", "NIFTY", "1800", "2026-12-01", "NSE circular")
TODAY, LATER = date(2026, 11, 23), date(2026, 12, 7)


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


@pytest.fixture
def table(world: OrderWorld) -> MarketRuleTable:
    return MarketRuleTable(world.database, world.clock, Activity(world.database, world.clock))


def test_a_rule_holds_from_its_day_until_the_next(world: OrderWorld, table: MarketRuleTable) -> None:
    table.add(Admin(), replace(FREEZE, value="1200", valid_from="2026-11-02"))
    table.add(Admin(), FREEZE)
    assert (table.book().freeze("NIFTY", TODAY), table.book().freeze("NIFTY", LATER)) == (1200, 1800)
    with pytest.raises(InvalidInput, match="01 Dec 2026 already") as refused:
        table.add(Admin(), replace(FREEZE, value="900"))
    assert refused.value.field == "valid_from"
    newest, *_ = table.kept()
    table.remove(Admin(), newest.id)
    assert table.book().freeze("NIFTY", LATER) == 1200, "the one before holds again, at once"
    with pytest.raises(NotFound):
        table.remove(Admin(), newest.id)
    with pytest.raises(MissingRule):
        table.book().freeze("SENSEX", TODAY)
    changes = MarginSettings(world.database, world.clock, Activity(world.database, world.clock)).changes(AREA)
    assert [(each.was is None, each.now is None) for each in changes] == [(False, True), (True, False), (True, False)]
    assert changes[-1].now == "1200 units from 02 Nov 2026 (NSE circular)"


def test_every_kind_can_be_typed() -> None:
    for kind, facts in FACTS.items():
        index = "NIFTY" if facts.per_index else ""
        value = "15:15" if facts.unit is Unit.CLOCK else "2"
        assert rule_of(TypedRule(kind.value, index, value, "2026-12-01", "a page")).kind is kind
    assert set(FACTS) == set(RuleKind)
    assert rule_of(TypedRule("band_option", "", "40", "2026-12-01", "a page")).value == Decimal("0.4"), (
        "typed as percent"
    )
    assert rule_of(TypedRule("gst", "", "0", "2026-12-01", "a page")).value == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "freezing"}, "kind"),
        ({"underlying": ""}, "underlying"),
        ({"underlying": "NIFTYX"}, "underlying"),
        ({"kind": "gst", "value": "18"}, "underlying"),
        ({"value": "1"}, "value"),
        ({"value": "1800.5"}, "value"),
        ({"value": "0"}, "value"),
        ({"value": "-1"}, "value"),
        ({"value": "1,800"}, "value"),
        ({"kind": "stt_option", "underlying": "", "value": "15"}, "value"),
        ({"kind": "band_option", "underlying": "", "value": "0"}, "value"),
        ({"kind": "band_option", "underlying": "", "value": "0.12345"}, "value"),
        ({"valid_from": "1-12-2026"}, "valid_from"),
        ({"valid_from": "2019-01-01"}, "valid_from"),
        ({"source": ""}, "source"),
        ({"source": "x" * 201}, "source"),
    ],
)
def test_what_cannot_hold_names_its_field(changes: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rule_of(replace(FREEZE, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["9:15", "08:59", "24:00", "15:60", "915", "15.15", ""])
def test_a_cut_off_is_typed_as_a_time_of_the_day(text: str) -> None:
    with pytest.raises(InvalidInput, match="time of the day in India") as refused:
        rule_of(TypedRule("cut_off", "", text, "2026-12-01", "a page"))
    assert refused.value.field == "value"
    typed = rule_of(TypedRule("cut_off", "", "15:20", "2026-12-01", "a page"))
    assert (typed.value, FACTS[RuleKind.CUT_OFF].words(typed.value)) == (920, "15:20 IST")
