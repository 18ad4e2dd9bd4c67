"""Whole structures only."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput, Refused
from app.domain.shortfall import SMALLEST, falls_short, shared
from app.domain.size_words import shortage, size_brief, size_lines
from app.domain.sizing import (
    Basis,
    Basket,
    Cap,
    Figure,
    Profile,
    Shortfall,
    SizeRule,
    Sizing,
    fixed_structures,
    size_of,
)


@pytest.mark.parametrize(
    ("structures", "multiplier", "expected"),
    [(1, "1", 1), (1, "0.5", 0), (1, "0", 0), (2, "0.5", 1), (3, "0.5", 1), (1, "2.99", 2), (4, "1.25", 5)],
)
def test_floor(structures: int, multiplier: str, expected: int) -> None:
    assert fixed_structures(structures, Decimal(multiplier)) == expected


@pytest.mark.parametrize(
    ("structures", "multiplier", "field"), [(0, "1", "structures"), (1, "-1", "multiplier"), (1, "NaN", "multiplier")]
)
def test_odd_sizes_name_their_field(structures: int, multiplier: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fixed_structures(structures, Decimal(multiplier))
    assert refused.value.field == field


@given(st.integers(1, 500), st.decimals(0, 100, places=2))
def test_never_more_than_asked_and_less_by_under_one(structures: int, multiplier: Decimal) -> None:
    size = fixed_structures(structures, multiplier)
    assert 0 <= structures * multiplier - size < 1


AT = datetime(2026, 11, 30, 4, 1, 7, tzinfo=UTC)


def figure(value: int | str | Decimal, source: str = "broker") -> Figure:
    return Figure(Decimal(value), source, AT)


def by_margin(free: int = 620_000, one: int = 94_000, percent: int = 65, **more: object) -> Sizing:
    sizing = Sizing(
        profile=Profile.BALANCED,
        free=figure(free),
        percent=Figure(Decimal(percent), "grade B, balanced"),
        basis=Basis.BROKER,
        one=figure(one),
    )
    return replace(sizing, **more)  # type: ignore[arg-type]


def by_lots(wanted: int, multiplier: str = "1", free: int = 620_000, **more: object) -> Sizing:
    sizing = Sizing(
        profile=Profile.FIXED_LOTS,
        wanted=Figure(Decimal(wanted), "the strategy"),
        multiplier=Figure(Decimal(multiplier), "the account"),
        free=figure(free),
        basis=Basis.BROKER,
        insists=True,
    )
    return replace(sizing, **more)  # type: ignore[arg-type]


def priced(sizing: Sizing, each: int) -> Sizing:
    """With every size priced at so much a structure, until one may be relied on."""
    while not (size := size_of(sizing)).is_settled:
        sizing = sizing.with_basket(Basket(size.structures, figure(size.structures * each)))
    return sizing


@pytest.mark.parametrize(
    ("sizing", "each", "structures"),
    [
        (by_margin(), 94_000, 4),
        (by_margin(percent=95), 94_000, 6),
        (by_margin(percent=36), 94_000, 2),
        (by_margin(free=94_000), 94_000, 0),
        (by_margin(free=0), 94_000, 0),
        (by_margin(free=-5), 94_000, 0),
        (by_margin(caps=(Cap(10, "the strategy"), Cap(3, "the account"))), 94_000, 3),
        (by_margin(caps=(Cap(0, "the account"),)), 94_000, 0),
        (by_margin(reserved=figure(400_000, "run 12")), 94_000, 1),
        (by_margin(reserved=figure(700_000, "run 12")), 94_000, 0),
        (by_margin(), 110_000, 3),  # the broker asks more for four than four times one
        (by_margin(), 500_000, 0),
        (by_margin(), 50_000, 4),  # a cheaper whole lets nobody in beyond what one structure says
        (by_lots(4, "1.5"), 94_000, 6),
        (by_lots(4, "2"), 94_000, 0),  # all of it or nothing
        (by_lots(4, "2", insists=False), 94_000, 6),
        (by_lots(4, caps=(Cap(2, "the account"),)), 94_000, 2),
        (by_lots(1, "0.5"), 94_000, 0),
    ],
)
def test_structures(sizing: Sizing, each: int, structures: int) -> None:
    assert size_of(priced(sizing, each)).structures == structures


def test_lots_without_any_margin_are_settled_and_have_no_need() -> None:
    unknown = by_lots(4, basis=None)
    assert size_of(unknown).is_settled
    assert unknown.needs is None


def test_what_is_reserved_and_capped_is_said() -> None:
    sizing = priced(by_margin(reserved=figure(94_000, "run 12"), caps=(Cap(2, "the account, 2 lots a leg"),)), 94_000)
    assert size_lines(sizing) == (
        "free 6,20,000 - 94,000 reserved x 65 % = 3,41,900",
        "basket 94,000 (broker, 09:31:07)",
        "3.637 -> 3",
        "max 2 of the account, 2 lots a leg -> 2 structures",
        "2 structures need 1,88,000 (broker, 09:31:07), of 3,41,900",
    )


def test_a_row_among_fifty_says_what_decided() -> None:
    assert size_brief(priced(by_margin(caps=(Cap(3, "the strategy"),)), 94_000)) == (
        "4.287 -> 4; max 3 of the strategy -> 3 structures"
    )
    assert size_brief(priced(by_margin(), 94_000)) == "4.287 -> 4; -> 4 structures"
    assert size_brief(priced(by_lots(2, "1.5"), 94_000)) == "2 structures x multiplier 1.5 = 3"


def test_a_step_down_is_said() -> None:
    assert size_lines(priced(by_margin(), 110_000))[-2:] == (
        "4 structures need 4,40,000 (broker, 09:31:07), more than 4,03,000",
        "3 structures need 3,30,000 (broker, 09:31:07), of 4,03,000",
    )


def test_lots_show_their_sum() -> None:
    assert size_lines(by_lots(2, "1.50"))[0] == "2 structures x multiplier 1.5 = 3"
    assert size_lines(by_lots(1, "0.5"))[0] == "1 structure x multiplier 0.5 = 0.5, rounded down to 0"


@pytest.mark.parametrize(
    ("sizing", "words"),
    [
        (by_margin(free=0), "Its broker says that nothing is free. Outside trading hours"),
        (by_margin(free=94_000), "One structure needs ₹94,000.00, and ₹61,100.00 may be used for it."),
        (by_lots(1, "0.5"), "The multiplier leaves no whole structure."),
        (priced(by_lots(9), 94_000), "Needs a margin of ₹8,46,000.00 and has ₹6,20,000.00 free."),
        (by_lots(4, caps=(Cap(0, "the account, 1 lot a leg"),)), "The most that the account, 1 lot a leg allows"),
        (priced(by_margin(), 500_000), "Needs a margin of"),
    ],
)
def test_who_takes_nothing_is_told_why(sizing: Sizing, words: str) -> None:
    assert size_of(sizing).structures == 0
    assert words in shortage(sizing)


def test_one_that_falls_short_is_left_out_and_the_others_stay() -> None:
    sizings = {"Asha": priced(by_lots(4), 94_000), "Ravi": priced(by_lots(9), 94_000)}
    assert [falls_short(each) for each in sizings.values()] == [False, True]
    assert shared(Shortfall.SKIP, sizings) == sizings


def test_nobody_begins_when_one_falls_short() -> None:
    with pytest.raises(Refused, match=r"Ravi: too little to take part.*Needs a margin"):
        shared(Shortfall.REJECT, {"Asha": priced(by_lots(4), 94_000), "Ravi": priced(by_lots(9), 94_000)})
    nobody_short = {"Asha": priced(by_lots(4), 94_000)}
    assert shared(Shortfall.REJECT, nobody_short) == nobody_short


def test_everyone_shrinks_to_the_smallest_that_takes_part() -> None:
    free = {"Asha": 620_000, "Ravi": 400_000, "Devi": 100_000}
    sizings = {name: priced(by_margin(free=amount), 94_000) for name, amount in free.items()}
    after = shared(Shortfall.SHRINK, sizings)
    assert after["Asha"].caps == (Cap(2, SMALLEST),)
    assert after["Asha"].baskets == (), "what was priced was another size"
    assert {name: size_of(priced(each, 94_000)).structures for name, each in after.items()} == {
        "Asha": 2,
        "Ravi": 2,
        "Devi": 0,
    }


def test_lots_shrink_only_when_somebody_falls_short() -> None:
    fine = {"Asha": priced(by_lots(4, insists=False), 94_000), "Ravi": priced(by_lots(2, insists=False), 94_000)}
    assert shared(Shortfall.SHRINK, fine) == fine
    short = fine | {"Devi": priced(by_lots(4, free=100_000, insists=False), 94_000)}
    assert {name: size_of(each).structures for name, each in shared(Shortfall.SHRINK, short).items()} == {
        "Asha": 1,
        "Ravi": 1,
        "Devi": 1,
    }


@pytest.mark.parametrize(("field", "value"), [("max_structures", 0), ("max_structures", 501), ("max_leg_lots", 0)])
def test_odd_caps_name_their_field(field: str, value: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        replace(SizeRule(), **{field: value}).check()  # type: ignore[arg-type]
    assert refused.value.field == field


rupees = st.decimals(0, 100_000_000, places=2)
needs = st.decimals(1, 5_000_000, places=2)


@given(
    free=st.decimals(-1_000_000, 100_000_000, places=2),
    reserved=st.none() | rupees,
    percent=st.decimals(1, 100, places=2),
    one=needs,
    caps=st.lists(st.integers(0, 500), max_size=3),
    asked=st.lists(st.decimals("0.5", 3, places=2), min_size=1, max_size=8),
)
def test_never_beyond_funds_or_caps_and_the_numbers_give_it_again(
    free: Decimal,
    reserved: Decimal | None,
    percent: Decimal,
    one: Decimal,
    caps: list[int],
    asked: list[Decimal],
) -> None:
    """Whatever the broker asks for whole sizes: `asked` is how many times the single figure each is."""
    sizing = Sizing(
        profile=Profile.BALANCED,
        free=Figure(free, "broker"),
        reserved=None if reserved is None else Figure(reserved, "runs"),
        percent=Figure(percent, "grade"),
        basis=Basis.BROKER,
        one=Figure(one, "broker"),
        caps=tuple(Cap(cap, "somebody") for cap in caps),
    )
    for times in asked:
        size = size_of(sizing)
        if size.is_settled:
            break
        sizing = sizing.with_basket(Basket(size.structures, Figure(size.structures * one * times, "broker")))
    size = size_of(sizing)
    usable = max(Decimal(0), free - (reserved or 0)) * percent / 100
    assert size.structures * one <= usable
    assert all(size.structures <= cap for cap in caps)
    if size.is_settled and size.structures:
        assert sizing.needs is not None
        assert sizing.needs <= usable
        assert sizing.baskets[-1].structures == size.structures
