"""The builder's fields of how accounts are sized."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain.sizing import Profile, Shortfall, SizeRule
from app.services.strategies import SavedStrategy
from app.strategies.forms import FormRefused, parse
from app.strategies.typed import read, stored
from tests.unit.strategies.test_forms import ACCOUNTS, form


def test_how_accounts_are_sized_is_read_and_shown_again() -> None:
    rule = SizeRule(Profile.BALANCED, 10, 40, Shortfall.SHRINK)
    typed = read(form(profile="balanced", max_structures="10", max_leg_lots="40", shortfall="shrink"))
    spec = parse(typed, ACCOUNTS).spec
    assert spec.size_rule == rule
    again = stored(
        SavedStrategy(1, spec, {1: Decimal(1)}, archived=False, changed_at=datetime(2026, 11, 23, tzinfo=UTC))
    )
    assert (again.profile, again.max_structures, again.max_leg_lots, again.shortfall) == (
        "balanced",
        "10",
        "40",
        "shrink",
    )
    assert parse(read(form()), ACCOUNTS).spec.size_rule == SizeRule()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("profile", "grade D"),
        ("profile", ""),
        ("shortfall", "hope"),
        ("max_structures", "0"),
        ("max_structures", "501"),
        ("max_leg_lots", "1.5"),
        ("max_leg_lots", "-1"),
    ],
)
def test_an_odd_size_names_its_field(field: str, text: str) -> None:
    with pytest.raises(FormRefused) as refused:
        parse(read(form(**{field: text})), ACCOUNTS)
    assert list(refused.value.errors) == [field]
