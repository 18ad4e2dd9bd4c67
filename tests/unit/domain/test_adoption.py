"""What of a broker's position is foreign, and when it may become ours: what was shown, in whole lots, and no other."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.adoption import (
    AdoptCode,
    AverageFrom,
    ForeignOrder,
    Standing,
    adopt,
    brought_about,
    foreign_units,
    is_ignored,
    why_not,
)
from app.domain.contracts import Side
from app.domain.errors import Denied

ROOT = Path(__file__).parents[3]
AVERAGE = Decimal("101.25")
FOREIGN = Standing(
    contract="NIFTY 01 DEC 26 26,400 CE",
    product="MIS",
    broker=-130,
    average=AVERAGE,
    ours=(),
    unsettled=False,
    settled_for_s=None,
    traded=False,
    lot_size=65,
)
units = st.integers(-2_000, 2_000)


@pytest.mark.parametrize(
    ("ours", "broker", "foreign"),
    [
        (0, 0, 0),
        (0, 65, 65),
        (0, -65, -65),
        (65, 65, 0),
        (65, 130, 65),
        (-65, -195, -130),
        (65, 40, 0),  # less than we: short
        (65, 0, 0),  # missing
        (65, -65, 0),  # across zero
        (-65, 65, 0),
    ],
)
def test_foreign_is_what_the_broker_has_beyond_ours_on_the_same_side(ours: int, broker: int, foreign: int) -> None:
    assert foreign_units(ours, broker) == foreign


@given(units, units)
def test_foreign_units_never_exceed_the_broker_and_never_turn_its_sign(ours: int, broker: int) -> None:
    foreign = foreign_units(ours, broker)
    assert abs(foreign) <= abs(broker)
    assert foreign * broker >= 0
    assert not foreign or ours + foreign == broker, "adopted, both sides say the same"


def test_what_was_shown_is_adopted_at_the_brokers_average() -> None:
    found = adopt(FOREIGN, units=-130, average=AVERAGE)
    assert (found.units, found.average, found.average_from) == (-130, AVERAGE, AverageFrom.BROKER)
    assert found.side is Side.SELL
    assert adopt(FOREIGN, units=-130, average=None).average == AVERAGE, "a script need not repeat it"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"broker": 0}, AdoptCode.NOT_FOREIGN),
        ({"ours": (-130,)}, AdoptCode.NOT_FOREIGN),
        ({"ours": (-195,)}, AdoptCode.NOT_FOREIGN),
        ({"ours": (65,)}, AdoptCode.NOT_FOREIGN),
        ({"lot_size": None}, AdoptCode.CONTRACT),
        ({"product": "CNC"}, AdoptCode.PRODUCT),
        ({"product": ""}, AdoptCode.PRODUCT),
        ({"unsettled": True}, AdoptCode.UNSETTLED),
        ({"settled_for_s": 0.0}, AdoptCode.UNSETTLED),
        ({"settled_for_s": 14.9}, AdoptCode.UNSETTLED),
        ({"ours": (-65, 65)}, AdoptCode.OPPOSITE),
        ({"broker": -100}, AdoptCode.ODD_LOT),
        ({"broker": -195}, AdoptCode.CHANGED),
        ({"broker": -65}, AdoptCode.CHANGED),
        ({"broker": 130}, AdoptCode.CHANGED),
        ({"ours": (-65,)}, AdoptCode.CHANGED),
        ({"average": Decimal("101.30")}, AdoptCode.CHANGED),
    ],
)
def test_what_speaks_against_it_is_said_with_its_code(change: dict[str, object], code: AdoptCode) -> None:
    with pytest.raises(Denied) as refused:
        adopt(replace(FOREIGN, **change), units=-130, average=AVERAGE)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_the_page_of_the_codes_names_each() -> None:
    page = (ROOT / "docs" / "reason-codes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\| `(ADOPT_\w+)` \|", page)) == set(AdoptCode)


def test_what_ended_long_enough_ago_is_in_the_books() -> None:
    assert adopt(replace(FOREIGN, settled_for_s=15.0), units=-130, average=AVERAGE).units == -130


@pytest.mark.parametrize(
    "change",
    [{"average": None}, {"average": Decimal(0)}, {"traded": True}, {"ours": (-65,), "broker": -195}],
)
def test_an_average_that_is_not_of_the_foreign_units_alone_is_asked_for_and_never_0(change: dict[str, object]) -> None:
    at = replace(FOREIGN, **change)  # type: ignore[arg-type]
    assert at.known_average is None
    for nothing in (None, Decimal(0)):
        with pytest.raises(Denied, match="type the price") as refused:
            adopt(at, units=-130, average=nothing)
        assert refused.value.code == AdoptCode.NO_AVERAGE
    found = adopt(at, units=-130, average=Decimal("99.5"))
    assert (found.average, found.average_from) == (Decimal("99.5"), AverageFrom.TYPED)


@given(
    broker=units,
    ours=st.lists(units.filter(bool), max_size=3),
    shown=units,
    lot=st.sampled_from([1, 25, 65]),
    unsettled=st.booleans(),
)
def test_whatever_is_adopted_was_shown_is_whole_and_leaves_both_sides_equal(
    *, broker: int, ours: Sequence[int], shown: int, lot: int, unsettled: bool
) -> None:
    at = replace(FOREIGN, broker=broker, ours=tuple(ours), lot_size=lot, unsettled=unsettled)
    try:
        found = adopt(at, units=shown, average=AVERAGE)
    except Denied:
        return
    assert found.units == shown
    assert found.units % lot == 0
    assert sum(ours) + found.units == broker
    assert not unsettled
    assert all(net * found.units > 0 for net in ours)
    assert found.average > 0
    assert why_not(at) is None


@pytest.mark.parametrize(
    ("foreign", "ignored", "quiet"),
    [(65, 65, True), (65, None, False), (130, 65, False), (-65, 65, False), (0, None, False), (0, 65, False)],
)
def test_ignored_is_exactly_so_many_units_of_that_sign(foreign: int, ignored: int | None, *, quiet: bool) -> None:
    assert is_ignored(foreign, ignored) is quiet


def test_the_orders_that_brought_it_about_are_those_since_they_last_left_nothing() -> None:
    orders = [ForeignOrder("1", 65), ForeignOrder("2", -65), ForeignOrder("3", 0), ForeignOrder("4", -130)]
    assert brought_about(orders) == ("4",)
    assert brought_about([*orders, ForeignOrder("5", 65), ForeignOrder("6", -65)]) == ("4", "5", "6")
    assert brought_about(orders[:2]) == ()
    assert brought_about([]) == ()
