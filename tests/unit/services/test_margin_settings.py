"""Percentages and requirements: what is taken, what is refused, and who changed what."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import InvalidInput, NotFound
from app.domain.margin_table import Day, MissingRequirement, Need
from app.domain.sizing import Grade
from app.persistence.tables import ActivityLog
from app.services.activity import Activity
from app.services.margin_settings import GRADES, REQUIREMENTS, MarginSettings
from tests.unit.services.order_world import OrderWorld

PLACE = ("BANKNIFTY", "ce_or_pe_sell", "other_days")


@dataclass
class Admin:
    id: int = 1
    username: str = "asha"
    is_admin: bool = True


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path)


@pytest.fixture
def settings(world: OrderWorld) -> MarginSettings:
    return MarginSettings(world.database, world.clock, Activity(world.database, world.clock))


def test_a_grade_is_changed_once_and_the_change_is_kept(world: OrderWorld, settings: MarginSettings) -> None:
    assert settings.set_grade(Admin(), Grade.B, "65")
    assert settings.set_grade(Admin(), Grade.B, "62.5")
    assert not settings.set_grade(Admin(), Grade.B, "62.50"), "the same again"
    assert settings.grades() == {Grade.B: Decimal("62.5")}
    newest, first = settings.changes(GRADES)
    assert (newest.actor, newest.subject, newest.was, newest.now) == ("asha", "Grade B", "65 %", "62.5 %")
    assert (first.was, first.now) == (None, "65 %")
    with world.database.reading() as session:
        assert "Grade B: from 65 % to 62.5 %." in session.scalars(select(ActivityLog.sentence)).all()


@pytest.mark.parametrize("typed", ["", "0", "100.01", "-5", "65%", "1e2", "sixty", "65.123", "٦٥"])
def test_odd_percentages_change_nothing(settings: MarginSettings, typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        settings.set_grade(Admin(), Grade.A, typed)
    assert refused.value.field == "percent"
    assert settings.grades() == {}
    assert settings.changes(GRADES) == ()


def test_a_requirement_is_added_changed_and_removed(settings: MarginSettings) -> None:
    settings.set_requirement(Admin(), PLACE, "230000", "Broker's page, 27 Nov 2026")
    settings.set_requirement(Admin(), PLACE, "231000.50", "Broker's page, 30 Nov 2026")
    settings.set_requirement(Admin(), PLACE, "231000.50", "Broker's page, 30 Nov 2026")
    assert settings.table().of("BANKNIFTY", Need.SELL_ONE, Day.OTHER).amount == Decimal("231000.50")
    settings.remove_requirement(Admin(), PLACE)
    with pytest.raises(MissingRequirement):
        settings.table().of("BANKNIFTY", Need.SELL_ONE, Day.OTHER)
    with pytest.raises(NotFound):
        settings.remove_requirement(Admin(), PLACE)
    assert [(each.was is None, each.now is None) for each in settings.changes(REQUIREMENTS)] == [
        (False, True),
        (False, False),
        (True, False),
    ]


@pytest.mark.parametrize(
    ("place", "typed", "source", "field"),
    [
        (("NIFTYX", *PLACE[1:]), "1", "a source", "underlying"),
        ((PLACE[0], "puts", PLACE[2]), "1", "a source", "need"),
        ((*PLACE[:2], "tuesday"), "1", "a source", "day"),
        (PLACE, "0", "a source", "amount"),
        (PLACE, "2,30,000", "a source", "amount"),
        (PLACE, "1000000000", "a source", "amount"),
        (PLACE, "230000", "", "source"),
        (PLACE, "230000", "a\u202eb source", "source"),
    ],
)
def test_odd_requirements_name_their_field(
    settings: MarginSettings, place: tuple[str, str, str], typed: str, source: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        settings.set_requirement(Admin(), place, typed, source)
    assert refused.value.field == field
    assert settings.requirements() == ()
